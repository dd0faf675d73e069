// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_DISK_CRASH_STATES_H_
#define TESTS_DISK_CRASH_STATES_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/disk/disk.h"

namespace disk {

/// What a disk may hold when the power goes, by a recording played up to some event: all that was
/// synced, and of the rest any part. A write that was not synced may be there, or not, or some of
/// its sectors (512 bytes) or pages (4 KiB), in whatever order; names appear and go in order, but
/// how far they got is open.
class CrashStates {
 public:
  using Files = std::map<std::string, std::string>;  // name -> bytes

  /// Goes on by one event.
  void Play(const Event& event);

  /// How many writes are not synced.
  std::size_t pending() const;

  /// State number `n`: the first are the telling ones (nothing of it, all, each one alone, all but
  /// one), the rest drawn by `random`. `*key` is the same for the same state.
  Files Make(std::size_t n, std::mt19937_64* random, std::string* key) const;

 private:
  struct Write {
    std::int64_t at;
    std::string bytes;  // empty: the file becomes `at` bytes long, or longer
  };
  struct File {
    std::string durable;
    std::vector<Write> pending;
  };
  using Names = std::map<std::string, int>;  // -> index in files_

  enum class Part { kNone, kWhole, kSectors, kPages };

  static void Apply(const Write& write, std::string* bytes);
  static void Sync(File* file);
  static void Change(const Event& event, int file, Names* names);
  static std::string Torn(const File& file, std::size_t n, std::mt19937_64* random,
                          std::string* key);

  std::vector<File> files_;
  Names names_;
  Names durable_names_;
  std::vector<std::pair<Event, int>> pending_names_;
  std::uint64_t generation_ = 0;
};

}  // namespace disk

#endif  // TESTS_DISK_CRASH_STATES_H_
