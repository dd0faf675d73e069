// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "html.h"

#include <algorithm>

#include "pat/token.h"

namespace hub {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// How many bytes the character at the front of `text` has; 0 if it is none.
std::size_t CharacterSize(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size) {
    if (pat::CountUtf8(text.substr(0, size)) == 1) return size;
  }
  return 0;
}

bool IsControl(char c) {
  return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == '\x7F';
}

}  // namespace

Html Html::Text(std::string_view text) {
  Html html;
  std::string& out = html.markup_;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    switch (text.front()) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += size == 0 || IsControl(text.front()) ? kReplacement : text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return html;
}

}  // namespace hub
