// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// How fast a stateless check can be: an HS256 JWT of this issuer's own making, the key's blocks
// hashed beforehand, base64 by vector instructions, the claims read where this issuer puts them,
// without a JSON parser. Nobody can revoke such a token.
#include <openssl/mem.h>

#include <cstring>
#include <ctime>

#include "bench/peer.h"
#include "bench/peer_jwt_tokens.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pat::bench {
namespace {

#if defined(__x86_64__)
__attribute__((target("sse4.1"))) __m128i InRange(__m128i c, char low, char high) {
  return _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8(static_cast<char>(low - 1))),
                       _mm_cmplt_epi8(c, _mm_set1_epi8(static_cast<char>(high + 1))));
}

// 16 base64url characters to 12 bytes (16 are written); false if one is none.
__attribute__((target("sse4.1"))) bool Decode16(const char* text, unsigned char* out) {
  const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i upper = InRange(c, 'A', 'Z');
  const __m128i lower = InRange(c, 'a', 'z');
  const __m128i digit = InRange(c, '0', '9');
  const __m128i minus = _mm_cmpeq_epi8(c, _mm_set1_epi8('-'));
  const __m128i under = _mm_cmpeq_epi8(c, _mm_set1_epi8('_'));
  __m128i shift = _mm_and_si128(upper, _mm_set1_epi8(-65));
  shift = _mm_or_si128(shift, _mm_and_si128(lower, _mm_set1_epi8(-71)));
  shift = _mm_or_si128(shift, _mm_and_si128(digit, _mm_set1_epi8(4)));
  shift = _mm_or_si128(shift, _mm_and_si128(minus, _mm_set1_epi8(17)));
  shift = _mm_or_si128(shift, _mm_and_si128(under, _mm_set1_epi8(-32)));
  const __m128i good =
      _mm_or_si128(_mm_or_si128(upper, lower), _mm_or_si128(digit, _mm_or_si128(minus, under)));
  const __m128i pairs = _mm_maddubs_epi16(_mm_add_epi8(c, shift), _mm_set1_epi32(0x01400140));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
  const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(fours, order));
  return _mm_movemask_epi8(good) == 0xFFFF;
}
#else
bool Decode16(const char* text, unsigned char* out) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int i = 0; i < 16; i += 4, out += 3) {
    std::uint32_t bits = 0;
    for (int j = 0; j < 4; ++j) {
      const char* digit = std::strchr(kDigits, text[i + j]);
      if (digit == nullptr || text[i + j] == '\0') return false;
      bits = bits << 6U | static_cast<std::uint32_t>(digit - kDigits);
    }
    for (int j = 0; j < 3; ++j) out[j] = static_cast<unsigned char>(bits >> (16 - 8 * j));
  }
  return true;
}
#endif

// Decodes `text` into `out`, which has room for 16 bytes more than the result; -1 if it is none.
std::ptrdiff_t Decode(std::string_view text, unsigned char* out) {
  unsigned char* const begin = out;
  for (; text.size() >= 16; text.remove_prefix(16), out += 12) {
    if (!Decode16(text.data(), out)) return -1;
  }
  if (text.empty()) return out - begin;
  char rest[17] = "AAAAAAAAAAAAAAAA";
  std::memcpy(rest, text.data(), text.size());
  if (text.size() % 4 == 1 || !Decode16(rest, out)) return -1;
  return out - begin + static_cast<std::ptrdiff_t>(text.size() * 3 / 4);
}

// Reads claims in the order they were written.
class Claims {
 public:
  explicit Claims(std::string_view rest) : rest_(rest) {}
  bool Literal(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  std::string_view Until(char end) {
    const std::string_view value = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(value.size());
    return value;
  }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      value = value * 10 + static_cast<std::uint64_t>(rest_[0] - '0');
    }
    return value;
  }

 private:
  std::string_view rest_;
};

std::uint64_t RightsIn(std::string_view scope) {
  std::uint64_t rights = 0;
  while (!scope.empty()) {
    const std::string_view word = scope.substr(0, scope.find(' '));
    rights |= word == "repo:read" ? 1U : 0U;
    rights |= word == "repo:write" ? 2U : 0U;
    scope.remove_prefix(word.size() < scope.size() ? word.size() + 1 : word.size());
  }
  return rights;
}

std::uint64_t ReadClaims(std::string_view json) {
  Claims claims(json);
  if (!claims.Literal("{\"iss\":\"https://auth.example.com\",\"sub\":\"")) return 0;
  const std::string_view account = claims.Until('"');
  if (account.empty() || !claims.Literal("\",\"jti\":\"")) return 0;
  const std::uint64_t id = claims.Number();
  if (!claims.Literal("\",\"scope\":\"")) return 0;
  const std::uint64_t rights = RightsIn(claims.Until('"'));
  if (!claims.Literal("\",\"iat\":") || claims.Number() == 0) return 0;
  if (!claims.Literal(",\"exp\":")) return 0;
  if (claims.Number() <= static_cast<std::uint64_t>(std::time(nullptr))) return 0;
  return id + rights + static_cast<unsigned char>(account.back());
}

class Hs256Floor final : public Peer {
 public:
  explicit Hs256Floor(std::int64_t tokens) : key_(kJwtKey), tokens_(Hs256Tokens::Of(tokens)) {}

  std::size_t size() const override { return tokens_.size(); }

  std::uint64_t Verify(std::size_t i) override {
    constexpr std::string_view kHeader = kHs256Header;
    constexpr std::size_t kSignature = 43;
    const std::string_view token = tokens_[i];
    if (token.size() < kHeader.size() + kSignature + 2 || token.size() > kMostBytes ||
        token.substr(0, kHeader.size()) != kHeader || token[kHeader.size()] != '.') {
      return 0;
    }
    const std::size_t dot = token.size() - kSignature - 1;
    unsigned char presented[48 + 16];
    if (token[dot] != '.' || Decode(token.substr(dot + 1), presented) != 32) return 0;
    const Hs256Key::Mac mac = key_.Of(token.substr(0, dot));
    if (CRYPTO_memcmp(mac.data(), presented, mac.size()) != 0) return 0;
    unsigned char json[kMostBytes];
    const std::ptrdiff_t size =
        Decode(token.substr(kHeader.size() + 1, dot - kHeader.size() - 1), json);
    if (size < 0) return 0;
    return ReadClaims({reinterpret_cast<const char*>(json), static_cast<std::size_t>(size)});
  }

 private:
  static constexpr std::size_t kMostBytes = 512;
  Hs256Key key_;
  const Hs256Tokens& tokens_;
};

}  // namespace

std::unique_ptr<Peer> OpenHs256Floor(std::int64_t tokens) {
  return std::make_unique<Hs256Floor>(tokens);
}

}  // namespace pat::bench
