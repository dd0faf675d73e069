// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_DIRECTORY_H_
#define PAT_LIB_LMDB_DIRECTORY_H_

#include <lmdb.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "lib/lmdb_tables.h"

namespace pat {

/// Where each hot page lies in LMDB's map, so that finding a record takes no walk down the tree:
/// four bytes a page, private to the process, filled as pages are asked for. It points into LMDB's
/// own pages, so there is no second copy that could go stale; an entry counts only in the snapshot
/// (by mdb_txn_id after renewing, never by mdb_env_info, which shows commits that may yet fail)
/// that the directory is caught up to. A reader of a newer snapshot brings it there, by what table
/// `recent` says was written since: entries of those pages are dropped. All that does not fit goes
/// by mdb_get.
///
/// LMDB may give a reader that is held up while it begins the tree of a later commit under an older
/// number. The answer is then as of the number, which is no older than the call.
///
/// Readers take no lock: entries and snapshot number are a seqlock. Whoever changes them holds a
/// lock that nobody waits for. All functions may be called from any thread.
class LmdbDirectory {
 public:
  LmdbDirectory() = default;  // covers nothing
  ~LmdbDirectory();
  LmdbDirectory(const LmdbDirectory&) = delete;
  LmdbDirectory& operator=(const LmdbDirectory&) = delete;

  /// Reserves address space for `pages` hot pages, or less. Before the threads.
  void Open(std::size_t pages);

  /// The hot page of token `id` and the version of the meta rows as `txn` sees them: 0,
  /// MDB_NOTFOUND or another of LMDB's errors.
  int Find(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id, const unsigned char** page,
           std::uint64_t* meta_version) noexcept;

  /// Where the page most likely lies, or null. Good for prefetching only.
  const unsigned char* Guess(std::uint64_t id) const noexcept {
    const std::uint64_t page = id / kRecordsPerPage;
    return page < size_ ? At(page) : nullptr;
  }

  /// The version of the meta rows as of transaction `txn_id`, if that is what the directory is
  /// caught up to.
  bool MetaVersionAt(std::uint64_t txn_id, std::uint64_t* version) const noexcept;

  /// The same as `txn` sees it.
  std::uint64_t MetaVersion(MDB_txn* txn, const LmdbTables& tables) noexcept;

  /// Forgets everything: the map has moved, or numbers of transactions began anew.
  void Clear();

 private:
  // How many pages behind the origin, which lies kMiddle pages before the first page ever seen. So
  // finding an address takes no branch on the sign, which would be random. 0: not known.
  using Entry = std::atomic<std::uint32_t>;
  static constexpr std::uintptr_t kPageBytes = 4096;
  static constexpr std::uintptr_t kMiddle = std::uintptr_t{1} << 31U;

  const unsigned char* At(std::uint64_t page) const noexcept {
    const std::uint32_t entry = entries_[page].load(std::memory_order_acquire);
    if (entry == 0) return nullptr;
    const std::uintptr_t address = origin_.load(std::memory_order_relaxed) + entry * kPageBytes;
    return reinterpret_cast<const unsigned char*>(address);  // NOLINT(performance-no-int-to-ptr)
  }
  bool CatchUp(MDB_txn* txn, const LmdbTables& tables, std::uint64_t txn_id) noexcept;
  void Learn(std::uint64_t txn_id, std::uint64_t page, const unsigned char* address) noexcept;
  void DropAll() noexcept;

  Entry* entries_ = nullptr;
  std::size_t size_ = 0;
  std::atomic<std::size_t> used_{0};      // entries from here on were never set
  std::atomic<std::uint64_t> txn_id_{0};  // 0: being changed, or nothing is known
  std::atomic<std::uint64_t> meta_version_{0};
  std::atomic<std::uintptr_t> origin_{0};  // 0: no page was seen
  std::mutex changing_;
};

}  // namespace pat

#endif  // PAT_LIB_LMDB_DIRECTORY_H_
