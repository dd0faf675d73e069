// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_CRC32_H_
#define PAT_CRC32_H_

#include <cstdint>
#include <string_view>

namespace pat {

/// CRC-32 of IEEE 802.3 (reflected, 0xEDB88320, as in gzip and PNG). Catches mistyped and cut token
/// texts without a key; proves nothing. Time depends on the length alone: no table, since the text
/// is secret and a table's cache lines would tell of it.
inline std::uint32_t Crc32(std::string_view text) {
  // The usual table of 256 is linear: its entry for a byte is the sum of those for the byte's bits.
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

}  // namespace pat

#endif  // PAT_CRC32_H_
