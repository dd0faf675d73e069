// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/crc32.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace pat {
namespace {

// The definition: division by the polynomial, a bit at a time.
std::uint32_t Reference(const std::string& text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc % 2 != 0 ? crc / 2 ^ 0xEDB88320 : crc / 2;
  }
  return crc ^ 0xFFFFFFFF;
}

TEST(Crc32Test, KnownValues) {  // made with zlib
  EXPECT_EQ(Crc32(""), 0U);
  EXPECT_EQ(Crc32({}), 0U);
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926U);  // the check value of the standard
  EXPECT_EQ(Crc32({"\0", 1}), 0xD202EF8DU);
  EXPECT_EQ(Crc32("a"), 0xE8B7BE43U);
  EXPECT_EQ(Crc32("\xFF\xFF\xFF\xFF"), 0xFFFFFFFFU);
  EXPECT_EQ(Crc32(std::string(1 << 20, '\0')), 0xA738EA1CU);
}

TEST(Crc32Test, EveryByte) {
  for (int value = 0; value < 256; ++value) {
    const std::string text(1, static_cast<char>(value));
    EXPECT_EQ(Crc32(text), Reference(text)) << value;
  }
}

TEST(Crc32Test, AgreesWithTheDefinition) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 100, '\0');
    for (char& c : text) c = static_cast<char>(random());
    ASSERT_EQ(Crc32(text), Reference(text)) << "round " << round;
  }
}

TEST(Crc32Test, BothWaysAgreeAtEveryLength) {
  std::mt19937_64 random(8);
  for (std::size_t size = 0; size <= 200; ++size) {
    for (int round = 0; round < 20; ++round) {
      std::string text(size, '\0');
      for (char& c : text) c = static_cast<char>(random());
      ASSERT_EQ(crc32_internal::Portable(text), Reference(text)) << size;
      ASSERT_EQ(Crc32(text), Reference(text)) << size;
    }
  }
}

TEST(Crc32Test, EverySingleChangeShows) {
  const std::string text = "acme_pat_0cmNn8QB3yyZ5vvTsHqJ74z5L5oiCcA0MQuRaqr7fhS8ujcHU0";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string other = text;
      other[at] = static_cast<char>(value);
      EXPECT_EQ(Crc32(other) == Crc32(text), other == text) << at << ' ' << value;
    }
  }
}

}  // namespace
}  // namespace pat
