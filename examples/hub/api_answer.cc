// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "api_answer.h"

#include <string>

#include "pat/principal.h"
#include "refusals.h"

namespace hub {

Response ApiError(int status, std::string_view message, std::string_view reason) {
  Response response = JsonResponse(status, {{"detail", message}, {"message", message}});
  response.note.reason = reason;
  return response;
}

Response ApiUnauthorized(std::string_view message, std::string_view reason) {
  Response response = ApiError(401, message, reason);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Response ApiThrottled(absl::Duration wait, std::string_view message) {
  Response response = ApiError(429, message, "throttled");
  response.headers.emplace_back("Retry-After", WholeSeconds(wait));
  return response;
}

Response ApiUnavailable() {
  Response response = ApiError(503, "The service cannot answer now. Try again.", "unavailable");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

Response ApiRefused(const SignInResult& result) {
  const pat::Refusal refusal = *result.decision.refusal();
  Response response;
  if (result.retry_after > absl::ZeroDuration()) {
    response = ApiThrottled(result.retry_after, "Too many failed sign-ins. Wait, then try again.");
  } else if (refusal.http_status() == 503) {
    response = ApiUnavailable();
  } else {
    response = ApiUnauthorized(pat::Refusal::public_message(), pat::ToString(refusal.reason()));
  }
  response.note.user = result.user;
  return response;
}

Response ApiFailure(const absl::Status& status) {
  const std::string why(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: return ApiError(400, why, "invalid");
    case absl::StatusCode::kNotFound: return ApiError(404, "access token not found", "not_found");
    case absl::StatusCode::kDataLoss:
      return ApiError(409, "This token is damaged in the store. Delete it.", "damaged");
    default: return ApiUnavailable();
  }
}

Response ApiWrongMethod(std::string_view allowed) {
  Response response = ApiError(405, "method not allowed", "method");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

std::optional<Json> JsonBody(const Request& request) {
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return std::nullopt;
  return body;
}

std::optional<std::string> StringIn(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<Secret> SecretIn(Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return Secret(found->get_ref<std::string&>());
}

}  // namespace hub
