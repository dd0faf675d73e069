// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "times.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>

#include "absl/status/status.h"

namespace patctl {
namespace {

/// Whether `text` has the form of RFC 3339's date-time. absl::ParseTime alone reads much more.
bool IsRfc3339(std::string_view text) {
  const auto matches = [&text](std::string_view form) {  // and is cut off; '0' is any digit
    if (text.size() < form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
      const bool is_digit = text[i] >= '0' && text[i] <= '9';
      if (form[i] == '0' ? !is_digit : text[i] != form[i]) return false;
    }
    text.remove_prefix(form.size());
    return true;
  };
  if (!matches("0000-00-00T00:00:00")) return false;
  if (matches(".0")) {
    while (matches("0")) {
    }
  }
  return ((matches("Z") || matches("+00:00") || matches("-00:00")) && text.empty());
}

std::optional<absl::Duration> ParseDistance(std::string_view text) {
  constexpr std::int64_t kMost = 100'000'000'000;  // seconds: some 3,000 years
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || end - read.ptr != 1 || number < 0 || text.front() == '-') {
    return std::nullopt;
  }
  constexpr std::int64_t kDay = 86400;
  std::int64_t unit_s = 0;
  switch (*read.ptr) {
    case 's': unit_s = 1; break;
    case 'm': unit_s = 60; break;
    case 'h': unit_s = 3600; break;
    case 'd': unit_s = kDay; break;
    case 'w': unit_s = 7 * kDay; break;
    default: return std::nullopt;
  }
  if (number > kMost / unit_s) return std::nullopt;
  return absl::Seconds(number * unit_s);
}

}  // namespace

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseMoment(std::string_view text, absl::Time now, int ahead) {
  if (const auto distance = ParseDistance(text)) return now + ahead * *distance;
  std::string upper(text);
  for (char& c : upper) {
    if (c == 't' || c == 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  absl::Time time;
  std::string ignored;
  if (IsRfc3339(upper) && absl::ParseTime(absl::RFC3339_full, upper, &time, &ignored)) return time;
  return absl::InvalidArgumentError(
      "a time is written 2030-01-31T12:00:00Z (RFC 3339), or 30d, 12h, 90m, 2w from now");
}

}  // namespace patctl
