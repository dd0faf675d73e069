// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_SETTINGS_H_
#define HUB_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sign_in.h"
#include "throttle.h"

namespace hub {

/// A JWT lives on when its token is revoked, so it is short-lived. Clients want a minute at least.
inline constexpr absl::Duration kMinJwtLifetime = absl::Seconds(60);
inline constexpr absl::Duration kMaxJwtLifetime = absl::Seconds(300);

/// What the operator decides about the protocol.
struct Settings {
  std::string issuer = "hub";        ///< As in the registry's auth.token.issuer.
  std::string service = "registry";  ///< As in the registry's auth.token.service.
  std::string realm = "hub";         ///< Shown with "Basic" challenges.
  absl::Duration jwt_lifetime = absl::Seconds(120);
  /// How people and tools reach us: "https://hub.example.com", without a slash at the end.
  std::string public_url = "http://127.0.0.1";
  std::vector<std::string> metrics_from;  ///< Addresses that may read /metrics beside our own.
  std::string registry = "registry";      ///< What people put after "docker login".
  SignInLimits limits;
  Throttle::Limits new_tokens{1000, absl::Seconds(1)};  ///< Of an account.
};

}  // namespace hub

#endif  // HUB_SETTINGS_H_
