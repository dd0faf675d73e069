// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_CRC32_H_
#define PAT_CRC32_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pat {

namespace crc32_internal {

// A byte at a time. The usual table of 256 is linear: its entry for a byte is the sum of those for
// the byte's bits.
inline std::uint32_t Portable(std::string_view text) {
  constexpr std::uint32_t kBit[8] = {0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832,
                                     0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320};
  std::uint32_t crc = ~0U;
  for (char c : text) {
    const std::uint32_t index = (crc ^ static_cast<unsigned char>(c)) & 0xFFU;
    std::uint32_t sum = crc >> 8;
    for (unsigned bit = 0; bit < 8; ++bit) sum ^= (0U - (index >> bit & 1U)) & kBit[bit];
    crc = sum;
  }
  return ~crc;
}

#if defined(__x86_64__)
#define PAT_CRC32_CLMUL 1

inline bool HasClmul() { return __builtin_cpu_supports("pclmul") != 0; }

// True for the sizes of texts that are done so: the first of the blocks, counted from the end,
// holds the four bytes that the start value is added to.
inline bool FitsClmul(std::size_t size) { return size >= 16 && (size - 1) % 16 >= 3; }

// The first `n` bytes (1 to 16) moved to the end, zeros before them.
__attribute__((target("ssse3"))) inline __m128i MoveToEnd(__m128i bytes, std::size_t n) {
  constexpr unsigned char kNone = 0x80;
  static constexpr unsigned char kShuffle[32] = {
      kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone,
      kNone, kNone, kNone, kNone, kNone, 0,     1,     2,     3,     4,     5,
      6,     7,     8,     9,     10,    11,    12,    13,    14,    15};
  return _mm_shuffle_epi8(bytes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(kShuffle + n)));
}

// By carry-less multiplication (V. Gopal et al., "Fast CRC computation for generic polynomials
// using PCLMULQDQ", Intel, 2009; constants for the reflected polynomial). The start value ~0 is
// added to the first four bytes instead; then zeros in front change nothing, and the text can end
// at a block's end.
__attribute__((target("pclmul,sse4.1"))) inline std::uint32_t ByClmul(std::string_view text) {
  const char* const data = text.data();
  const std::size_t first = (text.size() - 1) % 16 + 1;  // bytes in the first block: 4 or more
  alignas(16) constexpr unsigned char kStart[16] = {0xFF, 0xFF, 0xFF, 0xFF};
  __m128i sum = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
  sum = _mm_xor_si128(sum, _mm_load_si128(reinterpret_cast<const __m128i*>(kStart)));
  sum = MoveToEnd(sum, first);
  const __m128i fold = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0);  // x^(128-32), x^(128+32)
  for (std::size_t at = first; at < text.size(); at += 16) {
    sum = _mm_xor_si128(
        _mm_xor_si128(_mm_clmulepi64_si128(sum, fold, 0x00), _mm_clmulepi64_si128(sum, fold, 0x11)),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at)));
  }
  // 128 bits to 96, to 64, and Barrett's reduction to 32.
  const __m128i low32 = _mm_set_epi32(0, -1, 0, -1);
  sum = _mm_xor_si128(_mm_clmulepi64_si128(sum, fold, 0x10), _mm_srli_si128(sum, 8));
  const __m128i to64 = _mm_set_epi64x(0, 0x163CD6124);
  sum = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(sum, low32), to64, 0x00),
                      _mm_srli_si128(sum, 4));
  const __m128i barrett = _mm_set_epi64x(0x1F7011641, 0x1DB710641);  // quotient, polynomial
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low32), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low32), barrett, 0x00);
  return ~static_cast<std::uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1));
}
#endif

}  // namespace crc32_internal

/// CRC-32 of IEEE 802.3 (reflected, 0xEDB88320, as in gzip and PNG). Catches mistyped and cut token
/// texts without a key; proves nothing. Time depends on the length alone: no table, since the text
/// is secret and a table's cache lines would tell of it.
inline std::uint32_t Crc32(std::string_view text) {
#if defined(PAT_CRC32_CLMUL)
  if (crc32_internal::FitsClmul(text.size()) && crc32_internal::HasClmul()) {
    return crc32_internal::ByClmul(text);
  }
#endif
  return crc32_internal::Portable(text);
}

}  // namespace pat

#endif  // PAT_CRC32_H_
