// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pat {
namespace {

// For file systems without fallocate: zeros behind the end. Holes before it stay.
int WriteZeros(int fd, std::int64_t to) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return errno;
  static constexpr std::array<char, 16384> kZeros{};
  for (std::int64_t at = info.st_size; at < to;) {
    const auto n = std::min<std::int64_t>(to - at, kZeros.size());
    const ssize_t written = pwrite(fd, kZeros.data(), static_cast<std::size_t>(n), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    at += written;
  }
  return 0;
}

}  // namespace

int AllocateFile(int fd, std::int64_t from, std::int64_t to) {
  if (to <= from) return 0;
  int rc = 0;
  do {
    rc = fallocate(fd, 0, from, to - from) == 0 ? 0 : errno;
  } while (rc == EINTR);
  // Not posix_fallocate: its own way around a missing fallocate rewrites bytes that another
  // process may be changing through a mapping.
  return rc == EOPNOTSUPP || rc == ENOSYS ? WriteZeros(fd, to) : rc;
}

}  // namespace pat
