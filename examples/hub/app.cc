// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "app.h"

#include "json.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

enum class Route { kToken, kVerify, kHealth, kOther };

struct Named {
  Route route;
  std::string_view path;
  bool and_below;  ///< Paths below it are its as well.
};

constexpr Named kRoutes[] = {
    {Route::kToken, "/token", false},
    {Route::kVerify, "/verify", true},
    {Route::kHealth, "/healthz", false},
};

Named RouteOf(std::string_view path) {
  for (const Named& named : kRoutes) {
    if (path == named.path) return named;
    if (named.and_below && StartsWith(path, named.path) && path[named.path.size()] == '/') {
      return named;
    }
  }
  return {Route::kOther, "other", false};
}

}  // namespace

App::App(const Settings& settings, const Foundations& foundations)
    : settings_(settings),
      authority_(foundations.authority),
      sign_in_(foundations.authority, foundations.users, settings.limits, foundations.clock),
      token_(settings_, sign_in_, foundations.repositories, foundations.signer, foundations.clock),
      verify_(settings_, foundations.authority, sign_in_, foundations.repositories) {}

std::string_view App::RouteName(const Request& request) { return RouteOf(request.path).path; }

Response App::Handle(const Request& request) {
  if (request.body.size() > kMaxBodyBytes) return Mistake(413, "the body is too large");
  switch (RouteOf(request.path).route) {
    case Route::kToken: return token_.Handle(request);
    case Route::kVerify: return verify_.Handle(request);
    case Route::kHealth: return Health();
    case Route::kOther: break;
  }
  return Mistake(404, "not found");
}

bool App::IsSlow(const Request& request) const {
  const Route route = RouteOf(request.path).route;
  std::optional<Credentials> credentials;
  if (route == Route::kToken) credentials = TokenEndpoint::CredentialsIn(request);
  if (route == Route::kVerify) credentials = CredentialsOf(request);
  return credentials && sign_in_.IsSlow(*credentials);
}

Response App::Health() {
  const bool good = authority_.Health().ok();
  return JsonResponse(good ? 200 : 503, {{"status", good ? "ok" : "unavailable"}});
}

}  // namespace hub
