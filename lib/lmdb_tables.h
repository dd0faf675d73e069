// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_TABLES_H_
#define PAT_LIB_LMDB_TABLES_H_

#include <lmdb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/lmdb_files.h"
#include "pat/store.h"

namespace pat {

// The tables of a store, all of them named (a dump drops rows that lie beside named tables):
//   hot    id / 85, a native size_t (MDB_INTEGERKEY) -> 85 records of 48 bytes, zeros where there
//          is no token. 4,080 bytes fill one overflow page. A page without tokens is not there.
//   acct   account number u32, ~id u64, both big-endian -> sealed metadata of that token, so that
//          an account's tokens lie together, newest first. In front of them, with eight zero
//          bytes in place of ~id, the account's own row.
//   name   account id -> account number u32. A hint: who relies on it checks the account's row.
//   meta   name -> sealed rows of the store; and, not sealed, "format" u32, "next_token_id" u64,
//          "next_account" u32.
//   place  id, a native u64 (MDB_INTEGERKEY) -> time u32, length of ip u8, ip, user agent.
// Integers in values are little-endian. No DUPSORT: it has bugs in many releases of LMDB.
struct LmdbTables {
  MDB_dbi hot = 0;
  MDB_dbi acct = 0;
  MDB_dbi name = 0;
  MDB_dbi meta = 0;
  MDB_dbi place = 0;
  MDB_dbi recent = 0;
};

inline constexpr std::size_t kRecordBytes = sizeof(TokenRecord::bytes);
inline constexpr std::size_t kRecordsPerPage = 85;
inline constexpr std::size_t kHotPageBytes = kRecordsPerPage * kRecordBytes;
using HotPage = std::array<unsigned char, kHotPageBytes>;

/// Where the record of token `id` stands in its page.
inline std::size_t HotOffset(std::uint64_t id) { return id % kRecordsPerPage * kRecordBytes; }

/// The key of a hot page, to be kept alive while LMDB uses val().
class HotKey {
 public:
  explicit HotKey(std::uint64_t id) : page_(static_cast<std::size_t>(id / kRecordsPerPage)) {}
  MDB_val val() { return {sizeof page_, &page_}; }

 private:
  std::size_t page_;
};

/// The key of a row in `acct`.
class AcctKey {
 public:
  static AcctKey Account(std::uint32_t number) { return {number, 0}; }
  static AcctKey Token(std::uint32_t number, std::uint64_t id) { return {number, ~id}; }
  MDB_val val() { return {bytes_.size(), bytes_.data()}; }

 private:
  AcctKey(std::uint32_t number, std::uint64_t rest);

  std::array<unsigned char, 12> bytes_;
};

/// Reads a key of `acct`: false if it is not one. `*id` is 0 for the account's own row.
bool ParseAcctKey(const MDB_val& key, std::uint32_t* number, std::uint64_t* id);

inline MDB_val ValueOf(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};  // LMDB takes both ways in one type
}
inline std::string_view ViewOf(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// A little-endian integer of value.size() bytes (at most 8), and back.
std::uint64_t LoadInteger(std::string_view value);
std::string StoreInteger(std::uint64_t integer, std::size_t bytes);

/// Points `*page` at the hot page with token `id`: 0, MDB_NOTFOUND, MDB_CORRUPTED if the value has
/// not the size of a page, or another error of LMDB.
int GetHotPage(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id,
               const unsigned char** page);

/// The account's number by the `name` table. NotFound, or DataLoss.
absl::StatusOr<std::uint32_t> GetAccountNumber(MDB_txn* txn, const LmdbTables& tables,
                                               std::string_view account);

/// The account's own row, viewed in the map: as long as the transaction (and the next write in it).
/// NotFound, or DataLoss if it is too long.
absl::StatusOr<std::string_view> GetAccountRow(MDB_txn* txn, const LmdbTables& tables,
                                               std::uint32_t number);

/// A transaction that is aborted unless it is let go of: also if memory runs out meanwhile. One
/// left open would block every process.
struct AbortTransaction {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};
using Transaction = std::unique_ptr<MDB_txn, AbortTransaction>;

/// What an LMDB (or system) error means to a caller: the codes named in pat/store.h.
absl::Status LmdbError(int rc, const char* doing);

/// Opens the tables and checks the format; with `create`, makes them in an environment that is
/// empty. NotFound: empty. FailedPrecondition: something else than a store this version reads.
absl::StatusOr<LmdbTables> OpenTables(MDB_env* env, bool create);

/// Makes data.mdb with the tables of an empty store: whole and durable, or not there, whatever
/// happens meanwhile. Under the directory's lock.
absl::Status CreateStoreFile(const StoreDirectory& directory);

}  // namespace pat

#endif  // PAT_LIB_LMDB_TABLES_H_
