// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <cstddef>

#include "pat/token.h"

namespace patctl {
namespace {

void AppendEscape(char32_t unit, std::string* json) {
  constexpr char kHex[] = "0123456789abcdef";
  *json += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) *json += kHex[unit >> shift & 0xF];
}

void AppendCharacter(char32_t point, std::string* json) {
  if (point == '"' || point == '\\') {
    *json += '\\';
    *json += static_cast<char>(point);
  } else if (point >= 0x20 && point < 0x7F) {
    *json += static_cast<char>(point);
  } else if (point < 0x10000) {
    AppendEscape(point, json);
  } else {  // a surrogate pair
    AppendEscape(0xD800 + ((point - 0x10000) >> 10), json);
    AppendEscape(0xDC00 + ((point - 0x10000) & 0x3FF), json);
  }
}

}  // namespace

std::string JsonString(std::string_view text) {
  const bool utf8 = pat::CountUtf8(text).has_value();
  std::string json = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    char32_t point = lead;
    if (utf8 && lead >= 0xC0) {
      const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
      point = lead & (0x3FU >> more);
      for (const std::size_t end = i + more; i < end; ++i) {
        point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
      }
    }
    AppendCharacter(point, &json);
  }
  return json + "\"";
}

std::string JsonStrings(const std::vector<std::string>& texts) {
  std::string json;
  for (const std::string& text : texts) json += (json.empty() ? "" : ",") + JsonString(text);
  return "[" + json + "]";
}

JsonObject& JsonObject::Raw(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ",";
  members_ += JsonString(name) + ":";
  members_ += json;
  return *this;
}

}  // namespace patctl
