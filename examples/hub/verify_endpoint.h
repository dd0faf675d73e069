// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_VERIFY_ENDPOINT_H_
#define HUB_VERIFY_ENDPOINT_H_

#include <optional>
#include <string>
#include <string_view>

#include "pat/authority.h"
#include "repositories.h"
#include "request.h"
#include "settings.h"
#include "sign_in.h"
#include "watched_file.h"

namespace hub {

/// ANY /verify: whether a reverse proxy may let a request through, for servers that know nothing of
/// tokens. 200 with X-Auth-User and X-Auth-Account, 401, or 403 for good credentials that may not
/// do this. The credentials are the request's own Authorization, Basic or Bearer. What it wants
/// to do is taken from one of:
///   /verify/v2/...          the method and path themselves, as Envoy's ext_authz sends them
///   X-Original-Method and X-Original-URI, as nginx's auth_request is told to send them
///   ?need=repo:read         a scope or permission, written into the proxy's configuration
/// None of them, or a call that is not a registry's: 403. Any thread.
class VerifyEndpoint {
 public:
  VerifyEndpoint(const Settings& settings, const pat::Authority& authority, SignIn& sign_in,
                 WatchedFile<Repositories>& repositories);

  Response Handle(const Request& request);

 private:
  bool MayCall(std::string_view method, std::string_view uri, const pat::Principal& principal,
               const std::string& user);
  bool May(const Request& request, const pat::Principal& principal, const std::string& user);

  const Settings& settings_;
  const pat::Authority& authority_;
  SignIn& sign_in_;
  WatchedFile<Repositories>& repositories_;
};

}  // namespace hub

#endif  // HUB_VERIFY_ENDPOINT_H_
