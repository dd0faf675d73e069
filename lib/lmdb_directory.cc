// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_directory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "lib/lmdb_recent.h"

namespace pat {
namespace {

constexpr std::size_t kFewestPages = std::size_t{1} << 16;

}  // namespace

LmdbDirectory::~LmdbDirectory() {
  if (entries_ != nullptr) munmap(static_cast<void*>(entries_), size_ * sizeof(Entry));
}

void LmdbDirectory::Open(std::size_t pages) {
  static_assert(sizeof(Entry) == sizeof(std::uint32_t) && Entry::is_always_lock_free);
  for (; pages >= kFewestPages; pages /= 2) {
    // Zero bytes are entries that are not known. Memory comes as it is touched.
    void* const memory = mmap(nullptr, pages * sizeof(Entry), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) continue;
    entries_ = static_cast<Entry*>(memory);
    size_ = pages;
    return;
  }
}

int LmdbDirectory::Find(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id,
                        const unsigned char** page, std::uint64_t* meta_version) noexcept {
  const std::uint64_t number = id / kRecordsPerPage;
  const std::uint64_t txn_id = mdb_txn_id(txn);
  if (number < size_ &&
      (txn_id_.load(std::memory_order_acquire) == txn_id || CatchUp(txn, tables, txn_id))) {
    const unsigned char* const address = At(number);
    *meta_version = meta_version_.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (address != nullptr && txn_id_.load(std::memory_order_relaxed) == txn_id) {
      *page = address;
      return 0;
    }
  }
  *meta_version = MetaVersion(txn, tables);
  const int rc = GetHotPage(txn, tables, id, page);
  if (rc == 0) Learn(txn_id, number, *page);
  return rc;
}

bool LmdbDirectory::MetaVersionAt(std::uint64_t txn_id, std::uint64_t* version) const noexcept {
  if (txn_id == 0 || txn_id_.load(std::memory_order_acquire) != txn_id) return false;
  *version = meta_version_.load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  return txn_id_.load(std::memory_order_relaxed) == txn_id;
}

std::uint64_t LmdbDirectory::MetaVersion(MDB_txn* txn, const LmdbTables& tables) noexcept {
  const std::uint64_t txn_id = mdb_txn_id(txn);
  std::uint64_t version = 0;
  if (MetaVersionAt(txn_id, &version)) return version;
  if (CatchUp(txn, tables, txn_id) && MetaVersionAt(txn_id, &version)) return version;
  const RecentView recent = GetRecent(txn, tables);
  return recent.valid() ? recent.meta_version() : txn_id;
}

bool LmdbDirectory::CatchUp(MDB_txn* txn, const LmdbTables& tables, std::uint64_t txn_id) noexcept {
  const std::unique_lock<std::mutex> lock(changing_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  const std::uint64_t before = txn_id_.load(std::memory_order_relaxed);
  if (before >= txn_id) return before == txn_id;
  const RecentView recent = GetRecent(txn, tables);
  txn_id_.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  if (!recent.valid() || before == 0 || recent.complete_since() > before) {
    DropAll();
  } else {
    const std::uint64_t used = used_.load(std::memory_order_relaxed);
    for (std::size_t i = recent.size(); i-- > 0;) {
      const RecentChanges::Run run = recent.run(i);
      if (run.txn <= before) break;
      const std::uint64_t end = std::min<std::uint64_t>(used, std::uint64_t{run.first} + run.count);
      for (std::uint64_t page = run.first; page < end; ++page) {
        entries_[page].store(0, std::memory_order_relaxed);
      }
    }
  }
  meta_version_.store(recent.valid() ? recent.meta_version() : txn_id, std::memory_order_relaxed);
  txn_id_.store(txn_id, std::memory_order_release);
  return true;
}

void LmdbDirectory::Learn(std::uint64_t txn_id, std::uint64_t page,
                          const unsigned char* address) noexcept {
  if (page >= size_) return;
  const std::unique_lock<std::mutex> lock(changing_, std::try_to_lock);
  if (!lock.owns_lock() || txn_id_.load(std::memory_order_relaxed) != txn_id) return;
  const auto here = reinterpret_cast<std::uintptr_t>(address);
  std::uintptr_t origin = origin_.load(std::memory_order_relaxed);
  if (origin == 0) {
    origin = here - kMiddle * kPageBytes;
    origin_.store(origin, std::memory_order_relaxed);
  }
  const std::uintptr_t bytes = here - origin;  // wraps around for what lies before
  const std::uintptr_t entry = bytes / kPageBytes;
  if (bytes % kPageBytes != 0 || entry > UINT32_MAX || entry == 0) return;
  entries_[page].store(static_cast<std::uint32_t>(entry), std::memory_order_release);
  if (page >= used_.load(std::memory_order_relaxed)) {
    used_.store(page + 1, std::memory_order_relaxed);
  }
}

void LmdbDirectory::DropAll() noexcept {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  for (std::size_t page = 0; page < used; ++page)
    entries_[page].store(0, std::memory_order_relaxed);
}

void LmdbDirectory::Clear() {
  const std::lock_guard<std::mutex> lock(changing_);
  txn_id_.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  DropAll();
  origin_.store(0, std::memory_order_relaxed);
}

}  // namespace pat
