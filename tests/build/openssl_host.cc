// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A host program that uses OpenSSL 3 and links pat::core (so libpat's private BoringSSL too):
// both sides must give right digests, and OpenSSL must be able to make a TLS context. Linked in
// both orders, with the shared and the static OpenSSL.
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pat/pat.h"
#include "tests/build/install/round_trip.h"

#ifdef OPENSSL_IS_BORINGSSL
#error "the host must see OpenSSL's headers, not BoringSSL's"
#endif

// libpat's private SHA256, by its name in the archive: its header must not be seen here.
extern "C" uint8_t* pat_bssl_SHA256(const uint8_t* data, size_t len, uint8_t* out);

namespace {

// FIPS 180-2, the two-block message.
const char kText[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const uint8_t kDigest[32] = {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26,
                             0x93, 0x0c, 0x3e, 0x60, 0x39, 0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff,
                             0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};

int failures = 0;

void Check(const char* what, bool ok) {
  printf("%s: %s\n", what, ok ? "ok" : "WRONG");
  if (!ok) ++failures;
}

bool Right(const uint8_t* digest) { return memcmp(digest, kDigest, sizeof(kDigest)) == 0; }

}  // namespace

int main() {
  const auto* text = reinterpret_cast<const uint8_t*>(kText);
  const size_t len = strlen(kText);
  uint8_t out[EVP_MAX_MD_SIZE];

  for (int round = 0; round < 2; ++round) {  // each side first once
    memset(out, 0, sizeof(out));
    SHA256(text, len, out);
    Check("OpenSSL SHA256", Right(out));

    memset(out, 0, sizeof(out));
    unsigned size = 0;
    Check("OpenSSL EVP_Digest", EVP_Digest(text, len, out, &size, EVP_sha256(), nullptr) == 1 &&
                                    size == sizeof(kDigest) && Right(out));

    memset(out, 0, sizeof(out));
    pat_bssl_SHA256(text, len, out);
    Check("libpat's BoringSSL SHA256", Right(out));

    const auto keyring = pat::Keyring::Generate();
    Check("libpat issues, verifies and refuses a token",
          keyring.ok() && PatRoundTrip(pat::NewMemoryStore(), pat::Keyring::Bytes(*keyring)));
  }

  SSL_CTX* context = SSL_CTX_new(TLS_method());
  Check("OpenSSL SSL_CTX_new", context != nullptr);
  SSL* ssl = context != nullptr ? SSL_new(context) : nullptr;
  Check("OpenSSL SSL_new", ssl != nullptr);
  SSL_free(ssl);
  SSL_CTX_free(context);
  Check("OpenSSL is the 3.x that was asked for",
        OPENSSL_VERSION_MAJOR == 3 && OPENSSL_version_major() == 3);
  return failures == 0 ? 0 : 1;
}
