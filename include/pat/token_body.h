// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TOKEN_BODY_H_
#define PAT_TOKEN_BODY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/numeric/int128.h"
#include "pat/base62.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// What follows the prefix of a token text, read at once: 55 digits of base62, of which the first 22
// are the selector and the last 6 the checksum. Without branches or tables on the characters.
// Programs use token_text.h; what is in token_text_internal may change with any version.

namespace pat {

inline constexpr std::size_t kSecretLength = 27;
inline constexpr std::size_t kTokenBodyLength = kSelectorLength + kSecretLength + kChecksumLength;

namespace token_text_internal {

struct TokenBody {
  Selector selector{};         ///< If `selector_fits`.
  std::uint64_t checksum = 0;  ///< Up to 62^6 - 1.
  bool base62 = false;         ///< All characters are digits; else nothing else counts.
  bool selector_fits = false;  ///< Below 2^128.
};

inline TokenBody ReadBodyPortable(std::string_view body) {
  TokenBody read;
  std::uint32_t bad = 0;
  read.base62 = IsBase62(body);
  read.selector_fits = DecodeSelector(body.substr(0, kSelectorLength), &read.selector);
  read.checksum = Number(body.substr(kTokenBodyLength - kChecksumLength), &bad);
  return read;
}

#if defined(__SSE2__)

// Sixteen characters to the values of digits; `*good` keeps ones where they are digits.
inline __m128i DigitsOf(__m128i c, __m128i* good) {
  const auto at_most = [](__m128i value, char most) {  // unsigned
    return _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(most)), value);
  };
  // Small letters are capitals with one more bit. Values: '0' 0, 'A' 10, 'a' 36.
  const __m128i number = _mm_sub_epi8(c, _mm_set1_epi8('0'));
  const __m128i letter =
      _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8('a' - 'A')), _mm_set1_epi8('a'));
  const __m128i is_number = at_most(number, 9);
  const __m128i is_letter = at_most(letter, 25);
  const __m128i is_small = _mm_cmpgt_epi8(c, _mm_set1_epi8('Z'));
  *good = _mm_and_si128(*good, _mm_or_si128(is_number, is_letter));
  const __m128i first = _mm_add_epi8(_mm_set1_epi8(10), _mm_and_si128(is_small, _mm_set1_epi8(26)));
  return _mm_or_si128(_mm_and_si128(is_number, number),
                      _mm_and_si128(is_letter, _mm_add_epi8(letter, first)));
}

// The numbers that digits 0 to 7 and 8 to 15 make: below 62^8 < 2^48.
inline void NumbersOf(__m128i digits, std::uint64_t* first, std::uint64_t* second) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i by_1 = _mm_set1_epi32(1 << 16 | 62);    // two digits: below 2^12
  const __m128i by_2 = _mm_set1_epi32(1 << 16 | 3844);  // four: below 2^24
  const __m128i pairs = _mm_packs_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(digits, zero), by_1),
                                        _mm_madd_epi16(_mm_unpackhi_epi8(digits, zero), by_1));
  alignas(16) std::uint32_t fours[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(fours), _mm_madd_epi16(pairs, by_2));
  constexpr std::uint64_t k62ToThe4 = 14776336;
  *first = fours[0] * k62ToThe4 + fours[1];
  *second = fours[2] * k62ToThe4 + fours[3];
}

// high * 62^16 + middle * 62^8 + low as 16 bytes; false if it is 2^128 or more.
inline bool SelectorOfLimbs(std::uint64_t high, std::uint64_t middle, std::uint64_t low,
                            Selector* selector) {
  constexpr std::uint64_t k62ToThe8 = 218340105584896;
  // 2^128 - 1 = kMaxTop * 62^8 + kMaxLow
  constexpr absl::uint128 kMaxTop = absl::MakeUint128(0x14A06, 0x48979C838C180FCF);
  constexpr std::uint64_t kMaxLow = 0x1C26112F30FF;
  const absl::uint128 top = absl::uint128(high) * k62ToThe8 + middle;
  if (top > kMaxTop || (top == kMaxTop && low > kMaxLow)) return false;
  const absl::uint128 value = top * k62ToThe8 + low;
  const std::uint64_t halves[2] = {__builtin_bswap64(absl::Uint128High64(value)),
                                   __builtin_bswap64(absl::Uint128Low64(value))};
  __builtin_memcpy(selector->data(), halves, sizeof halves);
  return true;
}

inline TokenBody ReadBodySse2(std::string_view body) {
  const char* const text = body.data();
  const auto load = [text](std::size_t at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + at));
  };
  __m128i good = _mm_set1_epi8(-1);
  const __m128i first = DigitsOf(load(0), &good);
  const __m128i low16 = DigitsOf(load(kSelectorLength - 16), &good);
  DigitsOf(load(22), &good);
  DigitsOf(load(30), &good);
  const __m128i last = DigitsOf(load(kTokenBodyLength - 16), &good);
  // Two zeros and the selector's first six digits; two zeros and the checksum.
  const __m128i ends =
      _mm_unpacklo_epi64(_mm_slli_si128(first, 2), _mm_slli_si128(_mm_srli_si128(last, 10), 2));
  TokenBody read;
  std::uint64_t high = 0;
  std::uint64_t middle = 0;
  std::uint64_t low = 0;
  NumbersOf(ends, &high, &read.checksum);
  NumbersOf(low16, &middle, &low);
  read.base62 = _mm_movemask_epi8(good) == 0xFFFF;
  read.selector_fits = SelectorOfLimbs(high, middle, low, &read.selector);
  return read;
}

#endif

/// Reads `body`, which has 55 characters.
inline TokenBody ReadTokenBody(std::string_view body) {
#if defined(__SSE2__)
  return ReadBodySse2(body);
#else
  return ReadBodyPortable(body);
#endif
}

}  // namespace token_text_internal

}  // namespace pat

#endif  // PAT_TOKEN_BODY_H_
