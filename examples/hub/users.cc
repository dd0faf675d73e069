// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "users.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "base64.h"
#include "password.h"
#include "pat/token.h"
#include "secret.h"
#include "text.h"
#include "watched_file.h"

namespace hub {
namespace {

bool IsWordCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

absl::Status ValidateUser(const User& user) {
  if (absl::Status s = ValidateUserName(user.name); !s.ok()) return s;
  if (absl::Status s = pat::ValidateAccount(user.account); !s.ok()) return s;
  const bool printable = std::all_of(user.account.begin(), user.account.end(),
                                     [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
  if (!printable) return absl::InvalidArgumentError("an account id is printable, without ':'");
  if (!IsPasswordHash(user.password)) return absl::InvalidArgumentError("no password hash");
  if (!FromBase32(user.totp)) return absl::InvalidArgumentError("a TOTP key is base32");
  if (!user.email.empty()) return ValidateEmail(user.email);
  return absl::OkStatus();
}

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

absl::StatusOr<Users> ReadOrEmpty(const std::string& path) {
  absl::StatusOr<Users> users = Users::Read(path);
  return absl::IsNotFound(users.status()) ? Users::Parse("") : users;
}

absl::StatusOr<User> ParseUser(std::string_view line) {
  const std::vector<std::string_view> fields = SplitFields(line, ':');
  if (fields.size() < 4 || fields.size() > 6) {
    return absl::InvalidArgumentError("a user has four to six fields");
  }
  User user;
  user.name = fields[0];
  user.account = fields[1];
  user.password = fields[2];
  user.totp = fields[3];
  if (fields.size() > 4) user.email = fields[4];
  const auto step = ParseNumber(fields.size() > 5 ? fields[5] : "0");
  if (!step) return absl::InvalidArgumentError("a TOTP step is a number");
  user.totp_step = *step;
  return user;
}

}  // namespace

absl::Status ValidateEmail(std::string_view email) {
  const std::size_t at = email.find('@');
  const bool printable = std::all_of(email.begin(), email.end(),
                                     [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
  if (email.size() > 254 || !printable || at == 0 || at == std::string_view::npos ||
      at + 1 == email.size() || email.find('@', at + 1) != std::string_view::npos) {
    return absl::InvalidArgumentError("that is no e-mail address");
  }
  return absl::OkStatus();
}

absl::Status ValidateUserName(std::string_view name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return IsWordCharacter(c) || c == '.' || c == '_' || c == '-';
  });
  if (name.size() < 2 || name.size() > kMaxUserNameBytes || !characters ||
      !IsWordCharacter(name.front()) || !IsWordCharacter(name.back())) {
    return absl::InvalidArgumentError(
        "a user name has 2 to 64 of [a-z0-9._-] and begins and ends with a letter or digit");
  }
  return absl::OkStatus();
}

absl::StatusOr<Users> Users::Parse(std::string_view text) {
  Users users;
  users.unfitting_hash_ = UnfittingHash({});
  std::size_t number = 0;
  for (std::string_view line : SplitFields(text, '\n')) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<User> user = ParseUser(line);
    const absl::Status added = user.ok() ? users.Add(*std::move(user)) : user.status();
    if (!added.ok()) {
      const std::string why(added.message());
      return absl::InvalidArgumentError(
          Cat({"line ", std::to_string(number), " of the users' file: ", why}));
    }
  }
  return users;
}

absl::StatusOr<Users> Users::Read(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, 0600);
  if (!text.ok()) return text.status();
  absl::StatusOr<Users> users = Parse(*text);
  Wipe(*text);
  return users;
}

const User* Users::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const User* Users::FindAccount(std::string_view account) const {
  const auto found = name_of_account_.find(account);
  return found == name_of_account_.end() ? nullptr : Find(found->second);
}

std::vector<std::string> Users::Accounts() const {
  std::vector<std::string> accounts;
  accounts.reserve(name_of_account_.size());
  for (const auto& [account, name] : name_of_account_) accounts.push_back(account);
  return accounts;
}

absl::Status Users::Add(User user) {
  if (absl::Status s = ValidateUser(user); !s.ok()) return s;
  if (Find(user.name) != nullptr || FindAccount(user.account) != nullptr) {
    return absl::AlreadyExistsError("there is a user of that name or account");
  }
  if (by_name_.empty()) unfitting_hash_ = UnfittingHash(user.password);
  name_of_account_.emplace(user.account, user.name);
  std::string name = user.name;
  by_name_.emplace(std::move(name), std::move(user));
  return absl::OkStatus();
}

absl::Status Users::Replace(const User& user) {
  if (absl::Status s = ValidateUser(user); !s.ok()) return s;
  const auto found = by_name_.find(user.name);
  if (found == by_name_.end() || found->second.account != user.account) {
    return absl::NotFoundError("no such user");
  }
  found->second = user;
  return absl::OkStatus();
}

std::string Users::ToText() const {
  std::string text = "# name:account:password-hash:totp-key:email:totp-step\n";
  for (const auto& [name, user] : by_name_) {
    text += Cat({name, ":", user.account, ":", user.password, ":", user.totp, ":", user.email, ":",
                 std::to_string(user.totp_step), "\n"});
  }
  return text;
}

absl::Status UpdateUsers(const std::string& path,
                         absl::FunctionRef<absl::Status(Users& users)> change) {
  const WriteLock lock(path);
  if (!lock.held()) return absl::UnavailableError("cannot lock the users' file");
  absl::StatusOr<Users> users = ReadOrEmpty(path);
  if (!users.ok()) return users.status();
  if (absl::Status s = change(*users); !s.ok()) return s;
  std::string text = users->ToText();
  absl::Status written = WriteFile(path, text, 0600);
  Wipe(text);
  return written;
}

}  // namespace hub
