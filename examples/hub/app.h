// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_APP_H_
#define HUB_APP_H_

#include <functional>
#include <string_view>

#include "absl/time/time.h"
#include "accounts.h"
#include "bearer.h"
#include "context.h"
#include "issuing.h"
#include "jwt.h"
#include "metrics.h"
#include "pat/authority.h"
#include "repositories.h"
#include "request.h"
#include "router.h"
#include "settings.h"
#include "sign_in.h"
#include "users.h"
#include "watched_file.h"

namespace hub {

/// What the app stands on. All of it outlives the app.
struct Foundations {
  pat::Authority& authority;
  WatchedFile<Users>& users;
  WatchedFile<Repositories>& repositories;
  const JwtSigner& signer;
  std::function<absl::Time()> clock;
};

/// The whole server but its transport: a request in, a response out. Any thread.
class App {
 public:
  App(const Settings& settings, const Foundations& foundations);
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  Response Handle(const Request& request);

  /// Whether Handle would take long (a password check): transports run such a request where it
  /// keeps no other waiting.
  bool IsSlow(const Request& request) const;

  /// A name for the log: the path if it is one of ours, else "other", for people paste secrets
  /// into addresses too.
  std::string_view RouteName(const Request& request) const;

 private:
  const Settings settings_;
  Metrics metrics_;
  SignInThrottles throttles_;
  SignIn sign_in_;
  Accounts accounts_;
  Issuing issuing_;
  const BearerSigner bearers_;
  Router router_;
};

}  // namespace hub

#endif  // HUB_APP_H_
