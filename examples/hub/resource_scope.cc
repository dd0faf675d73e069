// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "resource_scope.h"

#include <algorithm>
#include <utility>

#include "text.h"

namespace hub {
namespace {

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string_view WithoutClass(std::string_view type) {
  if (type.empty() || type.back() != ')') return type;
  return type.substr(0, type.find('('));
}

}  // namespace

bool ResourceScope::Has(std::string_view action) const {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

void ResourceScope::Add(std::string_view action) {
  if (!Has(action)) actions.emplace_back(action);
}

std::optional<ResourceScope> ParseResourceScope(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (text.size() > kMaxResourceScopeBytes || !IsPlain(text) || first == last) return {};
  ResourceScope scope;
  scope.type = WithoutClass(text.substr(0, first));
  scope.name = text.substr(first + 1, last - first - 1);
  if (scope.type.empty() || scope.name.empty()) return {};
  for (std::string_view action : SplitWords(text.substr(last + 1), ',')) {
    scope.Add(action);
  }
  return scope;
}

std::optional<std::vector<ResourceScope>> ParseResourceScopes(
    const std::vector<std::string_view>& parameters) {
  std::vector<ResourceScope> scopes;
  std::size_t count = 0;
  for (std::string_view parameter : parameters) {
    for (std::string_view text : SplitWords(parameter, ' ')) {
      if (++count > kMaxResourceScopes) return {};
      if (auto scope = ParseResourceScope(text)) scopes.push_back(*std::move(scope));
    }
  }
  return scopes;
}

std::string ToString(const std::vector<ResourceScope>& scopes) {
  std::string text;
  for (const ResourceScope& scope : scopes) {
    if (!text.empty()) text.push_back(' ');
    text.append(Cat({scope.type, ":", scope.name, ":", Join(scope.actions, ",")}));
  }
  return text;
}

}  // namespace hub
