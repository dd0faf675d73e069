// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A token kept like a password: PBKDF2-HMAC-SHA-256 with 10,000 rounds, and one comparison.
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/mem.h>

#include "bench/peer.h"

namespace pat::bench {
namespace {

class Pbkdf2 final : public Peer {
 public:
  Pbkdf2() { Derive(stored_); }
  std::size_t size() const override { return 1; }
  std::uint64_t Verify(std::size_t /*i*/) override {
    unsigned char derived[kBytes];
    return Derive(derived) && CRYPTO_memcmp(derived, stored_, kBytes) == 0 ? 1 : 0;
  }

 private:
  static constexpr std::size_t kBytes = 32;
  static bool Derive(unsigned char* out) {
    static constexpr char kSecret[] = "abcdefghijklmnopqrstuvwxyz0";
    static constexpr unsigned char kSalt[16] = {1, 2, 3};
    constexpr unsigned kRounds = 10'000;
    return PKCS5_PBKDF2_HMAC(kSecret, sizeof kSecret - 1, kSalt, sizeof kSalt, kRounds,
                             EVP_sha256(), kBytes, out) == 1;
  }
  unsigned char stored_[kBytes];
};

}  // namespace

std::unique_ptr<Peer> OpenPbkdf2(std::int64_t /*tokens*/) { return std::make_unique<Pbkdf2>(); }

}  // namespace pat::bench
