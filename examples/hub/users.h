// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_USERS_H_
#define HUB_USERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hub {

/// Somebody who can sign in.
struct User {
  std::string name;        ///< The login name, and the first part of their repositories' names.
  std::string account;     ///< What libpat knows them by; never used again for somebody else.
  std::string password;    ///< A hash, see password.h.
  std::string totp;        ///< The key in base32 if two-factor authentication is on, else empty.
  std::string email = {};  ///< Or empty.
  std::int64_t totp_step = 0;  ///< Of the last code that was good: older ones are not any more.

  bool two_factor() const { return !totp.empty(); }
};

inline constexpr std::size_t kMaxUserNameBytes = 64;

/// OK if `name` can be a login name: 2..64 of [a-z0-9._-], the first and last a letter or digit
/// (what a repository's name can begin with).
absl::Status ValidateUserName(std::string_view name);

/// OK if `email` can be an e-mail address: something@something, printable ASCII without ':', at
/// most 254 bytes.
absl::Status ValidateEmail(std::string_view email);

/// The users of a file: a line `name:account:password-hash:totp-key[:email[:totp-step]]` each, mode
/// 0600.
class Users {
 public:
  /// InvalidArgument names the line that is wrong, not what it holds.
  static absl::StatusOr<Users> Parse(std::string_view text);
  static absl::StatusOr<Users> Read(const std::string& path);

  /// The user of that login name, or nullptr.
  const User* Find(std::string_view name) const;
  /// The user of that account, or nullptr.
  const User* FindAccount(std::string_view account) const;

  /// The accounts' ids.
  std::vector<std::string> Accounts() const;

  /// A hash to check the passwords of unknown users against: it takes as long as a real one.
  const std::string& unfitting_hash() const { return unfitting_hash_; }

  /// Adds a user; AlreadyExists if the name or the account is taken.
  absl::Status Add(User user);

  /// Puts `user` in the place of who has that name and account; NotFound if nobody has.
  absl::Status Replace(const User& user);

  std::string ToText() const;

 private:
  std::map<std::string, User, std::less<>> by_name_;
  std::map<std::string, std::string, std::less<>> name_of_account_;
  std::string unfitting_hash_;
};

/// Changes a users' file, or makes it: reads it, lets `change` change what is in it, and writes it,
/// whole or not at all; no two programs do so at a time. If `change` returns an error, so does
/// this, and nothing is written.
absl::Status UpdateUsers(const std::string& path,
                         absl::FunctionRef<absl::Status(Users& users)> change);

}  // namespace hub

#endif  // HUB_USERS_H_
