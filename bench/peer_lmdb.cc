// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/peer_lmdb.h"

#include <lmdb.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <functional>

#include "bench/mapped_file.h"
#include "bench/page_count.h"
#include "bench/population.h"

namespace pat::bench {
namespace {

void Check(int rc) {
  if (rc != 0) Fail(mdb_strerror(rc));
}

void Put(MDB_txn* txn, unsigned table, std::uint64_t number, unsigned flags) {
  std::array<unsigned char, 48> bytes{};
  bytes[0] = static_cast<unsigned char>(number);
  MDB_val key{sizeof number, &number};
  MDB_val value{bytes.size(), bytes.data()};
  Check(mdb_put(txn, table, &key, &value, flags));
}

}  // namespace

BareLmdb::BareLmdb(const std::string& directory, std::int64_t values)
    : directory_(directory), values_(static_cast<std::uint64_t>(values)) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  Check(mdb_env_create(&env_));
  Check(mdb_env_set_mapsize(env_, std::size_t{4} << 30));
  Check(mdb_env_open(env_, directory.c_str(), MDB_NOTLS, 0600));
  constexpr std::uint64_t kBatch = 100'000;
  for (std::uint64_t next = 0; next < values_;) {
    MDB_txn* txn = nullptr;
    Check(mdb_txn_begin(env_, nullptr, 0, &txn));
    Check(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY | MDB_CREATE, &table_));
    for (std::uint64_t i = 0; i < kBatch && next < values_; ++i)
      Put(txn, table_, next++, MDB_APPEND);
    Check(mdb_txn_commit(txn));
  }
  (void)UsePages(data_file(), Pages::kSmall);  // as the store beside it
  (void)LockInMemory(data_file());
}

BareLmdb::~BareLmdb() {
  mdb_env_close(env_);
  std::filesystem::remove_all(directory_);
}

void BareLmdb::Commit(std::size_t puts) {
  MDB_txn* txn = nullptr;
  Check(mdb_txn_begin(env_, nullptr, 0, &txn));
  for (std::size_t i = 0; i < puts; ++i) Put(txn, table_, random_() % values_, 0);
  Check(mdb_txn_commit(txn));
}

std::size_t BareLmdb::PutsFor(double pages) {
  constexpr int kTries = 20;
  std::size_t best = 1;
  double nearest = HUGE_VAL;
  for (std::size_t puts = 1; static_cast<double>(puts) <= pages; ++puts) {
    CountPagesOf(data_file());
    for (int i = 0; i < kTries; ++i) Commit(puts);
    const double off = std::abs(static_cast<double>(PagesSoFar().pages) / kTries - pages);
    if (off < nearest) best = puts;
    nearest = std::min(nearest, off);
  }
  return best;
}

std::uint64_t TableBytes(const std::string& store_directory, const std::string& table) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  MDB_stat stat{};
  Check(mdb_env_create(&env));
  Check(mdb_env_set_maxdbs(env, 64));
  Check(mdb_env_open(env, store_directory.c_str(), MDB_RDONLY, 0600));
  Check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
  Check(mdb_dbi_open(txn, table.c_str(), 0, &dbi));
  Check(mdb_stat(txn, dbi, &stat));
  mdb_txn_abort(txn);
  mdb_env_close(env);
  return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
}

}  // namespace pat::bench
