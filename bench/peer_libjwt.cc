// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// JWTs by libjwt, as a server would use it: decode and check, read the claims, look at the expiry.
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "bench/peer.h"
#include "bench/peer_jwt_tokens.h"

namespace pat::bench {
namespace {

std::uint64_t Check(const char* token, const std::string& key, jwt_alg_t algorithm) {
  jwt_t* jwt = nullptr;
  if (jwt_decode(&jwt, token, reinterpret_cast<const unsigned char*>(key.data()),
                 static_cast<int>(key.size())) != 0) {
    return 0;
  }
  std::uint64_t sum = 0;
  const char* account = jwt_get_grant(jwt, "sub");
  const char* id = jwt_get_grant(jwt, "jti");
  const char* scope = jwt_get_grant(jwt, "scope");
  const char* issuer = jwt_get_grant(jwt, "iss");
  if (jwt_get_alg(jwt) == algorithm && account != nullptr && id != nullptr && scope != nullptr &&
      issuer != nullptr && std::strcmp(issuer, kJwtIssuer) == 0 &&
      jwt_get_grant_int(jwt, "exp") > std::time(nullptr)) {
    sum = std::strtoull(id, nullptr, 10) + static_cast<unsigned char>(account[0]) +
          (std::strstr(scope, "repo:write") != nullptr ? 2U : 1U);
  }
  jwt_free(jwt);
  return sum;
}

class LibjwtHs256 final : public Peer {
 public:
  explicit LibjwtHs256(std::int64_t tokens) : tokens_(Hs256Tokens::Of(tokens)) {}
  std::size_t size() const override { return tokens_.size(); }
  std::uint64_t Verify(std::size_t i) override {
    return Check(tokens_[i].data(), key_, JWT_ALG_HS256);  // ended by a NUL
  }

 private:
  const Hs256Tokens& tokens_;
  const std::string key_ = kJwtKey;
};

// A key pair as PEM.
struct Pair {
  std::string secret;
  std::string open;
};

std::string Taken(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Pair MakePair(EVP_PKEY* key) {
  BIO* secret = BIO_new(BIO_s_mem());
  BIO* open = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_PUBKEY(open, key);
  EVP_PKEY_free(key);
  return {Taken(secret), Taken(open)};
}

// Signing is slow and checking bound by arithmetic, not memory: a thousand tokens are enough.
class LibjwtSigned final : public Peer {
 public:
  LibjwtSigned(const Pair& pair, jwt_alg_t algorithm) : key_(pair.open), algorithm_(algorithm) {
    constexpr std::size_t kMany = 1000;
    for (std::size_t i = 0; i < kMany; ++i) {
      jwt_t* jwt = nullptr;
      if (jwt_new(&jwt) != 0) return;
      jwt_add_grants_json(jwt, JwtClaims(i).c_str());
      jwt_set_alg(jwt, algorithm, reinterpret_cast<const unsigned char*>(pair.secret.data()),
                  static_cast<int>(pair.secret.size()));
      if (char* text = jwt_encode_str(jwt); text != nullptr) {
        tokens_.emplace_back(text);
        std::free(text);
      }
      jwt_free(jwt);
    }
  }
  std::size_t size() const override { return tokens_.size(); }
  std::uint64_t Verify(std::size_t i) override {
    return Check(tokens_[i].c_str(), key_, algorithm_);
  }

 private:
  std::string key_;
  jwt_alg_t algorithm_;
  std::vector<std::string> tokens_;
};

}  // namespace

std::unique_ptr<Peer> OpenLibjwtHs256(std::int64_t tokens) {
  return std::make_unique<LibjwtHs256>(tokens);
}

std::unique_ptr<Peer> OpenLibjwtRs256(std::int64_t /*tokens*/) {
  return std::make_unique<LibjwtSigned>(MakePair(EVP_RSA_gen(2048)), JWT_ALG_RS256);
}

std::unique_ptr<Peer> OpenLibjwtEs256(std::int64_t /*tokens*/) {
  return std::make_unique<LibjwtSigned>(MakePair(EVP_EC_gen("P-256")), JWT_ALG_ES256);
}

}  // namespace pat::bench
