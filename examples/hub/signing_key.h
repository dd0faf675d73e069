// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_SIGNING_KEY_H_
#define HUB_SIGNING_KEY_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

// OpenSSL 3, in one process with libpat: libpat's own cryptography has symbols of its own.
struct evp_pkey_st;

namespace hub {

/// The key that JWTs are signed with: P-256, and the certificate that registries know it by.
/// Immutable; any number of threads may sign at once.
class SigningKey {
 public:
  /// Makes a key and a self-signed certificate of it, good for ten years.
  static absl::StatusOr<SigningKey> Generate();

  /// Reads the two from PEM. InvalidArgument if they are not P-256 or do not belong together.
  static absl::StatusOr<SigningKey> FromPem(std::string_view key, std::string_view certificate);

  /// The ECDSA signature with SHA-256 of `text` as JWTs have it: R and S, 32 bytes each (RFC 7518
  /// section 3.4). Empty if OpenSSL fails.
  std::string Sign(std::string_view text) const;

  /// A key of 32 bytes for something else, which tells nothing of this one; the same for ever for
  /// one purpose. Secret. Empty if OpenSSL fails.
  std::string DeriveKey(std::string_view purpose) const;

  std::string KeyPem() const;  ///< Secret.
  std::string CertificatePem() const;

  /// The certificate, DER: the "x5c" of a JWT is its base64.
  const std::string& certificate_der() const { return certificate_der_; }
  /// The key's libtrust fingerprint, the "kid" of a JWT for registries before version 3.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  SigningKey() = default;

  std::shared_ptr<evp_pkey_st> key_;
  std::string certificate_der_;
  std::string fingerprint_;
};

/// The libtrust fingerprint of a public key: SHA-256 of its SubjectPublicKeyInfo (DER), the first
/// 30 bytes in base32, in twelve groups of four joined by colons.
std::string LibtrustFingerprint(std::string_view public_key_der);

}  // namespace hub

#endif  // HUB_SIGNING_KEY_H_
