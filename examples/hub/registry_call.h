// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_REGISTRY_CALL_H_
#define HUB_REGISTRY_CALL_H_

#include <optional>
#include <string>
#include <string_view>

namespace hub {

/// What a call of a registry's HTTP API does. Source: OCI Distribution Specification 1.1.
struct RegistryCall {
  enum class Need { kNothing, kPull, kPush, kDelete };

  std::string repository;  ///< Empty for GET /v2/, which needs nothing but a good sign-in.
  Need need = Need::kNothing;
  std::string mounted_from;  ///< A blob mount's other repository, which must be readable; or empty.
};

/// Reads a call by its method and URI (path and query, as sent). None for whatever is not surely
/// one: the catalog, other paths, and spellings that a server behind could read in another way.
std::optional<RegistryCall> ParseRegistryCall(std::string_view method, std::string_view uri);

}  // namespace hub

#endif  // HUB_REGISTRY_CALL_H_
