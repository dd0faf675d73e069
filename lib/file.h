// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_FILE_H_
#define PAT_LIB_FILE_H_

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace pat {

/// An open file descriptor, closed with the object.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  ~File() { Close(); }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  int fd_ = -1;
};

/// Makes the file at least `to` bytes long, with disk blocks under all bytes from `from` on, so
/// that a store through a mapping cannot meet a full disk (which would be SIGBUS). Returns 0 or an
/// errno value. Never touches bytes that are there.
int AllocateFile(int fd, std::int64_t from, std::int64_t to);

}  // namespace pat

#endif  // PAT_LIB_FILE_H_
