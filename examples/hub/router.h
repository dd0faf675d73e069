// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ROUTER_H_
#define HUB_ROUTER_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "request.h"

namespace hub {

/// What answers the requests of a path.
struct Route {
  std::string path;        ///< "/token"; also the route's name in the log.
  bool and_below = false;  ///< Paths below it ("/verify/...") are its as well.
  std::function<Response(const Request&)> handle;
  /// Whether handle would take long (a password check): such a request is run where it keeps no
  /// other waiting. Empty: never.
  std::function<bool(const Request&)> is_slow;
};

/// Finds a path's route. Filled by the Register functions before the first request and not changed
/// then, so any number of threads may look.
class Router {
 public:
  void Add(Route route) { routes_.push_back(std::move(route)); }

  /// The path's own route, or the one it is below, or that of the path without its last slash;
  /// nullptr if there is none.
  const Route* Find(std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

/// A route's is_slow for one whose every POST checks a password.
bool IsPost(const Request& request);

}  // namespace hub

#endif  // HUB_ROUTER_H_
