// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What people change about themselves: POST /account/password and POST /account/email.
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "api_answer.h"
#include "caller.h"
#include "context.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;

Response Done(const User& user) {
  Response response = JsonResponse(200, {{"detail", "changed"}, {"message", "changed"}});
  response.note.user = user.name;
  return response;
}

Response ChangePassword(const User& user, Json& body, const Request& request, Accounts& accounts) {
  const auto current = SecretIn(body, "current_password");
  const auto next = SecretIn(body, "new_password");
  if (!current || !next) {
    return ApiError(400, "current_password and new_password are strings", "invalid");
  }
  const auto result =
      accounts.ChangePassword(user.account, current->Reveal(), next->Reveal(), request.ip);
  if (!result.ok()) return ApiError(400, std::string(result.status().message()), "invalid");
  switch (result->outcome) {
    case Outcome::kAccepted: return Done(user);
    case Outcome::kThrottled:
      return ApiThrottled(result->retry_after, "Too many wrong passwords. Wait, then try again.");
    case Outcome::kUnavailable: return ApiUnavailable();
    default: return ApiError(400, "The current password is wrong.", "wrong_password");
  }
}

Response ChangeEmail(const User& user, Json& body, const Request& /*request*/, Accounts& accounts) {
  const auto email = StringIn(body, "email");
  if (!email) return ApiError(400, "email is a string", "invalid");
  const absl::Status changed = accounts.ChangeEmail(user.account, *email);
  if (absl::IsInvalidArgument(changed)) {
    return ApiError(400, std::string(changed.message()), "invalid");
  }
  return changed.ok() ? Done(user) : ApiUnavailable();
}

}  // namespace

void RegisterAccount(Router& router, const Context& context) {
  const auto add = [&](const char* path,
                       Response (*change)(const User&, Json&, const Request&, Accounts&)) {
    const auto handle = [context, change](const Request& request) {
      if (request.method != "POST") return ApiWrongMethod("POST");
      auto caller = AdminOf(request, context);
      if (auto* refused = std::get_if<Response>(&caller)) return std::move(*refused);
      std::optional<Json> body = JsonBody(request);
      if (!body) return ApiError(400, "send a JSON object", "invalid");
      return change(std::get<User>(caller), *body, request, context.accounts);
    };
    router.Add({path, false, handle, &IsPost});
  };
  add("/account/password", &ChangePassword);
  add("/account/email", &ChangeEmail);
}

}  // namespace hub
