// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/seal.h"

#include <algorithm>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "pat/version.h"

namespace pat {
namespace {

constexpr std::size_t kTagBytes = 12;

template <typename Integer>
void PutLittleEndian(Integer value, unsigned char* out) {
  std::memcpy(out, &value, sizeof value);
}

void PutBigEndian(std::uint16_t value, unsigned char* out) {
  PutLittleEndian(__builtin_bswap16(value), out);
}
void PutBigEndian(std::uint32_t value, unsigned char* out) {
  PutLittleEndian(__builtin_bswap32(value), out);
}
void PutBigEndian(std::uint64_t value, unsigned char* out) {
  PutLittleEndian(__builtin_bswap64(value), out);
}

std::string_view Chars(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// The seal of a record's fields and account is a CMAC of exactly four blocks: id and key number,
// digest, fields, account.
crypto::Block SealBegin(const SealKey& key, std::uint64_t id, const Digest& digest) {
  std::array<unsigned char, 32> half{};
  PutBigEndian(id, half.data());
  PutBigEndian(key.number, half.data() + 8);
  half[10] = kStoreFormat;
  std::copy(digest.begin(), digest.end(), half.begin() + 16);
  crypto::Block state{};
  crypto::CmacFirstHalf(key.token, half.data(), &state);
  return state;
}

crypto::Block SealEnd(const SealKey& key, crypto::Block state, const TokenRecord& record) {
  static_assert(sizeof record.bytes == kSealBytes + 32);
  crypto::CmacSecondHalf(key.token, record.bytes.data() + kSealBytes, &state);
  return state;
}

bool SealIs(const crypto::Block& right, const TokenRecord& record) {
  crypto::Block seal;
  std::copy_n(record.bytes.begin(), seal.size(), seal.begin());
  return crypto::Equal(seal, right);
}

unsigned KeySlotOf(const TokenRecord& record) {  // as in DecodeRecord
  return record.bytes[kSealBytes + 15] >> 3U & 7U;
}

crypto::Block RowSeal(const SealKey& key, RowTable table, std::string_view row_key,
                      std::string_view value) {
  std::array<unsigned char, 16 + 64> head{};
  const std::size_t key_size = std::min<std::size_t>(row_key.size(), 64);
  head[0] = static_cast<unsigned char>(table);
  head[1] = kStoreFormat;
  PutBigEndian(key.number, head.data() + 2);
  PutBigEndian(static_cast<std::uint32_t>(row_key.size()), head.data() + 4);
  PutBigEndian(static_cast<std::uint32_t>(value.size()), head.data() + 8);
  std::memcpy(head.data() + 16, row_key.data(), key_size);
  return crypto::Cmac(key.row, Chars(head.data(), 16 + key_size), value);
}

std::array<unsigned char, kTagBytes> AccountTag(const SealKey& key, std::string_view account) {
  const crypto::Block mac = crypto::Cmac(key.account, account);
  std::array<unsigned char, kTagBytes> tag;
  std::copy_n(mac.begin(), kTagBytes, tag.begin());
  return tag;
}

crypto::Block IdBlock(std::uint64_t id) {
  crypto::Block block{};
  PutBigEndian(id, block.data());
  return block;
}

// 0 unless the block is {16 zero bits, id, 64 zero bits}.
std::uint64_t IdOfBlock(const crypto::Block& block) {
  const std::uint64_t id = __builtin_bswap64(LittleEndian<std::uint64_t>(block.data()));
  const auto rest = LittleEndian<std::uint64_t>(block.data() + 8);
  return rest == 0 && id <= kMaxTokenId ? id : 0;
}

ABSL_ATTRIBUTE_NOINLINE std::uint64_t IdOfOlderSelector(const KeySet& keys,
                                                        const Selector& selector) {
  for (std::size_t i = 1; i < keys.selector_count(); ++i) {
    crypto::Block block;
    crypto::Decrypt(keys.selector(i).decrypt, selector, &block);
    if (const std::uint64_t id = IdOfBlock(block); id != 0) return id;
  }
  return 0;
}

}  // namespace

void SetAccount(std::string_view account, std::uint32_t number, const SealKey& key,
                RecordFields* fields) {
  fields->account = {};
  fields->long_account = account.size() > kInlineAccountBytes;
  if (fields->long_account) {
    fields->account_size = 1;
    PutLittleEndian(number, fields->account.data());
    const auto tag = AccountTag(key, account);
    std::copy(tag.begin(), tag.end(), fields->account.begin() + 4);
  } else {
    fields->account_size = static_cast<unsigned>(account.size());
    std::copy(account.begin(), account.end(), fields->account.begin());
  }
}

bool AccountFits(const RecordFields& fields, std::string_view account, const KeySet& keys) {
  if (!fields.long_account) return fields.inline_account() == account;
  const SealKey* key = keys.SealBySlot(fields.key_slot);
  if (key == nullptr || account.size() <= kInlineAccountBytes) return false;
  const auto tag = AccountTag(*key, account);
  return std::equal(tag.begin(), tag.end(), fields.account.begin() + 4);
}

TokenRecord SealRecord(const KeySet& keys, std::uint64_t id, const Digest& digest,
                       const RecordFields& fields) {
  const SealKey& key = keys.newest_seal();
  TokenRecord record;
  unsigned char* p = record.bytes.data() + kSealBytes;
  const unsigned flags = static_cast<unsigned>(fields.state) |
                         (fields.origin == Origin::kAuto ? 1U : 0U) << 2U |
                         (fields.long_account ? 1U : 0U) << 3U | (fields.account_size - 1) << 4U |
                         static_cast<unsigned>(fields.reason) << 8U |
                         static_cast<unsigned>(key.number % kMaxKeys) << 11U;
  PutLittleEndian(fields.permissions, p);
  PutLittleEndian(fields.time_unix_s, p + 8);
  PutLittleEndian(fields.version, p + 12);
  PutLittleEndian(static_cast<std::uint16_t>(flags), p + 14);
  std::memcpy(p + kFieldsBytes, fields.account.data(), fields.account.size());
  const crypto::Block seal = SealEnd(key, SealBegin(key, id, digest), record);
  std::copy(seal.begin(), seal.end(), record.bytes.begin());
  return record;
}

bool RecordSealFits(const KeySet& keys, std::uint64_t id, const Digest& digest,
                    const TokenRecord& record) {
  const SealKey* key = keys.SealBySlot(KeySlotOf(record));
  return key != nullptr && SealIs(SealEnd(*key, SealBegin(*key, id, digest), record), record);
}

SealCheck::SealCheck(const KeySet& keys, std::uint64_t id, const Digest& digest)
    : keys_(keys),
      id_(id),
      digest_(digest),
      key_(keys.newest_seal()),
      state_(SealBegin(key_, id, digest)) {}

bool SealCheck::Fits(const TokenRecord& record) const {
  if (KeySlotOf(record) == key_.number % kMaxKeys)
    return SealIs(SealEnd(key_, state_, record), record);
  return RecordSealFits(keys_, id_, digest_, record);
}

std::array<char, 4> AccountRowKey(std::uint32_t number) {
  std::array<char, 4> key;
  PutBigEndian(number, reinterpret_cast<unsigned char*>(key.data()));
  return key;
}

std::array<char, 12> MetadataRowKey(std::uint32_t number, std::uint64_t id) {
  std::array<char, 12> key;
  PutBigEndian(number, reinterpret_cast<unsigned char*>(key.data()));
  PutBigEndian(id, reinterpret_cast<unsigned char*>(key.data() + 4));
  return key;
}

std::uint16_t SealNumberOfRow(std::string_view row) {
  if (row.size() < kRowSealBytes) return 0;
  const auto* p = reinterpret_cast<const unsigned char*>(row.data());
  return LittleEndian<std::uint16_t>(p);
}

std::string SealRow(const KeySet& keys, RowTable table, std::string_view key,
                    std::string_view value) {
  const SealKey& seal_key = keys.newest_seal();
  const crypto::Block seal = RowSeal(seal_key, table, key, value);
  std::string row(kRowSealBytes, '\0');
  auto* p = reinterpret_cast<unsigned char*>(row.data());
  PutLittleEndian(seal_key.number, p);
  std::copy(seal.begin(), seal.end(), p + 2);
  row += value;
  return row;
}

std::optional<std::string_view> OpenRow(const KeySet& keys, RowTable table, std::string_view key,
                                        std::string_view row) {
  const SealKey* seal_key = keys.SealByNumber(SealNumberOfRow(row));
  if (seal_key == nullptr) return std::nullopt;
  const auto* p = reinterpret_cast<const unsigned char*>(row.data());
  crypto::Block seal;
  std::copy_n(p + 2, seal.size(), seal.begin());
  const std::string_view value = row.substr(kRowSealBytes);
  if (!crypto::Equal(seal, RowSeal(*seal_key, table, key, value))) return std::nullopt;
  return value;
}

Selector SelectorOf(const KeySet& keys, std::uint64_t id) {
  Selector selector;
  crypto::Encrypt(keys.selector(0).encrypt, IdBlock(id), &selector);
  return selector;
}

std::uint64_t IdOfSelector(const KeySet& keys, const Selector& selector) {
  crypto::Block block;
  crypto::Decrypt(keys.selector(0).decrypt, selector, &block);  // the newest: most likely its key
  const std::uint64_t id = IdOfBlock(block);
  return ABSL_PREDICT_TRUE(id != 0) ? id : IdOfOlderSelector(keys, selector);
}

crypto::Block KeyCheck(const SelectorKey& key) {
  crypto::Block block;
  block.fill(0xFF);  // no id's block
  crypto::Encrypt(key.encrypt, block, &block);
  return block;
}

crypto::Block KeyCheck(const SealKey& key) {
  crypto::Block block;
  block.fill(0xFF);  // no table has this number
  return crypto::Cmac(key.row, Chars(block.data(), block.size()));
}

std::string PublicIdOf(const KeySet& keys, std::uint64_t id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  crypto::Block block;
  crypto::Encrypt(keys.public_id_encrypt(), IdBlock(id), &block);
  std::string text;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[block[i] >> 4U];
    text += kDigits[block[i] & 15U];
  }
  return text;
}

std::uint64_t IdOfPublicId(const KeySet& keys, std::string_view public_id) {
  if (public_id.size() != 36) return 0;
  crypto::Block block{};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < public_id.size(); ++i) {
    const char c = public_id[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return 0;
      continue;
    }
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return 0;
    const int value = digit ? c - '0' : c - 'a' + 10;
    block[nibble / 2] = static_cast<unsigned char>(block[nibble / 2] << 4U | value);
    ++nibble;
  }
  crypto::Decrypt(keys.public_id_decrypt(), block, &block);
  return IdOfBlock(block);
}

}  // namespace pat
