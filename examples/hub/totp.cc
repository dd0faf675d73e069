// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base64.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::size_t kKeyBytes = 20;
constexpr std::int64_t kStepSeconds = 30;

std::string PercentEncoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_';
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> NewTotpKey() {
  std::string key(kKeyBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&key[0]), static_cast<int>(key.size())) != 1) {
    return std::nullopt;
  }
  return key;
}

std::string TotpCode(std::string_view key, std::int64_t step) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i) {
    counter[i] =
        static_cast<unsigned char>((static_cast<std::uint64_t>(step) >> (56 - 8 * i)) & 0xFF);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), counter.data(), counter.size(),
           digest.data(), &size) == nullptr ||
      size != 20) {
    return {};
  }
  const std::size_t at = digest[19] & 15U;
  std::uint32_t number = ((digest[at] & 0x7FU) << 24) | (std::uint32_t{digest[at + 1]} << 16) |
                         (std::uint32_t{digest[at + 2]} << 8) | digest[at + 3];
  std::string code(6, '0');
  for (std::size_t i = code.size(); i-- > 0; number /= 10) {
    code[i] = static_cast<char>('0' + number % 10);
  }
  return code;
}

std::optional<std::int64_t> MatchTotp(std::string_view key, std::string_view code, absl::Time now,
                                      std::int64_t last_used_step) {
  const std::int64_t current = absl::ToUnixSeconds(now) / kStepSeconds;
  std::optional<std::int64_t> matched;
  for (std::int64_t step = current - 1; step <= current + 1; ++step) {
    const std::string wanted = TotpCode(key, step);
    const bool fits = code.size() == wanted.size() && !code.empty() &&
                      CRYPTO_memcmp(code.data(), wanted.data(), wanted.size()) == 0;
    if (fits && step > last_used_step && !matched) matched = step;
  }
  return matched;
}

std::string TotpUri(std::string_view key, std::string_view user, std::string_view issuer) {
  const std::string name = PercentEncoded(issuer);
  return Cat({"otpauth://totp/", name, ":", PercentEncoded(user), "?secret=", Base32(key),
              "&issuer=", name});
}

}  // namespace hub
