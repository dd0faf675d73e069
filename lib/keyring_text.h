// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_KEYRING_TEXT_H_
#define PAT_LIB_KEYRING_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/crypto.h"
#include "lib/key_set.h"

namespace pat {

inline constexpr std::size_t kMostKeyringBytes = 4096;

/// A string that does not leave its characters behind.
struct WipedString {
  std::string text;
  WipedString() = default;
  explicit WipedString(std::string_view t) : text(t) {}
  WipedString(const WipedString&) = delete;
  WipedString& operator=(const WipedString&) = delete;
  ~WipedString() { crypto::Wipe(&text); }
};

/// A realm as a keyring says it: 32 hexadecimal digits.
std::string RealmText(const Realm& realm);

}  // namespace pat

#endif  // PAT_LIB_KEYRING_TEXT_H_
