// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_RAW_TABLES_H_
#define TESTS_RAW_TABLES_H_

#include <lmdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "lib/lmdb_tables.h"
#include "pat/store.h"

namespace pat {

/// The tables of a store within one write transaction of somebody who has its files but knows
/// nothing of libpat. An empty value deletes the row.
class RawTables {
 public:
  explicit RawTables(MDB_txn* txn) : txn_(txn) {}

  MDB_txn* txn() const { return txn_; }

  MDB_dbi Table(const char* name) {
    MDB_dbi table = 0;
    Must(mdb_dbi_open(txn_, name, 0, &table));
    return table;
  }
  void Put(const char* table, MDB_val key, std::string_view bytes) {
    MDB_val value = ValueOf(bytes);
    const int rc = bytes.empty() ? mdb_del(txn_, Table(table), &key, nullptr)
                                 : mdb_put(txn_, Table(table), &key, &value, 0);
    if (!bytes.empty() || rc != MDB_NOTFOUND) Must(rc);
  }
  void PutRecord(std::uint64_t id, const TokenRecord& record) {
    HotKey hot_key(id);
    MDB_val key = hot_key.val();
    MDB_val value{0, nullptr};
    HotPage page{};
    if (mdb_get(txn_, Table("hot"), &key, &value) == 0 && value.mv_size == page.size()) {
      std::memcpy(page.data(), value.mv_data, page.size());
    }
    std::memcpy(page.data() + HotOffset(id), record.bytes.data(), record.bytes.size());
    Put("hot", key, {reinterpret_cast<const char*>(page.data()), page.size()});
  }
  void PutMetadata(std::uint32_t account, std::uint64_t id, std::string_view bytes) {
    AcctKey key = AcctKey::Token(account, id);
    Put("acct", key.val(), bytes);
  }
  void PutAccount(std::uint32_t account, std::string_view bytes) {
    AcctKey key = AcctKey::Account(account);
    Put("acct", key.val(), bytes);
  }
  void PutName(std::string_view account, std::string_view bytes) {
    Put("name", ValueOf(account), bytes);
  }
  void PutMeta(std::string_view name, std::string_view bytes) { Put("meta", ValueOf(name), bytes); }

  static void Must(int rc) {
    if (rc != 0) _exit(2);
  }

 private:
  MDB_txn* txn_;
};

/// Edits the files of the store in `directory` by plain LMDB calls, in a process of its own, while
/// this one may have the store open (call it without other threads). False if that went wrong.
[[nodiscard]] inline bool EditRaw(const std::string& directory,
                                  absl::FunctionRef<void(RawTables&)> edit) {
  const pid_t child = fork();
  if (child == 0) {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    RawTables::Must(mdb_env_create(&env));
    RawTables::Must(mdb_env_set_maxdbs(env, 8));
    RawTables::Must(mdb_env_set_mapsize(env, std::size_t{1} << 28));
    RawTables::Must(mdb_env_open(env, directory.c_str(), 0, 0600));
    RawTables::Must(mdb_txn_begin(env, nullptr, 0, &txn));
    RawTables tables(txn);
    edit(tables);
    RawTables::Must(mdb_txn_commit(txn));
    mdb_env_close(env);
    _exit(0);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace pat

#endif  // TESTS_RAW_TABLES_H_
