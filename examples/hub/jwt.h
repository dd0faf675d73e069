// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_JWT_H_
#define HUB_JWT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "resource_scope.h"
#include "signing_key.h"

namespace hub {

/// What a registry is told: the claims of distribution's "Token Authentication Implementation".
struct RegistryClaims {
  std::string issuer;
  std::string subject;   ///< The login name.
  std::string audience;  ///< The registry's service name.
  absl::Time issued_at;
  absl::Duration lifetime;
  std::vector<ResourceScope> access;
};

/// A fresh name for a JWT ("jti"); empty if there are no random numbers.
std::string NewJwtId();

/// Signs JWTs for registries: ES256, with the certificate ("x5c") and the libtrust key id ("kid")
/// in the header, so that registries of version 2 and 3 take them. Any thread.
class JwtSigner {
 public:
  explicit JwtSigner(SigningKey key);

  /// The compact JWT; empty if the cryptography fails.
  std::string Sign(const RegistryClaims& claims) const;

  /// See SigningKey::DeriveKey.
  std::string DeriveKey(std::string_view purpose) const { return key_.DeriveKey(purpose); }

 private:
  const SigningKey key_;
  std::string header_;  // encoded
};

}  // namespace hub

#endif  // HUB_JWT_H_
