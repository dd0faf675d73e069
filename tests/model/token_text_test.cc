// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/token_text.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <ostream>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pat {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::vector<std::string> kPrefixes = {"acme_pat_"};
constexpr std::string_view kSecret = "z5L5oiCcA0MQuRaqr7fhS8ujcHU";

// The secret cannot be copied, printed or compared by accident.
template <typename T, typename = void>
struct IsStreamable : std::false_type {};
template <typename T>
struct IsStreamable<
    T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};
static_assert(IsStreamable<std::string>::value && !IsStreamable<TokenText>::value);
static_assert(!std::is_copy_constructible_v<TokenText> && !std::is_copy_assignable_v<TokenText>);
static_assert(std::is_nothrow_move_constructible_v<TokenText>);
static_assert(std::is_nothrow_move_assignable_v<TokenText>);
static_assert(!std::is_convertible_v<TokenText, std::string_view>);
static_assert(!std::is_convertible_v<TokenText, std::string>);

Selector SomeSelector() {
  Selector selector;
  for (std::size_t i = 0; i < selector.size(); ++i) {
    selector[i] = static_cast<unsigned char>(0xB7 + 31 * i);
  }
  return selector;
}

std::string Good(const std::string& prefix = kPrefixes[0]) {
  return std::string(ComposeTokenText(prefix, SomeSelector(), kSecret).Reveal());
}

ParseResult Parse(std::string_view text, const std::vector<std::string>& prefixes = kPrefixes) {
  ParsedToken token;
  const ParseResult result = ParseTokenText(text, prefixes, &token);
  EXPECT_EQ(token.secret_input.empty(), result != ParseResult::kOk);
  // Looks like a token exactly if it is judged as one.
  EXPECT_EQ(LooksLikeToken(text, prefixes), result != ParseResult::kNotToken);
  return result;
}

TEST(ValidatePrefixTest, TwoTo20CharactersEndingInUnderscore) {
  for (std::size_t n = 0; n <= 64; ++n) {
    const std::string text(n, 'a');
    EXPECT_FALSE(ValidatePrefix(text).ok());
    EXPECT_EQ(ValidatePrefix(text + "_").ok(), n >= 1 && n <= 19) << n;
    EXPECT_EQ(ValidatePrefix(std::string(n, '_')).ok(), n >= 2 && n <= 20) << n;
  }
  EXPECT_FALSE(ValidatePrefix({}).ok());
  EXPECT_FALSE(ValidatePrefix(std::string(1 << 20, '_')).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ValidatePrefix("")));
}

TEST(ValidatePrefixTest, EveryByteAtEveryPlace) {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const bool inside = c == '_' || kDigits.find(c) != std::string_view::npos;
    EXPECT_EQ(ValidatePrefix(std::string{c, '_'}).ok(), inside) << value;
    EXPECT_EQ(ValidatePrefix(std::string{'a', c, 'b', '_'}).ok(), inside) << value;
    EXPECT_EQ(ValidatePrefix(std::string{'a', c}).ok(), c == '_') << value;
  }
}

TEST(TokenTextTest, MovesAndLeavesNothingBehind) {
  TokenText first = ComposeTokenText("acme_pat_", SomeSelector(), kSecret);
  const std::string text(first.Reveal());
  EXPECT_FALSE(first.empty());
  const char* place = first.Reveal().data();
  TokenText second = std::move(first);
  EXPECT_EQ(second.Reveal(), text);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
  EXPECT_EQ(std::string(place, text.size()), std::string(text.size(), '\0'));

  TokenText third = ComposeTokenText("x_", SomeSelector(), kSecret);
  third = std::move(second);
  EXPECT_EQ(third.Reveal(), text);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  TokenText& self = third;
  third = std::move(self);
  EXPECT_EQ(third.Reveal(), text);
  third = TokenText();
  EXPECT_TRUE(third.empty());
  EXPECT_EQ(third.Reveal(), "");
}

TEST(TokenTextTest, WipedWhenDestroyed) {
  alignas(TokenText) unsigned char memory[sizeof(TokenText)];
  auto* text = new (memory) TokenText(ComposeTokenText("acme_pat_", SomeSelector(), kSecret));
  EXPECT_NE(text->Reveal().find(kSecret), std::string_view::npos);
  const volatile char* place = text->Reveal().data();  // what is left where a dead object was
  const std::size_t size = text->Reveal().size();
  text->~TokenText();
  for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(place[i], '\0') << i;
}

TEST(ComposeTest, RefusesBadParts) {
  const Selector selector = SomeSelector();
  EXPECT_FALSE(ComposeTokenText("acme_pat_", selector, kSecret).empty());
  for (const std::string& prefix :
       {std::string(), std::string("_"), std::string("a"), std::string("abc"), std::string("a-_"),
        std::string(20, 'a') + "_", std::string(1 << 20, '_'), std::string("\0_", 2)}) {
    EXPECT_TRUE(ComposeTokenText(prefix, selector, kSecret).empty());
  }
  for (std::size_t n : {0, 1, 26, 28, 55, 1 << 20}) {
    EXPECT_TRUE(ComposeTokenText("acme_pat_", selector, std::string(n, 'a')).empty()) << n;
  }
  for (std::size_t at = 0; at < kSecret.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string secret(kSecret);
      secret[at] = static_cast<char>(value);
      EXPECT_EQ(ComposeTokenText("acme_pat_", selector, secret).empty(),
                kDigits.find(secret[at]) == std::string_view::npos)
          << at << ' ' << value;
    }
  }
}

TEST(ParseTest, ReadsBackWhatComposeWrote) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string prefix, secret;
    for (std::size_t n = 1 + random() % 19; n > 0; --n) {
      prefix.push_back(random() % 8 == 0 ? '_' : kDigits[random() % 62]);
    }
    prefix.push_back('_');
    while (secret.size() < kSecretLength) secret.push_back(kDigits[random() % 62]);
    Selector selector;
    for (unsigned char& byte : selector) byte = static_cast<unsigned char>(random());
    const TokenText text = ComposeTokenText(prefix, selector, secret);
    ASSERT_EQ(text.Reveal().size(), prefix.size() + kTokenBodyLength);
    ParsedToken token;
    ASSERT_EQ(ParseTokenText(text.Reveal(), {std::string("other_"), prefix}, &token),
              ParseResult::kOk);
    ASSERT_EQ(token.selector, selector);
    ASSERT_EQ(token.secret_input.substr(kSelectorLength), secret);
    ASSERT_EQ(token.secret_input.data(), text.Reveal().data() + prefix.size());
  }
}

TEST(ParseTest, EverySingleCharacterChangeIsRefused) {
  const std::string good = Good();
  ASSERT_EQ(Parse(good), ParseResult::kOk);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string text = good;
      text[at] = static_cast<char>(value);
      if (text == good) continue;
      const bool digit = kDigits.find(text[at]) != std::string_view::npos;
      const ParseResult result = Parse(text);
      EXPECT_NE(result, ParseResult::kOk) << at << ' ' << value;
      EXPECT_EQ(result != ParseResult::kNotToken, at >= 9 && digit) << at << ' ' << value;
    }
  }
}

TEST(ParseTest, EveryTruncationAndExtensionIsRefused) {
  const std::string good = Good();
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(Parse(good.substr(0, n)), ParseResult::kNotToken) << n;
    EXPECT_EQ(Parse(good.substr(good.size() - n)), ParseResult::kNotToken) << n;
    EXPECT_EQ(Parse(good.substr(0, n) + good.substr(n + 1)), ParseResult::kNotToken) << n;
  }
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    EXPECT_EQ(Parse(good + c), ParseResult::kNotToken);
    EXPECT_EQ(Parse(c + good), ParseResult::kNotToken);
    for (std::size_t at = 0; at <= good.size(); ++at) {
      std::string text = good;
      text.insert(at, 1, c);
      EXPECT_EQ(Parse(text), ParseResult::kNotToken);
    }
  }
  for (std::size_t n = 2; n < 300; ++n) {
    EXPECT_EQ(Parse(good + std::string(n, '0')), ParseResult::kNotToken);
  }
}

TEST(ParseTest, HugeInput) {
  const std::string good = Good();
  for (char c : {'0', 'a', '_', '\0', ' ', '\xFF'}) {
    const std::string huge(1 << 20, c);
    EXPECT_EQ(Parse(huge), ParseResult::kNotToken);
    EXPECT_EQ(Parse(good + huge), ParseResult::kNotToken);
    EXPECT_EQ(Parse(huge + good), ParseResult::kNotToken);
  }
  EXPECT_EQ(Parse(good, {std::string(1 << 20, 'a')}), ParseResult::kNotToken);
}

TEST(ParseTest, NothingIsNoToken) {
  EXPECT_EQ(Parse({}), ParseResult::kNotToken);
  EXPECT_EQ(Parse(Good(), {}), ParseResult::kNotToken);
  EXPECT_EQ(Parse({}, {}), ParseResult::kNotToken);
  EXPECT_EQ(Parse({}, {""}), ParseResult::kNotToken);
}

TEST(ParseTest, NeverReadsBeyondTheEnd) {  // with ASan
  const std::string good = Good();
  for (std::size_t n = 0; n <= good.size(); ++n) {
    const std::unique_ptr<char[]> exact(new char[n]);
    std::memcpy(exact.get(), good.data(), n);
    EXPECT_EQ(Parse({exact.get(), n}) == ParseResult::kOk, n == good.size());
  }
}

TEST(ParseTest, AcceptedPrefixesOnly) {
  const std::vector<std::string> prefixes = {"a_", "b_", "a_b_", "longer_prefix_20chr_"};
  for (const std::string& prefix : prefixes) {
    EXPECT_EQ(Parse(Good(prefix), prefixes), ParseResult::kOk) << prefix;
    EXPECT_EQ(Parse(Good(prefix)), ParseResult::kNotToken) << prefix;
  }
  for (const char* prefix : {"A_", "c_", "b_a_", "_a_", "a__"}) {
    EXPECT_EQ(Parse(Good(prefix), prefixes), ParseResult::kNotToken) << prefix;
  }
}

// One prefix's text under another of the same length: the checksum covers the prefix.
TEST(ParseTest, ChecksumBindsThePrefix) {
  const std::string text = "b" + Good("a_").substr(1);
  EXPECT_EQ(Parse(text, {"a_", "b_"}), ParseResult::kBadChecksum);
}

TEST(RegexTest, MatchesTokensAndNothingShorter) {
  for (const char* prefix : {"acme_pat_", "a_", "__", "MyApp_PAT_"}) {
    const std::string good = Good(prefix);
    for (auto syntax : {std::regex::ECMAScript, std::regex::extended}) {
      const std::regex regex(TokenTextRegex(prefix), syntax);
      EXPECT_TRUE(std::regex_match(good, regex));
      std::smatch found;
      const std::string line = "password: \"" + good + "\" # mine";
      ASSERT_TRUE(std::regex_search(line, found, regex));
      EXPECT_EQ(found.str(), good);
      EXPECT_FALSE(std::regex_match(good + "0", regex));
      for (std::size_t n = 0; n < good.size(); ++n) {
        EXPECT_FALSE(std::regex_search(good.substr(0, n), regex)) << n;
      }
      for (const char* other : {"other_", "ACME_PAT_"}) {
        EXPECT_FALSE(std::regex_match(Good(other), regex));
      }
    }
  }
}

// The regex and LooksLikeToken are the same set of texts.
TEST(RegexTest, AgreesWithLooksLikeToken) {
  const std::string good = Good();
  const std::regex regex(TokenTextRegex(kPrefixes[0]));
  for (std::size_t at = 0; at < good.size(); at += 3) {
    for (int value = 0; value < 256; ++value) {
      std::string text = good;
      text[at] = static_cast<char>(value);
      EXPECT_EQ(std::regex_match(text, regex), LooksLikeToken(text, kPrefixes)) << at << value;
    }
  }
}

}  // namespace
}  // namespace pat
