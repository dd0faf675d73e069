// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "token_endpoint.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "context.h"
#include "json.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

bool IsForm(const Request& request) {
  const std::string_view type = request.Header("Content-Type").value_or("");
  return EqualsIgnoreCase(Trimmed(type.substr(0, type.find(';'))),
                          "application/x-www-form-urlencoded");
}

/// The parameters, wherever the method has them.
std::optional<Form> Parameters(const Request& request) {
  return Form::Parse(request.method == "POST" ? request.body : request.query);
}

std::optional<Credentials> CredentialsIn(const Request& request, const Form& form) {
  if (request.method != "POST") {
    std::optional<Credentials> credentials = CredentialsOf(request);
    if (credentials && credentials->bearer) return {};
    return credentials;
  }
  // No refresh token is ever given out (it would outlive the token's revocation), so none is known.
  if (form.First("grant_type") != "password" || form.Count("username") != 1 ||
      form.Count("password") != 1) {
    return {};
  }
  Credentials credentials;
  credentials.user = form.First("username");
  std::string secret(form.First("password"));
  credentials.secret = Secret(secret);
  return credentials;
}

/// Adds to `granted` what of `asked` is allowed. "*" stands for all that is: the registry would
/// take the asterisk itself for everything.
void Intersect(const ResourceScope& asked, const RepositoryActions& allowed,
               std::vector<ResourceScope>* granted) {
  ResourceScope* scope = nullptr;
  for (ResourceScope& other : *granted) {
    if (other.type == asked.type && other.name == asked.name) scope = &other;
  }
  if (scope == nullptr) scope = &granted->emplace_back(ResourceScope{asked.type, asked.name, {}});
  for (const std::string& action : asked.actions) {
    const bool all = action == "*";
    if (allowed.pull && (all || action == "pull")) scope->Add("pull");
    if (allowed.push && (all || action == "push")) scope->Add("push");
    if (allowed.remove && (all || action == "delete")) scope->Add("delete");
  }
  if (scope->actions.empty()) granted->pop_back();
}

}  // namespace

TokenEndpoint::TokenEndpoint(const Settings& settings, SignIn& sign_in,
                             WatchedFile<Repositories>& repositories, const JwtSigner& signer,
                             std::function<absl::Time()> clock)
    : settings_(settings),
      sign_in_(sign_in),
      repositories_(repositories),
      signer_(signer),
      clock_(std::move(clock)) {}

std::optional<Credentials> TokenEndpoint::CredentialsIn(const Request& request) {
  const std::optional<Form> form = Parameters(request);
  return form ? hub::CredentialsIn(request, *form) : std::nullopt;
}

Response TokenEndpoint::Handle(const Request& request) {
  if (request.method != "GET" && request.method != "POST") {
    Response response = Mistake(405, "GET or POST");
    response.headers.emplace_back("Allow", "GET, POST");
    return response;
  }
  if (request.method == "POST" && !IsForm(request)) return Mistake(400, "send a form");
  const std::optional<Form> form = Parameters(request);
  if (!form) return Mistake(400, "the parameters cannot be read");
  return Answer(request, *form, hub::CredentialsIn(request, *form));
}

Response TokenEndpoint::Answer(const Request& request, const Form& form,
                               const std::optional<Credentials>& credentials) {
  const bool post = request.method == "POST";
  const auto asked = ParseResourceScopes(form.All("scope"));
  if (!asked) return Mistake(400, "too many scopes");
  if (form.Count("service") != 1 || form.First("service") != settings_.service) {
    return Unauthorized(settings_.realm, "unknown_service");
  }
  if (!credentials) return Unauthorized(settings_.realm, "no_credentials");
  const bool named = !post && form.Count("account") != 0;
  if (named && (form.Count("account") != 1 || form.First("account") != credentials->user)) {
    return Unauthorized(settings_.realm, "other_account");
  }
  const SignInResult result = sign_in_.Try(*credentials, request);
  const pat::Principal* const principal = result.decision.principal();
  if (principal == nullptr) return Refused(result, settings_.realm);
  const auto repositories = repositories_.Get();
  if (!repositories.ok()) return Mistake(503, "The service cannot answer now. Try again.");
  return Jwt(result.user, Grant(*asked, *principal, result.user, **repositories), post);
}

std::vector<ResourceScope> TokenEndpoint::Grant(const std::vector<ResourceScope>& asked,
                                                const pat::Principal& principal,
                                                const std::string& user,
                                                const Repositories& repositories) const {
  std::vector<ResourceScope> granted;
  for (const ResourceScope& scope : asked) {
    if (scope.type != "repository") continue;  // the catalog, and what we do not know
    Intersect(scope, repositories.ActionsOf(principal, user, scope.name), &granted);
  }
  return granted;
}

Response TokenEndpoint::Jwt(const std::string& user, const std::vector<ResourceScope>& granted,
                            bool post) const {
  const absl::Time now = clock_();
  const std::string jwt = signer_.Sign(
      {settings_.issuer, user, settings_.service, now, settings_.jwt_lifetime, granted});
  if (jwt.empty()) return Mistake(503, "The service cannot answer now. Try again.");
  Json body = {{"token", jwt},
               {"access_token", jwt},
               {"expires_in", absl::ToInt64Seconds(settings_.jwt_lifetime)},
               {"issued_at", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone())}};
  if (post) body["scope"] = ToString(granted);
  Response response = JsonResponse(200, body);
  response.note.user = user;
  return response;
}

void RegisterTokenEndpoint(Router& router, const Context& context) {
  const auto endpoint = std::make_shared<TokenEndpoint>(
      context.settings, context.sign_in, context.repositories, context.signer, context.clock);
  SignIn& sign_in = context.sign_in;
  router.Add({"/token", false,
              [endpoint](const Request& request) { return endpoint->Handle(request); },
              [&sign_in](const Request& request) {
                const auto credentials = TokenEndpoint::CredentialsIn(request);
                return credentials && sign_in.IsSlow(*credentials);
              }});
}

}  // namespace hub
