// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_RESOURCE_SCOPE_H_
#define HUB_RESOURCE_SCOPE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hub {

/// Most scopes one token request may name, and the longest of them.
inline constexpr std::size_t kMaxResourceScopes = 32;
inline constexpr std::size_t kMaxResourceScopeBytes = 1024;

/// Access to one resource, as a registry's client asks for it and a JWT grants it. Source:
/// distribution, "Token Scope Documentation".
struct ResourceScope {
  std::string type;  ///< "repository", "registry"; a class in parentheses is left out.
  std::string name;  ///< May begin with host:port.
  std::vector<std::string> actions;

  bool Has(std::string_view action) const;
  /// Appends an action that is not there yet.
  void Add(std::string_view action);
};

/// Reads `type[(class)]:name:action[,action]`, which is split at the first and the last colon.
/// None if it is not of that form.
std::optional<ResourceScope> ParseResourceScope(std::string_view text);

/// Reads scope parameters, each of which may hold several scopes with blanks between. What is not
/// of the form is left out: it grants nothing. None if there are too many.
std::optional<std::vector<ResourceScope>> ParseResourceScopes(
    const std::vector<std::string_view>& parameters);

/// The scopes as one text, blanks between.
std::string ToString(const std::vector<ResourceScope>& scopes);

}  // namespace hub

#endif  // HUB_RESOURCE_SCOPE_H_
