// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "moments.h"

#include <cstdint>

#include "text.h"

namespace hub {
namespace {

constexpr char kDay[] = "%b %e, %E4Y";

std::string Format(const char* format, absl::Time time) {
  std::string text = absl::FormatTime(format, time, absl::UTCTimeZone());
  const std::size_t gap = text.find("  ");  // %e pads
  if (gap != std::string::npos) text.erase(gap, 1);
  return text;
}

std::string Exactly(absl::Time time) { return Format("%b %e, %E4Y, %H:%M UTC", time); }

Html Element(absl::Time time, std::string_view text, const Html& kind) {
  return {"<time ",         kind,
          R"( datetime=")", Html::Text(Format("%E4Y-%m-%dT%H:%M:%SZ", time)),
          R"(" title=")",   Html::Text(Exactly(time)),
          R"(">)",          Html::Text(text),
          "</time>"};
}

/// The largest unit of which there is at least one: "1 minute", "5 days".
std::string Rough(absl::Duration duration) {
  struct Unit {
    absl::Duration size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {
      {absl::Hours(24), "day"}, {absl::Hours(1), "hour"}, {absl::Minutes(1), "minute"}};
  for (const Unit& unit : kUnits) {
    const std::int64_t count = duration / unit.size;
    if (count >= 1) return Cat({std::to_string(count), " ", unit.name, count == 1 ? "" : "s"});
  }
  return "less than a minute";
}

}  // namespace

Html Day(absl::Time time) { return Element(time, Format(kDay, time), "class=\"day\""); }

Html Moment(absl::Time time) { return Element(time, Exactly(time), "class=\"moment\""); }

Html Ago(absl::Time time, absl::Time now) {
  const absl::Duration passed = now - time;
  if (passed >= absl::Hours(28 * 24)) return Day(time);
  const std::string text =
      passed < absl::Minutes(1) ? std::string("just now") : Cat({Rough(passed), " ago"});
  return Element(time, text, "class=\"ago\"");
}

std::string Until(absl::Time time, absl::Time now) { return Cat({"in ", Rough(time - now)}); }

}  // namespace hub
