// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The login calls of Docker Hub's API: POST /v2/users/login, /v2/users/2fa-login, /v2/auth/token;
// and /v2/users/refresh, which is our own.
#include <memory>
#include <string>
#include <utility>

#include "api_answer.h"
#include "bearer.h"
#include "context.h"
#include "credentials.h"
#include "pat/token_text.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;

constexpr absl::Duration kAccessLifetime = absl::Hours(1);
constexpr absl::Duration kSecondFactorLifetime = absl::Minutes(5);
constexpr absl::Duration kRefreshLifetime = absl::Hours(24);

/// Tools know the second step by these very words.
constexpr std::string_view kCodeNeeded = "Require secondary authentication on MFA enabled account";

class Login {
 public:
  explicit Login(const Context& context) : context_(context) {}

  Response ByName(Json& body, const Request& request);
  Response ByIdentifier(Json& body, const Request& request);
  Response ByCode(Json& body, const Request& request);
  Response Refresh(Json& body, const Request& request);

 private:
  std::string Sign(Bearer::Use use, const User& user, absl::Duration lifetime,
                   std::string token_id = {}) const;
  Response ByToken(std::string user, Secret secret, const char* member, const Request& request);
  Response Refused(const LoginResult& result) const;
  Response Accepted(const User& user, const Json& body) const;
  std::optional<User> UserOf(const Bearer& bearer) const;

  const Context context_;
};

std::string Login::Sign(Bearer::Use use, const User& user, absl::Duration lifetime,
                        std::string token_id) const {
  const Bearer bearer{use, user.account, user.name, Accounts::Version(user), std::move(token_id)};
  return context_.bearers.Sign(bearer, context_.clock(), lifetime);
}

Response Login::Accepted(const User& user, const Json& body) const {
  for (const auto& [name, value] : body.items()) {
    if (value.is_string() && value.get_ref<const std::string&>().empty()) {
      return ApiUnavailable();  // the cryptography failed
    }
  }
  Response response = JsonResponse(200, body);
  response.note.user = user.name;
  return response;
}

Response Login::Refused(const LoginResult& result) const {
  if (result.outcome == Outcome::kThrottled) {
    return ApiThrottled(result.retry_after, "Too many failed sign-ins. Wait, then try again.");
  }
  if (result.outcome == Outcome::kUnavailable) return ApiUnavailable();
  return ApiUnauthorized(pat::Refusal::public_message(), result.reason);
}

Response Login::ByToken(std::string user, Secret secret, const char* member,
                        const Request& request) {
  Credentials credentials;
  credentials.user = std::move(user);
  credentials.secret = std::move(secret);
  const SignInResult result = context_.sign_in.Try(credentials, request);
  const pat::Principal* const who = result.decision.principal();
  if (who == nullptr) return ApiRefused(result);
  const absl::StatusOr<User> found = context_.accounts.Find(std::string(who->account()));
  const absl::StatusOr<std::string> id = context_.authority.PublicIdOf(who->token_id());
  if (!found.ok() || !id.ok()) return ApiUnavailable();
  return Accepted(*found, {{member, Sign(Bearer::Use::kAccess, *found, kAccessLifetime, *id)}});
}

Response Login::ByName(Json& body, const Request& request) {
  const auto name = StringIn(body, "username");
  auto password = SecretIn(body, "password");
  if (!name || !password) return ApiError(400, "username and password are strings", "invalid");
  if (pat::LooksLikeToken(password->Reveal(), context_.authority.prefixes())) {
    return ByToken(*name, *std::move(password), "token", request);
  }
  const LoginResult result = context_.accounts.CheckPassword(*name, password->Reveal(), request.ip);
  if (result.outcome == Outcome::kAccepted) {
    return Accepted(result.user,
                    {{"token", Sign(Bearer::Use::kAccess, result.user, kAccessLifetime)}});
  }
  if (result.outcome != Outcome::kCodeNeeded) return Refused(result);
  const std::string step = Sign(Bearer::Use::kSecondFactor, result.user, kSecondFactorLifetime);
  if (step.empty()) return ApiUnavailable();
  Response response = JsonResponse(
      401, {{"detail", kCodeNeeded}, {"message", kCodeNeeded}, {"login_2fa_token", step}});
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  response.note = {result.user.name, "code_needed"};
  return response;
}

Response Login::ByIdentifier(Json& body, const Request& request) {
  const auto name = StringIn(body, "identifier");
  auto secret = SecretIn(body, "secret");
  if (!name || !secret) return ApiError(400, "identifier and secret are strings", "invalid");
  if (pat::LooksLikeToken(secret->Reveal(), context_.authority.prefixes())) {
    return ByToken(*name, *std::move(secret), "access_token", request);
  }
  LoginResult result = context_.accounts.CheckPassword(*name, secret->Reveal(), request.ip);
  if (result.outcome == Outcome::kCodeNeeded) result.reason = "password_refused";
  if (result.outcome != Outcome::kAccepted) return Refused(result);
  return Accepted(result.user,
                  {{"access_token", Sign(Bearer::Use::kAccess, result.user, kAccessLifetime)}});
}

/// Whose it is, if what it stands on still holds.
std::optional<User> Login::UserOf(const Bearer& bearer) const {
  const absl::StatusOr<User> user = context_.accounts.Find(bearer.account);
  if (!user.ok() || Accounts::Version(*user) != bearer.version) return std::nullopt;
  return *user;
}

Response Login::ByCode(Json& body, const Request& request) {
  const auto code = StringIn(body, "code");
  const auto step = StringIn(body, "login_2fa_token");
  if (!code || !step) return ApiError(400, "code and login_2fa_token are strings", "invalid");
  const std::optional<Bearer> bearer = context_.bearers.Read(*step, context_.clock());
  if (!bearer || bearer->use != Bearer::Use::kSecondFactor || !UserOf(*bearer)) {
    return ApiUnauthorized("The first step of the login is too long ago or was none. Begin again.",
                           "bad_second_factor_token");
  }
  const LoginResult result = context_.accounts.CheckCode(bearer->account, *code, request.ip);
  if (result.outcome == Outcome::kRefused) {
    return ApiUnauthorized("Wrong code, or one that was used before.", result.reason);
  }
  if (result.outcome != Outcome::kAccepted) return Refused(result);
  return Accepted(result.user,
                  {{"token", Sign(Bearer::Use::kAccess, result.user, kAccessLifetime)},
                   {"refresh_token", Sign(Bearer::Use::kRefresh, result.user, kRefreshLifetime)}});
}

Response Login::Refresh(Json& body, const Request& /*request*/) {
  const auto text = StringIn(body, "refresh_token");
  if (!text) return ApiError(400, "refresh_token is a string", "invalid");
  const std::optional<Bearer> bearer = context_.bearers.Read(*text, context_.clock());
  const std::optional<User> user =
      bearer && bearer->use == Bearer::Use::kRefresh ? UserOf(*bearer) : std::nullopt;
  if (!user) return ApiUnauthorized("Sign in again.", "bad_refresh_token");
  return Accepted(*user, {{"token", Sign(Bearer::Use::kAccess, *user, kAccessLifetime)}});
}

}  // namespace

void RegisterLogin(Router& router, const Context& context) {
  const auto login = std::make_shared<Login>(context);
  const auto add = [&](const char* path, Response (Login::*call)(Json&, const Request&)) {
    const auto handle = [login, call](const Request& request) {
      // Some tools ask by GET with a body.
      const bool read = request.method == "GET" && !request.body.empty();
      if (request.method != "POST" && !read) return ApiWrongMethod("POST");
      std::optional<Json> body = JsonBody(request);
      if (!body) return ApiError(400, "send a JSON object", "invalid");
      return ((*login).*call)(*body, request);
    };
    router.Add({path, false, handle, [](const Request& r) { return !r.body.empty(); }});
  };
  add("/v2/users/login", &Login::ByName);
  add("/v2/users/2fa-login", &Login::ByCode);
  add("/v2/auth/token", &Login::ByIdentifier);
  add("/v2/users/refresh", &Login::Refresh);
}

}  // namespace hub
