// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Token text against a reader that does it by hand: digits multiplied out byte by byte, the
// checksum bit by bit. And there is one text for a token.
#include "pat/token_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const std::vector<std::string>& Prefixes() {
  static const auto* const prefixes =
      new std::vector<std::string>{"acme_pat_", "x_", "dckr_pat_", "a_much_longer_prefi_"};
  return *prefixes;
}

std::uint32_t ChecksumByHand(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

std::string ChecksumText(std::string_view covered) {
  std::string digits;
  std::uint32_t crc = ChecksumByHand(covered);
  for (int i = 0; i < 6; ++i, crc /= 62) digits.insert(digits.begin(), kDigits[crc % 62]);
  return digits;
}

std::optional<pat::Selector> SelectorByHand(std::string_view digits) {
  pat::Selector value{};
  for (const char c : digits) {
    auto carry = static_cast<unsigned>(kDigits.find(c));
    for (auto byte = value.rbegin(); byte != value.rend(); ++byte) {
      carry += *byte * 62U;
      *byte = static_cast<unsigned char>(carry & 0xFFU);
      carry >>= 8U;
    }
    if (carry != 0) return std::nullopt;
  }
  return value;
}

// The prefix that makes it a token's text, if any.
const std::string* PrefixByHand(std::string_view text) {
  for (const std::string& prefix : Prefixes()) {
    if (text.size() == prefix.size() + 55 && text.compare(0, prefix.size(), prefix) == 0 &&
        text.find_first_not_of(kDigits, prefix.size()) == text.npos) {
      return &prefix;
    }
  }
  return nullptr;
}

void CheckParse(std::string_view text) {
  const std::string* const prefix = PrefixByHand(text);
  Require(pat::LooksLikeToken(text, Prefixes()) == (prefix != nullptr));
  pat::ParsedToken parsed;
  const pat::ParseResult result = pat::ParseTokenText(text, Prefixes(), &parsed);
  if (prefix == nullptr) {
    Require(result == pat::ParseResult::kNotToken);
    return;
  }
  const std::string_view body = text.substr(prefix->size());
  const auto selector = SelectorByHand(body.substr(0, 22));
  if (!selector.has_value()) {
    Require(result == pat::ParseResult::kBadSelector);
    return;
  }
  const bool fits = ChecksumText(text.substr(0, text.size() - 6)) == text.substr(text.size() - 6);
  Require(result == (fits ? pat::ParseResult::kOk : pat::ParseResult::kBadChecksum));
  if (!fits) return;
  Require(parsed.selector == *selector && parsed.secret_input == body.substr(0, 49));
  Require(pat::ComposeTokenText(*prefix, *selector, body.substr(22, 27)).Reveal() == text);
}

// A good text, then changed in a few places.
std::string Composed(FuzzInput* input) {
  const std::string& prefix = Prefixes()[input->Below(4)];
  pat::Selector selector{};
  for (unsigned char& byte : selector) byte = static_cast<unsigned char>(input->Byte());
  std::string secret;
  for (int i = 0; i < 27; ++i) secret += kDigits[input->Below(62)];
  std::string text(pat::ComposeTokenText(prefix, selector, secret).Reveal());
  Require(text.size() == prefix.size() + 55);
  CheckParse(text);
  while (!input->empty()) {
    const std::size_t at = input->Below(static_cast<unsigned>(text.size()));
    text[at] = static_cast<char>(input->Byte());
  }
  return text;
}

void CheckPrefix(std::string_view prefix) {
  const std::string allowed = std::string(kDigits) + "_";
  const bool good = prefix.size() >= 2 && prefix.size() <= 20 && prefix.back() == '_' &&
                    prefix.find_first_not_of(allowed) == prefix.npos;
  Require(pat::ValidatePrefix(prefix).ok() == good);
  const pat::TokenText text = pat::ComposeTokenText(prefix, {}, std::string(27, 'z'));
  Require(text.empty() == !good);
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzInput input(data, size);
  switch (input.Below(4)) {
    case 0: CheckParse(input.rest()); break;
    case 1: CheckParse(Composed(&input)); break;
    case 2: CheckPrefix(input.rest()); break;
    default: {  // any digits, under a checksum that fits
      std::string text = Prefixes()[input.Below(4)];
      text += input.Bytes(49);
      CheckParse(text + ChecksumText(text));
    }
  }
  return 0;
}
