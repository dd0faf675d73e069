// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_CONTEXT_H_
#define HUB_CONTEXT_H_

#include <functional>

#include "absl/time/time.h"
#include "accounts.h"
#include "bearer.h"
#include "issuing.h"
#include "jwt.h"
#include "metrics.h"
#include "pat/authority.h"
#include "repositories.h"
#include "router.h"
#include "settings.h"
#include "sign_in.h"
#include "watched_file.h"

namespace hub {

/// What the parts of the server stand on. All of it outlives every route.
struct Context {
  const Settings& settings;
  pat::Authority& authority;
  SignIn& sign_in;     ///< Decides about a request's own credentials: tokens above all.
  Accounts& accounts;  ///< Who can sign in by hand, and what they can change about themselves.
  Issuing& issuing;    ///< Makes users' tokens.
  WatchedFile<Repositories>& repositories;
  const JwtSigner& signer;      ///< For registries.
  const BearerSigner& bearers;  ///< For ourselves.
  Metrics& metrics;
  std::function<absl::Time()> clock;
};

// The parts: each adds its routes.

void RegisterTokenEndpoint(Router& router, const Context& context);   ///< /token
void RegisterVerifyEndpoint(Router& router, const Context& context);  ///< /verify
void RegisterLogin(Router& router, const Context& context);           ///< /v2/users/login, ...
void RegisterAccessTokens(Router& router, const Context& context);    ///< /v2/access-tokens
void RegisterAccount(Router& router, const Context& context);         ///< /account/...
void RegisterOperations(Router& router, const Context& context);      ///< /healthz, /metrics
void RegisterPage(Router& router, const Context& context);            ///< What people see.

}  // namespace hub

#endif  // HUB_CONTEXT_H_
