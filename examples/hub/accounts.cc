// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "accounts.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base64.h"
#include "password.h"
#include "pat/token_text.h"
#include "secret.h"
#include "text.h"
#include "totp.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;

constexpr std::size_t kMinPasswordBytes = 8;

/// The step of the user's code, if it is one now and not of before.
std::optional<std::int64_t> StepOf(const User* user, std::string_view code, absl::Time now) {
  if (user == nullptr) return std::nullopt;
  std::optional<std::string> key = FromBase32(user->totp);
  if (!key || key->empty()) return std::nullopt;
  const auto step = MatchTotp(*key, code, now, user->totp_step);
  Wipe(*key);
  return step;
}

}  // namespace

Accounts::Accounts(pat::Authority& authority, WatchedFile<Users>& users, SignInThrottles& throttles,
                   Metrics& metrics, std::function<absl::Time()> clock)
    : authority_(authority),
      users_(users),
      throttles_(throttles),
      metrics_(metrics),
      clock_(std::move(clock)) {}

LoginResult Accounts::Refusal(std::string_view reason) {
  LoginResult result;
  result.outcome = Outcome::kRefused;
  result.reason = reason;
  metrics_.Refused(reason);
  return result;
}

LoginResult Accounts::Throttled(absl::Duration wait) {
  LoginResult result;
  result.outcome = Outcome::kThrottled;
  result.retry_after = wait;
  result.reason = "throttled";
  metrics_.Refused(result.reason);
  return result;
}

LoginResult Accounts::CheckPassword(std::string_view name, std::string_view password,
                                    std::string_view ip) {
  const auto users = users_.Get();
  if (!users.ok()) return {};
  const absl::Time now = clock_();
  const std::string address = AddressKey(ip);
  // An unknown name is counted like an account: the answers must not tell which it is.
  const std::string key(name.substr(0, kMaxUserNameBytes));
  const absl::Duration wait =
      std::max(throttles_.addresses.Wait(address, now), throttles_.accounts.Wait(key, now));
  if (wait > absl::ZeroDuration()) return Throttled(wait);
  const bool token = pat::LooksLikeToken(password, authority_.prefixes());
  const User* const user = (*users)->Find(name);
  const std::string& hash = user == nullptr ? (*users)->unfitting_hash() : user->password;
  if (token || !PasswordFits(password, hash) || user == nullptr) {
    throttles_.addresses.Fail(address, now);
    throttles_.accounts.Fail(key, now);
    return Refusal(user == nullptr ? "unknown_account" : "wrong_password");
  }
  LoginResult result;
  if (!user->two_factor()) metrics_.Accepted(pat::Principal::Method::kPassword);
  result.outcome = user->two_factor() ? Outcome::kCodeNeeded : Outcome::kAccepted;
  result.user = *user;
  return result;
}

LoginResult Accounts::CheckCode(std::string_view account, std::string_view code,
                                std::string_view ip) {
  const absl::Time now = clock_();
  const std::string address = AddressKey(ip);
  const absl::Duration wait =
      std::max(throttles_.addresses.Wait(address, now), throttles_.codes.Wait(account, now));
  if (wait > absl::ZeroDuration()) return Throttled(wait);
  const auto users_now = users_.Get();
  if (!users_now.ok()) return {};
  LoginResult result;
  absl::Status updated = absl::CancelledError();
  if (StepOf((*users_now)->FindAccount(account), code, now)) {
    updated = UpdateUsers(users_.path(), [&](Users& users) {
      const User* const user = users.FindAccount(account);
      const auto step = StepOf(user, code, now);
      if (!step) return absl::CancelledError();
      result.user = *user;
      result.user.totp_step = *step;
      return users.Replace(result.user);
    });
  }
  if (absl::IsCancelled(updated)) {
    throttles_.addresses.Fail(address, now);
    throttles_.codes.Fail(account, now);
    return Refusal("wrong_code");
  }
  if (!updated.ok()) return {};
  metrics_.Accepted(pat::Principal::Method::kPassword);
  result.outcome = Outcome::kAccepted;
  return result;
}

absl::StatusOr<LoginResult> Accounts::ChangePassword(std::string_view account,
                                                     std::string_view current,
                                                     std::string_view next, std::string_view ip) {
  if (next.size() < kMinPasswordBytes || next.size() > kMaxPasswordBytes) {
    return absl::InvalidArgumentError("a password has 8 to 1024 bytes");
  }
  if (pat::LooksLikeToken(next, authority_.prefixes())) {
    return absl::InvalidArgumentError("a password must not look like a token");
  }
  const absl::StatusOr<User> user = Find(account);
  if (!user.ok()) return LoginResult();
  LoginResult result = CheckPassword(user->name, current, ip);
  if (result.outcome != Outcome::kAccepted && result.outcome != Outcome::kCodeNeeded) return result;
  const absl::StatusOr<std::string> hash = HashPassword(next, CostOf(user->password));
  if (!hash.ok()) return LoginResult();
  const absl::Status updated = UpdateUsers(users_.path(), [&](Users& users) {
    const User* const stored = users.FindAccount(account);
    // Somebody else may have set another one meanwhile.
    if (stored == nullptr || stored->password != user->password) return absl::CancelledError();
    result.user = *stored;
    result.user.password = *hash;
    return users.Replace(result.user);
  });
  if (absl::IsCancelled(updated)) return Refusal("wrong_password");
  if (!updated.ok()) return LoginResult();
  result.outcome = Outcome::kAccepted;
  return result;
}

absl::Status Accounts::ChangeEmail(std::string_view account, std::string_view email) {
  if (absl::Status s = ValidateEmail(email); !s.ok()) return s;
  return UpdateUsers(users_.path(), [&](Users& users) {
    const User* const stored = users.FindAccount(account);
    if (stored == nullptr) return absl::NotFoundError("no such account");
    User user = *stored;
    user.email = email;
    return users.Replace(user);
  });
}

absl::StatusOr<User> Accounts::Find(std::string_view account) {
  const auto users = users_.Get();
  if (!users.ok()) return absl::UnavailableError("the users cannot be read");
  const User* const user = (*users)->FindAccount(account);
  if (user == nullptr) return absl::NotFoundError("no such account");
  return *user;
}

absl::StatusOr<std::vector<std::string>> Accounts::All() {
  const auto users = users_.Get();
  if (!users.ok()) return absl::UnavailableError("the users cannot be read");
  return (*users)->Accounts();
}

std::string Accounts::Version(const User& user) {
  const std::string text = Cat({"hub account version:", user.password, ":", user.totp});
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return Base64Url({reinterpret_cast<const char*>(digest.data()), 12});
}

}  // namespace hub
