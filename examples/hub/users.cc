// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "users.h"

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
  return absl::OkStatus();
}

}  // namespace

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
    const std::vector<std::string_view> fields = SplitFields(line, ':');
    absl::Status added = absl::InvalidArgumentError("a user has four fields");
    if (fields.size() == 4) {
      added = users.Add({std::string(fields[0]), std::string(fields[1]), std::string(fields[2]),
                         std::string(fields[3])});
    }
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

std::string Users::ToText() const {
  std::string text = "# name:account:password-hash:totp-key\n";
  for (const auto& [name, user] : by_name_) {
    text += Cat({name, ":", user.account, ":", user.password, ":", user.totp, "\n"});
  }
  return text;
}

}  // namespace hub
