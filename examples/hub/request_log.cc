// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "request_log.h"

#include <unistd.h>

#include <array>

#include "text.h"

namespace hub {
namespace {

std::string_view KnownMethod(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "OTHER";
}

std::string_view OrDash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

std::string LogLine(const Request& request, const Response& response, std::string_view route,
                    absl::Time now, absl::Duration took) {
  return Cat({absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now, absl::UTCTimeZone()), " ",
              OrDash(request.ip), " ", KnownMethod(request.method), " ", route, " ",
              std::to_string(response.status), " user=", OrDash(response.note.user),
              " reason=", OrDash(response.note.reason),
              " us=", std::to_string(absl::ToInt64Microseconds(took))});
}

void Log(std::string_view line) {
  const std::string whole = Cat({line, "\n"});
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace hub
