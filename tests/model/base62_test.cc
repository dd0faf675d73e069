// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/base62.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace pat::token_text_internal {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Schoolbook multiplication on single bytes; false if a seventeenth would be needed.
bool ReferenceDecode(std::string_view digits, Selector* selector) {
  selector->fill(0);
  for (char c : digits) {
    auto carry = static_cast<unsigned>(kDigits.find(c));
    for (std::size_t i = selector->size(); i-- > 0;) {
      carry += (*selector)[i] * 62U;
      (*selector)[i] = static_cast<unsigned char>(carry % 256);
      carry /= 256;
    }
    if (carry != 0) return false;
  }
  return true;
}

std::string Encode(const Selector& selector) {
  std::string digits(kSelectorLength, '?');
  EncodeSelector(selector, digits.data());
  return digits;
}

TEST(Base62Test, DigitOfEveryByte) {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const std::size_t place = kDigits.find(c);
    std::uint32_t bad = 0;
    const std::uint32_t digit = Digit(c, &bad);
    EXPECT_EQ(bad == 0, place != std::string_view::npos) << value;
    EXPECT_EQ(digit, bad == 0 ? place : 0) << value;
    EXPECT_EQ(IsBase62({&c, 1}), bad == 0) << value;
  }
}

TEST(Base62Test, BadStaysBad) {
  std::uint32_t bad = 0;
  (void)Number("12-45", &bad);
  EXPECT_NE(bad, 0U);
  (void)Number("12345", &bad);
  EXPECT_NE(bad, 0U);
}

TEST(Base62Test, IsBase62LooksAtEveryCharacter) {
  EXPECT_TRUE(IsBase62(""));
  EXPECT_TRUE(IsBase62(kDigits));
  EXPECT_TRUE(IsBase62(std::string(1 << 20, 'a')));
  for (std::size_t at = 0; at < kDigits.size(); ++at) {
    for (char c : {'\0', '_', '-', '\x80', '\xFF', ' '}) {
      std::string text(kDigits);
      text[at] = c;
      EXPECT_FALSE(IsBase62(text)) << at;
    }
  }
}

TEST(Base62Test, NumbersOfUpToTenDigits) {
  std::uint32_t bad = 0;
  EXPECT_EQ(Number("", &bad), 0U);
  EXPECT_EQ(Number("z", &bad), 61U);
  EXPECT_EQ(Number("10", &bad), 62U);
  EXPECT_EQ(Number("4gfFC3", &bad), 0xFFFFFFFFU);
  EXPECT_EQ(Number("zzzzzzzzzz", &bad), kPow10 - 1);
  EXPECT_EQ(bad, 0U);
  std::uint64_t power = 1;
  for (int i = 0; i < 10; ++i) power *= 62;
  EXPECT_EQ(power, kPow10);
}

TEST(Base62Test, ChecksumDigitsRoundTrip) {
  std::mt19937 random(8);
  std::uint32_t bad = 0;
  for (int round = 0; round < 100000; ++round) {
    const std::uint32_t number = round < 1000   ? static_cast<std::uint32_t>(round)
                                 : round < 2000 ? ~static_cast<std::uint32_t>(round - 1000)
                                                : static_cast<std::uint32_t>(random());
    std::string digits(kChecksumLength, '?');
    EncodeChecksum(number, digits.data());
    ASSERT_TRUE(IsBase62(digits));
    ASSERT_EQ(Number(digits, &bad), number);
  }
}

TEST(SelectorTest, EdgesOf128Bits) {
  Selector zero{};
  Selector most;
  most.fill(0xFF);
  EXPECT_EQ(Encode(zero), std::string(22, '0'));
  EXPECT_EQ(Encode(most), "7n42DGM5Tflk9n8mt7Fhc7");
  Selector read;
  EXPECT_TRUE(DecodeSelector("7n42DGM5Tflk9n8mt7Fhc7", &read));
  EXPECT_EQ(read, most);
  EXPECT_FALSE(DecodeSelector("7n42DGM5Tflk9n8mt7Fhc8", &read));
  EXPECT_FALSE(DecodeSelector("zzzzzzzzzzzzzzzzzzzzzz", &read));
}

// Around 2^128 every text that differs in one digit, and many at random: the same verdict and the
// same bytes as by schoolbook.
TEST(SelectorTest, AgreesWithSchoolbook) {
  std::mt19937_64 random(9);
  int over = 0, under = 0;
  const auto compare = [&](const std::string& digits) {
    Selector read, expected;
    const bool fits = ReferenceDecode(digits, &expected);
    ASSERT_EQ(DecodeSelector(digits, &read), fits) << digits;
    ++(fits ? under : over);
    if (!fits) return;
    ASSERT_EQ(read, expected) << digits;
    ASSERT_EQ(Encode(read), digits);
  };
  for (const std::string& near :
       {std::string("7n42DGM5Tflk9n8mt7Fhc7"), std::string("7n42DGM5Tflk9n8mt7Fhc8"),
        std::string("0000000000000000000000"), std::string("7n42DGM5Tflk0000000000"),
        std::string("7n42DGM5Tflkzzzzzzzzzz"), std::string("7n00000000000000000000")}) {
    for (std::size_t at = 0; at < near.size(); ++at) {
      for (char c : kDigits) {
        std::string digits = near;
        digits[at] = c;
        compare(digits);
      }
    }
  }
  for (int round = 0; round < 50000; ++round) {
    std::string digits;
    while (digits.size() < kSelectorLength) digits.push_back(kDigits[random() % 62]);
    digits[0] = kDigits[random() % 8];  // about 2^128 at most
    compare(digits);
  }
  EXPECT_GT(over, 1000);
  EXPECT_GT(under, 1000);
}

TEST(SelectorTest, EveryValueRoundTrips) {
  std::mt19937_64 random(10);
  for (int round = 0; round < 50000; ++round) {
    Selector selector;
    for (unsigned char& byte : selector) byte = static_cast<unsigned char>(random());
    if (round % 4 == 0) selector.fill(static_cast<unsigned char>(round / 4));
    if (round < 128) {  // one bit
      selector.fill(0);
      selector[static_cast<std::size_t>(round / 8)] = static_cast<unsigned char>(1 << round % 8);
    }
    Selector read;
    ASSERT_TRUE(DecodeSelector(Encode(selector), &read));
    ASSERT_EQ(read, selector);
  }
}

TEST(SelectorTest, EveryBadByteAtEveryPlaceIsRefused) {
  Selector read;
  for (std::size_t at = 0; at < kSelectorLength; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string digits(kSelectorLength, '0');
      digits[at] = static_cast<char>(value);
      if (kDigits.find(digits[at]) != std::string_view::npos) continue;
      EXPECT_FALSE(DecodeSelector(digits, &read)) << at << ' ' << value;
    }
  }
}

}  // namespace
}  // namespace pat::token_text_internal
