// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "signing_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "base64.h"
#include "secret.h"

namespace hub {
namespace {

constexpr std::size_t kNumberBytes = 32;  // of R and of S
constexpr long kCertificateSeconds = 10L * 365 * 24 * 3600;

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG, ECDSA_SIG_free>>;
using Buffer = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// What an i2d function writes of `object`; empty if it fails.
template <typename T>
std::string Der(int (*i2d)(const T*, unsigned char**), const T* object) {
  const int size = i2d(object, nullptr);
  std::string der(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  unsigned char* out = Bytes(der);
  if (size <= 0 || i2d(object, &out) != size) return {};
  return der;
}

Buffer Reading(std::string_view text) {
  return Buffer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string Contents(BIO* buffer) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(buffer, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool SetSerial(X509* certificate) {
  std::string random(16, '\0');
  if (RAND_bytes(Bytes(random), static_cast<int>(random.size())) != 1) return false;
  random[0] = static_cast<char>((random[0] & 0x7F) | 0x40);  // positive, of full length
  BIGNUM* const number = BN_bin2bn(Bytes(random), static_cast<int>(random.size()), nullptr);
  const bool set = number != nullptr &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

Certificate SelfSigned(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509* const x509 = certificate.get();
  if (x509 == nullptr || !SetSerial(x509)) return nullptr;
  X509_NAME* const name = X509_get_subject_name(x509);
  const bool good =
      X509_set_version(x509, X509_VERSION_3) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x509), -3600) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(x509), kCertificateSeconds) != nullptr &&
      X509_set_pubkey(x509, key) == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, Bytes(std::string_view("hub token key")),
                                 -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, name) == 1 &&
      AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE") &&
      AddExtension(x509, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
      X509_sign(x509, key, EVP_sha256()) > 0;
  return good ? std::move(certificate) : nullptr;
}

bool IsP256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == SN_X9_62_prime256v1;
}

}  // namespace

std::string LibtrustFingerprint(std::string_view public_key_der) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(Bytes(public_key_der), public_key_der.size(), digest.data());
  const std::string digits = Base32({reinterpret_cast<const char*>(digest.data()), 30});
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i += 4) {
    if (i != 0) text.push_back(':');
    text.append(digits, i, 4);
  }
  return text;
}

absl::StatusOr<SigningKey> SigningKey::Generate() {
  const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate = key == nullptr ? nullptr : SelfSigned(key.get());
  if (certificate == nullptr) return absl::InternalError("OpenSSL cannot make a key");
  SigningKey made;
  made.key_ = key;
  made.certificate_der_ = Der(&i2d_X509, certificate.get());
  made.fingerprint_ = LibtrustFingerprint(Der(&i2d_PUBKEY, key.get()));
  return made;
}

absl::StatusOr<SigningKey> SigningKey::FromPem(std::string_view key_pem,
                                               std::string_view certificate_pem) {
  const Buffer key_buffer = Reading(key_pem);
  const Buffer certificate_buffer = Reading(certificate_pem);
  const std::shared_ptr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(key_buffer.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const Certificate certificate(
      PEM_read_bio_X509(certificate_buffer.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || certificate == nullptr) {
    return absl::InvalidArgumentError("no private key, or no certificate, in PEM");
  }
  if (!IsP256(key.get())) return absl::InvalidArgumentError("the key is not one of P-256");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return absl::InvalidArgumentError("the certificate is another key's");
  }
  SigningKey read;
  read.key_ = key;
  read.certificate_der_ = Der(&i2d_X509, certificate.get());
  read.fingerprint_ = LibtrustFingerprint(Der(&i2d_PUBKEY, key.get()));
  return read;
}

std::string SigningKey::Sign(std::string_view text) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, Bytes(text), text.size()) != 1) {
    return {};
  }
  const unsigned char* at = der.data();
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  std::string raw(2 * kNumberBytes, '\0');
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Bytes(raw), kNumberBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Bytes(raw) + kNumberBytes, kNumberBytes) <
          0) {
    return {};
  }
  return raw;
}

std::string SigningKey::DeriveKey(std::string_view purpose) const {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) return {};
  std::string scalar(kNumberBytes, '\0');
  std::string derived(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  const bool good =
      BN_bn2binpad(number, Bytes(scalar), kNumberBytes) == static_cast<int>(kNumberBytes) &&
      HMAC(EVP_sha256(), scalar.data(), static_cast<int>(scalar.size()), Bytes(purpose),
           purpose.size(), Bytes(derived), &size) != nullptr;
  BN_clear_free(number);
  Wipe(scalar);
  return good ? derived : std::string();
}

std::string SigningKey::KeyPem() const {
  const Buffer buffer(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PrivateKey(buffer.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    return {};
  }
  return Contents(buffer.get());
}

std::string SigningKey::CertificatePem() const {
  const unsigned char* at = Bytes(certificate_der_);
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(certificate_der_.size())));
  const Buffer buffer(BIO_new(BIO_s_mem()));
  if (certificate == nullptr || PEM_write_bio_X509(buffer.get(), certificate.get()) != 1) return {};
  return Contents(buffer.get());
}

}  // namespace hub
