// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/crypto.h"

#include <openssl/aes.h>
#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace pat::crypto {
namespace {

static_assert(sizeof(AES_KEY) <= sizeof(AesKey::schedule));
static_assert(alignof(AES_KEY) <= alignof(AesKey));
static_assert(std::is_trivially_copyable_v<AES_KEY>);

const AES_KEY* Schedule(const AesKey& key) {
  return reinterpret_cast<const AES_KEY*>(key.schedule.data());
}
AES_KEY* Schedule(AesKey* key) { return reinterpret_cast<AES_KEY*>(key->schedule.data()); }

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Multiplication by x in GF(2^128), RFC 4493 section 2.3.
Block Double(const Block& in) {
  Block out;
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned next = i + 1 < 16 ? in[i + 1] >> 7U : 0U;
    out[i] = static_cast<unsigned char>(in[i] << 1U | next);
  }
  const auto carry = static_cast<unsigned char>(0U - (in[0] >> 7U));
  out[15] = static_cast<unsigned char>(out[15] ^ (carry & 0x87U));
  return out;
}

void Xor16(const unsigned char* data, Block* block) {
  std::array<std::uint64_t, 2> a;
  std::array<std::uint64_t, 2> b;
  std::memcpy(a.data(), data, 16);
  std::memcpy(b.data(), block->data(), 16);
  a[0] ^= b[0];
  a[1] ^= b[1];
  std::memcpy(block->data(), a.data(), 16);
}

constexpr std::size_t kMostInOneBlock = SHA256_CBLOCK - 9;  // a one bit and 64 bits of size

// A message that fits one block with its padding goes straight to the compression function.
Block Sha256HalfOfOneBlock(std::string_view data) {
  std::array<std::uint32_t, 8> state = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  std::array<unsigned char, SHA256_CBLOCK> block{};
  std::memcpy(block.data(), data.data(), data.size());
  block[data.size()] = 0x80;
  block[62] = static_cast<unsigned char>(data.size() >> 5U);  // the size in bits
  block[63] = static_cast<unsigned char>(data.size() << 3U);
  SHA256_TransformBlocks(state.data(), block.data(), 1);
  Wipe(block.data(), block.size());
  Block half;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t big_endian = __builtin_bswap32(state[i]);
    std::memcpy(half.data() + 4 * i, &big_endian, 4);
  }
  return half;
}

}  // namespace

void SetEncryptKey(const Block& key, AesKey* out) {
  AES_set_encrypt_key(key.data(), 128, Schedule(out));
}

void SetDecryptKey(const Block& key, AesKey* out) {
  AES_set_decrypt_key(key.data(), 128, Schedule(out));
}

void Encrypt(const AesKey& key, const Block& in, Block* out) {
  AES_encrypt(in.data(), out->data(), Schedule(key));
}

void Decrypt(const AesKey& key, const Block& in, Block* out) {
  AES_decrypt(in.data(), out->data(), Schedule(key));
}

void SetCmacKey(const Block& key, CmacKey* out) {
  SetEncryptKey(key, &out->aes);
  Block zero{};
  Encrypt(out->aes, zero, &zero);
  out->last_whole = Double(zero);
  out->last_partial = Double(out->last_whole);
}

Block Cmac(const CmacKey& key, std::string_view head, std::string_view tail) {
  Block state{};
  std::size_t used = 0;  // bytes of the current block already in `state`
  for (std::string_view part : {head, tail}) {
    while (!part.empty()) {
      if (used == 16) {
        Encrypt(key.aes, state, &state);
        used = 0;
      }
      const std::size_t take = std::min(part.size(), 16 - used);
      for (std::size_t i = 0; i < take; ++i) {
        state[used + i] = static_cast<unsigned char>(state[used + i] ^ Bytes(part)[i]);
      }
      used += take;
      part.remove_prefix(take);
    }
  }
  if (used == 16) {
    Xor16(key.last_whole.data(), &state);
  } else {
    state[used] = static_cast<unsigned char>(state[used] ^ 0x80U);
    Xor16(key.last_partial.data(), &state);
  }
  Encrypt(key.aes, state, &state);
  return state;
}

void CmacFirstHalf(const CmacKey& key, const unsigned char* half, Block* state) {
  for (const unsigned char* block : {half, half + 16}) {
    Xor16(block, state);
    Encrypt(key.aes, *state, state);
  }
}

void CmacSecondHalf(const CmacKey& key, const unsigned char* half, Block* state) {
  Xor16(half, state);
  Encrypt(key.aes, *state, state);
  Xor16(half + 16, state);
  Xor16(key.last_whole.data(), state);
  Encrypt(key.aes, *state, state);
}

Block Sha256Half(std::string_view data) {
  if (data.size() <= kMostInOneBlock) return Sha256HalfOfOneBlock(data);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(Bytes(data), data.size(), digest.data());
  Block half;
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

bool Hkdf(std::string_view secret, std::string_view salt, std::string_view info, Block* out) {
  return HKDF(out->data(), out->size(), EVP_sha256(), Bytes(secret), secret.size(), Bytes(salt),
              salt.size(), Bytes(info), info.size()) == 1;
}

bool Equal(const Block& a, const Block& b) { return CRYPTO_memcmp(a.data(), b.data(), 16) == 0; }

bool RandomBytes(void* out, std::size_t size) {
  constexpr std::size_t kMost = 256;  // what getentropy gives at once
  for (auto* p = static_cast<unsigned char*>(out); size > 0;) {
    const std::size_t take = std::min(size, kMost);
    if (getentropy(p, take) != 0) return false;
    p += take;
    size -= take;
  }
  return true;
}

namespace {

// alphabet[byte % alphabet.size()] without a table or a division, which would tell of the byte: all
// entries are looked at.
char Pick(std::string_view alphabet, std::uint32_t byte) {
  const auto count = static_cast<std::uint32_t>(alphabet.size());
  for (std::uint32_t past = count; past < 256; past += count) {
    const std::uint32_t less = 0U - ((byte - count) >> 31U);  // all ones if byte < count
    byte -= count & ~less;
  }
  std::uint32_t picked = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t other = 0U - ((0U - (i ^ byte)) >> 31U);  // all ones unless i == byte
    picked |= static_cast<unsigned char>(alphabet[i]) & ~other;
  }
  return static_cast<char>(picked);
}

}  // namespace

bool RandomText(std::string_view alphabet, RandomSource random, char* out, std::size_t size) {
  const auto count = static_cast<unsigned>(alphabet.size());
  const unsigned fair = 256 / count * count;
  std::array<unsigned char, 64> pool;
  std::size_t done = 0;
  bool good = true;
  while (good && done < size) {
    good = random(pool.data(), pool.size());
    for (std::size_t i = 0; good && i < pool.size() && done < size; ++i) {
      if (pool[i] < fair) out[done++] = Pick(alphabet, pool[i]);
    }
  }
  Wipe(pool.data(), pool.size());
  return good;
}

void Wipe(void* data, std::size_t size) { OPENSSL_cleanse(data, size); }

}  // namespace pat::crypto
