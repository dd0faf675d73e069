// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_TEXT_H_
#define HUB_TEXT_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Small readings and writings of text. (absl/strings wants absl::string_view, which is another type
// than std::string_view in some builds of Abseil.)

namespace hub {

/// The pieces put together.
std::string Cat(std::initializer_list<std::string_view> pieces);

/// The pieces with `separator` between.
std::string Join(const std::vector<std::string>& pieces, std::string_view separator);

/// The pieces between separators; empty ones are left out. Points into `text`.
std::vector<std::string_view> SplitWords(std::string_view text, char separator);

/// The pieces between separators, empty ones too. Points into `text`.
std::vector<std::string_view> SplitFields(std::string_view text, char separator);

/// Whether two texts are the same but for the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

inline bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// `text` without blanks and tabs at its ends.
std::string_view Trimmed(std::string_view text);

/// A decimal number of at most 18 digits, nothing else.
std::optional<std::int64_t> ParseNumber(std::string_view text);

}  // namespace hub

#endif  // HUB_TEXT_H_
