// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "app.h"

#include "refusals.h"

namespace hub {

App::App(const Settings& settings, const Foundations& foundations)
    : settings_(settings),
      throttles_(settings.limits),
      sign_in_(foundations.authority, foundations.users, throttles_, metrics_, foundations.clock),
      accounts_(foundations.authority, foundations.users, throttles_, metrics_, foundations.clock),
      issuing_(foundations.authority, settings.new_tokens, metrics_, foundations.clock),
      bearers_(foundations.signer.DeriveKey("hub api bearer"), settings.issuer) {
  const Context context{settings_, foundations.authority,    sign_in_,           accounts_,
                        issuing_,  foundations.repositories, foundations.signer, bearers_,
                        metrics_,  foundations.clock};
  RegisterTokenEndpoint(router_, context);
  RegisterVerifyEndpoint(router_, context);
  RegisterLogin(router_, context);
  RegisterAccessTokens(router_, context);
  RegisterAccount(router_, context);
  RegisterOperations(router_, context);
  RegisterPage(router_, context);
}

std::string_view App::RouteName(const Request& request) const {
  const Route* const route = router_.Find(request.path);
  return route == nullptr ? std::string_view("other") : route->path;
}

Response App::Handle(const Request& request) {
  Response response;
  const Route* const route = router_.Find(request.path);
  if (request.body.size() > kMaxBodyBytes) {
    response = Mistake(413, "the body is too large");
  } else {
    response = route == nullptr ? Mistake(404, "not found") : route->handle(request);
  }
  metrics_.Answered(response.status);
  return response;
}

bool App::IsSlow(const Request& request) const {
  const Route* const route = router_.Find(request.path);
  return route != nullptr && route->is_slow && route->is_slow(request);
}

}  // namespace hub
