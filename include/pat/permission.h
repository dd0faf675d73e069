// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_PERMISSION_H_
#define PAT_PERMISSION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "absl/status/status.h"

namespace pat {

/// Most permissions a host can declare: one bit each of a 64-bit word.
inline constexpr int kMaxPermissions = 64;

/// Longest name of a permission or a scope, in bytes.
inline constexpr std::size_t kMaxNameLength = 64;

/// One thing a token may be allowed to do: a name and a bit, both chosen by the host and fixed for
/// the life of its stores. Declare permissions as constants:
///
///     constexpr pat::Permission kRepoRead{"repo:read", 1};
///
/// `name` must outlive the value (use literals). `bit` is 0..63; a bit out of that range is in no
/// PermissionSet, so requiring it always refuses.
struct Permission {
  std::string_view name;
  int bit = -1;
};

/// A set of permissions, as bits. A plain value; every operation is constant time and total.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;

  /// The set of the given permissions. A permission with a bit outside 0..63 makes the set
  /// unsatisfiable rather than smaller: see satisfiable().
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const Permission& permission : permissions) *this = *this | Of(permission);
  }

  static constexpr PermissionSet FromBits(std::uint64_t bits) {
    PermissionSet set;
    set.bits_ = bits;
    return set;
  }

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0 && satisfiable_; }

  /// False if the set was built from a permission that no token can have. Nothing contains such a
  /// set, itself included: a mistake in a declaration denies, it never grants.
  constexpr bool satisfiable() const { return satisfiable_; }

  /// Whether all of `other` (or the one permission) is in this set. Every set contains the empty
  /// one: who requires nothing is refused nothing.
  constexpr bool Contains(const Permission& permission) const { return Contains(Of(permission)); }
  constexpr bool Contains(PermissionSet other) const {
    return other.satisfiable_ && (other.bits_ & ~bits_) == 0;
  }

  friend constexpr PermissionSet operator|(PermissionSet a, PermissionSet b) {
    PermissionSet set = FromBits(a.bits_ | b.bits_);
    set.satisfiable_ = a.satisfiable_ && b.satisfiable_;
    return set;
  }
  friend constexpr bool operator==(PermissionSet a, PermissionSet b) {
    return a.bits_ == b.bits_ && a.satisfiable_ == b.satisfiable_;
  }
  friend constexpr bool operator!=(PermissionSet a, PermissionSet b) { return !(a == b); }

 private:
  static constexpr PermissionSet Of(const Permission& permission) {
    PermissionSet set;
    if (permission.bit >= 0 && permission.bit < kMaxPermissions) {
      set.bits_ = std::uint64_t{1} << permission.bit;
    } else {
      set.satisfiable_ = false;
    }
    return set;
  }

  std::uint64_t bits_ = 0;
  bool satisfiable_ = true;
};

/// OK if `name` can name a permission or a scope: 1..64 characters of [a-z0-9:._-], the first a
/// letter or digit, and not in the reserved space `account` or `account:...`, which stands for
/// managing the account itself and can never be given to a token. InvalidArgument otherwise.
inline absl::Status ValidatePermissionName(std::string_view name) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kMaxNameLength) {
    return absl::InvalidArgumentError("a permission or scope name has 1 to 64 characters");
  }
  for (char c : name) {
    if (!is_word(c) && c != ':' && c != '.' && c != '_' && c != '-') {
      return absl::InvalidArgumentError("a permission or scope name is made of [a-z0-9:._-]");
    }
  }
  if (!is_word(name.front())) {
    return absl::InvalidArgumentError("a permission or scope name begins with a letter or digit");
  }
  if (name == "account" || name.substr(0, 8) == "account:") {
    return absl::InvalidArgumentError(
        "names account:* are reserved: no token can administer an account");
  }
  return absl::OkStatus();
}

}  // namespace pat

#endif  // PAT_PERMISSION_H_
