// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TOKEN_TEXT_H_
#define PAT_TOKEN_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "pat/base62.h"
#include "pat/crc32.h"
#include "pat/token_body.h"

// Token text, the string a user holds:
//
//     <prefix><selector: 22><secret: 27><checksum: 6>      dckr_pat_ + 55 characters
//
// base62 after the prefix: digits 0-9, A-Z, a-z in this order of value, most significant first.
// The selector is a 128-bit number (an encrypted id), the secret 27 characters of 160 random bits,
// the checksum the CRC-32 (IEEE 802.3) of all characters before it. One text per token: nothing is
// trimmed, no other spelling is read. Nothing here needs a key, so scanners can use it as it is.

namespace pat {

inline constexpr std::size_t kMaxPrefixLength = 20;
inline constexpr std::size_t kMaxPrefixes = 8;  ///< That one store accepts.

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

/// Reads `text`. `*token` is set on kOk only and points into `text`. Time depends on the length, on
/// the prefix and on which result it is, not on the characters of the secret.
[[nodiscard]] inline ParseResult ParseTokenText(std::string_view text,
                                                absl::Span<const std::string> prefixes,
                                                ParsedToken* token);

/// Writes the one text of these parts. `prefix` must be valid and `secret` 27 base62 characters;
/// anything else gives an empty TokenText.
[[nodiscard]] inline TokenText ComposeTokenText(std::string_view prefix, const Selector& selector,
                                                std::string_view secret);

/// The regular expression (RE2, PCRE, POSIX extended) of tokens with this prefix, which must be
/// valid; not anchored: for secret scanners. Confirm hits with ParseTokenText, which checks the
/// checksum.
inline std::string TokenTextRegex(std::string_view prefix) {
  return std::string(prefix) + "[0-9A-Za-z]{" + std::to_string(kTokenBodyLength) + "}";
}

// ---- implementation -----------------------------------------------------------------------------

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

namespace token_text_internal {

// True if `text`, which is longer than a body, begins with `prefix`, of 2 to 20 characters: words
// that overlap instead of a call.
inline bool Begins(std::string_view text, std::string_view prefix) {
  const auto word = [](const char* from) {
    std::uint64_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  const std::size_t n = prefix.size();
  if (n < sizeof(std::uint64_t)) return std::memcmp(text.data(), prefix.data(), n) == 0;
  const std::size_t last = n - sizeof(std::uint64_t);
  const std::size_t middle = last / 2;
  return ((word(text.data()) ^ word(prefix.data())) |
          (word(text.data() + middle) ^ word(prefix.data() + middle)) |
          (word(text.data() + last) ^ word(prefix.data() + last))) == 0;
}

// What follows an accepted prefix, if the length is right; else empty.
inline std::string_view BodyOf(std::string_view text, absl::Span<const std::string> prefixes) {
  for (const std::string& prefix : prefixes) {
    if (text.size() == prefix.size() + kTokenBodyLength && Begins(text, prefix)) {
      return text.substr(prefix.size());
    }
  }
  return {};
}

inline bool ChecksumFits(std::string_view text, const TokenBody& body) {
  return body.checksum == Crc32(text.substr(0, text.size() - kChecksumLength));
}

}  // namespace token_text_internal

inline bool LooksLikeToken(std::string_view text, absl::Span<const std::string> prefixes) {
  const std::string_view body = token_text_internal::BodyOf(text, prefixes);
  return !body.empty() && token_text_internal::ReadTokenBody(body).base62;
}

inline ParseResult ParseTokenText(std::string_view text, absl::Span<const std::string> prefixes,
                                  ParsedToken* token) {
  namespace internal = token_text_internal;
  const std::string_view body = internal::BodyOf(text, prefixes);
  if (body.empty()) return ParseResult::kNotToken;
  const internal::TokenBody read = internal::ReadTokenBody(body);
  if (!read.base62) return ParseResult::kNotToken;
  if (!read.selector_fits) return ParseResult::kBadSelector;
  if (!internal::ChecksumFits(text, read)) return ParseResult::kBadChecksum;
  token->selector = read.selector;
  token->secret_input = body.substr(0, kSelectorLength + kSecretLength);
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

}  // namespace pat

#endif  // PAT_TOKEN_TEXT_H_
