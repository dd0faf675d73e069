// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "secret.h"
#include "text.h"

namespace hub {
namespace {

absl::Status Failed(std::string_view what, const std::string& path) {
  const std::string message = Cat({"cannot ", what, " ", path});
  return errno == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

bool ReadAll(int fd, std::string* text) {
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    text->append(buffer, static_cast<std::size_t>(got));
  }
  ::explicit_bzero(buffer, sizeof buffer);
  return got == 0;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, mode_t allowed_mode) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path);
  struct stat status {};
  std::string text;
  const bool read = ::fstat(fd, &status) == 0 && ReadAll(fd, &text);
  ::close(fd);
  if (!read) return Failed("read", path);
  if ((status.st_mode & 07777 & ~allowed_mode) != 0) {
    Wipe(text);
    return absl::FailedPreconditionError(Cat({path, " holds secrets: make it mode 0600"}));
  }
  return text;
}

absl::Status WriteFile(const std::string& path, const std::string& text, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return Failed("write", path);
  bool good = ::fchmod(fd, mode) == 0 && WriteAll(fd, text) && ::fsync(fd) == 0;
  good = ::close(fd) == 0 && good;
  good = good && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (good) return absl::OkStatus();
  absl::Status failed = Failed("write", path);
  ::unlink(temporary.c_str());
  return failed;
}

FileVersion FileVersion::Of(const std::string& path) {
  struct stat status {};
  FileVersion version;
  if (::stat(path.c_str(), &status) != 0) return version;
  version.inode = status.st_ino;
  version.size = status.st_size;
  version.mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return version;
}

}  // namespace hub
