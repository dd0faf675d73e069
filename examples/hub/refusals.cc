// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "refusals.h"

#include <algorithm>
#include <cstdint>

#include "json.h"
#include "pat/principal.h"
#include "text.h"

namespace hub {
namespace {

Response Error(int status, std::string_view error, std::string_view details) {
  return JsonResponse(status, {{"error", error}, {"details", details}});
}

}  // namespace

std::string WholeSeconds(absl::Duration wait) {
  const std::int64_t whole = absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1)));
  return std::to_string(std::max<std::int64_t>(whole, 1));
}

Response Unauthorized(std::string_view realm, std::string_view reason) {
  Response response = Error(401, "invalid_grant", pat::Refusal::public_message());
  response.headers.emplace_back("WWW-Authenticate", Cat({"Basic realm=\"", realm, "\""}));
  response.note.reason = reason;
  return response;
}

Response Refused(const SignInResult& result, std::string_view realm) {
  if (result.retry_after > absl::ZeroDuration()) {
    Response response =
        Error(429, "slow_down", "Too many failed sign-ins. Wait a little, then try again.");
    response.headers.emplace_back("Retry-After", WholeSeconds(result.retry_after));
    response.note = {result.user, "throttled"};
    return response;
  }
  const pat::Refusal refusal = *result.decision.refusal();
  Response response;
  if (refusal.http_status() == 503) {
    response = Error(503, refusal.oauth_error(), "The service cannot answer now. Try again.");
    response.headers.emplace_back("Retry-After", "5");
  } else {
    response = Unauthorized(realm, {});
  }
  response.note = {result.user, pat::ToString(refusal.reason())};
  return response;
}

Response Mistake(int status, std::string_view details) {
  return JsonResponse(status, {{"error", "invalid_request"},
                               {"details", details},
                               {"detail", details},
                               {"message", details}});
}

}  // namespace hub
