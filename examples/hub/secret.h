// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_SECRET_H_
#define HUB_SECRET_H_

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace hub {

/// Overwrites a string's characters, so that they do not stay behind in freed memory.
inline void Wipe(std::string& text) {
  if (!text.empty()) ::explicit_bzero(text.data(), text.size());
  text.clear();
}

/// What came in a password field: a password or a token. Move-only, wiped, and without a stream
/// operator, so that it cannot be logged by accident.
class Secret {
 public:
  Secret() = default;
  /// Takes a copy and wipes `text`.
  explicit Secret(std::string& text) : text_(text) { Wipe(text); }
  ~Secret() { Wipe(text_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { *this = std::move(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    Wipe(text_);
    text_ = other.text_;  // not moved: short strings would stay behind where they were
    Wipe(other.text_);
    return *this;
  }

  std::string_view Reveal() const { return text_; }

 private:
  std::string text_;
};

template <typename Stream>
Stream& operator<<(Stream&, const Secret&) = delete;

}  // namespace hub

#endif  // HUB_SECRET_H_
