// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_recent.h"

#include <algorithm>

namespace pat {
namespace {

constexpr std::string_view kRow = "changes";

void Put(std::uint64_t value, std::size_t bytes, std::string* out) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8U) out->push_back(static_cast<char>(value));
}

// Adds one page, or nothing where the same transaction has it already. Pages come ascending, so
// neighbours of one batch make one run.
void AddPage(std::uint64_t txn, std::uint64_t page, RecentChanges* changes) {
  if (page >= UINT32_MAX) return;  // no directory reaches there
  const auto number = static_cast<std::uint32_t>(page);
  auto& runs = changes->runs;
  for (std::size_t i = runs.size(); i-- > 0 && runs[i].txn == txn;) {
    RecentChanges::Run& run = runs[i];
    if (number >= run.first && number - run.first < run.count) return;
    if (number == run.first + run.count) {
      ++run.count;
      return;
    }
  }
  runs.push_back({txn, number, 1});
}

RecentView ViewAt(MDB_txn* txn, const LmdbTables& tables, std::uint64_t written_by) {
  MDB_val key = ValueOf(kRow);
  MDB_val value;
  if (mdb_get(txn, tables.recent, &key, &value) != 0) return RecentView({}, written_by);
  return RecentView(ViewOf(value), written_by);
}

}  // namespace

std::string EncodeRecent(const RecentChanges& changes) {
  std::string row;
  row.reserve(RecentView::kHeadBytes + changes.runs.size() * RecentView::kRunBytes);
  Put(changes.txn, 8, &row);
  Put(changes.meta_version, 8, &row);
  Put(changes.complete_since, 8, &row);
  for (const RecentChanges::Run& run : changes.runs) {
    Put(run.txn, 8, &row);
    Put(run.first, 4, &row);
    Put(run.count, 4, &row);
  }
  return row;
}

RecentView::RecentView(std::string_view row, std::uint64_t txn) {
  if (row.size() < kHeadBytes || (row.size() - kHeadBytes) % kRunBytes != 0) return;
  valid_ = LoadInteger(row.substr(0, 8)) == txn;
  meta_version_ = LoadInteger(row.substr(8, 8));
  complete_since_ = LoadInteger(row.substr(16, 8));
  runs_ = row.substr(kHeadBytes);
}

RecentChanges::Run RecentView::run(std::size_t i) const {
  const std::string_view bytes = runs_.substr(i * kRunBytes, kRunBytes);
  return {LoadInteger(bytes.substr(0, 8)),
          static_cast<std::uint32_t>(LoadInteger(bytes.substr(8, 4))),
          static_cast<std::uint32_t>(LoadInteger(bytes.substr(12, 4)))};
}

RecentView GetRecent(MDB_txn* txn, const LmdbTables& tables) {
  return ViewAt(txn, tables, mdb_txn_id(txn));
}

absl::Status NoteRecent(MDB_txn* txn, const LmdbTables& tables, const TxnChanges& changes) {
  RecentChanges next;
  next.txn = mdb_txn_id(txn);
  next.complete_since = next.txn - 1;
  next.meta_version = next.txn;  // where nothing is known: a number not seen before, most likely
  if (const RecentView before = ViewAt(txn, tables, next.txn - 1); before.valid()) {
    next.meta_version = before.meta_version() + (changes.meta_rows ? 1 : 0);
    next.complete_since = before.complete_since();
    for (std::size_t i = 0; i < before.size(); ++i) next.runs.push_back(before.run(i));
  }
  std::vector<std::uint64_t> pages = changes.hot_pages;
  std::sort(pages.begin(), pages.end());
  for (const std::uint64_t page : pages) AddPage(next.txn, page, &next);
  if (next.runs.size() > kMostRecentRuns) {
    const auto keep = next.runs.end() - kMostRecentRuns;
    next.complete_since = (keep - 1)->txn;
    next.runs.erase(next.runs.begin(), keep);
  }
  const std::string row = EncodeRecent(next);
  MDB_val key = ValueOf(kRow);
  MDB_val value = ValueOf(row);
  const int rc = mdb_put(txn, tables.recent, &key, &value, 0);
  return rc == 0 ? absl::OkStatus() : LmdbError(rc, "write to the store");
}

}  // namespace pat
