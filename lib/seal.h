// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_SEAL_H_
#define PAT_LIB_SEAL_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "lib/crypto.h"
#include "lib/key_set.h"
#include "pat/lifecycle.h"
#include "pat/store.h"
#include "pat/token_text.h"

// Layouts and seals of docs/format.md: what stands in a TokenRecord, in a sealed row, in a
// selector. Everything a decision rests on is under a seal.

namespace pat {

/// Ids have 48 bits.
inline constexpr std::uint64_t kMaxTokenId = (std::uint64_t{1} << 48) - 1;

/// Account ids up to this size stand in the record itself.
inline constexpr std::size_t kInlineAccountBytes = 16;

/// The first half of SHA-256 of a token's selector and secret. All zeros: of no token, the seal of
/// a deleted record whose digest was lost.
using Digest = crypto::Block;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read and written whole");

template <typename Integer>
Integer LittleEndian(const unsigned char* in) {
  Integer value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

inline constexpr std::size_t kSealBytes = 16;  ///< A record is seal, fields and account.
inline constexpr std::size_t kFieldsBytes = 16;

enum class StoredState : unsigned { kEmpty = 0, kActive = 1, kInactive = 2, kDeleted = 3 };

/// A TokenRecord taken apart. What it says is worth something only if the seal fits.
struct RecordFields {
  std::uint64_t permissions = 0;
  std::uint32_t time_unix_s = 0;  ///< Deleted: when. Otherwise the expiry; 0: never.
  std::uint16_t version = 0;      ///< Goes up with each change; the metadata's must be the same.
  StoredState state = StoredState::kEmpty;
  Origin origin = Origin::kManual;
  DeleteReason reason = DeleteReason::kUser;
  unsigned key_slot = 0;       ///< Lowest three bits of the seal key's number.
  unsigned unknown_flags = 0;  ///< Set by a later format: conditions this version cannot check.
  bool long_account = false;
  unsigned account_size = 0;                                 ///< Of an inline account: 1..16.
  std::array<unsigned char, kInlineAccountBytes> account{};  ///< Id and zeros; or number and tag.

  /// The account id, if it stands in the record.
  std::string_view inline_account() const {
    return {reinterpret_cast<const char*>(account.data()), long_account ? 0 : account_size};
  }
  /// The account's number, if its id is too long to stand in the record.
  std::uint32_t account_number() const { return LittleEndian<std::uint32_t>(account.data()); }
};

inline RecordFields DecodeRecord(const TokenRecord& record) {
  const unsigned char* p = record.bytes.data() + kSealBytes;
  const unsigned flags = LittleEndian<std::uint16_t>(p + 14);
  RecordFields fields;
  fields.permissions = LittleEndian<std::uint64_t>(p);
  fields.time_unix_s = LittleEndian<std::uint32_t>(p + 8);
  fields.version = LittleEndian<std::uint16_t>(p + 12);
  fields.state = static_cast<StoredState>(flags & 3U);
  fields.origin = (flags >> 2U & 1U) != 0 ? Origin::kAuto : Origin::kManual;
  fields.long_account = (flags >> 3U & 1U) != 0;
  fields.account_size = (flags >> 4U & 15U) + 1;
  fields.reason = static_cast<DeleteReason>(std::min(flags >> 8U & 7U, 5U));
  fields.key_slot = flags >> 11U & 7U;
  fields.unknown_flags = flags >> 14U;
  std::memcpy(fields.account.data(), p + kFieldsBytes, fields.account.size());
  return fields;
}

/// `fields.inline_account()`, inside the record they were decoded from.
inline std::string_view InlineAccountIn(const TokenRecord& record, const RecordFields& fields) {
  const unsigned char* const account = record.bytes.data() + kSealBytes + kFieldsBytes;
  return {reinterpret_cast<const char*>(account), fields.long_account ? 0 : fields.account_size};
}

/// What the token's state follows from, as far as the record says.
inline Lifecycle LifecycleOf(const RecordFields& fields) {
  Lifecycle cycle;
  cycle.deleted = fields.state == StoredState::kDeleted;
  cycle.active = fields.state == StoredState::kActive;
  if (!cycle.deleted && fields.time_unix_s != 0) {
    cycle.expires_at = absl::FromUnixSeconds(fields.time_unix_s);
  }
  return cycle;
}

/// Sets the account of `fields`: inline, or number and tag under `key`.
void SetAccount(std::string_view account, std::uint32_t number, const SealKey& key,
                RecordFields* fields);

/// True if the record's account is this one: for a long one its tag fits.
bool AccountFits(const RecordFields& fields, std::string_view account, const KeySet& keys);

/// Encodes and seals with the newest key.
TokenRecord SealRecord(const KeySet& keys, std::uint64_t id, const Digest& digest,
                       const RecordFields& fields);

/// True if the record's seal is the one for this id and digest. Constant time in the contents.
bool RecordSealFits(const KeySet& keys, std::uint64_t id, const Digest& digest,
                    const TokenRecord& record);

/// The same in two steps, of which the first needs no record: verify takes it while the record is
/// on its way. `keys` must live as long.
class SealCheck {
 public:
  SealCheck(const KeySet& keys, std::uint64_t id, const Digest& digest);
  bool Fits(const TokenRecord& record) const;

 private:
  const KeySet& keys_;
  const std::uint64_t id_;
  const Digest digest_;
  const SealKey& key_;   // the newest: most likely the record's
  crypto::Block state_;  // of the seal under it, before the record
};

/// Kinds of sealed rows.
enum class RowTable : unsigned char { kAccount = 1, kMetadata = 2, kMeta = 3 };

/// Keys of rows, as they stand under the seal: of an account, of a token's metadata.
std::array<char, 4> AccountRowKey(std::uint32_t number);
std::array<char, 12> MetadataRowKey(std::uint32_t number, std::uint64_t id);

inline constexpr std::size_t kRowSealBytes = 18;  ///< Before a row's value: key number and seal.

/// The number of the key a row says it is under; 0: of none.
std::uint16_t SealNumberOfRow(std::string_view row);

/// `value` under its seal.
std::string SealRow(const KeySet& keys, RowTable table, std::string_view key,
                    std::string_view value);

/// The value of a sealed row, inside `row`; none if the seal does not fit. Allocates nothing.
std::optional<std::string_view> OpenRow(const KeySet& keys, RowTable table, std::string_view key,
                                        std::string_view row);

/// The selector that stands for an id, under the newest key.
Selector SelectorOf(const KeySet& keys, std::uint64_t id);

/// The id a selector stands for under any live key; 0 if it was not made by one: 80 redundant bits
/// tell.
std::uint64_t IdOfSelector(const KeySet& keys, const Selector& selector);

/// What a store's header says of a live key, so that a wrong one is noticed at open: follows from
/// the key and tells nothing of it. No id's selector and no row's seal is ever the same.
crypto::Block KeyCheck(const SelectorKey& key);
crypto::Block KeyCheck(const SealKey& key);

/// A token's id for the public, in UUID form, and back (0 if it is none).
std::string PublicIdOf(const KeySet& keys, std::uint64_t id);
std::uint64_t IdOfPublicId(const KeySet& keys, std::string_view public_id);

}  // namespace pat

#endif  // PAT_LIB_SEAL_H_
