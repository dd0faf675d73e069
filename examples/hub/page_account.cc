// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The pages for one's password and e-mail address.
#include <string>
#include <utility>

#include "page.h"
#include "page_form.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;

/// Which fields an error is about.
enum class Wrong { kNothing, kCurrent, kNext };

Response PasswordForm(const Visit& visit, int status = 200, Wrong wrong = Wrong::kNothing,
                      std::string_view error = {}) {
  constexpr char kNew[] =
      R"(type="password" required minlength="8" maxlength="1024" autocomplete="new-password")";
  const bool next = wrong == Wrong::kNext;
  return SettingsPage(
      visit, Place::kPassword, "Password",
      {R"(<div class="head"><h1>Password</h1><p class="lead">For signing in to these settings. )"
       R"(Tools sign in with <a href="/settings/tokens">personal access tokens</a>: a new password )"
       R"(does not stop them.</p></div><div class="card narrow">)",
       ErrorSummary(error), R"(<form method="post" action="/settings/password">)", FormToken(visit),
       R"(<input class="hidden" name="username" autocomplete="username" tabindex="-1" readonly )"
       R"(aria-hidden="true" value=")",
       Html::Text(visit.user.name), R"(">)",
       InputField({"current",
                   "Current password",
                   {},
                   {},
                   R"(type="password" required autocomplete="current-password")",
                   wrong == Wrong::kCurrent}),
       InputField({"next", "New password", {}, "At least 8 characters.", kNew, next}),
       InputField({"again", "New password again", {}, {}, kNew, next}),
       R"(<p class="hint">Everybody else who is signed in to your account is signed out.</p>)"
       R"(<button class="primary">Change password</button></form></div>)"},
      status);
}

/// The session goes on with the new password, under an id that nobody has seen; all others end.
Response Renewed(const Visit& visit, const User& user) {
  PageState& state = visit.state;
  state.sessions.End(visit.session_id);
  const std::string id = state.sessions.Begin(user.account, Accounts::Version(user), true);
  state.sessions.Leave(id, Message{"Your password is changed."});
  Response response = SeeOther("/settings/password");
  SetSessionCookie(response, state.context.settings, id);
  return response;
}

Response PasswordPage(const Visit& visit, const Form* form) {
  if (form == nullptr) return PasswordForm(visit);
  if (form->First("next") != form->First("again")) {
    return PasswordForm(visit, 400, Wrong::kNext, "The new password and its repetition differ.");
  }
  const auto result = visit.state.context.accounts.ChangePassword(
      visit.user.account, form->First("current"), form->First("next"), visit.request.ip);
  if (!result.ok()) {
    return PasswordForm(
        visit, 400, Wrong::kNext,
        Cat({"That cannot be your password: ", std::string(result.status().message()), "."}));
  }
  if (result->outcome == Outcome::kAccepted) return Renewed(visit, result->user);
  if (result->outcome == Outcome::kUnavailable) {
    return FailurePage(absl::UnavailableError("the users cannot be read or written"));
  }
  const bool throttled = result->outcome == Outcome::kThrottled;
  Response response =
      PasswordForm(visit, throttled ? 429 : 403, Wrong::kCurrent,
                   throttled ? "Too many wrong passwords. Wait a little, then try again."
                             : "The current password is wrong.");
  if (throttled) response.headers.emplace_back("Retry-After", WholeSeconds(result->retry_after));
  response.note.reason = result->reason;
  return response;
}

Response EmailForm(const Visit& visit, std::string_view email, int status = 200,
                   std::string_view error = {}) {
  return SettingsPage(
      visit, Place::kEmail, "E-mail",
      {R"(<div class="head"><h1>E-mail</h1><p class="lead">Where we write to you about your )"
       R"(account.</p></div><div class="card narrow">)",
       ErrorSummary(error), R"(<form method="post" action="/settings/email">)", FormToken(visit),
       InputField({"email",
                   "E-mail address",
                   email,
                   {},
                   R"(type="email" required maxlength="254" autocomplete="email")",
                   !error.empty()}),
       R"(<button class="primary">Save e-mail</button></form></div>)"},
      status);
}

Response EmailPage(const Visit& visit, const Form* form) {
  if (form == nullptr) return EmailForm(visit, visit.user.email);
  const std::string_view email = Trimmed(form->First("email"));
  const absl::Status changed = visit.state.context.accounts.ChangeEmail(visit.user.account, email);
  if (absl::IsInvalidArgument(changed)) {
    return EmailForm(visit, email, 400, "That is no e-mail address.");
  }
  if (!changed.ok()) return FailurePage(changed);
  return SeeOther(visit, "/settings/email", "Your e-mail address is changed.");
}

}  // namespace

void RegisterAccountPages(Router& router, const std::shared_ptr<PageState>& state) {
  AddPage(router, state, "/settings/password", false, &IsPost, &PasswordPage);
  AddPage(router, state, "/settings/email", false, &IsPost, &EmailPage);
}

}  // namespace hub
