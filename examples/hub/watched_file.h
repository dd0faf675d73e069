// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_WATCHED_FILE_H_
#define HUB_WATCHED_FILE_H_

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace hub {

/// A whole file; NotFound if there is none. Permission bits outside `allowed_mode` are an error
/// (FailedPrecondition): 0600 for files with secrets.
absl::StatusOr<std::string> ReadFile(const std::string& path, mode_t allowed_mode = 07777);

/// Writes a file whole or not at all: a temporary one beside it, fsync, rename.
absl::Status WriteFile(const std::string& path, const std::string& text, mode_t mode);

/// What tells one version of a file from the next, if writers replace it by rename.
struct FileVersion {
  static FileVersion Of(const std::string& path);
  friend bool operator==(const FileVersion& a, const FileVersion& b) {
    return a.inode == b.inode && a.size == b.size && a.mtime_ns == b.mtime_ns;
  }
  ino_t inode = 0;
  off_t size = -1;
  std::int64_t mtime_ns = 0;
};

/// The parsed contents of a file, read again when it has been replaced. Any thread.
template <typename T>
class WatchedFile {
 public:
  using Reader = std::function<absl::StatusOr<T>(const std::string& path)>;

  WatchedFile(std::string path, Reader reader)
      : path_(std::move(path)), reader_(std::move(reader)) {}

  /// The contents now. An unreadable or malformed file is an error, never the contents of before:
  /// who was taken out of it must not get in.
  absl::StatusOr<std::shared_ptr<const T>> Get() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const FileVersion now = FileVersion::Of(path_);
    if (contents_ == nullptr || !(now == version_)) {
      absl::StatusOr<T> read = reader_(path_);
      contents_ = nullptr;
      if (!read.ok()) return read.status();
      contents_ = std::make_shared<const T>(*std::move(read));
      version_ = now;
    }
    return contents_;
  }

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const Reader reader_;
  std::mutex mutex_;
  FileVersion version_;
  std::shared_ptr<const T> contents_;
};

}  // namespace hub

#endif  // HUB_WATCHED_FILE_H_
