// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "text.h"

namespace patctl {
namespace {

constexpr std::size_t kMostBytes = 4096;  // of a keyring

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadPrivate(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd < 0) return SystemError("cannot open " + path);
  std::string text(kMostBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot read " + path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

absl::Status WritePrivate(const std::string& path, std::string_view text) {
  {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd < 0) return SystemError("cannot make " + path);
    if (!WriteAll(file.fd, text) || ::fsync(file.fd) != 0) {
      absl::Status status = SystemError("cannot write " + path);
      ::unlink(path.c_str());
      return status;
    }
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return SyncDirectory(parent.empty() ? "." : parent);
}

absl::Status SyncDirectory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd < 0 || ::fsync(directory.fd) != 0) return SystemError("cannot sync " + path);
  return absl::OkStatus();
}

absl::Status SystemError(const std::string& doing) {
  return absl::FailedPreconditionError(Cat({doing, ": ", std::generic_category().message(errno)}));
}

void Wipe(std::string* text) {
  volatile char* p = text->data();
  for (std::size_t i = 0; i < text->size(); ++i) p[i] = 0;
}

}  // namespace patctl
