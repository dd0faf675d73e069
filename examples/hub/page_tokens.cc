// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The pages of /settings/tokens: what they do. How they look stands in token_pages.h.
#include <utility>

#include "access_levels.h"
#include "issuing.h"
#include "refusals.h"
#include "text.h"
#include "token_pages.h"

namespace hub {
namespace {

constexpr char kList[] = "/settings/tokens";
constexpr char kTitle[] = "Personal access tokens";

pat::Authority& AuthorityOf(const Visit& visit) { return visit.state.context.authority; }

absl::Time Now(const Visit& visit) { return visit.state.context.clock(); }

/// The token of that public id, if it is the visitor's and there.
absl::StatusOr<pat::Token> Find(const Visit& visit, std::string_view public_id) {
  const absl::Status none = absl::NotFoundError("no such token");
  const absl::StatusOr<std::uint64_t> id = AuthorityOf(visit).IdOf(std::string(public_id));
  if (!id.ok()) return none;
  absl::StatusOr<pat::Token> token = AuthorityOf(visit).Get(*id, visit.user.account);
  if (token.ok() && token->state == pat::State::kDeleted) return none;
  return token;
}

/// The list as it was looked at when the form was sent.
std::string ListOfReferer(const Visit& visit) {
  const std::string_view referer = visit.request.Header("Referer").value_or("");
  const std::string list = Cat({visit.state.context.settings.public_url, kList, "?"});
  if (!StartsWith(referer, list)) return kList;
  const TokenFilter filter = TokenFilter::Of(referer.substr(list.size()));
  return filter.Address(filter.after);
}

Response List(const Visit& visit) {
  const TokenFilter filter = TokenFilter::Of(visit.request.query);
  const auto page = AuthorityOf(visit).List(visit.user.account, filter.Options());
  if (absl::IsInvalidArgument(page.status())) return SeeOther(kList);  // a mangled address
  if (!page.ok()) return FailurePage(page.status());
  const absl::StatusOr<pat::Counts> counts = AuthorityOf(visit).Count(visit.user.account);
  if (!counts.ok()) return FailurePage(counts.status());
  return SettingsPage(visit, Place::kTokens, kTitle,
                      ListBody(visit, filter, *page, *counts, Now(visit)));
}

TokenDraft DraftOf(const Form& form) {
  return {std::string(Trimmed(form.First("description"))), std::string(form.First("access")),
          std::string(form.First("expires")), std::string(form.First("expires_on"))};
}

/// What is wrong with the description or the access of a draft, if something is.
DraftError CheckDraft(const TokenDraft& draft, bool may_keep) {
  if (draft.description.empty()) return {"description", "Say what the token is for."};
  if (const absl::Status s = pat::ValidateDescription(draft.description); !s.ok()) {
    return {"description", "A description has 1 to 100 characters."};
  }
  if (FindAccessLevel(draft.access) == nullptr && !(may_keep && draft.access == "keep")) {
    return {"access", "Choose what the token may do."};
  }
  return {};
}

/// When a draft says that the token expires, as Issuing wants it.
std::string ExpiryOf(const TokenDraft& draft, absl::Time now) {
  if (draft.expires == "never") return {};
  if (draft.expires == "date") return Cat({draft.expires_on, "T23:59:59Z"});
  const std::int64_t days = ParseNumber(draft.expires).value_or(0);
  return ApiTime(now + std::min<std::int64_t>(days, 3650) * absl::Hours(24));
}

Response NewForm(const Visit& visit, int status, const TokenDraft& draft, const DraftError& error) {
  return SettingsPage(visit, Place::kTokens, "Generate new token", NewBody(visit, draft, error),
                      status);
}

Response NotIssued(const Visit& visit, const TokenDraft& draft, const absl::Status& why) {
  if (absl::IsResourceExhausted(why)) {
    Response response =
        NewForm(visit, 429, draft,
                {{}, "Too many new access tokens lately. Wait a little, then try again."});
    response.headers.emplace_back(
        "Retry-After", WholeSeconds(visit.state.context.issuing.Wait(visit.user.account)));
    return response;
  }
  if (!absl::IsInvalidArgument(why)) return FailurePage(why);
  return NewForm(visit, 400, draft, {"expires_on", "Choose a date in the future."});
}

Response New(const Visit& visit, const Form* form) {
  if (form == nullptr) return NewForm(visit, 200, {{}, "repo:write", "90", {}}, {});
  const TokenDraft draft = DraftOf(*form);
  const DraftError error = CheckDraft(draft, false);
  if (!error.text.empty()) return NewForm(visit, 400, draft, error);
  TokenOrder order;
  order.label = draft.description;
  order.scopes = {draft.access};
  order.expires_at = ExpiryOf(draft, Now(visit));
  order.client_id = "page";
  const absl::StatusOr<pat::Issued> issued =
      visit.state.context.issuing.Issue(visit.user, order, visit.request);
  if (!issued.ok()) return NotIssued(visit, draft, issued.status());
  std::string text(issued->text.Reveal());
  visit.state.sessions.Leave(visit.session_id, NewToken{Secret(text), issued->token.public_id});
  return SeeOther("/settings/tokens/created");
}

/// Shows the new token, which New left; a second time there is nothing to show.
Response Created(const Visit& visit) {
  if (visit.request.method == "HEAD") return SeeOther(kList);
  const std::optional<NewToken> made = visit.state.sessions.TakeNewToken(visit.session_id);
  if (!made) {
    return SeeOther(visit, kList,
                    "An access token is shown once only. If you did not copy it, delete it and "
                    "generate another one.");
  }
  const absl::StatusOr<pat::Token> token = Find(visit, made->public_id);
  if (!token.ok()) return FailurePage(token.status());
  return SettingsPage(visit, Place::kTokens, "Your new access token",
                      CreatedBody(visit, *token, made->text.Reveal()));
}

Response Edit(const Visit& visit, const pat::Token& token, const Form* form) {
  const auto answer = [&](int status, const TokenDraft& draft, const DraftError& error) {
    return SettingsPage(visit, Place::kTokens, "Edit access token",
                        EditBody(visit, token, draft, error, Now(visit)), status);
  };
  if (form == nullptr) {
    const bool one = token.scopes.size() == 1 && FindAccessLevel(token.scopes.front());
    return answer(200, {token.description, one ? token.scopes.front() : "keep", {}, {}}, {});
  }
  const TokenDraft draft = DraftOf(*form);
  const DraftError error = CheckDraft(draft, true);
  if (!error.text.empty()) return answer(400, draft, error);
  pat::TokenUpdate update;
  update.description = draft.description;
  if (draft.access != "keep") update.scopes = std::vector<std::string>{draft.access};
  const auto updated = AuthorityOf(visit).Update(token.id, update, visit.user.account);
  if (!updated.ok()) return FailurePage(updated.status());
  return SeeOther(visit, kList, Cat({"Saved \"", NameOf(*updated), "\"."}));
}

/// The tokens that a form names; those that are gone are left out.
absl::StatusOr<std::vector<pat::Token>> Selected(const Visit& visit, const Form& form) {
  std::vector<pat::Token> tokens;
  for (std::string_view public_id : form.All("id")) {
    absl::StatusOr<pat::Token> token = Find(visit, public_id);
    if (token.ok()) {
      tokens.push_back(*std::move(token));
    } else if (!absl::IsNotFound(token.status())) {
      return token.status();
    }
  }
  return tokens;
}

struct Deed {
  std::string_view name;
  std::string_view done;
  absl::Status (*run)(pat::Authority& authority, std::uint64_t id, const std::string& owner);
};

constexpr Deed kDeeds[] = {
    {"activate", "Activated",
     [](pat::Authority& a, std::uint64_t id, const std::string& o) { return a.Activate(id, o); }},
    {"deactivate", "Deactivated",
     [](pat::Authority& a, std::uint64_t id, const std::string& o) { return a.Deactivate(id, o); }},
    {"delete", "Deleted",
     [](pat::Authority& a, std::uint64_t id, const std::string& o) { return a.Delete(id, o); }},
};

const Deed* FindDeed(std::string_view name) {
  for (const Deed& deed : kDeeds) {
    if (deed.name == name) return &deed;
  }
  return nullptr;
}

Response Do(const Visit& visit, const Deed& deed, const std::vector<pat::Token>& tokens) {
  std::size_t done = 0;
  for (const pat::Token& token : tokens) {
    const absl::Status status = deed.run(AuthorityOf(visit), token.id, visit.user.account);
    done += status.ok() ? 1 : 0;
  }
  const bool all = done == tokens.size();
  const std::string number = std::to_string(done);
  const std::string which = tokens.size() == 1 && all
                                ? Cat({"\"", NameOf(tokens.front()), "\""})
                                : Cat({number, done == 1 ? " token" : " tokens"});
  std::string text = Cat({deed.done, " ", which, "."});
  if (!all) {
    text = Cat({deed.done, " ", number, " of ", std::to_string(tokens.size()),
                " tokens; with the others it did not work. Try again."});
  }
  return SeeOther(visit, ListOfReferer(visit), std::move(text), !all);
}

Response AskToDelete(const Visit& visit, const std::vector<pat::Token>& tokens) {
  return SettingsPage(visit, Place::kTokens, "Delete access tokens", DeleteBody(visit, tokens));
}

Response WithSelected(const Visit& visit, const Form* form) {
  if (form == nullptr) return SeeOther(kList);
  const Deed* const deed = FindDeed(form->First("what"));
  if (deed == nullptr) return ErrorPage(400, "Nothing to do", "The form does not say what to do.");
  const auto tokens = Selected(visit, *form);
  if (!tokens.ok()) return FailurePage(tokens.status());
  if (tokens->empty()) {
    return SeeOther(visit, ListOfReferer(visit),
                    form->Count("id") == 0 ? "Select the tokens first." : "They are gone already.",
                    form->Count("id") == 0);
  }
  if (deed->name == "delete" && form->First("confirmed") != "yes") {
    return AskToDelete(visit, *tokens);
  }
  return Do(visit, *deed, *tokens);
}

Response One(const Visit& visit, std::string_view public_id, std::string_view what,
             const Form* form) {
  const absl::StatusOr<pat::Token> token = Find(visit, public_id);
  if (!token.ok()) return FailurePage(token.status());
  if (what == "edit") return Edit(visit, *token, form);
  if (what == "delete" && form == nullptr) return AskToDelete(visit, {*token});
  const Deed* const deed = FindDeed(what);
  if (deed == nullptr || deed->name == "delete") {
    return ErrorPage(404, "No such page", "There is nothing here.");
  }
  return form == nullptr ? SeeOther(kList) : Do(visit, *deed, {*token});
}

Response Tokens(const Visit& visit, const Form* form) {
  std::string_view below = std::string_view(visit.request.path).substr(sizeof kList - 1);
  if (!below.empty()) below.remove_prefix(1);
  if (below.empty()) return form == nullptr ? List(visit) : SeeOther(kList);
  if (below == "new") return New(visit, form);
  if (below == "created") return Created(visit);
  if (below == "selected") return WithSelected(visit, form);
  const std::size_t slash = below.find('/');
  if (slash == std::string_view::npos) {
    return ErrorPage(404, "No such page", "There is nothing here.");
  }
  return One(visit, below.substr(0, slash), below.substr(slash + 1), form);
}

}  // namespace

void RegisterTokenPages(Router& router, const std::shared_ptr<PageState>& state) {
  AddPage(router, state, kList, true, {}, &Tokens);
}

}  // namespace hub
