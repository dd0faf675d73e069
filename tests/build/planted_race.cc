// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// planted_race WHAT FOLDER: what ThreadSanitizer has to report, and what not.
//   guarded  two threads add to a number under an absl::Mutex: no race
//   plain    they add to it without: a race
//   lmdb     they move one cursor of LMDB: a race inside LMDB, which no suppression may hide
#include <lmdb.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace {

constexpr int kTimes = 1000;

void InTwoThreads(absl::FunctionRef<void()> work) {
  const auto often = [&] {
    for (int i = 0; i < kTimes; ++i) work();
  };
  std::thread other(often);
  often();
  other.join();
}

void Expect(int result) {
  if (result == MDB_SUCCESS) return;
  std::printf("%s\n", mdb_strerror(result));
  std::exit(2);
}

void ShareACursor(const std::string& folder) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  MDB_dbi table = 0;
  Expect(mdb_env_create(&env));
  Expect(mdb_env_open(env, folder.c_str(), MDB_NOTLS, 0600));
  Expect(mdb_txn_begin(env, nullptr, 0, &txn));
  Expect(mdb_dbi_open(txn, nullptr, 0, &table));
  for (int i = 0; i < 4 * kTimes; ++i) {
    MDB_val key{sizeof i, &i};
    Expect(mdb_put(txn, table, &key, &key, 0));
  }
  Expect(mdb_txn_commit(txn));
  Expect(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
  Expect(mdb_cursor_open(txn, table, &cursor));
  MDB_val key{};
  MDB_val value{};
  Expect(mdb_cursor_get(cursor, &key, &value, MDB_FIRST));
  InTwoThreads([&] {
    MDB_val k{};
    MDB_val v{};
    mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
  });
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  mdb_env_close(env);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  int number = 0;
  if (what == "guarded") {
    absl::Mutex mutex;
    InTwoThreads([&] {
      const absl::MutexLock lock(&mutex);
      ++number;
    });
  } else if (what == "plain") {
    InTwoThreads([&] { ++number; });
  } else if (what == "lmdb") {
    ShareACursor(argv[2]);
  } else {
    return 2;
  }
  std::printf("%d\n", number);
}
