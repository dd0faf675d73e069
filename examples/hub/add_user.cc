// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>

#include "base64.h"
#include "password.h"
#include "secret.h"
#include "text.h"
#include "totp.h"
#include "users.h"
#include "verbs.h"
#include "watched_file.h"

namespace hub {
namespace {

/// Keeps other writers of the file out while it lives.
class WriteLock {
 public:
  explicit WriteLock(const std::string& path)
      : fd_(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX) == 0;
  }
  ~WriteLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

/// A line of standard input, not shown if it is typed at a terminal.
Secret ReadPassword() {
  termios before{};
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    std::cerr << "Password: " << std::flush;
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << "\n";
  }
  return Secret(line);
}

absl::StatusOr<Users> ReadOrEmpty(const std::string& path) {
  absl::StatusOr<Users> users = Users::Read(path);
  return absl::IsNotFound(users.status()) ? Users::Parse("") : users;
}

}  // namespace

VerbSyntax AddUserSyntax() {
  return {"adduser", {"users", "account", "scrypt-log-n"}, {"totp"}, {"users"}, 1};
}

absl::Status AddUser(const Arguments& arguments) {
  PasswordCost cost;
  const auto log_n = arguments.Number("scrypt-log-n", cost.log_n, 4, 20);
  if (!log_n.ok()) return log_n.status();
  cost.log_n = static_cast<unsigned>(*log_n);
  User user;
  user.name = arguments.operands().front();
  user.account = arguments.Value("account", user.name);
  if (absl::Status s = ValidateUserName(user.name); !s.ok()) return s;
  const absl::StatusOr<std::string> hash = HashPassword(ReadPassword().Reveal(), cost);
  if (!hash.ok()) return hash.status();
  user.password = *hash;
  const std::string name = user.name;
  std::string key;
  if (arguments.Has("totp")) {
    const std::optional<std::string> made = NewTotpKey();
    if (!made) return absl::InternalError("no random numbers");
    key = *made;
    user.totp = Base32(key);
  }
  const std::string path = arguments.Value("users");
  const WriteLock lock(path);
  if (!lock.held()) return absl::UnavailableError("cannot lock the users' file");
  absl::StatusOr<Users> users = ReadOrEmpty(path);
  if (!users.ok()) return users.status();
  if (absl::Status s = users->Add(std::move(user)); !s.ok()) return s;
  if (absl::Status s = WriteFile(path, users->ToText(), 0600); !s.ok()) return s;
  if (!key.empty()) std::cout << TotpUri(key, name, "hub") << "\n";
  Wipe(key);
  return absl::OkStatus();
}

}  // namespace hub
