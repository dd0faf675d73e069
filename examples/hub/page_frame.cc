// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What stands around every page: the document, its headers, the navigation.
#include "icons.h"
#include "page.h"
#include "page_assets.h"
#include "refusals.h"
#include "text.h"

namespace hub {
namespace {

Response Document(int status, std::string_view title, const Html& body) {
  Response response;
  response.status = status;
  response.headers = {
      {"Content-Type", "text/html; charset=utf-8"},
      {"Cache-Control", "no-store"},
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      // Not "no-referrer": a browser would then send "Origin: null" with our own forms.
      {"Referrer-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
  };
  response.body = Html{"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>",
                       Html::Text(title),
                       " · hub</title>"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                       "<meta name=\"color-scheme\" content=\"light dark\">"
                       "<link rel=\"icon\" type=\"image/svg+xml\" href=\"",
                       Html::Text(AssetUrl("/assets/hub.svg")),
                       "\"><link rel=\"stylesheet\" href=\"",
                       Html::Text(AssetUrl("/assets/page.css")),
                       "\"><script defer src=\"",
                       Html::Text(AssetUrl("/assets/page.js")),
                       "\"></script></head><body>",
                       body,
                       "</body></html>\n"}
                      .markup();
  return response;
}

Html Brand() {
  return {R"(<img src=")", Html::Text(AssetUrl("/assets/hub.svg")),
          R"(" alt="" width="26" height="26"><span>hub</span>)"};
}

Html TopBar(const Visit& visit) {
  return {
      R"(<a class="skip" href="#main">Skip to content</a><header class="top"><div class="wide">)"
      R"(<a class="brand" href="/settings/tokens">)",
      Brand(),
      R"(</a><div class="who"><span class="name">)",
      icons::Person(),
      R"(<span class="hidden">Signed in as </span><bdi>)",
      Html::Text(visit.user.name),
      R"(</bdi></span><form method="post" action="/sign-out">)",
      FormToken(visit),
      R"(<button class="quiet small">Sign out</button></form></div></div></header>)"};
}

Html NavigationEntry(Place place, Place here, const Html& link) {
  return {"<li><a ", place == here ? Html(R"(aria-current="page" )") : Html(), link, "</a></li>"};
}

Html Navigation(Place here) {
  return {R"(<nav class="side" aria-label="Account settings"><p class="side-title">Account)"
          R"( settings</p><div><p class="group" id="nav-security">Security</p>)"
          R"(<ul aria-labelledby="nav-security">)",
          NavigationEntry(Place::kTokens, here,
                          {R"(href="/settings/tokens">)", icons::Key(), "Personal access tokens"}),
          NavigationEntry(Place::kPassword, here,
                          {R"(href="/settings/password">)", icons::Lock(), "Password"}),
          R"(</ul></div><div><p class="group" id="nav-general">General</p>)"
          R"(<ul aria-labelledby="nav-general">)",
          NavigationEntry(Place::kEmail, here,
                          {R"(href="/settings/email">)", icons::Envelope(), "E-mail"}),
          "</ul></div></nav>"};
}

Html Shown(const std::optional<Message>& message) {
  if (!message) return {};
  return {R"(<div class="notice )",
          message->is_error ? Html("bad") : Html("good"),
          R"(" role=")",
          message->is_error ? Html("alert") : Html("status"),
          R"(" id="notice" tabindex="-1">)",
          message->is_error ? icons::Warning() : icons::Check(),
          "<p>",
          Html::Text(message->text),
          "</p></div>"};
}

}  // namespace

Response SettingsPage(const Visit& visit, Place place, std::string_view title, const Html& body,
                      int status) {
  return Document(
      status, title,
      {TopBar(visit), R"(<div class="wide columns">)", Navigation(place),
       R"(<main id="main" tabindex="-1">)",
       Shown(visit.state.sessions.TakeMessage(visit.session_id)), body, "</main></div>"});
}

Response LonePage(int status, std::string_view title, const Html& body) {
  return Document(status, title,
                  {R"(<main id="main" class="lone"><p class="brand">)", Brand(),
                   R"(</p><div class="card">)", body, "</div></main>"});
}

Response ErrorPage(int status, std::string_view title, std::string_view text) {
  return LonePage(status, title,
                  {"<h1>", Html::Text(title), "</h1><p>", Html::Text(text),
                   R"(</p><p><a class="button" href="/settings/tokens">Account settings</a></p>)"});
}

Response FailurePage(const absl::Status& status) {
  if (absl::IsNotFound(status)) {
    return ErrorPage(404, "No such token", "It is not there, or not any more.");
  }
  if (absl::IsInvalidArgument(status)) {
    return ErrorPage(400, "That does not work", std::string(status.message()));
  }
  Response response =
      ErrorPage(503, "Not now", "The service cannot answer at the moment. Try again.");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

Response SeeOther(std::string_view path) {
  Response response;
  response.status = 303;
  response.headers = {{"Location", std::string(path)}, {"Cache-Control", "no-store"}};
  return response;
}

}  // namespace hub
