// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LMDB_FILES_H_
#define PAT_LIB_LMDB_FILES_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lib/file.h"

namespace pat {

/// True for file systems whose locks and mappings do not hold between machines, by statfs's f_type.
bool IsNetworkFileSystem(std::uint64_t type);

/// True for file systems that write to a new block each time, so that a store into a mapping can
/// meet a full disk (SIGBUS) although the file has all its blocks.
bool IsCopyOnWriteFileSystem(std::uint64_t type);

/// The directory of a store, before anything of LMDB's: what may be opened there, and who owns it.
class StoreDirectory {
 public:
  /// NotFound: none, and not asked to create one. FailedPrecondition: not a directory, one
  /// that others may write to, or on a network file system.
  static absl::StatusOr<StoreDirectory> Open(const std::string& path, bool create);

  int fd() const { return file_.fd(); }
  const std::string& path() const { return path_; }
  std::pair<dev_t, ino_t> identity() const { return {info_.st_dev, info_.st_ino}; }
  bool copy_on_write() const { return copy_on_write_; }

  /// One process at a time opens, creates or closes the store. Until Unlock, or its death.
  /// Unavailable: another one has it and does not let go within `wait`, or another directory has
  /// taken this one's place meanwhile.
  absl::Status Lock(absl::Duration wait) const;

  /// Under Lock: true if another process has the store open. Never while this one has: it would
  /// lose its own locks.
  bool OpenElsewhere() const;
  void Unlock() const;

  /// Sees to it, under Lock, that data.mdb and lock.mdb are fit to be opened: regular files of the
  /// right owner that nobody else reads or writes (FailedPrecondition). Tells whether data.mdb is
  /// there and not empty; if not, nothing is made.
  absl::StatusOr<bool> PrepareFiles(unsigned max_readers) const;

  /// Device and inode of data.mdb; zeros if there is none.
  std::pair<dev_t, ino_t> DataIdentity() const;

  /// Opens a file for sharing memory between processes, with disk blocks under all of it: made
  /// with so many bytes if it is not there or empty, else as long as it is. Errors as PrepareFiles.
  absl::StatusOr<File> OpenAllocated(const char* name, std::int64_t bytes) const;

  /// Opens a new file (mode 0600) that belongs to the directory's owner. An invalid File: errno.
  File CreateFile(const char* name) const;

  /// Makes names in the directory, and its own name, durable.
  absl::Status Sync() const;

  /// True if the file is a regular one, of the right owner, closed to all others.
  bool IsPrivate(const struct stat& file) const;

 private:
  absl::Status CheckFile(const char* name, struct stat* info) const;

  std::string path_;
  File file_;
  struct stat info_ {};
  bool copy_on_write_ = false;
};

}  // namespace pat

#endif  // PAT_LIB_LMDB_FILES_H_
