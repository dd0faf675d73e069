// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "verify_endpoint.h"

#include <memory>

#include "context.h"
#include "credentials.h"
#include "form.h"
#include "refusals.h"
#include "registry_call.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::string_view kPath = "/verify";

bool Allows(const RepositoryActions& actions, RegistryCall::Need need) {
  switch (need) {
    case RegistryCall::Need::kNothing: return true;
    case RegistryCall::Need::kPull: return actions.pull;
    case RegistryCall::Need::kPush: return actions.push;
    case RegistryCall::Need::kDelete: return actions.remove;
  }
  return false;
}

}  // namespace

VerifyEndpoint::VerifyEndpoint(const Settings& settings, const pat::Authority& authority,
                               SignIn& sign_in, WatchedFile<Repositories>& repositories)
    : settings_(settings), authority_(authority), sign_in_(sign_in), repositories_(repositories) {}

Response VerifyEndpoint::Handle(const Request& request) {
  const std::optional<Credentials> credentials = CredentialsOf(request);
  if (!credentials) return Unauthorized(settings_.realm, "no_credentials");
  const SignInResult result = sign_in_.Try(*credentials, request);
  const pat::Principal* const principal = result.decision.principal();
  if (principal == nullptr) {
    Response response = Refused(result, settings_.realm);
    if (credentials->bearer && response.status == 401) {
      response.headers.back().second =
          Cat({"Bearer realm=\"", settings_.realm, "\", error=\"invalid_token\""});
    }
    return response;
  }
  if (!May(request, *principal, result.user)) {
    Response response = Mistake(403, "The token's scopes do not allow this.");
    response.note = {result.user, pat::ToString(pat::RefusalReason::kMissingPermission)};
    return response;
  }
  Response response;
  response.headers = {{"Cache-Control", "no-store"},
                      {"X-Auth-User", result.user},
                      {"X-Auth-Account", std::string(principal->account())}};
  response.note.user = result.user;
  return response;
}

bool VerifyEndpoint::May(const Request& request, const pat::Principal& principal,
                         const std::string& user) {
  if (request.path.size() > kPath.size()) {
    std::string uri = request.path.substr(kPath.size());
    if (!request.query.empty()) uri += Cat({"?", request.query});
    return MayCall(request.method, uri, principal, user);
  }
  const bool told =
      request.CountHeader("X-Original-URI") + request.CountHeader("X-Original-Method") != 0;
  if (told) {
    const auto method = request.Header("X-Original-Method");
    const auto uri = request.Header("X-Original-URI");
    return method && uri && MayCall(*method, *uri, principal, user);
  }
  const std::optional<Form> form = Form::Parse(request.query);
  if (!form || form->Count("need") != 1) return false;
  const auto need = authority_.scopes().Need(form->First("need"));
  return need.ok() && principal.Require(*need).allowed();
}

bool VerifyEndpoint::MayCall(std::string_view method, std::string_view uri,
                             const pat::Principal& principal, const std::string& user) {
  const std::optional<RegistryCall> call = ParseRegistryCall(method, uri);
  const auto repositories = repositories_.Get();
  if (!call || !repositories.ok()) return false;
  if (!Allows((*repositories)->ActionsOf(principal, user, call->repository), call->need))
    return false;
  return call->mounted_from.empty() ||
         (*repositories)->ActionsOf(principal, user, call->mounted_from).pull;
}

void RegisterVerifyEndpoint(Router& router, const Context& context) {
  const auto endpoint = std::make_shared<VerifyEndpoint>(context.settings, context.authority,
                                                         context.sign_in, context.repositories);
  SignIn& sign_in = context.sign_in;
  router.Add({std::string(kPath), true,
              [endpoint](const Request& request) { return endpoint->Handle(request); },
              [&sign_in](const Request& request) {
                const auto credentials = CredentialsOf(request);
                return credentials && sign_in.IsSlow(*credentials);
              }});
}

}  // namespace hub
