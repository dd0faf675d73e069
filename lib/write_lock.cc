// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/write_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>

#include "lib/lmdb_tables.h"

namespace pat {
namespace {

constexpr const char* kName = "write.lock";
constexpr std::size_t kBytes = 4096;

// Also the size of a mutex: a process of another word size must not take it for one of its own.
constexpr unsigned char kMagic[8] = {'p', 'a', 't', 'l', 'o', 'c', 'k', sizeof(pthread_mutex_t)};

bool LockFile(int fd, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;  // the open file's: a fork shares it
}

int InitMutex(pthread_mutex_t* mutex) {
  pthread_mutexattr_t attributes;
  int rc = pthread_mutexattr_init(&attributes);
  if (rc != 0) return rc;
  rc = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (rc == 0) rc = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (rc == 0) rc = pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return rc;
}

timespec Until(WriteLock::Clock::time_point deadline) {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch());
  return {static_cast<time_t>(ns.count() / 1000000000), static_cast<long>(ns.count() % 1000000000)};
}

}  // namespace

struct WriteLock::Shared {
  unsigned char magic[sizeof kMagic];
  std::uint32_t unsettled;
  alignas(64) pthread_mutex_t mutex;
};

WriteLock::~WriteLock() {
  if (shared_ != nullptr) munmap(shared_, kBytes);
}

absl::Status WriteLock::Open(const StoreDirectory& directory) {
  static_assert(sizeof(Shared) <= kBytes);
  absl::StatusOr<File> file = directory.OpenAllocated(kName, kBytes);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  void* map = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
  if (map == MAP_FAILED) return LmdbError(errno, "map the store's write lock");
  shared_ = static_cast<Shared*>(map);
  if (LockFile(file_.fd(), F_WRLCK)) {  // nobody else has it open
    std::memset(map, 0, sizeof(Shared));
    if (const int rc = InitMutex(&shared_->mutex); rc != 0) {
      return LmdbError(rc, "make the store's write lock");
    }
    std::memcpy(shared_->magic, kMagic, sizeof kMagic);
  }
  if (!LockFile(file_.fd(), F_RDLCK)) return LmdbError(errno, "share the store's write lock");
  if (std::memcmp(shared_->magic, kMagic, sizeof kMagic) != 0) {
    return absl::FailedPreconditionError("write.lock is in use by an incompatible process");
  }
  return absl::OkStatus();
}

absl::Status WriteLock::Take(Clock::time_point deadline) {
  const timespec until = Until(deadline);
  const int rc = pthread_mutex_clocklock(&shared_->mutex, CLOCK_MONOTONIC, &until);
  if (rc == 0) return absl::OkStatus();
  if (rc == EOWNERDEAD) {  // LMDB's lock is robust too; what its holder left is settled by the flag
    pthread_mutex_consistent(&shared_->mutex);
    return absl::OkStatus();
  }
  if (rc == ETIMEDOUT) {
    return absl::UnavailableError(
        "another process is writing to the store and does not finish: it may be stopped, or its "
        "disk hangs; nothing was changed");
  }
  return absl::InternalError(std::string("the store's write lock is damaged: ") + strerror(rc));
}

void WriteLock::Drop() { pthread_mutex_unlock(&shared_->mutex); }

bool WriteLock::unsettled() const {
  return __atomic_load_n(&shared_->unsettled, __ATOMIC_ACQUIRE) != 0;
}

void WriteLock::set_unsettled(bool unsettled) {
  __atomic_store_n(&shared_->unsettled, unsettled ? 1U : 0U, __ATOMIC_RELEASE);
}

}  // namespace pat
