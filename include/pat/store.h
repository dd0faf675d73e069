// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_STORE_H_
#define PAT_STORE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pat {

/// What a token's decision rests on, sealed by Authority: opaque to a store. All zeros stand for
/// an empty slot.
struct TokenRecord {
  std::array<unsigned char, 48> bytes{};

  bool empty() const {
    std::array<std::uint64_t, 6> words;
    std::memcpy(words.data(), bytes.data(), sizeof words);
    return (words[0] | words[1] | words[2] | words[3] | words[4] | words[5]) == 0;
  }
  friend bool operator==(const TokenRecord& a, const TokenRecord& b) { return a.bytes == b.bytes; }
  friend bool operator!=(const TokenRecord& a, const TokenRecord& b) { return !(a == b); }
};

/// Longest account row, in bytes.
inline constexpr std::size_t kMaxAccountRowBytes = 768;

/// An account's row: its number in this store (never reused, 1 or more) and sealed bytes, opaque
/// to a store. Held inline so that verify can read one without allocating.
struct AccountRow {
  std::uint32_t number = 0;
  std::uint32_t size = 0;
  std::array<unsigned char, kMaxAccountRowBytes> bytes;

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

/// A token as a page shows it.
struct TokenRow {
  std::uint64_t id = 0;
  TokenRecord record;
  std::string metadata;  ///< Sealed; empty if there is none.
};

/// When and from where a token was last used.
struct LastUse {
  std::uint32_t unix_s = 0;  ///< 0: never.
  std::string ip;            ///< At most 45 bytes.
  std::string user_agent;    ///< At most 128 bytes.
};

/// A change of several rows: all of it happens, durably, or none of it. Checks come first and see
/// the state right before; if one fails the batch fails with Aborted and nothing is written.
struct Batch {
  struct TokenCheck {
    std::uint64_t id;
    TokenRecord expected;  ///< The record must be exactly this; empty: the slot must be empty.
  };
  struct AccountCheck {
    std::string account;
    std::string expected;  ///< The row's bytes must be exactly these; empty: no such account.
  };
  struct MetaCheck {
    std::string name;
    std::string expected;  ///< Likewise.
  };
  struct TokenPut {
    std::uint64_t id;
    TokenRecord record;  ///< Empty: the slot becomes empty (purge).
  };
  struct MetadataPut {
    std::uint32_t account_number;
    std::uint64_t id;
    std::string metadata;  ///< Empty: the row goes.
  };
  struct AccountPut {
    std::string account;
    std::uint32_t number;  ///< An account's number never changes.
    std::string row;
  };
  struct MetaPut {
    std::string name;
    std::string value;
  };

  std::vector<TokenCheck> token_checks;
  std::vector<AccountCheck> account_checks;
  std::vector<MetaCheck> meta_checks;
  std::vector<TokenPut> tokens;
  std::vector<MetadataPut> metadata;
  std::vector<AccountPut> accounts;
  std::vector<MetaPut> meta;

  /// True if the batch takes rights away: a store that runs out of room keeps some for these.
  bool revocation = false;
};

/// What a store holds, roughly: for operators.
struct StoreStats {
  std::uint64_t accounts = 0;
  std::uint64_t next_token_id = 1;
  std::uint64_t bytes = 0;         ///< On disk (or in memory).
  std::uint64_t uses_dropped = 0;  ///< Places of use (not times) this process could not keep.
  std::uint64_t readers = 0;       ///< Most slots for reading ever taken at once, by all processes.
  std::uint64_t most_readers = 0;  ///< How many slots there are; 0: the store has no such thing.
};

/// Where tokens live. Authority owns all rules and seals all rows; a store keeps rows, orders
/// changes and makes them durable. Implement it to put tokens into a database of yours; the
/// conformance suite (tests/store_conformance.h) says whether it is right.
///
/// Contract, for every method: any thread at any time; once Apply has returned OK, every later
/// read by any thread or process on the same store sees the change; a read sees all of a batch or
/// nothing. Errors: Unavailable (try again), ResourceExhausted (disk or map full, readers used
/// up), DataLoss (the store's structure is damaged), Internal. No method aborts, and none throws
/// but std::bad_alloc: then nothing was changed. Close does not even that.
class Store {
 public:
  enum class Lookup { kFound, kAbsent, kUnavailable };

  virtual ~Store() = default;

  // ---- The verify path: no allocation, no lock, no system call, no writing.

  /// Copies the record of token `id` (one consistent copy; the caller judges only that), and sets
  /// `*meta_version` as of the same moment, unless kUnavailable.
  [[nodiscard]] virtual Lookup Find(std::uint64_t id, TokenRecord* record,
                                    std::uint64_t* meta_version) noexcept = 0;
  [[nodiscard]] Lookup Find(std::uint64_t id, TokenRecord* record) noexcept {
    std::uint64_t meta_version = 0;
    return Find(id, record, &meta_version);
  }

  /// Brings what Find will need of the token closer while the caller computes: a hint.
  virtual void Prefetch(std::uint64_t id) noexcept { static_cast<void>(id); }

  /// A number that is another one after each change of a meta row, by whatever process: Authority
  /// then reads its keys anew. At least as new as all changes acknowledged before the call; if it
  /// cannot be read, the number given last.
  virtual std::uint64_t MetaVersion() noexcept = 0;

  /// Copies the row of the account with this number.
  [[nodiscard]] virtual Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept = 0;

  /// Notes that the token was used at `unix_s` from a place (either may be empty; if both are, the
  /// place noted before stays). Never fails and
  /// never waits; a time in the past of the noted one changes nothing, nor does one less than a
  /// minute after it. The time must reach other processes at once, the place may take a flush.
  virtual void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                         std::string_view user_agent) noexcept = 0;

  // ---- Reading. Absence is NotFound.

  /// The noted last use of the token, this process's latest notes included.
  virtual absl::StatusOr<LastUse> ReadUse(std::uint64_t id) = 0;

  /// The row of the account with these bytes as its id.
  virtual absl::StatusOr<AccountRow> ReadAccount(std::string_view account) = 0;

  /// The sealed metadata of a token of that account.
  virtual absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number,
                                                   std::uint64_t id) = 0;

  /// Up to `n` tokens of the account that have metadata, newest (highest id) first, with ids below
  /// `before` (0: from the newest), from one moment. Empty at the end; never NotFound.
  virtual absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number,
                                                     std::uint64_t before, std::size_t n) = 0;

  /// Up to `n` occupied slots with ids from `first` on, ascending, without metadata. The end is
  /// reached when fewer come back.
  virtual absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) = 0;

  /// The row of the account with the smallest number from `first` (1 or more) on.
  virtual absl::StatusOr<AccountRow> NextAccount(std::uint32_t first) = 0;

  /// A named sealed row about the store itself ("header", "scopes").
  virtual absl::StatusOr<std::string> ReadMeta(std::string_view name) = 0;

  virtual absl::StatusOr<StoreStats> Stats() = 0;

  // ---- Writing. OK means durable.

  /// The first of `n` token ids (1..65536 at once) that no call ever returned before, in any
  /// process. Ids begin at 1; gaps after a crash are fine.
  virtual absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) = 0;

  /// Likewise for one account number.
  virtual absl::StatusOr<std::uint32_t> ReserveAccountNumber() = 0;

  /// Checks and writes a batch. Aborted: a check failed, read again and retry.
  virtual absl::Status Apply(const Batch& batch) = 0;

  /// Writes the noted places of use. Also done by Close and from time to time.
  virtual absl::Status Flush() = 0;

  /// OK if the store can serve.
  virtual absl::Status Health() = 0;

  /// Flushes and lets go. Idempotent; afterwards reads are kUnavailable, writes FailedPrecondition.
  virtual absl::Status Close() = 0;
};

}  // namespace pat

#endif  // PAT_STORE_H_
