// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_TOKEN_ENDPOINT_H_
#define HUB_TOKEN_ENDPOINT_H_

#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "credentials.h"
#include "form.h"
#include "jwt.h"
#include "repositories.h"
#include "request.h"
#include "resource_scope.h"
#include "settings.h"
#include "sign_in.h"
#include "watched_file.h"

namespace hub {

/// GET and POST /token: what a registry sends its clients to. They present a login name with a
/// password or token; the answer is a JWT for the registry. Sources: distribution, "Token
/// Authentication Specification" and "OAuth2 Token Authentication".
///
/// Who asks for more than they have gets what they have. Whoever is refused gets 401, never 403,
/// which some clients take for a fault. Any thread.
class TokenEndpoint {
 public:
  TokenEndpoint(const Settings& settings, SignIn& sign_in, WatchedFile<Repositories>& repositories,
                const JwtSigner& signer, std::function<absl::Time()> clock);

  Response Handle(const Request& request);

  /// The credentials that Handle would judge, wherever the request has them.
  static std::optional<Credentials> CredentialsIn(const Request& request);

 private:
  Response Answer(const Request& request, const Form& form,
                  const std::optional<Credentials>& credentials);
  std::vector<ResourceScope> Grant(const std::vector<ResourceScope>& asked,
                                   const pat::Principal& principal, const std::string& user,
                                   const Repositories& repositories) const;
  Response Jwt(const std::string& user, const std::vector<ResourceScope>& granted, bool post) const;

  const Settings& settings_;
  SignIn& sign_in_;
  WatchedFile<Repositories>& repositories_;
  const JwtSigner& signer_;
  const std::function<absl::Time()> clock_;
};

}  // namespace hub

#endif  // HUB_TOKEN_ENDPOINT_H_
