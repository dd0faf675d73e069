// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "jwt.h"

#include <openssl/rand.h>

#include <cstdint>
#include <utility>

#include "base64.h"
#include "json.h"
#include "text.h"

namespace hub {
namespace {

/// Registries' clocks may be behind ours.
constexpr std::int64_t kSkewSeconds = 10;

Json Access(const std::vector<ResourceScope>& scopes) {
  Json access = Json::array();
  for (const ResourceScope& scope : scopes) {
    access.push_back({{"type", scope.type}, {"name", scope.name}, {"actions", scope.actions}});
  }
  return access;
}

}  // namespace

std::string NewJwtId() {
  std::string bytes(16, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) !=
      1) {
    return {};
  }
  return Base64Url(bytes);
}

JwtSigner::JwtSigner(SigningKey key) : key_(std::move(key)) {
  const Json header = {{"typ", "JWT"},
                       {"alg", "ES256"},
                       {"kid", key_.fingerprint()},
                       {"x5c", Json::array({Base64(key_.certificate_der())})}};
  header_ = Base64Url(ToText(header));
}

std::string JwtSigner::Sign(const RegistryClaims& claims) const {
  const std::string id = NewJwtId();
  const std::int64_t now = absl::ToUnixSeconds(claims.issued_at);
  const Json payload = {{"iss", claims.issuer},
                        {"sub", claims.subject},
                        {"aud", claims.audience},
                        {"exp", now + absl::ToInt64Seconds(claims.lifetime)},
                        {"nbf", now - kSkewSeconds},
                        {"iat", now},
                        {"jti", id},
                        {"access", Access(claims.access)}};
  const std::string text = Cat({header_, ".", Base64Url(ToText(payload))});
  const std::string signature = key_.Sign(text);
  if (id.empty() || signature.empty()) return {};
  return Cat({text, ".", Base64Url(signature)});
}

}  // namespace hub
