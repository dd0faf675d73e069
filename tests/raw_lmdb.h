// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_RAW_LMDB_H_
#define PAT_TESTS_RAW_LMDB_H_

#include <gtest/gtest.h>
#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace pat {

/// A store's tables as anybody with LMDB sees them: to spoil rows behind the store's back. Only
/// while no store of this process has the directory open.
class RawLmdb {
 public:
  explicit RawLmdb(const std::string& directory) {
    EXPECT_EQ(mdb_env_create(&env_), 0);
    EXPECT_EQ(mdb_env_set_maxdbs(env_, 16), 0);
    EXPECT_EQ(mdb_env_set_mapsize(env_, std::size_t{1} << 30), 0);
    EXPECT_EQ(mdb_env_open(env_, directory.c_str(), 0, 0600), 0);
  }
  ~RawLmdb() { mdb_env_close(env_); }
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;

  /// Puts a row (table null: the unnamed one), making the table with `flags` if it is not there.
  void Put(const char* table, std::string key, std::string value, unsigned flags = 0) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    MDB_val k{key.size(), key.data()};
    MDB_val v{value.size(), value.data()};
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, table, table == nullptr ? 0 : MDB_CREATE | flags, &dbi), 0);
    ASSERT_EQ(mdb_put(txn, dbi, &k, &v, 0), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }

  void Delete(const char* table, std::string key) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    MDB_val k{key.size(), key.data()};
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, table, 0, &dbi), 0);
    ASSERT_EQ(mdb_del(txn, dbi, &k, nullptr), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }

  /// The value, or "(none)".
  std::string Get(const char* table, std::string key) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    MDB_val k{key.size(), key.data()};
    MDB_val v{0, nullptr};
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
    EXPECT_EQ(mdb_dbi_open(txn, table, 0, &dbi), 0);
    const int rc = mdb_get(txn, dbi, &k, &v);
    std::string value =
        rc == 0 ? std::string(static_cast<const char*>(v.mv_data), v.mv_size) : "(none)";
    mdb_txn_abort(txn);
    return value;
  }

  std::size_t Entries(const char* table) {
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    MDB_stat stat{};
    EXPECT_EQ(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), 0);
    EXPECT_EQ(mdb_dbi_open(txn, table, 0, &dbi), 0);
    EXPECT_EQ(mdb_stat(txn, dbi, &stat), 0);
    mdb_txn_abort(txn);
    return stat.ms_entries;
  }

  static std::string Native(std::uint64_t integer) {
    std::string bytes(sizeof integer, '\0');
    std::memcpy(bytes.data(), &integer, sizeof integer);
    return bytes;
  }
  static std::string Big(std::uint64_t integer, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>((integer >> (8 * i)) & 0xFF);
    return text;
  }
  static std::string Acct(std::uint32_t number, std::uint64_t rest) {
    return Big(number, 4) + Big(rest, 8);
  }

 private:
  MDB_env* env_ = nullptr;
};

}  // namespace pat

#endif  // PAT_TESTS_RAW_LMDB_H_
