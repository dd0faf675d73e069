// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ACCOUNTS_H_
#define HUB_ACCOUNTS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "metrics.h"
#include "pat/authority.h"
#include "sign_in.h"
#include "users.h"
#include "watched_file.h"

namespace hub {

/// What became of a step of signing in by hand.
struct LoginResult {
  enum class Outcome {
    kAccepted,
    kCodeNeeded,   ///< The password is right; two-factor authentication wants a code as well.
    kRefused,      ///< Wrong, whatever it is.
    kThrottled,    ///< Not looked at: too many failures. Wait for retry_after.
    kUnavailable,  ///< The users cannot be read or written now.
  };
  Outcome outcome = Outcome::kUnavailable;
  User user;  ///< Whose it is; empty unless accepted or a code is needed.
  absl::Duration retry_after = absl::ZeroDuration();
  std::string_view reason;  ///< For the log, if refused: a literal.
};

/// The people of the users' file, as those who sign in with name, password and perhaps a code, to
/// administer their account. Its failures count with SignIn's. Any thread; all but Find take as
/// long as a password check or a write to disk.
class Accounts {
 public:
  Accounts(pat::Authority& authority, WatchedFile<Users>& users, SignInThrottles& throttles,
           Metrics& metrics, std::function<absl::Time()> clock);

  /// The first step: name and password. Text that looks like a token is refused unseen.
  LoginResult CheckPassword(std::string_view name, std::string_view password, std::string_view ip);

  /// The second step, for who passed the first and has two-factor authentication on: the code of
  /// the authenticator app. A code is good once, in all processes on the users' file.
  LoginResult CheckCode(std::string_view account, std::string_view code, std::string_view ip);

  /// Sets a new password: kAccepted, and what stands on the old one ends (see Version).
  /// A status only if `next` cannot be a password (InvalidArgument says why).
  absl::StatusOr<LoginResult> ChangePassword(std::string_view account, std::string_view current,
                                             std::string_view next, std::string_view ip);

  /// InvalidArgument if it is no e-mail address, NotFound if there is no such account.
  absl::Status ChangeEmail(std::string_view account, std::string_view email);

  /// The ids of all accounts. Unavailable if the users cannot be read.
  absl::StatusOr<std::vector<std::string>> All();

  /// NotFound if there is no such account; Unavailable if the users cannot be read.
  absl::StatusOr<User> Find(std::string_view account);

  /// Changes when the password or the authenticator's key do: keep it with a session or a bearer,
  /// and end those that hold another. Tells nothing about either.
  static std::string Version(const User& user);

 private:
  LoginResult Refusal(std::string_view reason);
  LoginResult Throttled(absl::Duration wait);

  pat::Authority& authority_;
  WatchedFile<Users>& users_;
  SignInThrottles& throttles_;
  Metrics& metrics_;
  const std::function<absl::Time()> clock_;
};

}  // namespace hub

#endif  // HUB_ACCOUNTS_H_
