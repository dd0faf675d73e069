// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_API_ANSWER_H_
#define HUB_API_ANSWER_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "json.h"
#include "request.h"
#include "secret.h"
#include "sign_in.h"

// The errors of the JSON API: flat objects of strings with the same text as "detail" and "message",
// for some tools read one and some the other.

namespace hub {

Response ApiError(int status, std::string_view message, std::string_view reason = {});

/// 401 with a Bearer challenge.
Response ApiUnauthorized(std::string_view message, std::string_view reason);

/// 429: wait so long.
Response ApiThrottled(absl::Duration wait, std::string_view message);

/// 503: nothing was changed.
Response ApiUnavailable();

/// The answer to a refused sign-in by token.
Response ApiRefused(const SignInResult& result);

/// What a management call of libpat failed with: 400, 404, 409 (damaged rows) or 503.
Response ApiFailure(const absl::Status& status);

/// 405, with what is allowed.
Response ApiWrongMethod(std::string_view allowed);

/// The body, which must be a JSON object; none if it is not.
std::optional<Json> JsonBody(const Request& request);

/// A member that is a string; none if it is absent or something else.
std::optional<std::string> StringIn(const Json& object, const char* name);

/// A member that is a string, taken out of the object.
std::optional<Secret> SecretIn(Json& object, const char* name);

}  // namespace hub

#endif  // HUB_API_ANSWER_H_
