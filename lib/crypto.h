// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_CRYPTO_H_
#define PAT_LIB_CRYPTO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

// The few primitives libpat rests on. AES, SHA-256, HKDF and the constant-time comparison are
// BoringSSL's; CMAC is composed of its AES here, to hold key schedules ready and allocate nothing.

namespace pat::crypto {

/// 16 bytes: an AES block, a seal, a truncated digest.
using Block = std::array<unsigned char, 16>;

/// An expanded AES-128 key (BoringSSL's AES_KEY) for one direction.
struct AesKey {
  alignas(16) std::array<unsigned char, 256> schedule;
};

void SetEncryptKey(const Block& key, AesKey* out);
void SetDecryptKey(const Block& key, AesKey* out);
void Encrypt(const AesKey& key, const Block& in, Block* out);
void Decrypt(const AesKey& key, const Block& in, Block* out);

/// AES-128-CMAC (RFC 4493) with its schedule and subkeys ready.
struct CmacKey {
  AesKey aes;
  Block last_whole;    ///< K1 of the RFC
  Block last_partial;  ///< K2
};

void SetCmacKey(const Block& key, CmacKey* out);

/// The CMAC of `head` followed by `tail`.
Block Cmac(const CmacKey& key, std::string_view head, std::string_view tail = {});

/// A CMAC of four whole blocks in two halves of 32 bytes. `state` begins as zeros.
void CmacFirstHalf(const CmacKey& key, const unsigned char* half, Block* state);
void CmacSecondHalf(const CmacKey& key, const unsigned char* half, Block* state);

/// The first 16 bytes of SHA-256.
Block Sha256Half(std::string_view data);

/// 16 bytes by HKDF-SHA-256 (RFC 5869). False only if BoringSSL fails.
[[nodiscard]] bool Hkdf(std::string_view secret, std::string_view salt, std::string_view info,
                        Block* out);

/// True if equal; time does not depend on the contents.
bool Equal(const Block& a, const Block& b);

/// Fills `out` from the system's generator (getentropy: no state in this process to copy by fork
/// or to steal). False on failure: the caller must fail, never go on.
[[nodiscard]] bool RandomBytes(void* out, std::size_t size);

using RandomSource = absl::FunctionRef<bool(void* out, std::size_t size)>;

/// `size` characters of `alphabet` (at most 256, no repeats), each equally likely: bytes that would
/// favour some are thrown away. False if the source fails.
[[nodiscard]] bool RandomText(std::string_view alphabet, RandomSource random, char* out,
                              std::size_t size);

/// Overwrites in a way the compiler does not drop.
void Wipe(void* data, std::size_t size);
inline void Wipe(std::string* text) { Wipe(text->data(), text->size()); }

}  // namespace pat::crypto

#endif  // PAT_LIB_CRYPTO_H_
