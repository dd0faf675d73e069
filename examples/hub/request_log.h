// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_REQUEST_LOG_H_
#define HUB_REQUEST_LOG_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "json.h"
#include "request.h"

namespace hub {

/// A line about something that happened, as a JSON object: {"time":...,"event":...} and `fields`.
void LogEvent(std::string_view event, const Json& fields);

/// A line about a request, likewise: when, from where, method, route, status, user, why refused,
/// which token, how long. Nothing in it is the client's own text but what is known to be harmless:
/// no query, no header, no body, no unknown name or path.
std::string LogLine(const Request& request, const Response& response, std::string_view route,
                    absl::Time now, absl::Duration took);

/// Writes a line of plain text to standard error, whole.
void Log(std::string_view line);

}  // namespace hub

#endif  // HUB_REQUEST_LOG_H_
