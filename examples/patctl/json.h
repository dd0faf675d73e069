// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_JSON_H_
#define PATCTL_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patctl {

// Writes JSON (RFC 8259) on one line and in ASCII: everything else, control characters included, is
// escaped as \uXXXX, so the output is the same for every locale and harmless on a terminal. patctl
// only writes JSON, so this page stands in for a library that everyone who builds libpat would have
// to install.

/// A string. Bytes that are not UTF-8 cannot be written in JSON: such a text is read as Latin-1,
/// each byte one character U+00XX, which loses nothing but is not told apart; who needs to know
/// adds the bytes in base64.
std::string JsonString(std::string_view text);

std::string JsonStrings(const std::vector<std::string>& texts);

/// An object; members appear in the order they are added.
class JsonObject {
 public:
  JsonObject& Raw(std::string_view name, std::string_view json);
  JsonObject& Text(std::string_view name, std::string_view text) {
    return Raw(name, JsonString(text));
  }
  JsonObject& TextOrNull(std::string_view name, const std::optional<std::string>& text) {
    return text.has_value() ? Text(name, *text) : Raw(name, "null");
  }
  JsonObject& Number(std::string_view name, std::uint64_t number) {
    return Raw(name, std::to_string(number));
  }
  JsonObject& Bool(std::string_view name, bool value) {
    return Raw(name, value ? "true" : "false");
  }

  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace patctl

#endif  // PATCTL_JSON_H_
