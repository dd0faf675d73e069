// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_PRINCIPAL_H_
#define PAT_PRINCIPAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "pat/permission.h"
#include "pat/token.h"

namespace pat {

/// Whom the presented secret is said to belong to. The host resolves a login name to its own
/// account id first; a claim borrows the id's bytes for the call.
class Claim {
 public:
  /// Nothing is said (a bearer token alone): the token tells the account.
  static constexpr Claim None() { return Claim(Kind::kNone, {}); }
  /// This account: a token of any other is refused.
  static constexpr Claim Account(std::string_view id) { return Claim(Kind::kAccount, id); }
  /// A login name the host does not know: always refused, after the same work.
  static constexpr Claim Unknown() { return Claim(Kind::kUnknown, {}); }

  constexpr bool is_none() const { return kind_ == Kind::kNone; }
  constexpr bool is_unknown() const { return kind_ == Kind::kUnknown; }
  constexpr std::string_view account() const { return account_; }

 private:
  enum class Kind { kNone, kAccount, kUnknown };
  constexpr Claim(Kind kind, std::string_view account) : kind_(kind), account_(account) {}
  Kind kind_;
  std::string_view account_;
};

/// Why a presented secret was refused. For logs and metrics: what is sent to the client is
/// Refusal::public_message(), the same for all.
enum class RefusalReason {
  kNotToken,      ///< Not the text of a token: prefix, length or alphabet.
  kBadChecksum,   ///< Mistyped or cut.
  kForged,        ///< Well-formed, but no store of ours issued this selector.
  kUnknownToken,  ///< The token was purged, or the store lost it.
  kWrongSecret,   ///< The secret does not fit, or the record was tampered with.
  kDeleted,
  kExpired,
  kInactive,
  kWrongAccount,       ///< A good token of another account than the claimed one.
  kUnknownAccount,     ///< The claim was Claim::Unknown().
  kMissingPermission,  ///< A good token (or password) that may not do this.
  kWrongPassword,
  kPasswordRefused,  ///< Two-factor authentication is on: only tokens are accepted.
  kUnavailable,      ///< The store or the keys cannot be read (see Authority::Health).
};

/// The name of a reason in snake case: "not_token", "bad_checksum", ...
constexpr std::string_view ToString(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kNotToken: return "not_token";
    case RefusalReason::kBadChecksum: return "bad_checksum";
    case RefusalReason::kForged: return "forged";
    case RefusalReason::kUnknownToken: return "unknown_token";
    case RefusalReason::kWrongSecret: return "wrong_secret";
    case RefusalReason::kDeleted: return "deleted";
    case RefusalReason::kExpired: return "expired";
    case RefusalReason::kInactive: return "inactive";
    case RefusalReason::kWrongAccount: return "wrong_account";
    case RefusalReason::kUnknownAccount: return "unknown_account";
    case RefusalReason::kMissingPermission: return "missing_permission";
    case RefusalReason::kWrongPassword: return "wrong_password";
    case RefusalReason::kPasswordRefused: return "password_refused";
    case RefusalReason::kUnavailable: return "unavailable";
  }
  return "unknown";
}

/// Why not. Holds no memory and no secret.
class [[nodiscard]] Refusal {
 public:
  constexpr explicit Refusal(RefusalReason reason) : reason_(reason) {}

  constexpr RefusalReason reason() const { return reason_; }

  /// One sentence for every refused sign-in, so that it tells an attacker nothing.
  static constexpr std::string_view public_message() {
    return "Wrong user name, password or token. If the account has two-factor authentication, use "
           "an access token.";
  }

  /// For HTTP, after RFC 6750 section 3.1: 401 "invalid_token" for every bad token, 403
  /// "insufficient_scope" only for a good one that lacks a permission. 503 when unavailable.
  constexpr int http_status() const {
    if (reason_ == RefusalReason::kUnavailable) return 503;
    return reason_ == RefusalReason::kMissingPermission ? 403 : 401;
  }
  constexpr std::string_view oauth_error() const {
    if (reason_ == RefusalReason::kUnavailable) return "temporarily_unavailable";
    return reason_ == RefusalReason::kMissingPermission ? "insufficient_scope" : "invalid_token";
  }

 private:
  RefusalReason reason_;
};

/// The answer to "may they?": allowed, or a Refusal. Must be looked at.
class [[nodiscard]] Permit {
 public:
  static constexpr Permit Allowed() { return Permit(true, RefusalReason::kMissingPermission); }
  static constexpr Permit Refused(RefusalReason reason) { return Permit(false, reason); }

  constexpr bool allowed() const { return allowed_; }
  /// Meaningful only if not allowed.
  constexpr Refusal refusal() const { return Refusal(reason_); }

 private:
  constexpr Permit(bool allowed, RefusalReason reason) : allowed_(allowed), reason_(reason) {}
  bool allowed_;
  RefusalReason reason_;
};

/// Who came in, and how. A copy of what was decided: it does not follow a later revocation, so do
/// not keep it beyond the request. Holds no memory of its own and no secret. Made of an id that is
/// no account id (not 1..128 bytes) it is nobody: an empty account() and no rights at all.
class Principal {
 public:
  enum class Method { kToken, kPassword };

  /// Somebody who came in by token `token_id`; what Authority::Verify makes.
  static Principal ByToken(std::string_view account, std::uint64_t token_id,
                           PermissionSet permissions, Origin origin) {
    return Principal(account, Method::kToken, token_id, permissions, origin);
  }
  /// Somebody who came in by password; what Authority::Authenticate makes.
  static Principal ByPassword(std::string_view account, PermissionSet permissions) {
    return Principal(account, Method::kPassword, 0, permissions, Origin::kManual);
  }

  std::string_view account() const { return {account_.data(), account_size_}; }
  /// Likewise, and zeros behind it: for a copy of fixed size.
  const std::array<char, kMaxAccountBytes>& padded_account() const { return account_; }
  Method method() const { return method_; }
  std::uint64_t token_id() const { return token_id_; }  ///< 0 for a password.
  Origin origin() const { return origin_; }             ///< Of the token.
  PermissionSet permissions() const { return permissions_; }

  /// Whether they may do what needs `permission` (or all of a set; the empty set needs nothing and
  /// is allowed). Denies by default.
  Permit Require(const Permission& permission) const { return Require(PermissionSet{permission}); }
  Permit Require(PermissionSet needed) const {
    return permissions_.Contains(needed) ? Permit::Allowed()
                                         : Permit::Refused(RefusalReason::kMissingPermission);
  }

  /// Whether they may administer the account itself: change password or e-mail, manage tokens.
  /// Never for who came in by token, whatever its scopes: no permission can express it.
  Permit RequireAccountAdmin() const {
    return method_ == Method::kPassword && account_size_ != 0
               ? Permit::Allowed()
               : Permit::Refused(RefusalReason::kMissingPermission);
  }

 private:
  Principal(std::string_view account, Method method, std::uint64_t token_id,
            PermissionSet permissions, Origin origin)
      : token_id_(token_id), method_(method), origin_(origin) {
    // Never cut: the first 128 bytes of a longer id are another account's.
    if (account.empty() || account.size() > kMaxAccountBytes) return;
    const std::size_t n = account.size();
    if (n >= 8 && n <= 16) {  // most are: words that overlap instead of a call
      std::memcpy(account_.data(), account.data(), 8);
      std::memcpy(account_.data() + n - 8, account.data() + n - 8, 8);
    } else {
      std::memcpy(account_.data(), account.data(), n);
    }
    account_size_ = n;
    permissions_ = permissions;
  }

  std::size_t account_size_ = 0;
  std::uint64_t token_id_;
  PermissionSet permissions_;
  Method method_;
  Origin origin_;
  std::array<char, kMaxAccountBytes> account_{};  // Zeros: a copy must not carry stack bytes.
};

/// What Verify and Authenticate return: a Principal, or a Refusal. Held inline.
///
///     pat::Decision decision = authority->Verify(text);
///     if (const pat::Principal* who = decision.principal()) { ... }
class [[nodiscard]] Decision {
 public:
  Decision(const Principal& principal) : principal_(principal), accepted_(true) {}  // NOLINT
  Decision(Refusal refusal) : refusal_(refusal), accepted_(false) {}                // NOLINT
  /// Of Principal::ByToken, made in its place.
  Decision(std::string_view account, std::uint64_t token_id, PermissionSet permissions,
           Origin origin)
      : principal_(Principal::ByToken(account, token_id, permissions, origin)), accepted_(true) {}

  /// Who it is, or nullptr if refused. Valid while this object lives.
  const Principal* principal() const { return accepted_ ? &principal_ : nullptr; }
  /// Why not, or nullptr if accepted.
  const Refusal* refusal() const { return accepted_ ? nullptr : &refusal_; }

 private:
  union {
    Principal principal_;
    Refusal refusal_;
  };
  bool accepted_;
};

}  // namespace pat

#endif  // PAT_PRINCIPAL_H_
