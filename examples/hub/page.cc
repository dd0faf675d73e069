// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <utility>

#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

/// The part of a URL that a browser's Origin header holds.
std::string OriginOf(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  return std::string(url.substr(0, url.find('/', host)));
}

bool IsEncrypted(const Settings& settings) { return StartsWith(settings.public_url, "https://"); }

/// With the __Host- prefix a browser takes it over TLS alone, and from no other host.
std::string_view CookieName(const Settings& settings) {
  return IsEncrypted(settings) ? "__Host-hub_session" : "hub_session";
}

std::string CookieAttributes(const Settings& settings) {
  return Cat({"; Path=/; HttpOnly; SameSite=Lax", IsEncrypted(settings) ? "; Secure" : ""});
}

/// Who is signed in, if what their session began with still holds.
std::optional<std::pair<Session, User>> SignedIn(PageState& state, const std::string& id) {
  if (id.empty()) return std::nullopt;
  std::optional<Session> session = state.sessions.Find(id);
  if (!session || !session->signed_in) return std::nullopt;
  absl::StatusOr<User> user = state.context.accounts.Find(session->account);
  if (!user.ok() || Accounts::Version(*user) != session->version) {
    state.sessions.End(id);
    return std::nullopt;
  }
  return std::make_pair(*std::move(session), *std::move(user));
}

/// Chromium keeps pages for "back", no-store or not, and drops them when a cookie that scripts
/// cannot see changes. (Where there is script, page.js has emptied the page.)
void ForgetKeptPages(Response& response, const Settings& settings) {
  const std::string value = std::to_string(absl::GetCurrentTimeNanos());
  response.headers.emplace_back("Set-Cookie",
                                Cat({"hub_left=", value, CookieAttributes(settings)}));
}

Response Answer(PageState& state, const Request& request, const PageHandler& handler) {
  const Settings& settings = state.context.settings;
  const std::string id = SessionIdOf(request, settings);
  auto signed_in = SignedIn(state, id);
  if (!signed_in) {
    Response response = SeeOther(id.empty() ? "/sign-in" : "/sign-in?ended");
    if (!id.empty()) ClearSessionCookie(response, settings);
    response.note.reason = "not_signed_in";
    return response;
  }
  const Visit visit{state, id, std::move(signed_in->first), std::move(signed_in->second), request};
  const bool token_was_shown = state.sessions.TakeTokenWasShown(id);
  Response response;
  if (request.method == "GET" || request.method == "HEAD") {
    response = handler(visit, nullptr);
  } else if (request.method != "POST") {
    response = ErrorPage(405, "Not that way", "This page is read by GET and written by POST.");
    response.headers.emplace_back("Allow", "GET, POST");
  } else if (SentForm sent = OwnForm(request, settings); !sent.form) {
    response = std::move(sent.refusal);
  } else if (!SameFormToken(sent.form->First("form_token"), visit.session.form_token)) {
    response = ErrorPage(403, "This form is out of date",
                         "It was not sent from your present session. Go back to the settings, "
                         "and try again.");
    response.note.reason = "bad_form_token";
  } else {
    response = handler(visit, &*sent.form);
  }
  if (token_was_shown) ForgetKeptPages(response, settings);
  response.note.user = visit.user.name;
  return response;
}

}  // namespace

SentForm OwnForm(const Request& request, const Settings& settings) {
  const auto origin = request.Header("Origin");
  if (request.CountHeader("Origin") > 0 && origin != OriginOf(settings.public_url)) {
    Response refusal = ErrorPage(403, "Sent from elsewhere",
                                 Cat({"Forms are taken from ", settings.public_url, " alone."}));
    refusal.note.reason = "foreign_origin";
    return {std::nullopt, std::move(refusal)};
  }
  std::optional<Form> form = Form::Parse(request.body);
  if (!form) return {std::nullopt, ErrorPage(400, "Not a form", "This cannot be read as a form.")};
  return {std::move(form), {}};
}

std::string SessionIdOf(const Request& request, const Settings& settings) {
  const std::string_view cookies = request.Header("Cookie").value_or("");
  for (std::string_view cookie : SplitWords(cookies, ';')) {
    cookie = Trimmed(cookie);
    const std::size_t equals = cookie.find('=');
    if (cookie.substr(0, equals) != CookieName(settings) || equals == cookie.npos) continue;
    return std::string(cookie.substr(equals + 1));
  }
  return {};
}

void SetSessionCookie(Response& response, const Settings& settings, std::string_view id) {
  response.headers.emplace_back("Set-Cookie",
                                Cat({CookieName(settings), "=", id, CookieAttributes(settings)}));
}

void ClearSessionCookie(Response& response, const Settings& settings) {
  response.headers.emplace_back(
      "Set-Cookie", Cat({CookieName(settings), "=; Max-Age=0", CookieAttributes(settings)}));
}

void AddPage(Router& router, const std::shared_ptr<PageState>& state, std::string path,
             bool and_below, std::function<bool(const Request&)> is_slow, PageHandler handler) {
  router.Add({std::move(path), and_below,
              [state, handler = std::move(handler)](const Request& request) {
                return Answer(*state, request, handler);
              },
              std::move(is_slow)});
}

Response SeeOther(const Visit& visit, std::string_view path, std::string message, bool is_error) {
  visit.state.sessions.Leave(visit.session_id, Message{std::move(message), is_error});
  return SeeOther(path);
}

Html FormToken(const Visit& visit) {
  return {R"(<input type="hidden" name="form_token" value=")", Html::Text(visit.session.form_token),
          R"(">)"};
}

void RegisterPage(Router& router, const Context& context) {
  const auto state = std::make_shared<PageState>(context);
  RegisterPageAssets(router);
  RegisterSignInPages(router, state);
  RegisterTokenPages(router, state);
  RegisterAccountPages(router, state);
  for (const char* path : {"/", "/settings"}) {
    AddPage(router, state, path, false, {},
            [](const Visit&, const Form*) { return SeeOther("/settings/tokens"); });
  }
}

}  // namespace hub
