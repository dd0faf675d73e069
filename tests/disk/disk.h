// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_DISK_DISK_H_
#define TESTS_DISK_DISK_H_

#include <sys/types.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

/// A disk that fails, or whose every write is known: disk.cc takes the place of the C library's
/// system calls in the program that links it, LMDB's included, for the files of one directory.
namespace disk {

enum class Fault {
  kNoSpace,        ///< What may need room fails with ENOSPC.
  kFullDisk,       ///< Only what needs blocks that the file has not got.
  kInputOutput,    ///< Nothing is done: EIO.
  kShortWrite,     ///< Half of it is written, and said to be.
  kSyncFails,      ///< All is done, also written, but a sync, or a synced write, says EIO.
  kLostThenFails,  ///< The same, but the write is not done.
};
inline constexpr Fault kFaults[] = {Fault::kNoSpace,    Fault::kFullDisk,  Fault::kInputOutput,
                                    Fault::kShortWrite, Fault::kSyncFails, Fault::kLostThenFails};
const char* ToString(Fault fault);

inline constexpr int kForGood = std::numeric_limits<int>::max() / 2;

/// From now on, of the calls on files below `directory` that the fault is about, the `first`th (1
/// is the next) and those after it, `n` in all, fail.
void FailCalls(const std::string& directory, Fault fault, int first, int n);

/// Calls that failed since; ends it.
int Heal();

/// What was done to the files, in order.
struct Event {
  enum class Kind {
    kWrite,        ///< `bytes` at `at`.
    kSync,         ///< All that was written to the file before is on the disk.
    kSyncedWrite,  ///< The write before (to a file opened for synced writing) is on the disk.
    kSize,         ///< The file has `at` bytes.
    kCreate,       ///< The name is there, for a new file.
    kLink,         ///< The name is there, for the file that `other` names.
    kUnlink,       ///< The name is gone.
    kSyncNames,    ///< The names are on the disk.
    kMark,         ///< Of the test: `at`.
  };
  Kind kind;
  std::string name{};  ///< Within the directory.
  std::int64_t at = 0;
  std::string bytes{};
  std::string other{};
};

/// Notes all events on files right below `directory` until StopRecording returns them.
void Record(const std::string& directory);
void Mark(std::int64_t at);
std::vector<Event> StopRecording();

}  // namespace disk

#endif  // TESTS_DISK_DISK_H_
