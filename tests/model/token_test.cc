// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace pat {
namespace {

// UTF-8 by its other definition: not "what decodes" but "what encoding gives". All encodings of all
// code points but the surrogates, by length.
class Encodings {
 public:
  Encodings() : one_(256), two_(65536), three_(1 << 24) {
    for (std::uint32_t p = 0; p <= 0x10FFFF; ++p) {
      if (p >= 0xD800 && p <= 0xDFFF) continue;
      if (p < 0x80) {
        one_[p] = true;
      } else if (p < 0x800) {
        two_[(0xC0 + p / 64) * 256 + 0x80 + p % 64] = true;
      } else if (p < 0x10000) {
        three_[((0xE0 + p / 4096) * 256 + 0x80 + p / 64 % 64) * 256 + 0x80 + p % 64] = true;
      } else {
        four_.push_back(Pack(static_cast<unsigned>(0xF0 + p / 262144), 0x80 + p / 4096 % 64,
                             0x80 + p / 64 % 64, 0x80 + p % 64));
      }
    }
  }

  // Characters of the bytes from `b` to `end`, or -1 if they cannot be cut into encodings.
  int Count(const unsigned char* b, const unsigned char* end) const {
    const auto left = end - b;
    if (left <= 0) return 0;
    if (one_[b[0]]) return Next(Count(b + 1, end));
    if (left >= 2 && two_[b[0] * 256U + b[1]]) return Next(Count(b + 2, end));
    if (left >= 3 && three_[(b[0] * 256U + b[1]) * 256U + b[2]]) return Next(Count(b + 3, end));
    if (left >= 4 && std::binary_search(four_.begin(), four_.end(), Pack(b[0], b[1], b[2], b[3]))) {
      return Next(Count(b + 4, end));
    }
    return -1;
  }

  const std::vector<std::uint32_t>& four() const { return four_; }

 private:
  static int Next(int count) { return count < 0 ? -1 : count + 1; }
  static std::uint32_t Pack(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return ((a * 256 + b) * 256 + c) * 256 + d;
  }

  std::vector<bool> one_, two_, three_;
  std::vector<std::uint32_t> four_;  // ascending
};

// Counts differences instead of failing at each, to stay readable and fast.
class Utf8Test : public ::testing::Test {
 protected:
  void Compare(std::initializer_list<unsigned> values) {
    unsigned char bytes[16] = {};
    std::size_t size = 0;
    for (unsigned value : values) bytes[size++] = static_cast<unsigned char>(value);
    const std::optional<std::size_t> count =
        CountUtf8({reinterpret_cast<const char*>(bytes), size});
    const int expected = encodings_.Count(bytes, bytes + size);
    const int got = count.has_value() ? static_cast<int>(*count) : -1;
    if (got == expected) return;
    if (++differences_ <= 5) {
      std::string hex;
      for (std::size_t i = 0; i < size; ++i) hex += ' ' + std::to_string(bytes[i]);
      ADD_FAILURE() << "bytes" << hex << ": " << got << ", not " << expected;
    }
  }

  const Encodings encodings_;
  int differences_ = 0;
};

TEST_F(Utf8Test, AllOfOneTwoAndThreeBytes) {
  Compare({});
  for (unsigned a = 0; a < 256; ++a) {
    Compare({a});
    for (unsigned b = 0; b < 256; ++b) {
      Compare({a, b});
      for (unsigned c = 0; c < 256; ++c) Compare({a, b, c});
    }
  }
  EXPECT_EQ(differences_, 0);
}

TEST_F(Utf8Test, FourBytesAtTheEdgesAndSampled) {
  const unsigned edges[] = {0x00, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0xBF, 0xC0, 0xFF};
  for (unsigned a = 0xEC; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      for (unsigned c : edges) {
        for (unsigned d : edges) Compare({a, b, c, d});
      }
    }
  }
  std::mt19937_64 random(6);
  for (int i = 0; i < 500000; ++i) {
    const std::uint32_t p = encodings_.four()[random() % encodings_.four().size()];
    unsigned bytes[4] = {p >> 24, p >> 16 & 255, p >> 8 & 255, p & 255};
    Compare({bytes[0], bytes[1], bytes[2], bytes[3]});
    bytes[random() % 4] = static_cast<unsigned>(random() % 256);
    Compare({bytes[0], bytes[1], bytes[2], bytes[3]});
    Compare({'a', bytes[0], bytes[1], bytes[2], bytes[3], 'b'});
    Compare({bytes[0], bytes[1], bytes[2], bytes[3], bytes[0], bytes[1], bytes[2], bytes[3]});
  }
  EXPECT_EQ(differences_, 0);
}

TEST_F(Utf8Test, HugeText) {
  std::string text;
  for (int i = 0; i < 1 << 18; ++i) text += "\xF0\x9F\x90\xB3";  // 1 MiB of whales
  EXPECT_EQ(CountUtf8(text), std::size_t{1} << 18);
  text.pop_back();
  EXPECT_EQ(CountUtf8(text), std::nullopt);
  EXPECT_EQ(CountUtf8(std::string(1 << 20, '\0')), std::size_t{1} << 20);
}

TEST_F(Utf8Test, NeverReadsBeyondTheEnd) {  // with ASan
  for (const char* whole : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xB3"}) {
    const std::string_view bytes = whole;
    for (std::size_t n = 1; n < bytes.size(); ++n) {
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(CountUtf8({cut.data(), cut.size()}), std::nullopt);
    }
  }
}

bool IsDescription(std::string_view text) {
  const absl::Status status = ValidateDescription(text);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return status.ok();
}

std::string Repeat(std::string_view text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

TEST(DescriptionTest, OneTo100CharactersNotBytes) {
  for (const char* character : {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xB3"}) {
    for (int n = 1; n <= 100; ++n) EXPECT_TRUE(IsDescription(Repeat(character, n))) << n;
    for (int n : {0, 101, 102, 200, 400, 401}) {
      EXPECT_FALSE(IsDescription(Repeat(character, n))) << n;
    }
  }
  EXPECT_FALSE(IsDescription({}));
  EXPECT_FALSE(IsDescription(std::string(1 << 20, 'a')));
}

TEST(DescriptionTest, NulAnywhereIsRefused) {
  EXPECT_FALSE(IsDescription(std::string_view("\0", 1)));
  for (std::size_t at = 0; at < 100; ++at) {
    std::string text(100, 'a');
    text[at] = '\0';
    EXPECT_FALSE(IsDescription(text)) << at;
  }
}

TEST(DescriptionTest, InvalidUtf8IsRefused) {
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3", "\xC3\x28",
                           "\xF0\x82\x82\xAC", "\xFE\xFF", "caf\xE9"}) {
    EXPECT_FALSE(IsDescription(text));
    EXPECT_FALSE(IsDescription(std::string(50, 'a') + text));
  }
}

TEST(DescriptionTest, ControlCharactersAndBlanksAreTheUsersOwn) {
  for (char c = 1; c < 127; ++c) EXPECT_TRUE(IsDescription({&c, 1}));
}

TEST(AccountTest, OneTo128OpaqueBytes) {
  for (std::size_t n = 0; n <= 300; ++n) {
    for (char c : {'a', '\0', '\xFF', ' '}) {
      const absl::Status status = ValidateAccount(std::string(n, c));
      EXPECT_EQ(status.ok(), n >= 1 && n <= 128) << n;
      EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
    }
  }
  EXPECT_FALSE(ValidateAccount(std::string(1 << 20, 'a')).ok());
  EXPECT_FALSE(ValidateAccount({}).ok());
}

bool AreAttributes(const Attributes& attributes) {
  const absl::Status status = ValidateAttributes(attributes);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return status.ok();
}

TEST(AttributesTest, AtMost1024BytesInAll) {
  EXPECT_TRUE(AreAttributes({}));
  EXPECT_TRUE(AreAttributes({{"a", std::string(1023, 'b')}}));
  EXPECT_FALSE(AreAttributes({{"a", std::string(1024, 'b')}}));
  EXPECT_TRUE(AreAttributes({{std::string(1024, 'a'), ""}}));
  EXPECT_FALSE(AreAttributes({{std::string(1025, 'a'), ""}}));
  EXPECT_FALSE(AreAttributes({{"a", std::string(1 << 20, 'b')}}));
  EXPECT_FALSE(AreAttributes({{std::string(1 << 20, 'a'), ""}}));
  EXPECT_TRUE(AreAttributes({{"a", std::string(511, 'x')}, {"b", std::string(511, 'x')}}));
  EXPECT_FALSE(AreAttributes({{"a", std::string(511, 'x')}, {"b", std::string(512, 'x')}}));
  EXPECT_TRUE(AreAttributes({{"a", Repeat("\xC3\xA9", 511)}}));  // bytes, not characters
  EXPECT_FALSE(AreAttributes({{"a", Repeat("\xC3\xA9", 512)}}));
}

TEST(AttributesTest, ManyNamesReachTheLimit) {
  Attributes attributes;
  for (int i = 0; i < 256; ++i) attributes["n" + std::to_string(100 + i)] = "";
  EXPECT_TRUE(AreAttributes(attributes));
  attributes["m"] = "";
  EXPECT_FALSE(AreAttributes(attributes));
}

TEST(AttributesTest, NamesAreNotEmptyValuesMayBe) {
  EXPECT_FALSE(AreAttributes({{"", "value"}}));
  EXPECT_FALSE(AreAttributes({{"", ""}}));
  EXPECT_TRUE(AreAttributes({{"name", ""}}));
}

TEST(AttributesTest, TextWithoutNul) {
  const std::string nul("a\0b", 3);
  EXPECT_FALSE(AreAttributes({{nul, "value"}}));
  EXPECT_FALSE(AreAttributes({{"name", nul}}));
  EXPECT_FALSE(AreAttributes({{"name", "ok"}, {"other", nul}}));
  EXPECT_FALSE(AreAttributes({{"\xFF", "value"}}));
  EXPECT_FALSE(AreAttributes({{"name", "\xED\xA0\x80"}}));
  EXPECT_TRUE(AreAttributes({{"IP", "2001:db8::1"}, {"user agent", "docker/24 \xF0\x9F\x90\xB3"}}));
}

TEST(TokenTest, DefaultsGiveNoRight) {
  const Token token;
  EXPECT_TRUE(token.permissions.empty());
  EXPECT_TRUE(token.scopes.empty());
  EXPECT_FALSE(token.expires_at.has_value() || token.last_used_at.has_value());
  EXPECT_FALSE(token.damaged);
}

}  // namespace
}  // namespace pat
