// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_HTML_H_
#define HUB_HTML_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace hub {

/// A piece of HTML. It is made of literals in our own code and of text that is escaped: no other
/// string becomes one, so nothing that somebody typed can be markup.
class Html {
 public:
  Html() = default;
  /// Markup. Takes literals alone.
  template <std::size_t kSize>
  Html(const char (&literal)[kSize]) : markup_(literal, kSize - 1) {}  // NOLINT: meant to convert
  Html(std::initializer_list<Html> pieces) {
    for (const Html& piece : pieces) markup_ += piece.markup_;
  }

  /// Text, for between tags or between the double quotes of an attribute. What cannot be shown
  /// (control characters, bytes that are not UTF-8) becomes U+FFFD.
  static Html Text(std::string_view text);

  Html& operator+=(const Html& more) {
    markup_ += more.markup_;
    return *this;
  }

  bool empty() const { return markup_.empty(); }
  const std::string& markup() const { return markup_; }

 private:
  std::string markup_;
};

}  // namespace hub

#endif  // HUB_HTML_H_
