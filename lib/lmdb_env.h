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
#include "lib/write_lock.h"
#include "lib/write_queue.h"
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

  using Change = WriteQueue::Change;
  using Question = WriteQueue::Question;

  /// Runs `change`, which says what it changes, in a write transaction and commits it, together
  /// with those of other callers, or leaves it out if it is not OK. Unavailable: another writer did
  /// not finish by the deadline, or the disk failed before the commit; nothing was changed. If the
  /// disk fails at the commit, the environment is opened anew, and if what it then holds is the
  /// state before (`happened` says no), `change` runs again. Unknown: not even that worked; the
  /// next write tries it first.
  absl::Status Write(Change change, Question happened, bool revocation);

  /// The same for what may happen twice and takes no rights away.
  absl::Status Write(Change change) {
    return Write(
        change, [](MDB_txn*) { return false; }, /*revocation=*/false);
  }

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

  LmdbEnv(StoreDirectory directory, const LmdbOptions& options)
      : directory_(std::move(directory)),
        options_(options),
        readers_(guard_, [this] { return MendForReading(); }) {}

  absl::Status OpenLocked();
  absl::Status OpenMapped(std::size_t map_bytes);
  absl::Status StartFlusher();
  void StopFlusher();
  static void* FlusherMain(void* env);
  bool ReapReaders();
  absl::StatusOr<std::uint64_t> Take(Counter& counter, std::uint32_t n);
  void GiveBack(Counter& counter);
  absl::Status Shut();

  // lmdb_write.cc. All with write_mutex_ and, but for Lock, the write lock held.
  WriteLock::Clock::time_point Deadline() const;
  void WriteGroup(WriteQueue::Member* group);
  absl::Status WriteTogether(WriteQueue::Member* group);
  absl::Status WriteLocked(Change change, Question happened, bool revocation);
  absl::Status Commit(Change change);
  absl::Status KeepReserve();
  bool MapIsFull() const;

  // lmdb_recover.cc: what a failed commit, or another process's larger map, asks for.
  bool MendForReading() noexcept;
  absl::Status Settle();
  absl::Status Reopen(std::size_t map_bytes);
  absl::Status OpenAgain(std::size_t map_bytes);
  absl::Status ReopenLarger();
  absl::Status MakeMetaDurable();
  bool Refuses() const;

  const StoreDirectory directory_;
  const LmdbOptions options_;
  std::pair<dev_t, ino_t> data_identity_;
  MDB_env* env_ = nullptr;  // null: closed, or could not be opened anew. Under write_mutex_.
  bool shut_ = false;       // likewise
  bool failed_ = false;     // likewise: LMDB refuses everything until it is opened anew
  std::int64_t reserved_behind_ = -1;  // likewise: a size of data.mdb that has its reserve
  int opens_ = 1;                      // under the registry's mutex
  bool exclusive_ = false;             // holds the directory's lock as long as it is open
  LmdbTables tables_;
  const ForkGuard guard_;
  LmdbReaders readers_;
  LmdbDirectory pages_;
  LastUsed times_;
  PlaceTable places_;
  WriteQueue write_queue_;
  std::timed_mutex write_mutex_;  // LMDB has one writer at a time anyway
  WriteLock lock_;                // and so has the store; taken after write_mutex_
  std::mutex flush_mutex_;

  Counter token_ids_{"next_token_id", 8, (std::uint64_t{1} << 48) - 1};
  Counter account_numbers_{"next_account", 4, 0xFFFFFFFE};

  pthread_t flusher_{};
  int flush_interval_ms_ = 0;  // 0: no flusher
  File stop_flusher_;          // an eventfd
};

}  // namespace pat

#endif  // PAT_LIB_LMDB_ENV_H_
