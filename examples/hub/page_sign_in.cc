// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Signing in by hand, with the code of an authenticator app where the account wants one, and out.
#include <algorithm>
#include <utility>

#include "page.h"
#include "page_form.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;

constexpr char kHome[] = "/settings/tokens";

Response SignInForm(int status, std::string_view name, std::string_view error,
                    const Html& note = {}) {
  return LonePage(
      status, "Sign in",
      {"<h1>Sign in</h1>", note, ErrorSummary(error), R"(<form method="post" action="/sign-in">)",
       InputField({"name",
                   "User name",
                   name,
                   {},
                   R"(required autocomplete="username" autocapitalize="none" spellcheck="false" )"
                   R"(maxlength="64" autofocus)",
                   !error.empty()}),
       InputField({"password",
                   "Password",
                   {},
                   {},
                   R"(type="password" required autocomplete="current-password")",
                   !error.empty()}),
       R"(<button class="primary full">Sign in</button></form>)"});
}

Response CodeForm(int status, const Session& session, std::string_view error) {
  return LonePage(
      status, "Enter your code",
      {"<h1>Two-factor authentication</h1>"
       "<p class=\"lead\">Your password is right. Now open your authenticator app.</p>",
       ErrorSummary(error),
       R"(<form method="post" action="/sign-in/code"><input type="hidden" name="form_token" value=")",
       Html::Text(session.form_token), R"(">)",
       InputField({"code",
                   "Authentication code",
                   {},
                   "Six digits. Each code is good once.",
                   R"(required inputmode="numeric" autocomplete="one-time-code" )"
                   R"(pattern="[0-9 ]*" maxlength="8" class="code" autofocus)",
                   !error.empty()}),
       R"(<button class="primary full">Verify</button></form>)"
       R"(<p class="below"><a href="/sign-in">Sign in as somebody else</a></p>)"});
}

/// What the user is told of a step that failed, and its status.
std::pair<int, std::string> Told(const LoginResult& result, std::string_view refused) {
  if (result.outcome == Outcome::kThrottled) {
    return {429, "Too many failed sign-ins. Wait a little, then try again."};
  }
  if (result.outcome == Outcome::kUnavailable) {
    return {503, "The service cannot answer at the moment. Try again."};
  }
  return {403, std::string(refused)};
}

void NoteFailure(Response& response, const LoginResult& result) {
  if (result.outcome == Outcome::kThrottled) {
    response.headers.emplace_back("Retry-After", WholeSeconds(result.retry_after));
  }
  response.note = {result.user.name, result.reason};
}

/// Begins a session in the place of the one that the request came with, if any: no id that anybody
/// knew before becomes a signed-in one.
Response Begin(PageState& state, const Request& request, const User& user, bool signed_in) {
  const Settings& settings = state.context.settings;
  state.sessions.End(SessionIdOf(request, settings));
  const std::string id = state.sessions.Begin(user.account, Accounts::Version(user), signed_in);
  if (id.empty()) return FailurePage(absl::UnavailableError("no random numbers"));
  Response response = SeeOther(signed_in ? kHome : "/sign-in/code");
  SetSessionCookie(response, settings, id);
  response.note.user = user.name;
  return response;
}

Response SignInStep(PageState& state, const Request& request) {
  const Settings& settings = state.context.settings;
  if (request.method != "POST") {
    const auto session = state.sessions.Find(SessionIdOf(request, settings));
    if (session && session->signed_in) return SeeOther(kHome);
    Html note;
    if (request.query == "ended") {
      note = R"(<p class="lead">Your session has ended. Sign in again to go on.</p>)";
    } else if (request.query == "out") {
      note = R"(<p class="lead">You have signed out.</p>)";
    }
    return SignInForm(200, {}, {}, note);
  }
  SentForm sent = OwnForm(request, settings);
  if (!sent.form) return std::move(sent.refusal);
  const std::string_view name = sent.form->First("name");
  const LoginResult result =
      state.context.accounts.CheckPassword(name, sent.form->First("password"), request.ip);
  if (result.outcome == Outcome::kAccepted || result.outcome == Outcome::kCodeNeeded) {
    return Begin(state, request, result.user, result.outcome == Outcome::kAccepted);
  }
  const auto [status, text] = Told(result, "The user name or the password is wrong.");
  // A name that nobody has may be a password, typed into the wrong field.
  Response response = SignInForm(status, {}, text);
  NoteFailure(response, result);
  return response;
}

Response CodeStep(PageState& state, const Request& request) {
  const Settings& settings = state.context.settings;
  const std::string id = SessionIdOf(request, settings);
  const auto session = state.sessions.Find(id);
  if (!session) return SeeOther("/sign-in?ended");
  if (session->signed_in) return SeeOther(kHome);
  if (request.method != "POST") return CodeForm(200, *session, {});
  SentForm sent = OwnForm(request, settings);
  if (!sent.form) return std::move(sent.refusal);
  if (!SameFormToken(sent.form->First("form_token"), session->form_token)) {
    return ErrorPage(403, "This form is out of date", "Sign in again.");
  }
  std::string code(sent.form->First("code"));
  code.erase(std::remove(code.begin(), code.end(), ' '), code.end());
  const LoginResult result = state.context.accounts.CheckCode(session->account, code, request.ip);
  if (result.outcome == Outcome::kAccepted) {
    // The password may have been changed meanwhile: then this sign-in knows the old one.
    if (Accounts::Version(result.user) != session->version) {
      state.sessions.End(id);
      return SeeOther("/sign-in?ended");
    }
    return Begin(state, request, result.user, true);
  }
  const auto [status, text] = Told(result, "This code is wrong, or was used before.");
  Response response = CodeForm(status, *session, text);
  NoteFailure(response, result);
  return response;
}

Response SignOut(const Visit& visit, const Form* form) {
  if (form == nullptr) return SeeOther(kHome);
  visit.state.sessions.End(visit.session_id);
  Response response = SeeOther("/sign-in?out");
  ClearSessionCookie(response, visit.state.context.settings);
  return response;
}

}  // namespace

void RegisterSignInPages(Router& router, const std::shared_ptr<PageState>& state) {
  router.Add(
      {"/sign-in", false, [state](const Request& r) { return SignInStep(*state, r); }, &IsPost});
  router.Add(
      {"/sign-in/code", false, [state](const Request& r) { return CodeStep(*state, r); }, &IsPost});
  AddPage(router, state, "/sign-out", false, {}, &SignOut);
}

}  // namespace hub
