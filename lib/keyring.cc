// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/keyring.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "lib/crypto.h"
#include "lib/key_set.h"
#include "lib/keyring_source.h"

namespace pat {
namespace {

constexpr std::string_view kFirstLine = "libpat keyring 1";
constexpr std::size_t kMostBytes = 4096;

// A string that does not leave its characters behind.
struct WipedString {
  std::string text;
  WipedString() = default;
  explicit WipedString(std::string_view t) : text(t) {}
  WipedString(const WipedString&) = delete;
  WipedString& operator=(const WipedString&) = delete;
  ~WipedString() { crypto::Wipe(&text); }
};

void AppendHex(const unsigned char* bytes, std::size_t size, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    *out += kDigits[bytes[i] >> 4U];
    *out += kDigits[bytes[i] & 15U];
  }
}

bool ParseHex(std::string_view text, unsigned char* bytes, std::size_t size) {
  if (text.size() != 2 * size) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return false;
    const int value = digit ? c - '0' : c - 'a' + 10;
    bytes[i / 2] = static_cast<unsigned char>(i % 2 == 0 ? value << 4 : bytes[i / 2] | value);
  }
  return true;
}

// "<number> <64 hex digits>"
bool ParseMaster(std::string_view text, MasterSecret* master) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || space < 1 || space > 5 || text[0] == '0') return false;
  unsigned number = 0;
  for (char c : text.substr(0, space)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  master->number = static_cast<std::uint16_t>(number);
  return number >= 1 && number <= 0xFFFF &&
         ParseHex(text.substr(space + 1), master->secret.data(), master->secret.size());
}

// Sorts newest first; false unless there are 1 to 8, of different numbers less than 8 apart (three
// bits of a record must tell them apart).
bool Order(std::vector<MasterSecret>* list) {
  std::sort(list->begin(), list->end(),
            [](const MasterSecret& a, const MasterSecret& b) { return a.number > b.number; });
  for (std::size_t i = 1; i < list->size(); ++i) {
    if ((*list)[i].number == (*list)[i - 1].number) return false;
  }
  return !list->empty() && list->size() <= kMaxKeys &&
         list->front().number - list->back().number < static_cast<int>(kMaxKeys);
}

absl::Status ErrnoStatus(const std::string& what, int error) {
  const std::string message = what + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::FailedPreconditionError(message);
}

struct File {
  int fd;
  explicit File(int f) : fd(f) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) close(fd);
  }
};

// NotFound only if there is no file.
absl::Status ReadFile(const std::string& path, WipedString* out) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (file.fd < 0 && errno == ENOENT) return absl::NotFoundError("no keyring file " + path);
  if (file.fd < 0) return ErrnoStatus("cannot open the keyring file " + path, errno);
  struct stat info {};
  if (fstat(file.fd, &info) != 0) return ErrnoStatus("cannot stat the keyring file " + path, errno);
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
  out->text.resize(kMostBytes + 1);
  std::size_t size = 0;
  while (size < out->text.size()) {
    const ssize_t got = read(file.fd, out->text.data() + size, out->text.size() - size);
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
  if (directory.fd < 0 || fsync(directory.fd) != 0) {
    return ErrnoStatus("cannot write the folder of the keyring file " + path, errno);
  }
  return absl::OkStatus();
}

// Whole and durable, or not there.
absl::Status WriteNewFile(const std::string& path, std::string_view text) {
  const std::string what = "cannot write the keyring file " + path;
  {
    const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd < 0) return ErrnoStatus(what, errno);
    if (!WriteAll(file.fd, text) || fsync(file.fd) != 0) {
      const int error = errno;
      unlink(path.c_str());
      return ErrnoStatus(what, error);
    }
  }
  return SyncDirectoryOf(path);
}

std::string StagedPath(const std::string& path, const Realm& realm) {
  std::string staged = path + ".new.";
  AppendHex(realm.data(), realm.size(), &staged);
  return staged;
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
  return Callback([kept]() -> absl::StatusOr<std::string> { return kept->text; });
}

Keyring Keyring::Callback(Loader loader) {
  Keyring keyring;
  keyring.loader_ = std::move(loader);
  return keyring;
}

absl::StatusOr<std::string> Keyring::Generate() {
  std::array<unsigned char, 16 + 32 + 32> random;
  if (!crypto::RandomBytes(random.data(), random.size())) {
    return absl::InternalError("the random number generator failed");
  }
  std::string text;
  text.reserve(256);  // no copies left behind by growing
  text += kFirstLine;
  text += "\nrealm ";
  AppendHex(random.data(), 16, &text);
  text += "\nselector 1 ";
  AppendHex(random.data() + 16, 32, &text);
  text += "\nseal 1 ";
  AppendHex(random.data() + 48, 32, &text);
  text += '\n';
  crypto::Wipe(random.data(), random.size());
  return text;
}

absl::StatusOr<KeyringContents> KeyringSource::Parse(std::string_view text) {
  const auto bad = [](std::size_t line) {
    return absl::FailedPreconditionError("not a keyring of this version: line " +
                                         std::to_string(line));
  };
  if (text.size() > kMostBytes) {
    return absl::FailedPreconditionError("not a keyring: too long");
  }
  KeyringContents contents;
  contents.selectors.reserve(kMostBytes / 64);  // growing would leave copies behind
  contents.seals.reserve(kMostBytes / 64);
  bool realm = false;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return bad(line);
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (row != kFirstLine) return bad(line);
    } else if (row.substr(0, 6) == "realm ") {
      if (realm || !ParseHex(row.substr(6), contents.realm.data(), contents.realm.size())) {
        return bad(line);
      }
      realm = true;
    } else {
      const std::size_t space = row.find(' ');
      const std::string_view kind = row.substr(0, space);
      MasterSecret master;
      if ((kind != "selector" && kind != "seal") || !ParseMaster(row.substr(space + 1), &master)) {
        return bad(line);
      }
      (kind == "seal" ? contents.seals : contents.selectors).push_back(master);
      crypto::Wipe(master.secret.data(), master.secret.size());
    }
  }
  if (!realm || !Order(&contents.selectors) || !Order(&contents.seals)) {
    return absl::FailedPreconditionError(
        "not a keyring: it needs a realm and 1 to 8 selector and seal keys of nearby numbers");
  }
  return contents;
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
  if (staged && contents.ok()) Discard(keyring, realm);  // a second name of the same file
  return contents;
}

absl::StatusOr<KeyringContents> KeyringSource::Stage(const Keyring& keyring) {
  if (absl::Status s = Validate(keyring); !s.ok()) return s;
  if (keyring.loader_ != nullptr) return Read(keyring);
  if (Exists(keyring.path_)) {
    return absl::AlreadyExistsError("the keyring file " + keyring.path_ +
                                    " exists already, and may be another store's");
  }
  absl::StatusOr<std::string> generated = Keyring::Generate();
  if (!generated.ok()) return generated.status();
  WipedString text;
  text.text.swap(*generated);
  absl::StatusOr<KeyringContents> contents = Parse(text.text);
  if (!contents.ok()) return contents;
  absl::Status written = WriteNewFile(StagedPath(keyring.path_, contents->realm), text.text);
  if (!written.ok()) return written;
  return contents;
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

void KeyringSource::Discard(const Keyring& keyring, const Realm& realm) {
  if (keyring.loader_ == nullptr) unlink(StagedPath(keyring.path_, realm).c_str());
}

}  // namespace pat
