// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_SCOPE_H_
#define PAT_SCOPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "pat/permission.h"

namespace pat {

/// A named bundle of permissions: what a user picks when creating a token.
struct Scope {
  std::string name;
  PermissionSet permissions;
};

/// Docker Hub's permissions. Its four scopes stack: repo:public_read < repo:read < repo:write <
/// repo:admin, where admin is read, write and delete of repositories, never of the account.
/// Source: Docker Hub, "Personal access tokens".
inline constexpr Permission kRepoPublicRead{"repo:public_read", 0};
inline constexpr Permission kRepoRead{"repo:read", 1};
inline constexpr Permission kRepoWrite{"repo:write", 2};
inline constexpr Permission kRepoDelete{"repo:delete", 3};

/// What a host declares once: its permissions and its scopes. A store keeps the declaration,
/// sealed; a later open may extend it (new names, new bits), never change what a name means.
/// Immutable, so any number of threads may share one.
class ScopeSet {
 public:
  /// A named bit, owning its name.
  struct NamedPermission {
    std::string name;
    int bit;
  };

  /// The empty declaration: it adopts whatever the store already holds.
  ScopeSet() = default;

  /// Checks and takes a declaration: at most 64 permissions, names valid and unique among
  /// permissions and among scopes, bits 0..63 and unique, every scope of at least one permission
  /// and of declared ones only, at most 64 scopes. A scope may share a permission's name only if
  /// it includes it, lest Need(name) ask for less. InvalidArgument says what is wrong.
  static absl::StatusOr<ScopeSet> Create(absl::Span<const Permission> permissions,
                                         std::vector<Scope> scopes);

  /// Docker Hub's four levels, ready-made.
  static ScopeSet DockerHub();

  const std::vector<NamedPermission>& permissions() const { return permissions_; }
  const std::vector<Scope>& scopes() const { return scopes_; }
  bool empty() const { return permissions_.empty(); }

  /// Every permission declared.
  PermissionSet all() const {
    std::uint64_t bits = 0;
    for (const NamedPermission& p : permissions_) bits |= std::uint64_t{1} << p.bit;
    return PermissionSet::FromBits(bits);
  }

  /// The scope of that name, or nullptr.
  const Scope* FindScope(std::string_view name) const {
    for (const Scope& scope : scopes_) {
      if (scope.name == name) return &scope;
    }
    return nullptr;
  }

  /// What the named scopes grant together. InvalidArgument for an empty list (a token without a
  /// right is a mistake), an unknown name, or one given twice.
  absl::StatusOr<PermissionSet> Grant(absl::Span<const std::string> names) const;

  /// What `name` stands for where something is required: a scope's permissions, or the one
  /// permission of that name. InvalidArgument if neither is declared.
  absl::StatusOr<PermissionSet> Need(std::string_view name) const;

  /// This declaration extended by `newer`. FailedPrecondition if a name of both stands for
  /// another bit or bundle, or a bit of both has another name.
  absl::StatusOr<ScopeSet> ExtendedBy(const ScopeSet& newer) const;

 private:
  bool HasMisnamedScope() const {
    for (const NamedPermission& p : permissions_) {
      const Scope* scope = FindScope(p.name);
      if (scope != nullptr && !scope->permissions.Contains(Permission{p.name, p.bit})) return true;
    }
    return false;
  }

  std::vector<NamedPermission> permissions_;
  std::vector<Scope> scopes_;
};

inline absl::StatusOr<ScopeSet> ScopeSet::Create(absl::Span<const Permission> permissions,
                                                 std::vector<Scope> scopes) {
  ScopeSet set;
  for (const Permission& permission : permissions) {
    if (absl::Status s = ValidatePermissionName(permission.name); !s.ok()) return s;
    if (permission.bit < 0 || permission.bit >= kMaxPermissions) {
      return absl::InvalidArgumentError("a permission's bit is 0 to 63");
    }
    for (const NamedPermission& other : set.permissions_) {
      if (other.name == permission.name || other.bit == permission.bit) {
        return absl::InvalidArgumentError("two permissions share a name or a bit");
      }
    }
    set.permissions_.push_back({std::string(permission.name), permission.bit});
  }
  if (scopes.size() > kMaxPermissions) {
    return absl::InvalidArgumentError("at most 64 scopes can be declared");
  }
  const PermissionSet all = set.all();
  for (Scope& scope : scopes) {
    if (absl::Status s = ValidatePermissionName(scope.name); !s.ok()) return s;
    if (set.FindScope(scope.name) != nullptr) {
      return absl::InvalidArgumentError("two scopes share a name");
    }
    if (scope.permissions.empty() || !all.Contains(scope.permissions)) {
      return absl::InvalidArgumentError("a scope bundles one or more declared permissions");
    }
    set.scopes_.push_back(std::move(scope));
  }
  if (set.HasMisnamedScope()) {
    return absl::InvalidArgumentError("a scope named like a permission does not include it");
  }
  return set;
}

inline ScopeSet ScopeSet::DockerHub() {
  const Permission permissions[] = {kRepoPublicRead, kRepoRead, kRepoWrite, kRepoDelete};
  return *Create(permissions,
                 {{"repo:public_read", {kRepoPublicRead}},
                  {"repo:read", {kRepoPublicRead, kRepoRead}},
                  {"repo:write", {kRepoPublicRead, kRepoRead, kRepoWrite}},
                  {"repo:admin", {kRepoPublicRead, kRepoRead, kRepoWrite, kRepoDelete}}});
}

inline absl::StatusOr<PermissionSet> ScopeSet::Grant(absl::Span<const std::string> names) const {
  if (names.empty()) return absl::InvalidArgumentError("a token needs at least one scope");
  PermissionSet granted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Scope* scope = FindScope(names[i]);
    if (scope == nullptr) return absl::InvalidArgumentError("no such scope is declared");
    for (std::size_t j = 0; j < i; ++j) {
      if (names[j] == names[i]) return absl::InvalidArgumentError("a scope is given twice");
    }
    granted = granted | scope->permissions;
  }
  return granted;
}

inline absl::StatusOr<PermissionSet> ScopeSet::Need(std::string_view name) const {
  if (const Scope* scope = FindScope(name)) return scope->permissions;
  for (const NamedPermission& permission : permissions_) {
    if (permission.name == name) {
      return PermissionSet::FromBits(std::uint64_t{1} << permission.bit);
    }
  }
  return absl::InvalidArgumentError("no such scope or permission is declared");
}

inline absl::StatusOr<ScopeSet> ScopeSet::ExtendedBy(const ScopeSet& newer) const {
  ScopeSet merged = *this;
  for (const NamedPermission& permission : newer.permissions_) {
    bool known = false;
    for (const NamedPermission& mine : permissions_) {
      if (mine.name != permission.name && mine.bit != permission.bit) continue;
      if (mine.name != permission.name || mine.bit != permission.bit) {
        return absl::FailedPreconditionError("permission '" + permission.name +
                                             "' stands for another bit in this store");
      }
      known = true;
    }
    if (!known) merged.permissions_.push_back(permission);
  }
  for (const Scope& scope : newer.scopes_) {
    const Scope* mine = FindScope(scope.name);
    if (mine == nullptr) {
      merged.scopes_.push_back(scope);
    } else if (mine->permissions != scope.permissions) {
      return absl::FailedPreconditionError("scope '" + scope.name +
                                           "' bundles other permissions in this store");
    }
  }
  if (merged.scopes_.size() > kMaxPermissions) {
    return absl::FailedPreconditionError("the store holds 64 scopes already");
  }
  if (merged.HasMisnamedScope()) {
    return absl::FailedPreconditionError("a scope named like a permission does not include it");
  }
  return merged;
}

}  // namespace pat

#endif  // PAT_SCOPE_H_
