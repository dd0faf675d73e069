// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/crypto.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace pat::crypto {
namespace {

std::string Hex(const Block& block) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : block) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string Unhex(std::string_view hex) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1]));
  }
  return bytes;
}

Block BlockOf(std::string_view hex) {
  const std::string bytes = Unhex(hex);
  Block block{};
  std::copy(bytes.begin(), bytes.end(), block.begin());
  return block;
}

// FIPS 197, appendix C.1.
TEST(Aes, IsTheStandards) {
  const Block key = BlockOf("000102030405060708090a0b0c0d0e0f");
  const Block plain = BlockOf("00112233445566778899aabbccddeeff");
  AesKey encrypt;
  AesKey decrypt;
  SetEncryptKey(key, &encrypt);
  SetDecryptKey(key, &decrypt);
  Block out;
  Encrypt(encrypt, plain, &out);
  EXPECT_EQ(Hex(out), "69c4e0d86a7b0430d8cdb78070b4c55a");
  Decrypt(decrypt, out, &out);  // in place
  EXPECT_EQ(out, plain);
}

// RFC 4493, section 4.
class CmacRfc4493 : public ::testing::Test {
 protected:
  CmacRfc4493() { SetCmacKey(BlockOf("2b7e151628aed2a6abf7158809cf4f3c"), &key_); }

  const std::string message_ = Unhex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  CmacKey key_;
};

TEST_F(CmacRfc4493, Subkeys) {
  Block zero{};
  Encrypt(key_.aes, zero, &zero);
  EXPECT_EQ(Hex(zero), "7df76b0c1ab899b33e42f047b91b546f");
  EXPECT_EQ(Hex(key_.last_whole), "fbeed618357133667c85e08f7236a8de");
  EXPECT_EQ(Hex(key_.last_partial), "f7ddac306ae266ccf90bc11ee46d513b");
}

TEST_F(CmacRfc4493, Examples) {
  const std::string_view message = message_;
  EXPECT_EQ(Hex(Cmac(key_, "")), "bb1d6929e95937287fa37d129b756746");
  EXPECT_EQ(Hex(Cmac(key_, message.substr(0, 16))), "070a16b46b4d4144f79bdd9dd04a287c");
  EXPECT_EQ(Hex(Cmac(key_, message.substr(0, 40))), "dfa66747de9ae63030ca32611497c827");
  EXPECT_EQ(Hex(Cmac(key_, message)), "51f0bebf7e3b9d92fc49741779363cfe");
}

TEST_F(CmacRfc4493, WhereTheMessageIsSplitDoesNotMatter) {
  for (std::size_t size = 0; size <= message_.size(); ++size) {
    const std::string_view message = std::string_view(message_).substr(0, size);
    const Block whole = Cmac(key_, message);
    for (std::size_t head = 0; head <= size; ++head) {
      EXPECT_EQ(Cmac(key_, message.substr(0, head), message.substr(head)), whole)
          << head << " of " << size;
    }
  }
}

// FIPS 180-4's examples, and the one-block limit of 55 bytes on both sides.
TEST(Sha256Half, IsTheFirstHalf) {
  EXPECT_EQ(Hex(Sha256Half("")), "e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_EQ(Hex(Sha256Half("abc")), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_EQ(Hex(Sha256Half("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039");
  EXPECT_EQ(Hex(Sha256Half(std::string(1000000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67");
}

// RFC 5869, appendix A.1: the first 16 bytes of the output.
TEST(Hkdf, IsTheRfcs) {
  Block out;
  ASSERT_TRUE(Hkdf(Unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                   Unhex("000102030405060708090a0b0c"), Unhex("f0f1f2f3f4f5f6f7f8f9"), &out));
  EXPECT_EQ(Hex(out), "3cb25f25faacd57a90434f64d0362f2a");
}

TEST(Equal, SeesEveryBit) {
  const Block block = BlockOf("00112233445566778899aabbccddeeff");
  EXPECT_TRUE(Equal(block, block));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    Block other = block;
    other[bit / 8] = static_cast<unsigned char>(other[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(Equal(block, other)) << bit;
    EXPECT_FALSE(Equal(other, block)) << bit;
  }
}

// ---- Randomness

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Gives the bytes it was made with, then fails.
class Script {
 public:
  explicit Script(std::vector<unsigned char> bytes) : bytes_(std::move(bytes)) {}

  bool operator()(void* out, std::size_t size) const {
    ++calls;
    if (bytes_.size() - used_ < size) return false;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), size,
                static_cast<unsigned char*>(out));
    used_ += size;
    return true;
  }

  mutable int calls = 0;

 private:
  std::vector<unsigned char> bytes_;
  mutable std::size_t used_ = 0;
};

TEST(RandomText, EachByteBelow248IsAnEqualShareOfTheAlphabet) {
  // 248 = 4 * 62: each character has exactly four bytes.
  std::vector<unsigned char> bytes;
  for (unsigned i = 0; i < 256; ++i) bytes.push_back(static_cast<unsigned char>(i));
  Script script(bytes);
  std::string text(248, '?');
  ASSERT_TRUE(RandomText(kBase62, script, text.data(), text.size()));
  for (char c : kBase62) EXPECT_EQ(std::count(text.begin(), text.end(), c), 4) << c;
}

TEST(RandomText, BytesThatWouldFavourSomeAreThrownAway) {
  std::vector<unsigned char> bytes(64, 255);
  for (unsigned i = 248; i < 256; ++i) bytes.push_back(static_cast<unsigned char>(i));
  bytes.resize(128, 61);  // 'z'
  bytes[100] = 248;       // among good ones
  Script script(bytes);
  std::string text(27, '?');
  ASSERT_TRUE(RandomText(kBase62, script, text.data(), text.size()));
  EXPECT_EQ(text, std::string(27, 'z'));
  EXPECT_EQ(script.calls, 2);
}

TEST(RandomText, FailsWithItsSource) {
  Script empty({});
  std::string text(27, '?');
  EXPECT_FALSE(RandomText(kBase62, empty, text.data(), text.size()));
  EXPECT_EQ(text, std::string(27, '?'));

  Script rejected(std::vector<unsigned char>(64, 250));  // then no more
  EXPECT_FALSE(RandomText(kBase62, rejected, text.data(), text.size()));
  EXPECT_EQ(text, std::string(27, '?'));
}

TEST(RandomText, WritesNoMoreThanAsked) {
  Script script(std::vector<unsigned char>(64, 1));
  std::string text(29, '?');
  ASSERT_TRUE(RandomText(kBase62, script, text.data() + 1, 27));
  EXPECT_EQ(text, "?" + std::string(27, '1') + "?");
}

TEST(RandomBytes, FillsAllOfAnySize) {
  for (const std::size_t size : {1U, 16U, 255U, 256U, 257U, 1000U}) {
    std::vector<unsigned> seen(size);  // each byte takes many values over 64 rounds
    std::string bytes(size + 1, '\0');
    for (int round = 0; round < 64; ++round) {
      ASSERT_TRUE(RandomBytes(bytes.data(), size));
      for (std::size_t i = 0; i < size; ++i) seen[i] |= static_cast<unsigned char>(bytes[i]);
      EXPECT_EQ(bytes[size], '\0');
    }
    for (std::size_t i = 0; i < size; ++i) EXPECT_NE(seen[i], 0U) << i << " of " << size;
  }
}

TEST(Wipe, Overwrites) {
  std::string text = "secret";
  Wipe(&text);
  EXPECT_EQ(text, std::string(6, '\0'));
}

}  // namespace
}  // namespace pat::crypto
