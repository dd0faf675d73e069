// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "base64.h"
#include "password.h"
#include "secret.h"
#include "text.h"
#include "totp.h"
#include "users.h"
#include "verbs.h"

namespace hub {
namespace {

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
  absl::Status added =
      UpdateUsers(arguments.Value("users"), [&](Users& users) { return users.Add(user); });
  if (!added.ok()) return added;
  if (!key.empty()) std::cout << TotpUri(key, name, "hub") << "\n";
  Wipe(key);
  return absl::OkStatus();
}

}  // namespace hub
