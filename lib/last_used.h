// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LAST_USED_H_
#define PAT_LIB_LAST_USED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "lib/file.h"

namespace pat {

class StoreDirectory;

/// When each token was last used: a file `lastuse.map` that all processes on a store map, a header
/// page and then one u32 of seconds for each token id. Noting a use is a few loads and, at most
/// once a minute a token, one store; every process sees it at once, and it survives the process.
///
/// The file is advice: losing it loses times, nothing else, so no damage to it stops a store. A
/// file that is missing, or is not one of ours (no header, not a regular file, open to others), is
/// replaced by an empty one. One whose header promises more than the file has is used as far as it
/// reaches. Nothing is touched that has no disk block under it, so a full disk is no SIGBUS: it
/// only means no room. (A file cut short while it is mapped is out of scope.)
class LastUsed {
 public:
  enum class Noted { kNoted, kRecent, kNoRoom };

  LastUsed() = default;  // without room for any id
  ~LastUsed();
  LastUsed(const LastUsed&) = delete;
  LastUsed& operator=(const LastUsed&) = delete;

  /// Maps the file of the directory, whose lock the caller holds. Failing means: no room.
  void Open(const StoreDirectory& directory);

  /// Notes a use, unless one less than a minute older, or a newer one, is there (kRecent).
  Noted Note(std::uint64_t id, std::uint32_t unix_s) noexcept;

  /// True if Note would find kRecent and change nothing: the usual case, in few instructions.
  bool IsRecent(std::uint64_t id, std::uint32_t unix_s) const noexcept {
    if (id >= room_.load(std::memory_order_acquire)) return false;
    const std::uint32_t noted = __atomic_load_n(
        reinterpret_cast<const std::uint32_t*>(map_ + kHeaderBytes) + id, __ATOMIC_RELAXED);
    return IsRecent(noted, unix_s);
  }

  /// Brings the word of an id closer.
  void Prefetch(std::uint64_t id) const noexcept {
    if (id < room_.load(std::memory_order_relaxed))
      __builtin_prefetch(map_ + kHeaderBytes + 4 * id);
  }

  /// 0: none noted.
  std::uint32_t Read(std::uint64_t id) const noexcept;

  /// The token is gone.
  void Forget(std::uint64_t id) noexcept;

  /// Makes room for ids below `end`, as far as disk and address space go.
  void Reserve(std::uint64_t end);

  std::uint64_t bytes() const;

 private:
  struct Header;
  static constexpr std::size_t kHeaderBytes = 4096;
  static constexpr std::uint64_t kMinuteSeconds = 60;
  static constexpr std::uint64_t kBlockBytes = std::uint64_t{256} * 1024;  // growth by these

  static bool IsRecent(std::uint32_t noted, std::uint32_t unix_s) noexcept {
    return noted != 0 && unix_s < noted + kMinuteSeconds;
  }

  // The word of an id that has room, else null. No system call, but one when the file has grown.
  std::uint32_t* Word(std::uint64_t id) const noexcept;
  std::uint64_t Refresh() const noexcept;
  bool Adopt(const StoreDirectory& directory);
  bool Create(const StoreDirectory& directory);
  bool Map();

  File file_;
  unsigned char* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  std::uint64_t limit_ = 0;                         // ids below this have a place in the mapping
  mutable std::atomic<std::uint64_t> room_{0};      // ids below this have a disk block
  mutable std::atomic<std::uint64_t> promised_{0};  // what the header said when we last looked
  std::mutex growing_;
};

}  // namespace pat

#endif  // PAT_LIB_LAST_USED_H_
