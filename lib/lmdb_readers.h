// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_READERS_H_
#define PAT_LIB_LMDB_READERS_H_

#include <lmdb.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "lib/fork_guard.h"

namespace pat {

/// A fixed number of reading transactions, begun at open and renewed around each read, so that a
/// read costs no lock, no allocation and no system call. (One transaction for each thread would
/// use up LMDB's reader table with 126 threads.) If all are taken, callers take turns.
class LmdbReaders {
  // Two slots never share a cache line: each is written by the threads that read through it.
  struct alignas(64) Slot {
    std::atomic<bool> busy{false};
    MDB_txn* txn = nullptr;
  };

 public:
  /// One reading transaction, from construction to destruction: keep it within a call, since the
  /// pages it sees cannot be reused meanwhile.
  class Reader {
   public:
    explicit Reader(LmdbReaders& readers) noexcept;
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    bool ok() const { return rc_ == 0; }
    MDB_txn* txn() const { return slot_->txn; }

    /// Why it is not ok.
    absl::Status status() const;

   private:
    Slot* slot_;
    int rc_;
  };

  /// Keeps the environment from being closed, without a transaction.
  class Pin {
   public:
    explicit Pin(LmdbReaders& readers) noexcept : slot_(readers.Claim()) {}
    ~Pin() {
      if (slot_ != nullptr) slot_->busy.store(false, std::memory_order_release);
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    bool ok() const { return slot_ != nullptr; }

   private:
    Slot* slot_;
  };

  /// In a child of the process that `guard` was made in, no read is ok and Close does nothing: the
  /// slots are the parent's.
  ///
  /// `mend` is called, with no slot taken, if a transaction cannot begin because the environment
  /// has to be opened anew (a commit failed, the map has grown): true if that was done.
  LmdbReaders(const ForkGuard& guard, std::function<bool()> mend)
      : guard_(guard), mend_(std::move(mend)) {}
  ~LmdbReaders() { Close(); }

  /// Begins up to `wanted` transactions: fewer if the environment's reader table is full, but
  /// ResourceExhausted if there is not even one.
  absl::Status Open(MDB_env* env, std::size_t wanted);

  /// Waits for the reads that are under way and ends all transactions. Later reads are not ok.
  void Close();

  /// Waits for the reads that are under way and ends all transactions; later reads wait for
  /// Resume, which begins them anew in that environment. If it fails, reads are not ok until
  /// one has succeeded.
  void Pause();
  absl::Status Resume(MDB_env* env);

  std::size_t size() const { return size_; }

 private:
  Slot* Claim() noexcept;
  void EndAll();

  const ForkGuard& guard_;
  const std::function<bool()> mend_;
  std::unique_ptr<Slot[]> slots_;
  std::size_t size_ = 0;
  std::atomic<bool> closed_{true};
};

}  // namespace pat

#endif  // PAT_LIB_LMDB_READERS_H_
