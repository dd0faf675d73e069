// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BASE62_H_
#define PAT_BASE62_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/numeric/int128.h"

// The digits of token text: base62, 0-9, A-Z, a-z in this order of value, most significant first.
// Reading is without branches or tables on the characters, which are secret. Programs use
// token_text.h; what is in token_text_internal may change with any version.

namespace pat {

/// Digits of a selector, which is a number below 2^128, and of a checksum, below 2^32.
inline constexpr std::size_t kSelectorLength = 22;
inline constexpr std::size_t kChecksumLength = 6;

/// A selector as 16 bytes, most significant first.
using Selector = std::array<unsigned char, 16>;

namespace token_text_internal {

inline constexpr char kAlphabet[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
inline constexpr std::uint64_t kPow10 = 839299365868340224;  // 62^10

// All ones if lo <= c <= hi, else 0; without a branch or a table (the characters are secret).
inline constexpr std::uint32_t InRange(std::uint32_t c, std::uint32_t lo, std::uint32_t hi) {
  return 0U - (((lo - 1 - c) & (c - hi - 1)) >> 31);
}

// The value of a base62 digit; `*bad` gets ones if it is none (and the value is then 0).
inline std::uint32_t Digit(char character, std::uint32_t* bad) {
  const std::uint32_t c = static_cast<unsigned char>(character);
  const std::uint32_t digit = InRange(c, '0', '9');
  const std::uint32_t upper = InRange(c, 'A', 'Z');
  const std::uint32_t lower = InRange(c, 'a', 'z');
  *bad |= ~(digit | upper | lower);
  return (digit & (c - '0')) | (upper & (c - 'A' + 10)) | (lower & (c - 'a' + 36));
}

// The digit of a value below 62, without a table: a checksum tells of the secret under it.
inline char Character(std::uint32_t value) {
  const std::uint32_t letter = 0U - ((9U - value) >> 31U);
  const std::uint32_t lower = 0U - ((35U - value) >> 31U);
  return static_cast<char>('0' + value + (letter & ('A' - '0' - 10U)) + (lower & ('a' - 'Z' - 1U)));
}

// The value of at most 10 digits (62^10 < 2^64).
inline std::uint64_t Number(std::string_view digits, std::uint32_t* bad) {
  std::uint64_t value = 0;
  for (char c : digits) value = value * 62 + Digit(c, bad);
  return value;
}

// 22 characters to 16 bytes; false if one is no digit or the value is 2^128 or more.
inline bool DecodeSelector(std::string_view digits, Selector* selector) {
  std::uint32_t bad = 0;
  const std::uint64_t high = Number(digits.substr(0, 2), &bad);
  const std::uint64_t middle = Number(digits.substr(2, 10), &bad);
  const std::uint64_t low = Number(digits.substr(12, 10), &bad);
  const absl::uint128 top = absl::uint128(high) * kPow10 + middle;
  // 2^128 - 1 = kMaxTop * 62^10 + kMaxLow
  constexpr absl::uint128 kMaxTop = absl::MakeUint128(21, 0xFA8ED2F450272A5C);
  constexpr std::uint64_t kMaxLow = 0x01D6F5B454628FFF;
  if (bad != 0 || top > kMaxTop || (top == kMaxTop && low > kMaxLow)) return false;
  const absl::uint128 value = top * kPow10 + low;
  for (std::size_t i = 0; i < 8; ++i) {
    (*selector)[i] = static_cast<unsigned char>(absl::Uint128High64(value) >> (56 - 8 * i));
    (*selector)[8 + i] = static_cast<unsigned char>(absl::Uint128Low64(value) >> (56 - 8 * i));
  }
  return true;
}

inline void EncodeSelector(Selector number, char* digits) {
  for (std::size_t d = kSelectorLength; d-- > 0;) {  // long division by 62
    std::uint32_t rest = 0;
    for (unsigned char& byte : number) {
      const std::uint32_t part = rest << 8 | byte;
      byte = static_cast<unsigned char>(part / 62);
      rest = part % 62;
    }
    digits[d] = Character(rest);
  }
}

inline void EncodeChecksum(std::uint32_t number, char* digits) {
  for (std::size_t d = kChecksumLength; d-- > 0; number /= 62) digits[d] = Character(number % 62);
}

inline bool IsBase62(std::string_view text) {
  std::uint32_t bad = 0;
  for (char c : text) Digit(c, &bad);
  return bad == 0;
}

}  // namespace token_text_internal

}  // namespace pat

#endif  // PAT_BASE62_H_
