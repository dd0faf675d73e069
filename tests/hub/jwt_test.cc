// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "examples/hub/jwt.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "examples/hub/base64.h"
#include "examples/hub/signing_key.h"

namespace hub {
namespace {

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// The SubjectPublicKeyInfo of the P-256 key with these coordinates (base64url).
std::string PublicKeyDer(const std::string& x, const std::string& y) {
  const std::string point = "\x04" + *FromBase64Url(x) + *FromBase64Url(y);
  char group[] = "prime256v1";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<char*>(point.data()),
                                        point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EXPECT_EQ(EVP_PKEY_fromdata_init(context), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
  EVP_PKEY_CTX_free(context);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  EVP_PKEY_free(key);
  return text;
}

TEST(SigningKeyTest, FingerprintIsLibtrusts) {
  const std::string der = PublicKeyDer("m7zUpx3b-zmVE5cymSs64POG9QcyEpJaYCD82-549_Q",
                                       "dU3biz8sZ_8GPB-odm8Wxz3lNDr1xcAQQPQaOcr1fmc");
  EXPECT_EQ(LibtrustFingerprint(der),
            "PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6");
}

TEST(SigningKeyTest, PemComesBackAsItWas) {
  const SigningKey key = *SigningKey::Generate();
  const absl::StatusOr<SigningKey> read = SigningKey::FromPem(key.KeyPem(), key.CertificatePem());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->fingerprint(), key.fingerprint());
  EXPECT_EQ(read->certificate_der(), key.certificate_der());
}

TEST(SigningKeyTest, WhatDoesNotBelongTogetherIsRefused) {
  const SigningKey key = *SigningKey::Generate();
  const SigningKey other = *SigningKey::Generate();
  EXPECT_FALSE(SigningKey::FromPem(key.KeyPem(), other.CertificatePem()).ok());
  EXPECT_FALSE(SigningKey::FromPem(key.CertificatePem(), key.CertificatePem()).ok());
  EXPECT_FALSE(SigningKey::FromPem("", "").ok());
}

/// Whether `raw` (R and S) is the signature of `text` by the key of `certificate_der`.
bool Verifies(const std::string& text, const std::string& raw, const std::string& certificate_der) {
  const unsigned char* at = Bytes(certificate_der);
  X509* const certificate = d2i_X509(nullptr, &at, static_cast<long>(certificate_der.size()));
  ECDSA_SIG* const signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(Bytes(raw), 32, nullptr),
                 BN_bin2bn(Bytes(raw) + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr,
                           X509_get0_pubkey(certificate)) == 1 &&
      EVP_DigestVerify(context, der, static_cast<std::size_t>(size), Bytes(text), text.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  X509_free(certificate);
  return good;
}

TEST(JwtSignerTest, SignatureIsTheCertificatesKeys) {
  const SigningKey key = *SigningKey::Generate();
  const JwtSigner signer(key);
  for (int i = 0; i < 50; ++i) {  // R or S with leading zeros among them, now and then
    const std::string jwt = signer.Sign({"i",
                                         "s",
                                         "a",
                                         absl::FromUnixSeconds(1),
                                         absl::Seconds(60),
                                         {{"repository", "alice/app", {"pull"}}}});
    const std::size_t last = jwt.rfind('.');
    const std::string raw = *FromBase64Url(jwt.substr(last + 1));
    ASSERT_EQ(raw.size(), 64U);
    EXPECT_TRUE(Verifies(jwt.substr(0, last), raw, key.certificate_der()));
    EXPECT_FALSE(Verifies(jwt.substr(0, last - 1), raw, key.certificate_der()));
    const nlohmann::json header =
        nlohmann::json::parse(*FromBase64Url(jwt.substr(0, jwt.find('.'))));
    EXPECT_EQ(FromBase64(header["x5c"][0].get<std::string>()), key.certificate_der());
    EXPECT_EQ(header["kid"], key.fingerprint());
  }
}

}  // namespace
}  // namespace hub
