// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "lib/lmdb_tables.h"

namespace pat {
namespace {

// Bytes of lock.mdb: LMDB's header takes less than a page, each reader a cache line.
constexpr std::int64_t kLockHeaderBytes = 4096;
constexpr std::int64_t kReaderBytes = 64;

absl::Status SystemError(int error, const char* doing, const std::string& path) {
  const absl::Status status = LmdbError(error, doing);
  return absl::Status(status.code(), std::string(status.message()) + ": " + path);
}

}  // namespace

bool IsNetworkFileSystem(std::uint64_t type) {
  switch (type & 0xFFFFFFFFU) {  // f_type is signed and sometimes 32 bits wide
    case 0x6969:                 // NFS
    case 0x517B:                 // SMB
    case 0xFF534D42:             // CIFS
    case 0xFE534D42:             // SMB2
    case 0x01021997:             // 9p
    case 0x00C36400:             // Ceph
    case 0x5346414F:             // AFS
    case 0x6B414653:             // kAFS
    case 0x73757245:             // Coda
    case 0x0BD00BD0:             // Lustre
    case 0x01161970:             // GFS2
    case 0x7461636F:             // OCFS2
    case 0x19830326:             // BeeGFS
    case 0x47504653:             // GPFS
      return true;
    default: return false;
  }
}

bool IsCopyOnWriteFileSystem(std::uint64_t type) {
  switch (type & 0xFFFFFFFFU) {
    case 0x9123683E:  // Btrfs
    case 0x2FC12FC1:  // ZFS
    case 0xCA451A4E:  // bcachefs
      return true;
    default: return false;
  }
}

absl::StatusOr<StoreDirectory> StoreDirectory::Open(const std::string& path, bool create) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the store's directory has no name");
  }
  StoreDirectory directory;
  directory.path_ = path;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  directory.file_ = File(open(path.c_str(), kFlags));
  if (!directory.file_ && errno == ENOENT) {
    if (!create) return absl::NotFoundError("there is no store: no directory " + path);
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return SystemError(errno, "make the store's directory", path);
    }
    directory.file_ = File(open(path.c_str(), kFlags));
  }
  if (!directory.file_) {
    if (errno == ENOTDIR) return absl::FailedPreconditionError("not a directory: " + path);
    return SystemError(errno, "open the store's directory", path);
  }
  struct statfs system {};
  if (fstat(directory.fd(), &directory.info_) != 0 || fstatfs(directory.fd(), &system) != 0) {
    return SystemError(errno, "look at the store's directory", path);
  }
  const auto type = static_cast<std::uint64_t>(system.f_type);
  if (IsNetworkFileSystem(type)) {
    return absl::FailedPreconditionError(
        "a store cannot be on a network file system: its locks and mappings do not hold between "
        "machines: " +
        path);
  }
  if ((directory.info_.st_mode & 022U) != 0) {
    return absl::FailedPreconditionError("others may write to the store's directory (chmod 700): " +
                                         path);
  }
  directory.copy_on_write_ = IsCopyOnWriteFileSystem(type);
  return directory;
}

absl::Status StoreDirectory::Lock(absl::Duration wait) const {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + absl::ToChronoNanoseconds(wait);
  // flock knows no deadline. Whoever has the lock opens or closes a store: that is soon over.
  for (;;) {
    if (flock(fd(), LOCK_EX | LOCK_NB) == 0) break;
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return SystemError(errno, "lock the store's directory", path_);
    }
    if (Clock::now() >= deadline) {
      return absl::UnavailableError(
          "another process is opening or closing the store and does not finish: " + path_);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  struct stat now {};
  if (stat(path_.c_str(), &now) == 0 && now.st_dev == info_.st_dev && now.st_ino == info_.st_ino) {
    return absl::OkStatus();
  }
  Unlock();
  return absl::UnavailableError("the store's directory was replaced: open it again");
}

bool StoreDirectory::OpenElsewhere() const {
  const File file(openat(fd(), "lock.mdb", O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct flock lock {};  // LMDB keeps the first byte locked, shared, as long as it is open
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  return file && fcntl(file.fd(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void StoreDirectory::Unlock() const { flock(fd(), LOCK_UN); }

bool StoreDirectory::IsPrivate(const struct stat& file) const {
  // Root opens what belongs to the directory's owner or to itself.
  const bool ours = file.st_uid == geteuid() || (geteuid() == 0 && file.st_uid == info_.st_uid);
  return S_ISREG(file.st_mode) && (file.st_mode & 077U) == 0 && ours;
}

// OK and a size of -1 if there is no such file.
absl::Status StoreDirectory::CheckFile(const char* name, struct stat* info) const {
  const std::string path = path_ + "/" + name;
  if (fstatat(fd(), name, info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return SystemError(errno, "look at a file of the store", path);
    info->st_size = -1;
    return absl::OkStatus();
  }
  if (IsPrivate(*info)) return absl::OkStatus();
  if (!S_ISREG(info->st_mode)) {
    return absl::FailedPreconditionError("not a regular file: " + path);
  }
  if ((info->st_mode & 077U) != 0) {
    return absl::FailedPreconditionError("others may read or write the store (chmod 600): " + path);
  }
  return absl::FailedPreconditionError("the store belongs to another user: " + path);
}

absl::StatusOr<bool> StoreDirectory::PrepareFiles(unsigned max_readers) const {
  struct stat data {};
  if (absl::Status status = CheckFile("data.mdb", &data); !status.ok()) return status;
  if (data.st_size <= 0) return false;
  // LMDB makes lock.mdb sparse and maps it: on a full disk that is SIGBUS. So its blocks are taken
  // here. Its size says how many readers it has room for, to all processes that map it: it is
  // chosen when the file is new and never changed.
  // Closing a file drops this process's fcntl locks on it: no environment of ours has it open yet.
  const absl::StatusOr<File> lock =
      OpenAllocated("lock.mdb", kLockHeaderBytes + kReaderBytes * max_readers);
  if (!lock.ok()) return lock.status();
  return true;
}

absl::StatusOr<File> StoreDirectory::OpenAllocated(const char* name, std::int64_t bytes) const {
  struct stat info {};
  if (absl::Status status = CheckFile(name, &info); !status.ok()) return status;
  File file = info.st_size < 0 ? CreateFile(name)
                               : File(openat(fd(), name, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  const std::string path = path_ + "/" + name;
  if (!file) return SystemError(errno, "open", path);
  const int rc = AllocateFile(file.fd(), 0, info.st_size > 0 ? info.st_size : bytes);
  if (rc != 0) return SystemError(rc, "take disk space for", path);
  return file;
}

std::pair<dev_t, ino_t> StoreDirectory::DataIdentity() const {
  struct stat info {};
  if (fstatat(fd(), "data.mdb", &info, AT_SYMLINK_NOFOLLOW) != 0) return {0, 0};
  return {info.st_dev, info.st_ino};
}

File StoreDirectory::CreateFile(const char* name) const {
  File file(openat(fd(), name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file && geteuid() == 0 && info_.st_uid != 0 &&
      fchown(file.fd(), info_.st_uid, info_.st_gid) != 0) {
    const int error = errno;
    unlinkat(fd(), name, 0);
    file = File();
    errno = error;
  }
  return file;
}

absl::Status StoreDirectory::Sync() const {
  const File parent(openat(fd(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A parent we may not read is not ours to sync; it was there before.
  if (fsync(fd()) != 0 || (parent && fsync(parent.fd()) != 0)) {
    return SystemError(errno, "make the store durable in", path_);
  }
  return absl::OkStatus();
}

}  // namespace pat
