// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ACCESS_LEVELS_H_
#define HUB_ACCESS_LEVELS_H_

#include <string>
#include <string_view>
#include <vector>

#include "text.h"

namespace hub {

/// One of the scopes that stack, in words.
struct AccessLevel {
  std::string_view scope;
  std::string_view name;
  std::string_view meaning;
};

/// The widest first.
inline constexpr AccessLevel kAccessLevels[] = {
    {"repo:admin", "Read, write, delete", "Pull, push and delete in all of your repositories."},
    {"repo:write", "Read, write", "Pull from and push to all of your repositories."},
    {"repo:read", "Read only", "Pull from all of your repositories, private ones too."},
    {"repo:public_read", "Public repositories, read only", "Pull from public repositories alone."},
};

/// The level of that scope, or nullptr.
inline const AccessLevel* FindAccessLevel(std::string_view scope) {
  for (const AccessLevel& level : kAccessLevels) {
    if (level.scope == scope) return &level;
  }
  return nullptr;
}

/// What these scopes allow, in words: the widest of them has all that the others have.
inline std::string AccessInWords(const std::vector<std::string>& scopes) {
  for (const AccessLevel& level : kAccessLevels) {
    for (const std::string& scope : scopes) {
      if (scope == level.scope) return std::string(level.name);
    }
  }
  return Join(scopes, ", ");
}

}  // namespace hub

#endif  // HUB_ACCESS_LEVELS_H_
