// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_REPOSITORIES_H_
#define HUB_REPOSITORIES_H_

#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "pat/principal.h"

namespace hub {

/// What may be done to one repository.
struct RepositoryActions {
  bool pull = false;
  bool push = false;
  bool remove = false;

  bool none() const { return !pull && !push && !remove; }
};

/// Which repositories there are rules for, and the rule: the first part of a repository's name is
/// its owner's name. An owner's token may do what its scopes say; anybody's token that can read
/// public repositories may pull one that is public. A name of one part belongs to nobody.
class Repositories {
 public:
  /// Reads a file of public repositories, a name a line; '#' begins a comment.
  static absl::StatusOr<Repositories> Read(const std::string& path);
  static absl::StatusOr<Repositories> Parse(std::string_view text);

  bool IsPublic(std::string_view name) const { return public_.find(name) != public_.end(); }

  /// What `principal`, whose login name is `user`, may do to the repository `name`.
  RepositoryActions ActionsOf(const pat::Principal& principal, std::string_view user,
                              std::string_view name) const;

 private:
  std::set<std::string, std::less<>> public_;
};

/// Whether `name` can name a repository: parts of [a-z0-9._-] that begin and end with a letter or
/// digit, slashes between, 255 bytes at most.
bool IsRepositoryName(std::string_view name);

}  // namespace hub

#endif  // HUB_REPOSITORIES_H_
