// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The fast way to read a body against the plain one, which base62_test.cc holds to big integers.
#include "pat/token_body.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pat::token_text_internal {
namespace {

constexpr std::size_t kChecksumAt = kTokenBodyLength - kChecksumLength;

void ExpectSame(const std::string& body) {
  const TokenBody plain = ReadBodyPortable(body);
  const TokenBody fast = ReadTokenBody(body);
  ASSERT_EQ(fast.base62, plain.base62) << body;
  if (!plain.base62) return;
  ASSERT_EQ(fast.selector_fits, plain.selector_fits) << body;
  ASSERT_EQ(fast.checksum, plain.checksum) << body;
  if (plain.selector_fits) {
    ASSERT_EQ(fast.selector, plain.selector) << body;
  }
}

std::string Random(std::mt19937_64* random) {
  std::string body(kTokenBodyLength, '0');
  for (char& c : body) c = kAlphabet[(*random)() % 62];
  return body;
}

TEST(TokenBodyTest, FastAndPlainReadTheSame) {
  std::mt19937_64 random(1);  // NOLINT
  int fits = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string body = Random(&random);
    if (i % 2 == 0) body[0] = static_cast<char>('0' + random() % 8);  // 2^128 begins with 7
    ExpectSame(body);
    fits += ReadTokenBody(body).selector_fits ? 1 : 0;
  }
  EXPECT_GT(fits, 10000);
  EXPECT_LT(fits, 190000);
}

TEST(TokenBodyTest, EveryByteAtEveryPlace) {
  std::mt19937_64 random(2);  // NOLINT
  for (std::size_t at = 0; at < kTokenBodyLength; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string body = Random(&random);
      body[at] = static_cast<char>(value);
      ExpectSame(body);
    }
  }
}

TEST(TokenBodyTest, ValuesAroundTheLimit) {
  std::mt19937_64 random(3);  // NOLINT
  for (const std::string selector :
       {"7n42DGM5Tflk9n8mt7Fhc7", "7n42DGM5Tflk9n8mt7Fhc8", "7n42DGM5Tflk9n00000000",
        "7n42DGM5Tflk9nzzzzzzzz", "7n42DGM5Tflk9m00000000", "7n42DGM5Tflk9ozzzzzzzz",
        "0000000000000000000000", "zzzzzzzzzzzzzzzzzzzzzz"}) {
    for (const std::string checksum : {"000000", "4gfFC3", "4gfFC4", "zzzzzz"}) {
      const std::string body = selector + Random(&random).substr(0, kSecretLength) + checksum;
      ExpectSame(body);
      EXPECT_EQ(ReadTokenBody(body).selector_fits, selector <= "7n42DGM5Tflk9n8mt7Fhc7");
      EXPECT_EQ(ReadTokenBody(body).checksum <= 0xFFFFFFFF, checksum <= "4gfFC3");
    }
  }
  static_assert(kChecksumAt == 49);
}

}  // namespace
}  // namespace pat::token_text_internal
