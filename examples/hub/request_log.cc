// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "request_log.h"

#include <unistd.h>

#include <array>

#include "absl/time/clock.h"
#include "text.h"

namespace hub {
namespace {

std::string_view KnownMethod(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "OTHER";
}

std::string Timestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

/// A member, unless it is empty.
void AddTo(Json& line, const char* name, std::string_view value) {
  if (!value.empty()) line[name] = value;
}

}  // namespace

std::string LogLine(const Request& request, const Response& response, std::string_view route,
                    absl::Time now, absl::Duration took) {
  Json line = {{"time", Timestamp(now)}, {"event", "request"}};
  AddTo(line, "ip", request.ip);
  line["method"] = KnownMethod(request.method);
  line["route"] = route;
  line["status"] = response.status;
  AddTo(line, "user", response.note.user);
  AddTo(line, "reason", response.note.reason);
  AddTo(line, "token", response.note.token);
  line["us"] = absl::ToInt64Microseconds(took);
  return ToText(line);
}

void LogEvent(std::string_view event, const Json& fields) {
  Json line = {{"time", Timestamp(absl::Now())}, {"event", event}};
  line.update(fields);
  Log(ToText(line));
}

void Log(std::string_view line) {
  const std::string whole = Cat({line, "\n"});
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace hub
