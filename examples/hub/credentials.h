// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_CREDENTIALS_H_
#define HUB_CREDENTIALS_H_

#include <optional>
#include <string>
#include <string_view>

#include "request.h"
#include "secret.h"

namespace hub {

/// What a client presents: a login name with a password or token, or a token alone.
struct Credentials {
  std::string user;  ///< Meaningless for a token alone.
  bool bearer = false;
  Secret secret;
};

/// Reads an Authorization header's value: "Basic ..." (RFC 7617) or "Bearer ..." (RFC 6750). None
/// if it is neither, or malformed.
std::optional<Credentials> ParseAuthorization(std::string_view value);

/// The request's credentials; none if it has no such header, or several, or one we cannot read.
std::optional<Credentials> CredentialsOf(const Request& request);

}  // namespace hub

#endif  // HUB_CREDENTIALS_H_
