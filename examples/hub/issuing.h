// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ISSUING_H_
#define HUB_ISSUING_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "metrics.h"
#include "pat/authority.h"
#include "request.h"
#include "throttle.h"
#include "users.h"

namespace hub {

/// What somebody wants who asks for a token, by API or page.
struct TokenOrder {
  std::string label;
  std::vector<std::string> scopes;
  std::string expires_at;  ///< As in the API: "2030-01-01T00:00:00Z"; empty: never.
  pat::Origin origin = pat::Origin::kManual;
  std::string_view client_id;  ///< Which part of us made it: a literal.
};

/// Makes tokens for users and keeps with each who asked for it, how and from where. Limits how many
/// an account makes in a short time, for each takes room for ever. Any thread.
class Issuing {
 public:
  Issuing(pat::Authority& authority, const Throttle::Limits& limits, Metrics& metrics,
          std::function<absl::Time()> clock)
      : authority_(authority), metrics_(metrics), clock_(std::move(clock)), throttle_(limits) {}

  /// The new token. InvalidArgument says what is wrong with the order; ResourceExhausted: too many
  /// lately, see Wait.
  absl::StatusOr<pat::Issued> Issue(const User& user, const TokenOrder& order,
                                    const Request& request);

  /// How long until the account may make another.
  absl::Duration Wait(std::string_view account) { return throttle_.Wait(account, clock_()); }

 private:
  pat::Authority& authority_;
  Metrics& metrics_;
  const std::function<absl::Time()> clock_;
  Throttle throttle_;
};

/// What a token's attributes tell of its making; empty where they do not.
struct Creation {
  std::string client_id;
  std::string ip;
  std::string user_agent;
};
Creation CreationOf(const pat::Token& token);

/// Reads "YYYY-MM-DDThh:mm:ss[.1-6 digits]Z"; none if it is anything else or no such moment.
std::optional<absl::Time> ParseApiTime(std::string_view text);

/// "YYYY-MM-DDThh:mm:ssZ".
std::string ApiTime(absl::Time time);

/// When the token expires, in the very characters that were given; none if never.
std::optional<std::string> ExpiryText(const pat::Token& token);

}  // namespace hub

#endif  // HUB_ISSUING_H_
