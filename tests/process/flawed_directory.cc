// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The page directory with one of the guards that do not hold, named by PAT_DIRECTORY_FLAW: linked
// before pat::core it takes the place of the real one, of which it is made. Controls only.
#include <lmdb.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/lmdb_directory.h"
#include "lib/lmdb_recent.h"

namespace pat {
namespace {

enum class Flaw { kNone, kNoGuard, kGuardByEnvInfo, kNotCaughtUp };

Flaw TheFlaw() {
  static const Flaw flaw = [] {
    const char* const name = std::getenv("PAT_DIRECTORY_FLAW");  // NOLINT(concurrency-mt-unsafe)
    const std::string_view text = name == nullptr ? "" : name;
    if (text == "none") return Flaw::kNone;
    if (text == "no_guard") return Flaw::kNoGuard;
    if (text == "guard_by_env_info") return Flaw::kGuardByEnvInfo;
    if (text == "not_caught_up") return Flaw::kNotCaughtUp;
    std::fputs("PAT_DIRECTORY_FLAW names no flaw\n", stderr);
    std::abort();
  }();
  return flaw;
}

// What is taken for the number of the snapshot.
std::uint64_t Guard(MDB_txn* txn) {
  if (TheFlaw() == Flaw::kNoGuard) return 1;
  if (TheFlaw() != Flaw::kGuardByEnvInfo) return mdb_txn_id(txn);
  MDB_envinfo info{};
  mdb_env_info(mdb_txn_env(txn), &info);
  return info.me_last_txnid;
}

// What is taken for the changes since the directory was caught up last.
RecentView Recent(MDB_txn* txn, const LmdbTables& tables) {
  const RecentView recent = GetRecent(txn, tables);
  if (TheFlaw() != Flaw::kNotCaughtUp || !recent.valid()) return recent;
  thread_local std::string none;
  RecentChanges changes;
  changes.txn = mdb_txn_id(txn);
  changes.meta_version = recent.meta_version();
  none = EncodeRecent(changes);
  return RecentView(none, changes.txn);
}

}  // namespace
}  // namespace pat

#undef mdb_txn_id  // a name of LMDB's where it is built with names of its own
#define mdb_txn_id(txn) Guard(txn)
#define GetRecent(txn, tables) Recent(txn, tables)
#include "lib/lmdb_directory.cc"
