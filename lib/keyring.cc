// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/keyring.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "lib/crypto.h"
#include "lib/file.h"
#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "lib/keyring_text.h"
#include "lib/out_of_memory.h"

namespace pat {
namespace {

absl::Status ErrnoStatus(const std::string& what, int error) {
  const std::string message = what + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::FailedPreconditionError(message);
}

// NotFound only if there is no file.
absl::Status ReadFile(const std::string& path, WipedString* out) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (!file && errno == ENOENT) return absl::NotFoundError("no keyring file " + path);
  if (!file) return ErrnoStatus("cannot open the keyring file " + path, errno);
  struct stat info {};
  if (fstat(file.fd(), &info) != 0)
    return ErrnoStatus("cannot stat the keyring file " + path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("the keyring " + path + " is not a regular file");
  }
  if ((info.st_mode & 077U) != 0) {
    return absl::FailedPreconditionError("the keyring file " + path +
                                         " is open to others; its mode must be 0600");
  }
  if (info.st_uid != geteuid() && geteuid() != 0) {
    return absl::FailedPreconditionError("the keyring file " + path + " belongs to another user");
  }
  out->text.resize(kMostKeyringBytes + 1);
  std::size_t size = 0;
  while (size < out->text.size()) {
    const ssize_t got = read(file.fd(), out->text.data() + size, out->text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read the keyring file " + path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  out->text.resize(size);
  return absl::OkStatus();
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const File directory(open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || fsync(directory.fd()) != 0) {
    return ErrnoStatus("cannot write the folder of the keyring file " + path, errno);
  }
  return absl::OkStatus();
}

// Whole and durable, or not there. `owner`: whose it shall be, if not this process's.
absl::Status WriteNewFile(const std::string& path, std::string_view text,
                          const struct stat* owner = nullptr) {
  bool created = false;
  absl::Status status = CatchOutOfMemory([&]() -> absl::Status {
    const std::string what = "cannot write the keyring file " + path;
    {
      const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (!file) return ErrnoStatus(what, errno);
      created = true;
      const bool mine =
          owner == nullptr || (owner->st_uid == geteuid() && owner->st_gid == getegid());
      if ((!mine && fchown(file.fd(), owner->st_uid, owner->st_gid) != 0) ||
          !WriteAll(file.fd(), text) || fsync(file.fd()) != 0) {
        return ErrnoStatus(what, errno);
      }
    }
    return SyncDirectoryOf(path);
  });
  if (created && !status.ok()) unlink(path.c_str());
  return status;
}

// The keyring file, locked against others who would write it, until the File goes.
absl::StatusOr<File> LockFile(const std::string& path, struct stat* info) {
  for (;;) {
    File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return ErrnoStatus("cannot open the keyring file " + path, errno);
    while (flock(file.fd(), LOCK_EX) != 0) {
      if (errno != EINTR) return ErrnoStatus("cannot lock the keyring file " + path, errno);
    }
    struct stat now {};
    if (fstat(file.fd(), info) != 0 || lstat(path.c_str(), &now) != 0) {
      return ErrnoStatus("cannot stat the keyring file " + path, errno);
    }
    // Else somebody replaced it while this process waited.
    if (now.st_ino == info->st_ino && now.st_dev == info->st_dev) return file;
  }
}

std::string StagedPath(const std::string& path, const Realm& realm) {
  return path + ".new." + RealmText(realm);
}

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

}  // namespace

Keyring Keyring::File(std::string path) {
  Keyring keyring;
  keyring.path_ = std::move(path);
  return keyring;
}

Keyring Keyring::Bytes(std::string_view text) {
  auto kept = std::make_shared<const WipedString>(text);
  Keyring keyring = Callback([kept]() -> absl::StatusOr<std::string> { return kept->text; });
  keyring.fixed_ = true;
  return keyring;
}

Keyring Keyring::Callback(Loader loader) {
  Keyring keyring;
  keyring.loader_ = std::move(loader);
  return keyring;
}

// The system would cut a path at a NUL: then the staged name could be the file's own.
absl::Status KeyringSource::Validate(const Keyring& keyring) {
  if (keyring.loader_ == nullptr &&
      (keyring.path_.empty() || keyring.path_.find('\0') != std::string::npos)) {
    return absl::InvalidArgumentError("no keyring was given: neither a file's name nor a function");
  }
  return absl::OkStatus();
}

absl::StatusOr<KeyringContents> KeyringSource::Read(const Keyring& keyring) {
  WipedString text;
  if (keyring.loader_ != nullptr) {
    absl::StatusOr<std::string> loaded = keyring.loader_();
    if (!loaded.ok()) return loaded.status();
    text.text.swap(*loaded);
  } else if (absl::Status read = ReadFile(keyring.path_, &text); absl::IsNotFound(read)) {
    return absl::FailedPreconditionError(std::string(read.message()) +
                                         ": without it no token can be verified");
  } else if (!read.ok()) {
    return read;
  }
  return Parse(text.text);
}

absl::StatusOr<KeyringContents> KeyringSource::Load(const Keyring& keyring, const Realm& realm) {
  if (absl::Status s = Validate(keyring); !s.ok()) return s;
  const bool staged = keyring.loader_ == nullptr && Exists(StagedPath(keyring.path_, realm));
  if (staged && !Exists(keyring.path_)) {
    if (absl::Status s = Publish(keyring, realm); !s.ok()) return s;
  }
  absl::StatusOr<KeyringContents> contents = Read(keyring);
  if (contents.ok() && contents->realm != realm) {
    return absl::FailedPreconditionError("the keyring was made for another store");
  }
  // A second name of the same file.
  if (staged && contents.ok()) unlink(StagedPath(keyring.path_, realm).c_str());
  return contents;
}

absl::StatusOr<KeyringSource::Staged> KeyringSource::Stage(const Keyring& keyring) {
  if (absl::Status s = Validate(keyring); !s.ok()) return s;
  if (keyring.loader_ != nullptr) {
    absl::StatusOr<KeyringContents> contents = Read(keyring);
    if (!contents.ok()) return contents.status();
    return Staged{*std::move(contents), {}};
  }
  if (Exists(keyring.path_)) {
    return absl::AlreadyExistsError("the keyring file " + keyring.path_ +
                                    " exists already, and may be another store's");
  }
  absl::StatusOr<std::string> generated = Keyring::Generate();
  if (!generated.ok()) return generated.status();
  WipedString text;
  text.text.swap(*generated);
  absl::StatusOr<KeyringContents> contents = Parse(text.text);
  if (!contents.ok()) return contents.status();
  Staged staged{*std::move(contents), {}};
  staged.path = StagedPath(keyring.path_, staged.contents.realm);
  if (absl::Status s = WriteNewFile(staged.path, text.text); !s.ok()) return s;
  return staged;
}

absl::Status KeyringSource::Publish(const Keyring& keyring, const Realm& realm) {
  if (keyring.loader_ != nullptr) return absl::OkStatus();
  const std::string staged = StagedPath(keyring.path_, realm);
  if (link(staged.c_str(), keyring.path_.c_str()) != 0) {
    const int error = errno;  // another process may have published it in this moment
    const absl::StatusOr<KeyringContents> there = Read(keyring);
    if (!there.ok() || there->realm != realm) {
      return ErrnoStatus("cannot make the keyring file " + keyring.path_ + " of " + staged, error);
    }
  }
  unlink(staged.c_str());
  return SyncDirectoryOf(keyring.path_);
}

absl::Status KeyringSource::Rewrite(const Keyring& keyring, const Realm& realm, Change change) {
  struct stat info {};
  const absl::StatusOr<pat::File> locked = LockFile(keyring.path_, &info);
  if (!locked.ok()) return locked.status();
  absl::StatusOr<KeyringContents> contents = Load(keyring, realm);
  if (!contents.ok()) return contents.status();
  const absl::StatusOr<bool> changed = change(&*contents);
  if (!changed.ok() || !*changed) return changed.status();
  const std::string staged = keyring.path_ + ".rewrite";
  unlink(staged.c_str());  // of one who was cut short: the lock's holder is the only one
  WipedString text;
  Format(*contents, &text.text);
  if (absl::Status s = WriteNewFile(staged, text.text, &info); !s.ok()) return s;
  if (rename(staged.c_str(), keyring.path_.c_str()) != 0) {
    const int error = errno;
    unlink(staged.c_str());
    return ErrnoStatus("cannot replace the keyring file " + keyring.path_, error);
  }
  return SyncDirectoryOf(keyring.path_);
}

void KeyringSource::Discard(const Staged& staged) noexcept {
  if (!staged.path.empty()) unlink(staged.path.c_str());
}

}  // namespace pat
