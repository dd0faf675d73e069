// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_PAGE_H_
#define HUB_PAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "context.h"
#include "form.h"
#include "html.h"
#include "request.h"
#include "sessions.h"

// What people see: plain HTML forms, which work without script; page.js makes them pleasanter.

namespace hub {

/// What all pages stand on.
struct PageState {
  explicit PageState(const Context& of_app)
      : context(of_app), sessions(SessionLimits(), of_app.clock) {}

  const Context context;
  Sessions sessions;
};

/// A request of somebody who is signed in.
struct Visit {
  PageState& state;
  std::string session_id;
  Session session;
  User user;
  const Request& request;
};

/// Answers a GET (`form` is nullptr) or a POST, whose form has been shown to be from our own page.
using PageHandler = std::function<Response(const Visit& visit, const Form* form)>;

/// Adds a page for those who are signed in; others are sent to sign in. No handler is called for a
/// POST from elsewhere (by Origin) or without the session's token in its form.
void AddPage(Router& router, const std::shared_ptr<PageState>& state, std::string path,
             bool and_below, std::function<bool(const Request&)> is_slow, PageHandler handler);

/// The form of a POST that a browser sent from one of our pages, or the answer that refuses it.
struct SentForm {
  std::optional<Form> form;
  Response refusal;
};
SentForm OwnForm(const Request& request, const Settings& settings);

/// Which entry of the navigation a page belongs to.
enum class Place { kTokens, kPassword, kEmail };

/// A page within the account settings. Takes the message that was left for it.
Response SettingsPage(const Visit& visit, Place place, std::string_view title, const Html& body,
                      int status = 200);

/// A page on its own: signing in, and errors.
Response LonePage(int status, std::string_view title, const Html& body);

/// A page that says what went wrong.
Response ErrorPage(int status, std::string_view title, std::string_view text);

/// The answer to what libpat or the users' file failed with.
Response FailurePage(const absl::Status& status);

/// 303 to another page of ours.
Response SeeOther(std::string_view path);

/// As SeeOther, with a message that the page there shows.
Response SeeOther(const Visit& visit, std::string_view path, std::string message,
                  bool is_error = false);

/// The hidden field that every form of `visit` must have.
Html FormToken(const Visit& visit);

/// The cookie that holds a session's id.
std::string SessionIdOf(const Request& request, const Settings& settings);
void SetSessionCookie(Response& response, const Settings& settings, std::string_view id);
void ClearSessionCookie(Response& response, const Settings& settings);

// The pages: each adds its routes.

void RegisterSignInPages(Router& router, const std::shared_ptr<PageState>& state);
void RegisterTokenPages(Router& router, const std::shared_ptr<PageState>& state);
void RegisterAccountPages(Router& router, const std::shared_ptr<PageState>& state);
void RegisterPageAssets(Router& router);

}  // namespace hub

#endif  // HUB_PAGE_H_
