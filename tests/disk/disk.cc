// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/disk/disk.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace disk {
namespace {

struct Plan {
  std::mutex mutex;
  std::string directory;
  Fault fault = Fault::kNoSpace;
  int before = 0;  // calls yet to succeed
  int left = 0;    // calls yet to fail
  int failed = 0;
  std::vector<Event> events;
};

Plan& ThePlan() {
  static auto* const plan = new Plan;
  return *plan;
}

std::atomic<bool> failing{false};
std::atomic<bool> recording{false};

enum class Need { kBlocks, kRoom, kOther, kSync };  // kBlocks: that are not there yet

bool About(Fault fault, Need need, bool writes, bool synced) {
  switch (fault) {
    case Fault::kNoSpace: return need == Need::kRoom || need == Need::kBlocks;
    case Fault::kFullDisk: return need == Need::kBlocks;
    case Fault::kInputOutput: return true;
    case Fault::kShortWrite: return writes;
    case Fault::kSyncFails:
    case Fault::kLostThenFails: return need == Need::kSync || (writes && synced);
  }
  return false;
}

std::string PathOf(int fd) {
  std::array<char, 32> link{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  std::array<char, PATH_MAX> path{};
  const long n = syscall(SYS_readlink, link.data(), path.data(), path.size());
  return n <= 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(n));
}

// True if this call shall fail.
bool Strikes(const std::string& path, Need need, bool writes = false, bool synced = false) {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  if (plan.left == 0 || path.compare(0, plan.directory.size(), plan.directory) != 0) return false;
  if (!About(plan.fault, need, writes, synced)) return false;
  if (plan.before > 0) {
    --plan.before;
    return false;
  }
  --plan.left;
  ++plan.failed;
  return true;
}

bool Strikes(int fd, Need need, bool writes = false, bool synced = false) {
  return failing.load() && Strikes(PathOf(fd), need, writes, synced);
}

int Error() {
  const Fault fault = ThePlan().fault;
  return fault == Fault::kNoSpace || fault == Fault::kFullDisk ? ENOSPC : EIO;
}

// What it takes to write up to there, or to allocate. (The files of a store have no holes.)
Need NeedFor(int fd, off_t end) {
  struct stat info {};
  return fstat(fd, &info) == 0 && end > info.st_blocks * 512 ? Need::kBlocks : Need::kRoom;
}

// The file's name right below the directory; empty if it is elsewhere.
std::string NameOf(const std::string& path) {
  const std::string& directory = ThePlan().directory;
  if (path.size() <= directory.size() + 1 || path.compare(0, directory.size(), directory) != 0) {
    return {};
  }
  return path.substr(directory.size() + 1);
}

void Note(const std::string& path, Event event) {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  event.name = NameOf(path);
  if (path == plan.directory && event.kind == Event::Kind::kSync) {
    event.kind = Event::Kind::kSyncNames;
  } else if (event.name.empty()) {
    return;
  }
  plan.events.push_back(std::move(event));
}

bool IsSynced(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DSYNC) != 0;
}

std::int64_t SizeOf(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 ? info.st_size : 0;
}

// One write of all parts at `at`, whichever call it came by.
template <typename Real>
ssize_t Write(int fd, const iovec* parts, int n, off_t at, Real real) {
  const bool interesting = failing.load() || recording.load();
  const bool synced = interesting && IsSynced(fd);
  off_t end = at;
  for (int i = 0; i < n; ++i) end += static_cast<off_t>(parts[i].iov_len);
  if (Strikes(fd, NeedFor(fd, end), /*writes=*/true, synced)) {
    const Fault fault = ThePlan().fault;
    if (fault == Fault::kSyncFails) {
      real();
    } else if (fault == Fault::kShortWrite && parts[0].iov_len > 1) {
      return syscall(SYS_pwrite64, fd, parts[0].iov_base, parts[0].iov_len / 2, at);
    }
    errno = Error();
    return -1;
  }
  const ssize_t written = real();
  if (recording.load() && written > 0) {
    Event event{Event::Kind::kWrite, {}, at, {}, {}};
    for (int i = 0; i < n; ++i) {
      event.bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    event.bytes.resize(static_cast<std::size_t>(written));
    const std::string path = PathOf(fd);
    Note(path, std::move(event));
    if (synced) Note(path, {Event::Kind::kSyncedWrite});
  }
  return written;
}

int Sync(int fd, long call) {
  if (Strikes(fd, Need::kSync)) {
    if (ThePlan().fault == Fault::kSyncFails) syscall(call, fd);
    errno = Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(call, fd));
  if (recording.load() && rc == 0) Note(PathOf(fd), {Event::Kind::kSync});
  return rc;
}

std::string PathAt(int directory, const char* name) {
  if (name[0] == '/' || directory == AT_FDCWD) return name;
  return PathOf(directory) + "/" + name;
}

int OpenAt(int directory, const char* name, int flags, mode_t mode) {
  const bool creates = (flags & O_CREAT) != 0;
  bool there = true;
  if (failing.load() || recording.load()) {
    const std::string path = PathAt(directory, name);
    there = syscall(SYS_faccessat, directory, name, F_OK) == 0;
    if (failing.load() && Strikes(path, creates && !there ? Need::kBlocks : Need::kOther)) {
      errno = Error();
      return -1;
    }
  }
  const int fd = static_cast<int>(syscall(SYS_openat, directory, name, flags, mode));
  if (recording.load() && fd >= 0 && creates && !there) {
    Note(PathAt(directory, name), {Event::Kind::kCreate});
  }
  return fd;
}

}  // namespace

const char* ToString(Fault fault) {
  constexpr const char* kNames[] = {"no space",    "full disk",   "I/O error",
                                    "short write", "failed sync", "lost write"};
  return kNames[static_cast<int>(fault)];
}

void FailCalls(const std::string& directory, Fault fault, int first, int n) {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  plan.directory = directory;
  plan.fault = fault;
  plan.before = first - 1;
  plan.left = n;
  plan.failed = 0;
  failing = true;
}

int Heal() {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  failing = false;
  plan.left = 0;
  return plan.failed;
}

void Record(const std::string& directory) {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  plan.directory = directory;
  plan.events.clear();
  recording = true;
}

void Mark(std::int64_t at) {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  plan.events.push_back({Event::Kind::kMark, {}, at, {}, {}});
}

std::vector<Event> StopRecording() {
  Plan& plan = ThePlan();
  const std::lock_guard<std::mutex> lock(plan.mutex);
  recording = false;
  return std::move(plan.events);
}

}  // namespace disk

// The program's own come before the C library's for every library it loads.
static_assert(sizeof(off_t) == sizeof(long), "an offset is one argument of a system call");

using disk::Need;

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  const iovec part{const_cast<void*>(bytes), n};
  return disk::Write(fd, &part, 1, at, [&] { return syscall(SYS_pwrite64, fd, bytes, n, at); });
}

ssize_t write(int fd, const void* bytes, size_t n) {
  const iovec part{const_cast<void*>(bytes), n};
  const off_t at = disk::recording.load() || disk::failing.load() ? lseek(fd, 0, SEEK_CUR) : 0;
  return disk::Write(fd, &part, 1, at, [&] { return syscall(SYS_write, fd, bytes, n); });
}

ssize_t writev(int fd, const iovec* parts, int n) {
  const off_t at = disk::recording.load() || disk::failing.load() ? lseek(fd, 0, SEEK_CUR) : 0;
  return disk::Write(fd, parts, n, at, [&] { return syscall(SYS_writev, fd, parts, n); });
}

ssize_t pread(int fd, void* bytes, size_t n, off_t at) {
  if (disk::Strikes(fd, Need::kOther)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, bytes, n, at);
}

int fdatasync(int fd) { return disk::Sync(fd, SYS_fdatasync); }
int fsync(int fd) { return disk::Sync(fd, SYS_fsync); }

int fallocate(int fd, int mode, off_t from, off_t bytes) {
  if (disk::Strikes(fd, disk::NeedFor(fd, from + bytes))) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_fallocate, fd, mode, from, bytes));
  if (disk::recording.load() && rc == 0) {
    disk::Note(disk::PathOf(fd), {disk::Event::Kind::kSize, {}, disk::SizeOf(fd), {}, {}});
  }
  return rc;
}

int ftruncate(int fd, off_t bytes) noexcept {
  if (disk::Strikes(fd, Need::kRoom)) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_ftruncate, fd, bytes));
  if (disk::recording.load() && rc == 0) {
    disk::Note(disk::PathOf(fd), {disk::Event::Kind::kSize, {}, bytes, {}, {}});
  }
  return rc;
}

int open(const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return disk::OpenAt(AT_FDCWD, name, flags, mode);
}

int openat(int directory, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return disk::OpenAt(directory, name, flags, mode);
}

int link(const char* from, const char* to) noexcept {
  if (disk::failing.load() && disk::Strikes(to, Need::kRoom)) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_link, from, to));
  if (disk::recording.load() && rc == 0) {
    disk::Note(to, {disk::Event::Kind::kLink, {}, 0, {}, disk::NameOf(from)});
  }
  return rc;
}

int unlink(const char* name) noexcept {
  if (disk::failing.load() && disk::Strikes(name, Need::kOther)) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_unlink, name));
  if (disk::recording.load() && rc == 0) disk::Note(name, {disk::Event::Kind::kUnlink});
  return rc;
}

int unlinkat(int directory, const char* name, int flags) noexcept {
  const std::string path = disk::PathAt(directory, name);
  if (disk::failing.load() && disk::Strikes(path, Need::kOther)) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_unlinkat, directory, name, flags));
  if (disk::recording.load() && rc == 0) disk::Note(path, {disk::Event::Kind::kUnlink});
  return rc;
}

int renameat(int from, const char* old_name, int to, const char* name) noexcept {
  if (disk::failing.load() && disk::Strikes(disk::PathAt(to, name), Need::kRoom)) {
    errno = disk::Error();
    return -1;
  }
  const int rc = static_cast<int>(syscall(SYS_renameat, from, old_name, to, name));
  if (disk::recording.load() && rc == 0) {
    const std::string gone = disk::PathAt(from, old_name);
    disk::Note(disk::PathAt(to, name), {disk::Event::Kind::kLink, {}, 0, {}, disk::NameOf(gone)});
    disk::Note(gone, {disk::Event::Kind::kUnlink});
  }
  return rc;
}

int rename(const char* old_name, const char* name) noexcept {
  return renameat(AT_FDCWD, old_name, AT_FDCWD, name);
}

}  // extern "C"
