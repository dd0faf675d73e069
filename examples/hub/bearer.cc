// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bearer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base64.h"
#include "json.h"
#include "jwt.h"
#include "secret.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::string_view kHeader = R"({"typ":"JWT","alg":"HS256"})";
constexpr std::string_view kAudience = "hub-api";

constexpr std::pair<Bearer::Use, std::string_view> kUses[] = {
    {Bearer::Use::kAccess, "access"},
    {Bearer::Use::kSecondFactor, "second-factor"},
    {Bearer::Use::kRefresh, "refresh"},
};

std::string_view NameOf(Bearer::Use use) {
  for (const auto& [known, name] : kUses) {
    if (known == use) return name;
  }
  return {};
}

/// Its signature fitted, so it is as we wrote it.
std::optional<Bearer> FromClaims(const Json& claims, absl::Time now) {
  const auto text = [&claims](const char* name) {
    const auto found = claims.find(name);
    return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto exp = claims.find("exp");
  if (exp == claims.end() || !exp->is_number_integer() ||
      now >= absl::FromUnixSeconds(exp->get<std::int64_t>()) || text("aud") != kAudience) {
    return std::nullopt;
  }
  Bearer bearer;
  const std::string use = text("use");
  for (const auto& [known, name] : kUses) {
    if (name != use) continue;
    bearer.use = known;
    bearer.account = text("sub");
    bearer.user = text("username");
    bearer.version = text("version");
    bearer.token_id = text("token");
    return bearer;
  }
  return std::nullopt;
}

}  // namespace

BearerSigner::BearerSigner(std::string key, std::string issuer)
    : key_(key), issuer_(std::move(issuer)) {
  Wipe(key);
}

BearerSigner::~BearerSigner() { Wipe(key_); }

std::string BearerSigner::Mac(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (key_.empty() || HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                           digest.data(), &size) == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string BearerSigner::Sign(const Bearer& bearer, absl::Time now,
                               absl::Duration lifetime) const {
  const std::string id = NewJwtId();
  const std::int64_t issued_at = absl::ToUnixSeconds(now);
  Json claims = {{"iss", issuer_},
                 {"sub", bearer.account},
                 {"aud", kAudience},
                 {"exp", issued_at + absl::ToInt64Seconds(lifetime)},
                 {"iat", issued_at},
                 {"jti", id},
                 {"use", NameOf(bearer.use)},
                 {"username", bearer.user},
                 {"version", bearer.version}};
  if (bearer.by_token()) claims["token"] = bearer.token_id;
  const std::string text = Cat({Base64Url(kHeader), ".", Base64Url(ToText(claims))});
  const std::string mac = Mac(text);
  if (id.empty() || mac.empty()) return {};
  return Cat({text, ".", Base64Url(mac)});
}

std::optional<Bearer> BearerSigner::Read(std::string_view jwt, absl::Time now) const {
  const std::size_t dot = jwt.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string wanted = Base64Url(Mac(jwt.substr(0, dot)));
  const std::string_view given = jwt.substr(dot + 1);
  if (wanted.empty() || given.size() != wanted.size() ||
      CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) != 0) {
    return std::nullopt;
  }
  const std::vector<std::string_view> parts = SplitFields(jwt, '.');
  const std::optional<std::string> payload =
      parts.size() == 3 ? FromBase64Url(parts[1]) : std::nullopt;
  const Json claims = Json::parse(payload.value_or(""), nullptr, false);
  return claims.is_object() ? FromClaims(claims, now) : std::nullopt;
}

}  // namespace hub
