// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/limit.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "pat/token_body.h"
#include "pat/version.h"

namespace pat::bench {
namespace {

constexpr std::size_t kPrefix = 9;  // dckr_pat_
constexpr std::size_t kSecretInput = 49;

// docs/format.md: seal 16, permissions 8, time 4, version 2, flags 2, account 16.
constexpr std::size_t kPermissions = 16;
constexpr std::size_t kTime = 24;
constexpr std::size_t kFlags = 30;
constexpr std::size_t kAccount = 32;

template <typename Integer>
Integer Load(const unsigned char* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

void XorInto(crypto::Block* block, const unsigned char* bytes) {
  std::uint64_t words[2];
  std::uint64_t other[2];
  std::memcpy(words, block->data(), sizeof words);
  std::memcpy(other, bytes, sizeof other);
  words[0] ^= other[0];
  words[1] ^= other[1];
  std::memcpy(block->data(), words, sizeof words);
}

}  // namespace

Limit::Limit(const std::string& records_file, const KeySet& keys)
    : file_(records_file),
      selector_(keys.selector(0).decrypt),
      seal_(keys.newest_seal().token),
      seal_number_(keys.newest_seal().number) {}

bool Limit::Decode(std::string_view text, Selector* selector) {
  const auto read = token_text_internal::ReadTokenBody(text.substr(kPrefix, kTokenBodyLength));
  *selector = read.selector;
  return read.base62 && read.selector_fits;
}

std::uint64_t Limit::IdOf(const Selector& selector) const {
  crypto::Block block;
  crypto::Decrypt(selector_, selector, &block);
  const auto id = __builtin_bswap64(Load<std::uint64_t>(block.data()));
  const bool good = Load<std::uint64_t>(block.data() + 8) == 0 && id < count();
  return good ? id : 0;
}

crypto::Block Limit::Digest(std::string_view text) {
  return crypto::Sha256Half(text.substr(kPrefix, kSecretInput));
}

// The CMAC of docs/format.md, which is of four whole blocks; two need no record.
crypto::Block Limit::Seal(std::uint64_t id, const crypto::Block& digest,
                          const unsigned char* record) const {
  crypto::Block state{};
  const std::uint64_t id_bytes = __builtin_bswap64(id);
  std::memcpy(state.data(), &id_bytes, sizeof id_bytes);
  state[8] = static_cast<unsigned char>(seal_number_ >> 8U);
  state[9] = static_cast<unsigned char>(seal_number_);
  state[10] = kStoreFormat;
  crypto::Encrypt(seal_.aes, state, &state);
  XorInto(&state, digest.data());
  crypto::Encrypt(seal_.aes, state, &state);
  XorInto(&state, record + kPermissions);
  crypto::Encrypt(seal_.aes, state, &state);
  XorInto(&state, record + kAccount);
  XorInto(&state, seal_.last_whole.data());
  crypto::Encrypt(seal_.aes, state, &state);
  return state;
}

bool Limit::SealFits(const unsigned char* record, const crypto::Block& seal) {
  crypto::Block stored;
  std::copy_n(record, stored.size(), stored.begin());
  return crypto::Equal(stored, seal);
}

Answer Limit::Verify(std::string_view text) const {
  Selector selector;
  if (!Decode(text, &selector)) return {};
  const std::uint64_t id = IdOf(selector);
  if (id == 0) return {};
  const unsigned char* record = Record(id);
  __builtin_prefetch(record);
  __builtin_prefetch(record + kRecordBytes - 1);
  if (!SealFits(record, Seal(id, Digest(text), record))) return {};
  const auto flags = Load<std::uint16_t>(record + kFlags);
  const auto expires = Load<std::uint32_t>(record + kTime);
  constexpr unsigned kActive = 1;
  if ((flags & 3U) != kActive) return {};
  if (expires != 0 && std::time(nullptr) >= static_cast<std::time_t>(expires)) return {};
  const std::size_t account_size = (flags >> 4U & 15U) + 1;
  return {id,
          Load<std::uint64_t>(record + kPermissions),
          {reinterpret_cast<const char*>(record + kAccount), account_size}};
}

}  // namespace pat::bench
