// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_ENV_H_
#define PAT_LIB_LMDB_ENV_H_

#include <lmdb.h>
#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/file.h"
#include "lib/fork_guard.h"
#include "lib/last_used.h"
#include "lib/lmdb_directory.h"
#include "lib/lmdb_files.h"
#include "lib/lmdb_readers.h"
#include "lib/lmdb_recent.h"
#include "lib/lmdb_tables.h"
#include "lib/place_table.h"
#include "pat/lmdb_store.h"

namespace pat {

/// An open environment with all that belongs to it once in a process: reader pool, times and
/// places of last use, the thread that writes places. The stores of one directory share one (LMDB
/// must not be opened twice in a process: closing one would drop the other's locks); a registry
/// knows them by the directory's device and inode.
class LmdbEnv {
 public:
  /// The environment of that directory: the one that is open, else a new one.
  static absl::StatusOr<std::shared_ptr<LmdbEnv>> Open(const std::string& directory,
                                                       const LmdbOptions& options);
  ~LmdbEnv();
  LmdbEnv(const LmdbEnv&) = delete;
  LmdbEnv& operator=(const LmdbEnv&) = delete;

  /// One Close for each Open; the last lets go of LMDB. The object stays, for threads that are
  /// still inside a call: they finish, or find it closed.
  absl::Status Close();

  /// True in a child of the process that opened it: then nothing but this may be called, and
  /// closing does nothing.
  bool inherited() const noexcept { return guard_.inherited(); }

  LmdbReaders& readers() { return readers_; }
  const LmdbTables& tables() const { return tables_; }
  LmdbDirectory& directory() { return pages_; }
  LastUsed& times() { return times_; }
  PlaceTable& places() { return places_; }

  /// Runs `change`, which says what it changes, in a write transaction and commits it, or aborts it
  /// if that is not OK. Unknown:
  /// the disk failed at the commit, so the change may or may not have happened. (Group commit will
  /// have its place here: one caller runs the changes of all that wait.)
  absl::Status Write(absl::FunctionRef<absl::Status(MDB_txn*, TxnChanges*)> change);

  /// Token ids and account numbers nobody was given before.
  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n);
  absl::StatusOr<std::uint32_t> ReserveAccountNumber();

  /// The version of the meta rows; see Store.
  std::uint64_t MetaVersion() noexcept;

  /// Writes the places of use into the store.
  absl::Status Flush();

  /// OK if the environment works and is still the one in the directory.
  absl::Status Health();

  std::uint64_t bytes() const;

 private:
  // Numbers from a row of `meta`, taken in blocks that grow with the demand: dense, few commits.
  struct Counter {
    const char* const row;
    const std::size_t row_bytes;
    const std::uint64_t last;
    std::mutex mutex{};
    std::uint64_t next = 0;  // not given out yet: [next, end)
    std::uint64_t end = 0;
    std::uint64_t block = 1;
  };

  explicit LmdbEnv(StoreDirectory directory) : directory_(std::move(directory)) {}

  absl::Status OpenLocked(const LmdbOptions& options);
  absl::Status OpenMapped(const LmdbOptions& options);
  absl::Status StartFlusher(absl::Duration interval);
  void StopFlusher();
  static void* FlusherMain(void* env);
  absl::Status WriteOnce(absl::FunctionRef<absl::Status(MDB_txn*, TxnChanges*)> change);
  absl::StatusOr<std::uint64_t> Take(Counter& counter, std::uint32_t n);
  void GiveBack(Counter& counter);
  absl::Status Shut();

  const StoreDirectory directory_;
  std::pair<dev_t, ino_t> data_identity_;
  MDB_env* env_ = nullptr;  // null: closed. Changed under write_mutex_.
  int opens_ = 1;           // under the registry's mutex
  LmdbTables tables_;
  const ForkGuard guard_;
  LmdbReaders readers_{guard_};
  LmdbDirectory pages_;
  LastUsed times_;
  PlaceTable places_;
  std::mutex write_mutex_;  // LMDB has one writer at a time anyway
  std::mutex flush_mutex_;

  Counter token_ids_{"next_token_id", 8, (std::uint64_t{1} << 48) - 1};
  Counter account_numbers_{"next_account", 4, 0xFFFFFFFE};

  pthread_t flusher_{};
  int flush_interval_ms_ = 0;  // 0: no flusher
  File stop_flusher_;          // an eventfd
};

}  // namespace pat

#endif  // PAT_LIB_LMDB_ENV_H_
