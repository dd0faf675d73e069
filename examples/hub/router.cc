// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "router.h"

#include "text.h"

namespace hub {

const Route* Router::Find(std::string_view path) const {
  const Route* best = nullptr;
  const bool slash = path.size() > 1 && path.back() == '/';
  const std::string_view without = path.substr(0, path.size() - (slash ? 1 : 0));
  for (const Route& route : routes_) {
    if (route.path == path) return &route;
    const bool below =
        route.and_below && StartsWith(path, route.path) && path[route.path.size()] == '/';
    if ((below || route.path == without) &&
        (best == nullptr || route.path.size() > best->path.size())) {
      best = &route;
    }
  }
  return best;
}

bool IsPost(const Request& request) { return request.method == "POST"; }

}  // namespace hub
