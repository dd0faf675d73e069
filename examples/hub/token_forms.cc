// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The forms that make, change and delete tokens, and the one sight of a new one.
#include "access_levels.h"
#include "icons.h"
#include "issuing.h"
#include "moments.h"
#include "page_form.h"
#include "text.h"
#include "token_pages.h"

namespace hub {
namespace {

struct Lifetime {
  std::string_view value;
  std::string_view name;
};

constexpr Lifetime kLifetimes[] = {
    {"7", "7 days"},     {"30", "30 days"},  {"90", "90 days"},
    {"365", "365 days"}, {"never", "Never"}, {"date", "On a date of your choice"},
};

Html BackLink() {
  return {R"(<p class="back"><a href="/settings/tokens">)", icons::Back(),
          "Personal access tokens</a></p>"};
}

Html DescriptionField(const TokenDraft& draft, const DraftError& error) {
  return InputField({"description", "Description", draft.description,
                     "Where will it be used? For example: laptop, build server, deploy job.",
                     R"(required maxlength="100" autocomplete="off")",
                     error.field == "description"});
}

Html Radio(std::string_view value, std::string_view name, std::string_view meaning, bool checked) {
  return {R"(<label class="option"><input type="radio" name="access" required value=")",
          Html::Text(value),
          R"(")",
          checked ? Html(" checked") : Html(),
          R"(><span><strong>)",
          Html::Text(name),
          R"(</strong><span class="hint">)",
          Html::Text(meaning),
          "</span></span></label>"};
}

Html AccessField(const TokenDraft& draft, const std::vector<std::string>& kept) {
  Html options;
  if (!kept.empty()) {
    options += Radio("keep", AccessInWords(kept), Cat({"As it is now: ", Join(kept, ", "), "."}),
                     draft.access == "keep");
  }
  for (const AccessLevel& level : kAccessLevels) {
    options += Radio(level.scope, level.name, level.meaning, draft.access == level.scope);
  }
  return {R"(<fieldset class="field"><legend>Access permissions</legend><div class="options">)",
          options, "</div></fieldset>"};
}

Html ExpiryField(const TokenDraft& draft, const DraftError& error) {
  Html options;
  for (const Lifetime& lifetime : kLifetimes) {
    options += {R"(<option value=")",
                Html::Text(lifetime.value),
                R"(")",
                draft.expires == lifetime.value ? Html(" selected") : Html(),
                ">",
                Html::Text(lifetime.name),
                "</option>"};
  }
  return {R"(<div class="pair"><div class="field"><label for="expires">Expiration</label>)"
          R"(<select id="expires" name="expires">)",
          options, R"(</select></div><div id="date-part">)",
          InputField({"expires_on", "Date", draft.expires_on, "To the end of that day, UTC.",
                      R"(type="date")", error.field == "expires_on"}),
          "</div></div>"};
}

Html Fact(std::string_view name, const Html& value) {
  return {"<div><dt>", Html::Text(name), "</dt><dd>", value, "</dd></div>"};
}

Html From(std::string_view ip, std::string_view user_agent) {
  Html html;
  if (!ip.empty()) html += {R"(<span class="second">from )", Html::Text(ip), "</span>"};
  if (!user_agent.empty()) {
    html += {R"(<span class="second">by <bdi>)", Html::Text(user_agent), "</bdi></span>"};
  }
  return html;
}

Html Facts(const pat::Token& token, absl::Time now) {
  const Creation creation = CreationOf(token);
  Html used = "Never";
  if (token.last_used_at) {
    used = {Ago(*token.last_used_at, now), From(token.last_used_ip, token.last_used_user_agent)};
  }
  return {R"(<dl class="facts">)",
          Fact("Status", Html::Text(pat::ToString(token.state))),
          Fact("Source",
               token.origin == pat::Origin::kManual ? Html("Manual") : Html("Auto-generated")),
          Fact("Created", {Moment(token.created_at), From(creation.ip, creation.user_agent)}),
          Fact("Last used", used),
          Fact("Expires", token.expires_at ? Moment(*token.expires_at) : Html("Never")),
          "</dl>"};
}

/// Something to copy; page.js shows the button.
Html Copyable(const Html& id, const Html& what, std::string_view text) {
  return {R"(<div class="copyable"><code id=")",
          id,
          R"(" tabindex="0" role="textbox" )"
          R"(aria-readonly="true" aria-label=")",
          what,
          R"(">)",
          Html::Text(text),
          R"(</code><button type="button" class="copy" data-copy=")",
          id,
          R"(" hidden>Copy<span class="hidden"> )",
          what,
          "</span></button></div>"};
}

}  // namespace

Html NewBody(const Visit& visit, const TokenDraft& draft, const DraftError& error) {
  return {BackLink(),
          R"(<div class="head"><h1>Generate new token</h1></div><div class="card narrow">)",
          ErrorSummary(error.text),
          R"(<form method="post" action="/settings/tokens/new">)",
          FormToken(visit),
          DescriptionField(draft, error),
          ExpiryField(draft, error),
          AccessField(draft, {}),
          R"(<div class="buttons"><button class="primary">Generate</button>)"
          R"(<a class="button" href="/settings/tokens">Cancel</a></div></form></div>)"};
}

Html CreatedBody(const Visit& visit, const pat::Token& token, std::string_view text) {
  const Settings& settings = visit.state.context.settings;
  return {BackLink(),
          R"(<div class="head"><h1>Your new access token</h1></div><div class="card narrow">)"
          R"(<div class="notice soon">)",
          icons::Warning(),
          R"(<p><strong>Copy it now: it is not shown again.</strong> Keep it in a credential )"
          R"(manager, such as your system's keychain, not in a file or in a script.</p></div>)"
          R"(<dl class="facts">)",
          Fact("Description", {"<bdi>", Html::Text(NameOf(token)), "</bdi>"}),
          Fact("Access permissions", Html::Text(AccessInWords(token.scopes))),
          Fact("Expires", token.expires_at ? Moment(*token.expires_at) : Html("Never")),
          "</dl>",
          R"(<h2>Access token</h2>)",
          Copyable("new-token", "access token", text),
          R"(<h2>To use it from the command line</h2><ol><li><p>Run</p>)",
          Copyable("login-line", "command",
                   Cat({"docker login --username ", visit.user.name, " ", settings.registry})),
          R"(</li><li><p>At the password prompt, paste the access token.</p></li></ol>)"
          R"(<div class="buttons"><a class="button primary" id="done" href="/settings/tokens">)"
          R"(Done</a></div></div>)"};
}

Html EditBody(const Visit& visit, const pat::Token& token, const TokenDraft& draft,
              const DraftError& error, absl::Time now) {
  const bool one_level = token.scopes.size() == 1 && FindAccessLevel(token.scopes.front());
  return {BackLink(),
          R"(<div class="head"><h1>Edit access token</h1></div><div class="card narrow">)",
          ErrorSummary(error.text),
          R"(<form method="post" action="/settings/tokens/)",
          Html::Text(token.public_id),
          R"(/edit">)",
          FormToken(visit),
          DescriptionField(draft, error),
          AccessField(draft, one_level ? std::vector<std::string>() : token.scopes),
          R"(<div class="buttons"><button class="primary">Save token</button>)"
          R"(<a class="button" href="/settings/tokens">Cancel</a></div></form></div>)"
          R"(<section class="card narrow" aria-labelledby="facts"><h2 id="facts">About this )"
          R"(token</h2>)",
          Facts(token, now),
          "</section>"};
}

Html DeleteBody(const Visit& visit, const std::vector<pat::Token>& tokens) {
  Html names;
  Html ids;
  for (const pat::Token& token : tokens) {
    names += {"<li><bdi>", Html::Text(NameOf(token)), "</bdi></li>"};
    ids += {R"(<input type="hidden" name="id" value=")", Html::Text(token.public_id), R"(">)"};
  }
  const bool one = tokens.size() == 1;
  return {
      BackLink(),
      R"(<div class="card narrow"><h1>)",
      one ? Html("Delete this token?")
          : Html{"Delete these ", Html::Text(std::to_string(tokens.size())), " tokens?"},
      R"(</h1><ul class="names">)",
      names,
      R"(</ul><p>What uses )",
      one ? Html("it") : Html("them"),
      R"( is refused from that moment on. This cannot be undone.</p>)"
      R"(<form method="post" action="/settings/tokens/selected">)",
      FormToken(visit),
      ids,
      R"(<input type="hidden" name="what" value="delete"><input type="hidden" )"
      R"(name="confirmed" value="yes"><div class="buttons"><button class="danger solid">)"
      R"(Delete</button><a class="button" href="/settings/tokens">Cancel</a></div></form></div>)"};
}

}  // namespace hub
