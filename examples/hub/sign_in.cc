// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "sign_in.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "password.h"
#include "pat/token_text.h"

namespace hub {
namespace {

pat::Presented PresentedBy(const Request& request, const User* user, bool bearer) {
  pat::Presented presented;
  presented.claim = bearer            ? pat::Claim::None()
                    : user == nullptr ? pat::Claim::Unknown()
                                      : pat::Claim::Account(user->account);
  presented.ip = request.ip;
  presented.user_agent = request.Header("User-Agent").value_or("");
  return presented;
}

/// Whether a refusal is the client's doing.
bool Counts(const pat::Decision& decision) {
  return decision.refusal() != nullptr &&
         decision.refusal()->reason() != pat::RefusalReason::kUnavailable;
}

}  // namespace

SignIn::SignIn(pat::Authority& authority, WatchedFile<Users>& users, SignInThrottles& throttles,
               Metrics& metrics, std::function<absl::Time()> clock)
    : authority_(authority),
      users_(users),
      throttles_(throttles),
      metrics_(metrics),
      clock_(std::move(clock)) {}

bool SignIn::IsSlow(const Credentials& credentials) const {
  return !credentials.bearer &&
         !pat::LooksLikeToken(credentials.secret.Reveal(), authority_.prefixes());
}

SignInResult SignIn::Try(const Credentials& credentials, const Request& request) {
  const auto users = users_.Get();
  if (!users.ok()) return {pat::Refusal(pat::RefusalReason::kUnavailable), {}};
  SignInResult result = IsSlow(credentials) ? TryPassword(credentials, request, **users)
                                            : TryToken(credentials, request, **users);
  Note(result);
  return result;
}

void SignIn::Note(const SignInResult& result) {
  if (const pat::Principal* const who = result.decision.principal()) {
    metrics_.Accepted(who->method());
  } else if (result.retry_after > absl::ZeroDuration()) {
    metrics_.Refused("throttled");
  } else {
    metrics_.Refused(pat::ToString(result.decision.refusal()->reason()));
  }
}

SignInResult SignIn::TryToken(const Credentials& credentials, const Request& request,
                              const Users& users) {
  const User* user = credentials.bearer ? nullptr : users.Find(credentials.user);
  const pat::Presented presented = PresentedBy(request, user, credentials.bearer);
  const auto begun = std::chrono::steady_clock::now();
  SignInResult result{authority_.Verify(credentials.secret.Reveal(), presented), {}};
  metrics_.Verified(absl::FromChrono(std::chrono::steady_clock::now() - begun));
  if (const pat::Principal* who = result.decision.principal()) {
    user = users.FindAccount(who->account());  // a bearer's; of an account that is gone: nobody
    if (user == nullptr) result.decision = pat::Refusal(pat::RefusalReason::kUnknownAccount);
  }
  if (user != nullptr) result.user = user->name;
  if (Counts(result.decision)) {
    const absl::Time now = clock_();
    const std::string address = AddressKey(request.ip);
    result.retry_after = throttles_.addresses.Wait(address, now);
    throttles_.addresses.Fail(address, now);
  }
  return result;
}

SignInResult SignIn::TryPassword(const Credentials& credentials, const Request& request,
                                 const Users& users) {
  const User* user = users.Find(credentials.user);
  const std::string address = AddressKey(request.ip);
  const absl::Time now = clock_();
  SignInResult result{pat::Refusal(pat::RefusalReason::kWrongPassword), {}};
  if (user != nullptr) result.user = user->name;
  // An unknown name is counted like an account: the answers must not tell which it is.
  const std::string name = credentials.user.substr(0, kMaxUserNameBytes);
  result.retry_after =
      std::max(throttles_.addresses.Wait(address, now), throttles_.accounts.Wait(name, now));
  if (result.retry_after > absl::ZeroDuration()) return result;
  const std::string& hash = user == nullptr ? users.unfitting_hash() : user->password;
  result.decision = authority_.Authenticate(
      credentials.secret.Reveal(), PresentedBy(request, user, false),
      user != nullptr && user->two_factor(),
      [&](std::string_view password) { return PasswordFits(password, hash) && user != nullptr; });
  if (Counts(result.decision)) {
    throttles_.addresses.Fail(address, now);
    throttles_.accounts.Fail(name, now);
  }
  return result;
}

}  // namespace hub
