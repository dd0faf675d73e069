// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TOKEN_TEXT_H_
#define PAT_TOKEN_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

// Token text, the string a user holds:
//
//     <prefix><selector: 22><secret: 27><checksum: 6>      dckr_pat_ + 55 characters
//
// base62 after the prefix: digits 0-9, A-Z, a-z in this order of value, most significant first.
// The selector is a 128-bit number (an encrypted id), the secret 27 characters of 160 random bits,
// the checksum the CRC-32 (IEEE 802.3) of all characters before it. One text per token: nothing is
// trimmed, no other spelling is read. Nothing here needs a key, so scanners can use it as it is.

namespace pat {

inline constexpr std::size_t kSelectorLength = 22;
inline constexpr std::size_t kSecretLength = 27;
inline constexpr std::size_t kChecksumLength = 6;
inline constexpr std::size_t kTokenBodyLength = kSelectorLength + kSecretLength + kChecksumLength;
inline constexpr std::size_t kMaxPrefixLength = 20;
inline constexpr std::size_t kMaxPrefixes = 8;  ///< That one store accepts.

/// A selector as 16 bytes, most significant first.
using Selector = std::array<unsigned char, 16>;

/// A token's text, secret included. Move-only; wiped when destroyed or moved from; has no stream
/// operator, so it cannot be logged by accident. The one door to the characters is Reveal().
class TokenText {
 public:
  TokenText() = default;
  ~TokenText() { Wipe(); }
  TokenText(const TokenText&) = delete;
  TokenText& operator=(const TokenText&) = delete;
  TokenText(TokenText&& other) noexcept { Take(other); }
  TokenText& operator=(TokenText&& other) noexcept {
    if (this != &other) {
      Wipe();
      Take(other);
    }
    return *this;
  }

  /// The text, to show its owner once. Valid while this object lives; do not keep or log it.
  std::string_view Reveal() const { return {text_.data(), size_}; }

  bool empty() const { return size_ == 0; }

 private:
  friend TokenText ComposeTokenText(std::string_view, const Selector&, std::string_view);

  void Take(TokenText& other) {
    text_ = other.text_;
    size_ = other.size_;
    other.Wipe();
  }
  void Wipe() {
    volatile char* p = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i) p[i] = 0;
    size_ = 0;
  }

  std::array<char, kMaxPrefixLength + kTokenBodyLength> text_{};
  std::size_t size_ = 0;
};

template <typename Stream>
Stream& operator<<(Stream&, const TokenText&) = delete;

/// A parsed text. `secret_input` is what the token's digest is taken of: selector and secret, 49
/// characters inside the text parsed.
struct ParsedToken {
  Selector selector{};
  std::string_view secret_input;
};

enum class ParseResult {
  kOk,
  kNotToken,     ///< Wrong prefix, length or alphabet: text of another kind, perhaps a password.
  kBadSelector,  ///< The selector's value is 2^128 or more.
  kBadChecksum,  ///< The checksum is 2^32 or more, or does not fit: mistyped or cut and pasted.
};

/// OK if `prefix` can begin tokens: [A-Za-z0-9_]{2,20} ending in '_' (so that a double click
/// selects a whole token).
inline absl::Status ValidatePrefix(std::string_view prefix);

/// True if `text` is to be judged as a token and as nothing else: an accepted prefix, the exact
/// length and alphabet, whatever the checksum. Such text is never handed to a password check.
inline bool LooksLikeToken(std::string_view text, absl::Span<const std::string> prefixes);

/// Reads `text`. `*token` is set on kOk only and points into `text`. Time depends on the length
/// and on the prefix, not on the characters after it.
inline ParseResult ParseTokenText(std::string_view text, absl::Span<const std::string> prefixes,
                                  ParsedToken* token);

/// Writes the one text of these parts. `prefix` must be valid and `secret` 27 base62 characters;
/// anything else gives an empty TokenText.
TokenText ComposeTokenText(std::string_view prefix, const Selector& selector,
                           std::string_view secret);

/// The regular expression (RE2, PCRE, POSIX extended) of tokens with this prefix, not anchored: for
/// secret scanners. Confirm hits with ParseTokenText, which checks the checksum.
inline std::string TokenTextRegex(std::string_view prefix) {
  return std::string(prefix) + "[0-9A-Za-z]{" + std::to_string(kTokenBodyLength) + "}";
}

/// CRC-32 of IEEE 802.3 (reflected, 0xEDB88320, as in gzip and PNG). Constant time: no table.
inline std::uint32_t Crc32(std::string_view text);

// ---- implementation -----------------------------------------------------------------------------

namespace token_text_internal {

inline constexpr char kAlphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
inline constexpr std::uint64_t kPow10 = 839299365868340224;  // 62^10

// All ones if lo <= c <= hi, else 0; without a branch or a table (the characters are secret).
inline constexpr std::uint32_t InRange(std::uint32_t c, std::uint32_t lo, std::uint32_t hi) {
  return 0U - (((lo - 1 - c) & (c - hi - 1)) >> 31);
}

// The value of a base62 digit; `*bad` gets ones if it is none.
inline std::uint32_t Digit(char character, std::uint32_t* bad) {
  const std::uint32_t c = static_cast<unsigned char>(character);
  const std::uint32_t digit = InRange(c, '0', '9');
  const std::uint32_t upper = InRange(c, 'A', 'Z');
  const std::uint32_t lower = InRange(c, 'a', 'z');
  *bad |= ~(digit | upper | lower);
  return (digit & (c - '0')) | (upper & (c - 'A' + 10)) | (lower & (c - 'a' + 36));
}

inline std::uint64_t Number(std::string_view digits, std::uint32_t* bad) {
  std::uint64_t value = 0;
  for (char c : digits) value = value * 62 + Digit(c, bad);
  return value;
}

// 22 digits to 16 bytes; false if the value is 2^128 or more.
inline bool DecodeSelector(std::string_view digits, Selector* selector) {
  std::uint32_t bad = 0;
  const std::uint64_t high = Number(digits.substr(0, 2), &bad);
  const std::uint64_t middle = Number(digits.substr(2, 10), &bad);
  const std::uint64_t low = Number(digits.substr(12, 10), &bad);
  const absl::uint128 top = absl::uint128(high) * kPow10 + middle;
  // 2^128 - 1 = kMaxTop * 62^10 + kMaxLow
  constexpr absl::uint128 kMaxTop = absl::MakeUint128(21, 0xFA8ED2F450272A5C);
  constexpr std::uint64_t kMaxLow = 0x01D6F5B454628FFF;
  if (bad != 0 || top > kMaxTop || (top == kMaxTop && low > kMaxLow)) return false;
  const absl::uint128 value = top * kPow10 + low;
  for (std::size_t i = 0; i < 8; ++i) {
    (*selector)[i] = static_cast<unsigned char>(absl::Uint128High64(value) >> (56 - 8 * i));
    (*selector)[8 + i] = static_cast<unsigned char>(absl::Uint128Low64(value) >> (56 - 8 * i));
  }
  return true;
}

inline void EncodeSelector(Selector number, char* digits) {
  for (std::size_t d = kSelectorLength; d-- > 0;) {  // long division by 62
    std::uint32_t rest = 0;
    for (unsigned char& byte : number) {
      const std::uint32_t part = rest << 8 | byte;
      byte = static_cast<unsigned char>(part / 62);
      rest = part % 62;
    }
    digits[d] = kAlphabet[rest];
  }
}

inline void EncodeChecksum(std::uint32_t number, char* digits) {
  for (std::size_t d = kChecksumLength; d-- > 0; number /= 62) digits[d] = kAlphabet[number % 62];
}

inline bool IsBase62(std::string_view text) {
  std::uint32_t bad = 0;
  for (char c : text) Digit(c, &bad);
  return bad == 0;
}

}  // namespace token_text_internal

inline absl::Status ValidatePrefix(std::string_view prefix) {
  if (prefix.size() < 2 || prefix.size() > kMaxPrefixLength || prefix.back() != '_') {
    return absl::InvalidArgumentError("a token prefix has 2 to 20 characters and ends in '_'");
  }
  for (char c : prefix) {
    if (c != '_' && !token_text_internal::IsBase62({&c, 1})) {
      return absl::InvalidArgumentError("a token prefix is made of [A-Za-z0-9_]");
    }
  }
  return absl::OkStatus();
}

inline bool LooksLikeToken(std::string_view text, absl::Span<const std::string> prefixes) {
  for (const std::string& prefix : prefixes) {
    if (text.size() == prefix.size() + kTokenBodyLength &&
        text.substr(0, prefix.size()) == prefix) {
      return token_text_internal::IsBase62(text.substr(prefix.size()));
    }
  }
  return false;
}

inline ParseResult ParseTokenText(std::string_view text, absl::Span<const std::string> prefixes,
                                  ParsedToken* token) {
  namespace internal = token_text_internal;
  if (!LooksLikeToken(text, prefixes)) return ParseResult::kNotToken;
  const std::string_view body = text.substr(text.size() - kTokenBodyLength);
  ParsedToken parsed;
  if (!internal::DecodeSelector(body.substr(0, kSelectorLength), &parsed.selector)) {
    return ParseResult::kBadSelector;
  }
  std::uint32_t bad = 0;
  const std::uint64_t checksum = internal::Number(body.substr(body.size() - kChecksumLength), &bad);
  if (checksum != Crc32(text.substr(0, text.size() - kChecksumLength))) {
    return ParseResult::kBadChecksum;
  }
  parsed.secret_input = body.substr(0, kSelectorLength + kSecretLength);
  *token = parsed;
  return ParseResult::kOk;
}

inline TokenText ComposeTokenText(std::string_view prefix, const Selector& selector,
                                  std::string_view secret) {
  namespace internal = token_text_internal;
  TokenText text;
  if (!ValidatePrefix(prefix).ok() || secret.size() != kSecretLength ||
      !internal::IsBase62(secret)) {
    return text;
  }
  char* out = text.text_.data();
  std::memcpy(out, prefix.data(), prefix.size());
  internal::EncodeSelector(selector, out + prefix.size());
  std::memcpy(out + prefix.size() + kSelectorLength, secret.data(), kSecretLength);
  const std::size_t covered = prefix.size() + kSelectorLength + kSecretLength;
  internal::EncodeChecksum(Crc32({out, covered}), out + covered);
  text.size_ = covered + kChecksumLength;
  return text;
}

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

#endif  // PAT_TOKEN_TEXT_H_
