// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_PEER_JWT_TOKENS_H_
#define PAT_BENCH_PEER_JWT_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pat::bench {

inline constexpr char kHs256Header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
inline constexpr char kJwtIssuer[] = "https://auth.example.com";
inline constexpr char kJwtKey[] = "0123456789abcdef0123456789abcdef";

/// The claims of token `i`: issuer, account, id, rights, times of issue and expiry, in the order
/// and spelling of `{"iss":"...","sub":"user-0000042","jti":"0000000851","scope":"repo:read
/// repo:write","iat":...,"exp":...}`; always of one length.
std::string JwtClaims(std::size_t i);

std::string Base64Url(std::string_view bytes);

/// HMAC-SHA-256 with the key's two first blocks done beforehand.
class Hs256Key {
 public:
  explicit Hs256Key(std::string_view key);
  using Mac = std::array<unsigned char, 32>;
  Mac Of(std::string_view message) const;

 private:
  std::array<std::uint32_t, 8> inner_;
  std::array<std::uint32_t, 8> outer_;
};

/// HS256 tokens in random order; each begins in a cache line of its own and ends with a NUL.
class Hs256Tokens {
 public:
  /// Made once for each size.
  static const Hs256Tokens& Of(std::int64_t tokens);

  std::string_view operator[](std::size_t i) const {
    return {bytes_.data() + i * stride_, token_size_};
  }
  std::size_t size() const { return count_; }

 private:
  explicit Hs256Tokens(std::size_t count);

  std::size_t count_;
  std::size_t token_size_ = 0;
  std::size_t stride_ = 0;
  std::string bytes_;
};

}  // namespace pat::bench

#endif  // PAT_BENCH_PEER_JWT_TOKENS_H_
