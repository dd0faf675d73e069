// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_SHARED_MEMORY_H_
#define TESTS_PROCESS_SHARED_MEMORY_H_

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
              "an atomic with a lock in it does not work between processes");

/// A T that this process and the workers it starts share. It has no name in any file system and
/// goes with the last of them, so it may hold token texts. T: atomics and plain arrays, no pointer.
/// Fresh memory is zeros, and takes room only where it is written.
template <typename T>
class SharedMemory {
 public:
  /// New, for the test. Workers inherit the descriptor; fd() goes to them as an argument.
  SharedMemory() : SharedMemory(memfd_create("libpat-test", 0)) {
    if (fchmod(fd_, 0600) != 0 || ftruncate(fd_, sizeof(T)) != 0) Fail("set up shared memory");
    Map();
  }

  /// The test's, in a worker.
  explicit SharedMemory(const char* fd)
      : SharedMemory(static_cast<int>(std::strtol(fd, nullptr, 10))) {
    Map();
  }

  ~SharedMemory() {
    munmap(value_, sizeof(T));
    close(fd_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::string fd() const { return std::to_string(fd_); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  explicit SharedMemory(int fd) : fd_(fd) {}

  [[noreturn]] static void Fail(const char* doing) {
    std::perror(doing);
    std::abort();
  }

  void Map() {
    void* map = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (map == MAP_FAILED) Fail("map shared memory");
    value_ = std::launder(static_cast<T*>(map));
  }

  int fd_;
  T* value_ = nullptr;
};

#endif  // TESTS_PROCESS_SHARED_MEMORY_H_
