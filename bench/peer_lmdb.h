// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_PEER_LMDB_H_
#define PAT_BENCH_PEER_LMDB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

struct MDB_env;

namespace pat::bench {

/// LMDB with nothing around it, for what a durable commit costs at least: one table of that many
/// values of 48 bytes under integer keys, put in random places.
class BareLmdb {
 public:
  BareLmdb(const std::string& directory, std::int64_t values);
  ~BareLmdb();
  BareLmdb(const BareLmdb&) = delete;
  BareLmdb& operator=(const BareLmdb&) = delete;

  std::string data_file() const { return directory_ + "/data.mdb"; }

  /// One transaction of `puts` values here and there.
  void Commit(std::size_t puts);

  /// How many puts make a commit write about that many pages.
  std::size_t PutsFor(double pages);

 private:
  std::string directory_;
  std::uint64_t values_;
  MDB_env* env_ = nullptr;
  unsigned table_ = 0;
  std::mt19937_64 random_{4};
};

/// The pages of a named table, in bytes; the store must not be open in this process.
std::uint64_t TableBytes(const std::string& store_directory, const std::string& table);

}  // namespace pat::bench

#endif  // PAT_BENCH_PEER_LMDB_H_
