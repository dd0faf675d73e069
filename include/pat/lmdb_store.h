// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LMDB_STORE_H_
#define PAT_LMDB_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pat/store.h"

namespace pat {

struct LmdbOptions {
  /// Make the directory (mode 0700) and an empty store in it if there is none.
  bool create_if_missing = false;

  /// Nobody else may have the store open, nor open it until it is closed. FailedPrecondition:
  /// another process has, or this one.
  bool exclusive = false;

  /// Address space to reserve, in bytes: what the store can grow to. Halved until the system
  /// grants it. Costs no memory.
  std::size_t map_bytes = std::size_t{64} << 30;

  /// Verifies that can run at the same moment in this process; more take turns. 1..1024.
  int concurrent_reads = 64;

  /// Reader slots shared by all processes on the store; fixed by who creates the lock file.
  unsigned max_readers = 4096;

  /// How often a background thread writes the places of use. Zero: no thread, only Flush and Close.
  absl::Duration flush_interval = absl::Seconds(30);

  /// How long a write (also opening and closing) waits for another writer that does not finish: a
  /// stopped process, a disk that hangs. Then it fails with Unavailable, and nothing was changed.
  absl::Duration write_deadline = absl::Seconds(10);

  /// Disk space, in bytes, that only revocations may use when the disk is full: blocks taken behind
  /// the end of data.mdb (the file's size does not show them). A revocation needs about 32 KiB of
  /// it while a stopped reader keeps old pages from being used again, else none. 0: no reserve.
  std::size_t reserve_bytes = std::size_t{8} << 20;
};

/// Opens the default store: a directory with an LMDB environment (data.mdb, lock.mdb), a lock
/// for writers (write.lock) and the times of last use (lastuse.map), shared by any number of
/// processes of one machine. Never on a network file system. Opening one directory several times in
/// a process is fine: they share one environment, with the options of the first. After fork() only
/// the parent may use it.
///
/// NotFound: no store there. FailedPrecondition: a format this version does not read, or a
/// directory that is not a store. Others as in Store.
absl::StatusOr<std::unique_ptr<Store>> OpenLmdbStore(const std::string& directory,
                                                     const LmdbOptions& options = {});

}  // namespace pat

#endif  // PAT_LMDB_STORE_H_
