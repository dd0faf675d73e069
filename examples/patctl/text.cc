// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <system_error>

#include "pat/token.h"

namespace patctl {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// What does not show, or changes how other characters show.
constexpr Range kHidden[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C},
    {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F}, {0x200B, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFF},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

bool IsHidden(char32_t point) {
  return std::any_of(std::begin(kHidden), std::end(kHidden), [point](const Range& range) {
    return range.first <= point && point <= range.last;
  });
}

/// The length of the UTF-8 character `text` begins with, 0 if it begins with none.
std::size_t CharacterLength(std::string_view text) {
  for (std::size_t n = 1; n <= std::min<std::size_t>(4, text.size()); ++n) {
    if (pat::CountUtf8(text.substr(0, n)) == std::size_t{1}) return n;
  }
  return 0;
}

/// The code point of one valid UTF-8 character.
char32_t CodePoint(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return lead;
  char32_t point = lead & (0x7FU >> character.size());
  for (char c : character.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return point;
}

std::string Hex(const char* format, unsigned value) {
  char text[16];
  const int size = std::snprintf(text, sizeof text, format, value);
  return std::string(text, static_cast<std::size_t>(std::max(size, 0)));
}

}  // namespace

std::string Cat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts) text.append(part);
  return text;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      escaped += Hex("\\x%02x", static_cast<unsigned char>(character.front()));
    } else if (IsHidden(CodePoint(character))) {
      escaped += Hex("\\u{%x}", CodePoint(character));
    } else {
      if (character == "\\") escaped += "\\";
      escaped += character;
    }
    text.remove_prefix(character.size());
  }
  return escaped;
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  const auto width = [](const std::string& cell) {
    return pat::CountUtf8(cell).value_or(cell.size());
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

absl::Status Output::Flush() {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const std::string reason = std::generic_category().message(errno);
      Wipe();
      return absl::UnavailableError(Cat({"cannot write to standard output: ", reason}));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  Wipe();
  return absl::OkStatus();
}

/// The text may hold a new token: once shown, it need not stay in memory.
void Output::Wipe() {
  volatile char* p = text_.data();
  for (std::size_t i = 0; i < text_.size(); ++i) p[i] = 0;
  text_.clear();
}

}  // namespace patctl
