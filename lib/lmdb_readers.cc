// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_readers.h"

#include <pthread.h>

#include <cstdint>
#include <thread>

#include "lib/lmdb_tables.h"

namespace pat {
namespace {

// Where a thread begins to look: threads mostly find a slot of their own. From the address of the
// thread's descriptor, since a thread_local variable of a shared object may allocate at first use.
std::size_t ThreadHint() noexcept {
  const auto self = static_cast<std::uint64_t>(pthread_self());
  return static_cast<std::size_t>((self * 0x9E3779B97F4A7C15U) >> 32);
}

}  // namespace

LmdbReaders::Reader::Reader(LmdbReaders& readers) noexcept
    : slot_(readers.Claim()), rc_(slot_ == nullptr ? MDB_PANIC : mdb_txn_renew(slot_->txn)) {
  if (readers.size_ == 0 || readers.guard_.inherited()) return;
  constexpr int kTries = 16;  // a disk may fail again right after it was mended
  for (int i = 0; i < kTries; ++i) {
    if (slot_ != nullptr) {
      if (rc_ != MDB_PANIC && rc_ != MDB_MAP_RESIZED) return;
      slot_->busy.store(false, std::memory_order_release);
      slot_ = nullptr;
    }
    if (!readers.mend_()) return;
    slot_ = readers.Claim();
    if (slot_ != nullptr) rc_ = mdb_txn_renew(slot_->txn);
  }
}

LmdbReaders::Reader::~Reader() {
  if (slot_ == nullptr) return;
  if (rc_ == 0) mdb_txn_reset(slot_->txn);
  slot_->busy.store(false, std::memory_order_release);
}

absl::Status LmdbReaders::Reader::status() const {
  if (slot_ == nullptr) {
    return absl::UnavailableError("the store is closed, or its disk has failed");
  }
  return rc_ == 0 ? absl::OkStatus() : LmdbError(rc_, "read the store");
}

absl::Status LmdbReaders::Open(MDB_env* env, std::size_t wanted) {
  slots_.reset(new Slot[wanted]);
  int rc = 0;
  for (bool checked = false; size_ < wanted;) {
    rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &slots_[size_].txn);
    if (rc == 0) {
      mdb_txn_reset(slots_[size_].txn);
      ++size_;
    } else if (rc == MDB_READERS_FULL && !checked) {
      int dead = 0;  // slots of killed processes
      mdb_reader_check(env, &dead);
      checked = true;
    } else {
      break;
    }
  }
  if (size_ == 0 || (rc != 0 && rc != MDB_READERS_FULL)) return LmdbError(rc, "take a reader slot");
  closed_.store(false, std::memory_order_release);
  return absl::OkStatus();
}

LmdbReaders::Slot* LmdbReaders::Claim() noexcept {
  const std::size_t hint = ThreadHint() * size_ >> 32U;  // below size_, without a division
  while (!closed_.load(std::memory_order_acquire) && !guard_.inherited()) {
    for (std::size_t i = 0; i < size_; ++i) {
      Slot& slot = slots_[hint + i < size_ ? hint + i : hint + i - size_];
      if (slot.busy.load(std::memory_order_relaxed)) continue;
      if (!slot.busy.exchange(true, std::memory_order_acquire)) return &slot;
    }
    std::this_thread::yield();
  }
  return nullptr;
}

void LmdbReaders::EndAll() {
  // Each slot is taken for ever, so a thread that has just seen them open finds none.
  for (std::size_t i = 0; i < size_; ++i) {
    if (slots_[i].txn == nullptr) continue;
    while (slots_[i].busy.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    mdb_txn_abort(slots_[i].txn);
    slots_[i].txn = nullptr;
  }
}

void LmdbReaders::Pause() { EndAll(); }

absl::Status LmdbReaders::Resume(MDB_env* env) {
  std::size_t begun = 0;
  int rc = 0;
  for (; begun < size_; ++begun) {
    rc = env == nullptr ? MDB_PANIC : mdb_txn_begin(env, nullptr, MDB_RDONLY, &slots_[begun].txn);
    if (rc != 0) break;
    mdb_txn_reset(slots_[begun].txn);
    slots_[begun].busy.store(false, std::memory_order_release);
  }
  // Fewer than before will do: the others stay taken.
  closed_.store(begun == 0, std::memory_order_release);
  return begun == 0 ? LmdbError(rc, "take a reader slot") : absl::OkStatus();
}

void LmdbReaders::Close() {
  if (guard_.inherited()) return;
  closed_.store(true, std::memory_order_release);
  EndAll();
}

}  // namespace pat
