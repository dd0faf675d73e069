// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_SIGN_IN_H_
#define HUB_SIGN_IN_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "credentials.h"
#include "metrics.h"
#include "pat/authority.h"
#include "pat/principal.h"
#include "request.h"
#include "throttle.h"
#include "users.h"
#include "watched_file.h"

namespace hub {

/// How many refused sign-ins are borne.
struct SignInLimits {
  Throttle::Limits address{60, absl::Seconds(5)};
  Throttle::Limits account{10, absl::Seconds(30)};
  Throttle::Limits code{5, absl::Minutes(3)};  ///< Six digits can be guessed.
};

/// The failures so far, of all ways to sign in.
struct SignInThrottles {
  explicit SignInThrottles(const SignInLimits& limits)
      : addresses(limits.address), accounts(limits.account), codes(limits.code) {}

  Throttle addresses;
  Throttle accounts;  ///< By login name, known or not.
  Throttle codes;     ///< By account: second factors.
};

/// Who came in, or why not.
struct SignInResult {
  pat::Decision decision;
  std::string user;                                   ///< A known user's login name, else empty.
  absl::Duration retry_after = absl::ZeroDuration();  ///< Not zero: too many failures, wait.
};

/// Decides about credentials: resolves the login name to an account, asks libpat, counts failures.
///
/// A token is judged first and the throttle asked only if it was refused: tokens cannot be guessed,
/// so a good one is never kept out, whatever others do from its address or to its account. A
/// password is not even looked at while its address or its account has too many failures behind it.
/// Any thread.
class SignIn {
 public:
  SignIn(pat::Authority& authority, WatchedFile<Users>& users, SignInThrottles& throttles,
         Metrics& metrics, std::function<absl::Time()> clock);

  /// Judges what `request` presents; its address and user agent become the token's "last used".
  SignInResult Try(const Credentials& credentials, const Request& request);

  /// Whether Try would check a password, which takes long by intent.
  bool IsSlow(const Credentials& credentials) const;

 private:
  void Note(const SignInResult& result);
  SignInResult TryToken(const Credentials& credentials, const Request& request, const Users& users);
  SignInResult TryPassword(const Credentials& credentials, const Request& request,
                           const Users& users);

  pat::Authority& authority_;
  WatchedFile<Users>& users_;
  SignInThrottles& throttles_;
  Metrics& metrics_;
  const std::function<absl::Time()> clock_;
};

}  // namespace hub

#endif  // HUB_SIGN_IN_H_
