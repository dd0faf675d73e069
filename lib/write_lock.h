// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_WRITE_LOCK_H_
#define PAT_LIB_WRITE_LOCK_H_

#include <chrono>

#include "absl/status/status.h"
#include "lib/file.h"
#include "lib/lmdb_files.h"

namespace pat {

/// The right to write to a store, for one thread of one process at a time. LMDB has a lock of its
/// own, but that can only be waited for without end: also if its holder is stopped, or hangs in a
/// sync. Whoever takes this one first, and gives up at a deadline, never has to wait there.
///
/// A robust mutex in a file of the store's directory: the kernel passes it on if its holder dies.
class WriteLock {
 public:
  using Clock = std::chrono::steady_clock;

  /// Held from construction to destruction, if ok.
  class Hold {
   public:
    Hold(WriteLock& lock, Clock::time_point deadline) : lock_(lock), status_(lock.Take(deadline)) {}
    ~Hold() {
      if (status_.ok()) lock_.Drop();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    bool ok() const { return status_.ok(); }
    const absl::Status& status() const { return status_; }  ///< Unavailable: not in time.

   private:
    WriteLock& lock_;
    const absl::Status status_;
  };

  WriteLock() = default;
  ~WriteLock();
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

  /// Under the directory's lock. Whoever is the only one to have the file open makes the mutex
  /// anew: what a crash of the machine left in it means nothing.
  absl::Status Open(const StoreDirectory& directory);

  /// Kept beside the mutex, for the holder: a commit was begun, and how it ended is not known. If
  /// its writer died, the next one finds it here.
  bool unsettled() const;
  void set_unsettled(bool unsettled);

 private:
  struct Shared;

  absl::Status Take(Clock::time_point deadline);
  void Drop();

  File file_;
  Shared* shared_ = nullptr;
};

}  // namespace pat

#endif  // PAT_LIB_WRITE_LOCK_H_
