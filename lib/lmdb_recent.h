// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_RECENT_H_
#define PAT_LIB_LMDB_RECENT_H_

#include <lmdb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "lib/lmdb_tables.h"

namespace pat {

/// What one transaction changes.
struct TxnChanges {
  /// Something was put or deleted: from here on only the whole transaction can be given up.
  bool begun = false;
  std::vector<std::uint64_t> hot_pages;  ///< In any order, repeated or not.
  bool meta_rows = false;
};

/// What recent commits changed: one row, the only one of table `recent`, which every transaction
/// brings up to date. By it a process learns what of its page directory still holds. Numbers of
/// transactions have no gaps, so a commit by somebody who keeps no such row is noticed, and then
/// nothing from before it counts.
struct RecentChanges {
  /// Hot pages [first, first + count) were written by transaction `txn`.
  struct Run {
    std::uint64_t txn;
    std::uint32_t first;
    std::uint32_t count;
  };

  std::uint64_t txn = 0;             ///< Who wrote the row.
  std::uint64_t meta_version = 0;    ///< Another one after each change of a meta row.
  std::uint64_t complete_since = 0;  ///< Every change by a later transaction is in `runs`.
  std::vector<Run> runs;             ///< Oldest first.
};

/// Room for runs: as many as leave the row inside a leaf page, so that it costs one page a commit.
inline constexpr std::size_t kMostRecentRuns = 120;

std::string EncodeRecent(const RecentChanges& changes);

/// The parts of an encoded row, for the verify path: nothing is copied. Not valid: the row is
/// missing, damaged or not written by transaction `txn`, and nothing is known.
class RecentView {
 public:
  RecentView(std::string_view row, std::uint64_t txn);

  bool valid() const { return valid_; }
  std::uint64_t meta_version() const { return meta_version_; }
  std::uint64_t complete_since() const { return complete_since_; }
  std::size_t size() const { return runs_.size() / kRunBytes; }
  RecentChanges::Run run(std::size_t i) const;

 private:
  friend std::string EncodeRecent(const RecentChanges&);
  static constexpr std::size_t kHeadBytes = 24;
  static constexpr std::size_t kRunBytes = 16;

  bool valid_ = false;
  std::uint64_t meta_version_ = 0;
  std::uint64_t complete_since_ = 0;
  std::string_view runs_;
};

/// The row as the reading transaction sees it.
RecentView GetRecent(MDB_txn* txn, const LmdbTables& tables);

/// Brings the row up to date, last thing in every writing transaction.
absl::Status NoteRecent(MDB_txn* txn, const LmdbTables& tables, const TxnChanges& changes);

}  // namespace pat

#endif  // PAT_LIB_LMDB_RECENT_H_
