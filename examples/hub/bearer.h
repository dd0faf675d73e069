// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_BEARER_H_
#define HUB_BEARER_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace hub {

/// What the login calls hand out and the API is called with: a compact JWT (RFC 7519) that only
/// this server reads. Not to be taken for a registry's JWT: another key, another algorithm.
struct Bearer {
  enum class Use {
    kAccess,        ///< Calls the API.
    kSecondFactor,  ///< Proves the first step of a login; good for nothing but the second.
    kRefresh,       ///< Gets new bearers, nothing else.
  };
  Use use = Use::kAccess;
  std::string account;
  std::string user;      ///< The login name, for those who read the JWT.
  std::string version;   ///< Accounts::Version when it was made: others have ended.
  std::string token_id;  ///< The public id of the token it was made from; empty: a password.

  bool by_token() const { return !token_id.empty(); }
};

/// Signs bearers and reads them back: HS256. Any thread.
class BearerSigner {
 public:
  /// `key` is secret, 32 bytes.
  BearerSigner(std::string key, std::string issuer);
  ~BearerSigner();
  BearerSigner(const BearerSigner&) = delete;
  BearerSigner& operator=(const BearerSigner&) = delete;

  /// Empty if the cryptography fails.
  std::string Sign(const Bearer& bearer, absl::Time now, absl::Duration lifetime) const;

  /// None if it is not one of ours as it was signed, or has expired.
  std::optional<Bearer> Read(std::string_view jwt, absl::Time now) const;

 private:
  std::string Mac(std::string_view text) const;

  std::string key_;
  const std::string issuer_;
};

}  // namespace hub

#endif  // HUB_BEARER_H_
