// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A prepared SELECT in SQLite, on a file that stays in memory.
#include <sqlite3.h>

#include <cstdio>
#include <string>

#include "bench/peer.h"
#include "bench/peer_rows.h"
#include "bench/population.h"

namespace pat::bench {
namespace {

class Sqlite final : public Peer {
 public:
  Sqlite(std::string path, std::size_t count) : path_(std::move(path)), count_(count) {}
  ~Sqlite() override {
    sqlite3_finalize(find_);
    sqlite3_close(database_);
  }

  bool Fill() {
    std::remove(path_.c_str());
    if (sqlite3_open(path_.c_str(), &database_) != SQLITE_OK) return false;
    // As fast as it goes: all of the file mapped, no journal while filling.
    if (!Run("PRAGMA journal_mode=OFF") || !Run("PRAGMA synchronous=OFF") ||
        !Run("PRAGMA mmap_size=8589934592") || !Run("PRAGMA cache_size=-1000000") ||
        !Run("CREATE TABLE tokens (digest BLOB PRIMARY KEY, id INTEGER, rights INTEGER, "
             "active INTEGER, expires INTEGER, account TEXT) WITHOUT ROWID") ||
        !Run("BEGIN") || !Insert() || !Run("COMMIT")) {
      return false;
    }
    return Prepare("SELECT id, rights, active, expires, account FROM tokens WHERE digest = ?",
                   &find_);
  }

  std::size_t size() const override { return count_; }

  std::uint64_t Verify(std::size_t i) override {
    const RowKey key = KeyOf(RowToken(ShuffledRow(i, count_)));
    sqlite3_bind_blob(find_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    std::uint64_t sum = 0;
    if (sqlite3_step(find_) == SQLITE_ROW) {
      TokenRowRead row;
      row.id = static_cast<std::uint64_t>(sqlite3_column_int64(find_, 0));
      row.rights = static_cast<std::uint64_t>(sqlite3_column_int64(find_, 1));
      row.active = sqlite3_column_int64(find_, 2) == 1;
      row.expires_unix_s = sqlite3_column_int64(find_, 3);
      row.account = {reinterpret_cast<const char*>(sqlite3_column_text(find_, 4)),
                     static_cast<std::size_t>(sqlite3_column_bytes(find_, 4))};
      sum = row.Sum();
    }
    sqlite3_reset(find_);
    return sum;
  }

 private:
  bool Run(const char* statement) {
    return sqlite3_exec(database_, statement, nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  bool Prepare(const char* statement, sqlite3_stmt** out) {
    return sqlite3_prepare_v3(database_, statement, -1, SQLITE_PREPARE_PERSISTENT, out, nullptr) ==
           SQLITE_OK;
  }
  bool Insert() {
    sqlite3_stmt* insert = nullptr;
    if (!Prepare("INSERT INTO tokens VALUES (?, ?, 7, 1, 4102444800, ?)", &insert)) return false;
    bool done = true;
    for (std::size_t i = 0; i < count_ && done; ++i) {
      const RowKey key = KeyOf(RowToken(i));
      const std::string account = AccountOfRow(i);
      sqlite3_bind_blob(insert, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
      sqlite3_bind_int64(insert, 2, static_cast<sqlite3_int64>(i + 1));
      sqlite3_bind_text(insert, 3, account.data(), static_cast<int>(account.size()), SQLITE_STATIC);
      done = sqlite3_step(insert) == SQLITE_DONE;
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return done;
  }

  std::string path_;
  std::size_t count_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* find_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> OpenSqlite(std::int64_t tokens) {
  const std::string path = BenchDirectory() + "/sqlite-" + std::to_string(tokens);
  auto peer = std::make_unique<Sqlite>(path, static_cast<std::size_t>(tokens));
  const bool filled = peer->Fill();
  std::remove(path.c_str());  // it stays as long as it is open
  if (!filled) return nullptr;
  return peer;
}

}  // namespace pat::bench
