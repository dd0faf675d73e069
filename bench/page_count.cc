// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/page_count.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#include "bench/population.h"

namespace pat::bench {
namespace {

constexpr std::size_t kPageBytes = 4096;

std::atomic<std::uint64_t> watched_device{0};
std::atomic<std::uint64_t> watched_inode{0};
std::atomic<std::uint64_t> bytes_written{0};
std::atomic<std::uint64_t> metas_written{0};

// LMDB writes whole pages, but of a meta page only its part that changes.
void Count(int file, ssize_t size) {
  struct stat about {};
  if (size <= 0 || watched_inode == 0 || fstat(file, &about) != 0) return;
  if (about.st_ino != watched_inode || about.st_dev != watched_device) return;
  const auto bytes = static_cast<std::uint64_t>(size);
  (bytes < kPageBytes ? metas_written : bytes_written) += bytes < kPageBytes ? 1 : bytes;
}

}  // namespace

void CountPagesOf(const std::string& data_file) {
  struct stat about {};
  if (stat(data_file.c_str(), &about) != 0) Fail("no file to count pages of");
  watched_device = about.st_dev;
  watched_inode = about.st_ino;
  bytes_written = 0;
  metas_written = 0;
}

PagesWritten PagesSoFar() { return {bytes_written / kPageBytes + metas_written, metas_written}; }

}  // namespace pat::bench

// In place of the C library's.
extern "C" {

__attribute__((visibility("default"))) ssize_t pwrite(int file, const void* bytes, std::size_t size,
                                                      off_t offset) {
  const ssize_t written = syscall(SYS_pwrite64, file, bytes, size, offset);
  pat::bench::Count(file, written);
  return written;
}

__attribute__((visibility("default"))) ssize_t writev(int file, const iovec* parts, int count) {
  const ssize_t written = syscall(SYS_writev, file, parts, count);
  pat::bench::Count(file, written);
  return written;
}

}  // extern "C"
