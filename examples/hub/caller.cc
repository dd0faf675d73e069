// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "caller.h"

#include <optional>
#include <string>
#include <string_view>

#include "api_answer.h"
#include "bearer.h"
#include "credentials.h"
#include "pat/token_text.h"
#include "text.h"

namespace hub {
namespace {

constexpr std::string_view kWanted = "Authentication credentials were not provided or are wrong.";

Response NotByToken(const std::string& user) {
  Response response =
      ApiError(403, "An access token cannot manage access tokens or the account.", "by_token");
  response.note.user = user;
  return response;
}

/// Whether the token that a bearer was made from is still good.
bool TokenIsActive(const Bearer& bearer, pat::Authority& authority) {
  const absl::StatusOr<std::uint64_t> id = authority.IdOf(bearer.token_id);
  if (!id.ok()) return false;
  const absl::StatusOr<pat::Token> token = authority.Get(*id, bearer.account);
  return token.ok() && token->state == pat::State::kActive;
}

std::variant<User, Response> ByBearer(std::string_view jwt, const Context& context) {
  const std::optional<Bearer> bearer = context.bearers.Read(jwt, context.clock());
  if (!bearer || bearer->use != Bearer::Use::kAccess) return ApiUnauthorized(kWanted, "bad_bearer");
  absl::StatusOr<User> user = context.accounts.Find(bearer->account);
  if (absl::IsUnavailable(user.status())) return ApiUnavailable();
  if (!user.ok() || Accounts::Version(*user) != bearer->version) {
    return ApiUnauthorized(kWanted, "ended_bearer");
  }
  if (!bearer->by_token()) return *std::move(user);
  if (!TokenIsActive(*bearer, context.authority)) return ApiUnauthorized(kWanted, "ended_bearer");
  return NotByToken(user->name);
}

}  // namespace

std::variant<User, Response> AdminOf(const Request& request, const Context& context) {
  std::string value(request.Header("Authorization").value_or(""));
  if (EqualsIgnoreCase(std::string_view(value).substr(0, 4), "JWT ")) value.replace(0, 3, "Bearer");
  const std::optional<Credentials> credentials = ParseAuthorization(value);
  Wipe(value);
  if (!credentials) return ApiUnauthorized(kWanted, "no_credentials");
  if (pat::LooksLikeToken(credentials->secret.Reveal(), context.authority.prefixes())) {
    const SignInResult result = context.sign_in.Try(*credentials, request);
    return result.decision.principal() == nullptr ? ApiRefused(result) : NotByToken(result.user);
  }
  if (!credentials->bearer) return ApiUnauthorized(kWanted, "no_bearer");
  return ByBearer(credentials->secret.Reveal(), context);
}

}  // namespace hub
