// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "password.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "base64.h"
#include "secret.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

struct ParsedHash {
  PasswordCost cost;
  std::string salt;
  std::string hash;
};

/// scrypt; empty if OpenSSL fails.
std::string Scrypt(std::string_view password, const std::string& salt, const PasswordCost& cost) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, "SCRYPT", nullptr), &EVP_KDF_free);
  if (kdf == nullptr) return {};
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), &EVP_KDF_CTX_free);
  std::uint64_t n = std::uint64_t{1} << cost.log_n;
  std::uint32_t r = cost.r;
  std::uint32_t p = cost.p;
  std::uint64_t memory = 256 * n * r + (std::uint64_t{1} << 20);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, const_cast<char*>(password.data()),
                                        password.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<char*>(salt.data()),
                                        salt.size()),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
      OSSL_PARAM_construct_end()};
  std::string out(kHashBytes, '\0');
  if (context == nullptr || EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(&out[0]),
                                           out.size(), parameters) != 1) {
    return {};
  }
  return out;
}

std::string Unpadded(std::string_view bytes) {
  std::string text = Base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

/// Reads "ln=15,r=8,p=3" within limits that keep a spoiled file from stopping the server.
std::optional<PasswordCost> ParseCost(std::string_view text) {
  const std::vector<std::string_view> parts = SplitFields(text, ',');
  if (parts.size() != 3 || !StartsWith(parts[0], "ln=") || !StartsWith(parts[1], "r=") ||
      !StartsWith(parts[2], "p=")) {
    return std::nullopt;
  }
  const auto log_n = ParseNumber(parts[0].substr(3));
  const auto r = ParseNumber(parts[1].substr(2));
  const auto p = ParseNumber(parts[2].substr(2));
  if (!log_n || !r || !p || *log_n < 1 || *log_n > 20 || *r < 1 || *r > 32 || *p < 1 || *p > 16) {
    return std::nullopt;
  }
  PasswordCost cost;
  cost.log_n = static_cast<unsigned>(*log_n);
  cost.r = static_cast<unsigned>(*r);
  cost.p = static_cast<unsigned>(*p);
  return cost;
}

std::optional<ParsedHash> Parse(std::string_view text) {
  const std::vector<std::string_view> parts = SplitFields(text, '$');
  if (parts.size() != 5 || !parts[0].empty() || parts[1] != "scrypt") return std::nullopt;
  const std::optional<PasswordCost> cost = ParseCost(parts[2]);
  const std::optional<std::string> salt = FromBase64(parts[3]);
  const std::optional<std::string> hash = FromBase64(parts[4]);
  if (!cost || !salt || !hash || salt->empty() || hash->size() != kHashBytes) return std::nullopt;
  return ParsedHash{*cost, *salt, *hash};
}

std::string Compose(const PasswordCost& cost, std::string_view salt, std::string_view hash) {
  return Cat({"$scrypt$ln=", std::to_string(cost.log_n), ",r=", std::to_string(cost.r),
              ",p=", std::to_string(cost.p), "$", Unpadded(salt), "$", Unpadded(hash)});
}

}  // namespace

absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordCost& cost) {
  if (password.empty() || password.size() > kMaxPasswordBytes) {
    return absl::InvalidArgumentError("a password has 1 to 1024 bytes");
  }
  std::string salt(kSaltBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&salt[0]), static_cast<int>(salt.size())) != 1) {
    return absl::InternalError("no random numbers");
  }
  const std::string hash = Scrypt(password, salt, cost);
  if (hash.empty()) return absl::InternalError("scrypt failed");
  return Compose(cost, salt, hash);
}

bool PasswordFits(std::string_view password, std::string_view text) {
  const std::optional<ParsedHash> wanted = Parse(text);
  if (!wanted || password.empty() || password.size() > kMaxPasswordBytes) return false;
  const std::string hash = Scrypt(password, wanted->salt, wanted->cost);
  return hash.size() == wanted->hash.size() &&
         CRYPTO_memcmp(hash.data(), wanted->hash.data(), hash.size()) == 0;
}

PasswordCost CostOf(std::string_view hash) {
  const std::optional<ParsedHash> parsed = Parse(hash);
  return parsed ? parsed->cost : PasswordCost();
}

bool IsPasswordHash(std::string_view hash) { return Parse(hash).has_value(); }

std::string UnfittingHash(std::string_view like) {
  // Of 2^256 values one would have to fit by chance; nobody knows a password for zeros.
  return Compose(CostOf(like), std::string(kSaltBytes, 's'), std::string(kHashBytes, '\0'));
}

}  // namespace hub
