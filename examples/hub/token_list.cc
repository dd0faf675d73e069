// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The list of tokens: counts, filters, the table with its row menus.
#include <algorithm>
#include <utility>

#include "access_levels.h"
#include "form.h"
#include "icons.h"
#include "moments.h"
#include "text.h"
#include "token_pages.h"

namespace hub {
namespace {

constexpr std::size_t kPageSize = 25;  // a form with all of them selected has kMaxFields at most

constexpr pat::State kStates[] = {pat::State::kActive, pat::State::kInactive, pat::State::kExpired};
constexpr pat::Origin kOrigins[] = {pat::Origin::kManual, pat::Origin::kAuto};

std::string_view Named(pat::State state) {
  switch (state) {
    case pat::State::kActive: return "Active";
    case pat::State::kInactive: return "Inactive";
    case pat::State::kExpired: return "Expired";
    case pat::State::kDeleted: break;
  }
  return "Deleted";
}

std::string_view Named(pat::Origin origin) {
  return origin == pat::Origin::kManual ? "Manual" : "Auto-generated";
}

void AddParameter(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  query += query.empty() ? '?' : '&';
  query += Cat({name, "="});
  constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    query += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
}

/// A choice among `values`, of which none, called `any`, is one too.
template <typename T, std::size_t kSize>
Html Choice(const Html& name, const Html& label, const Html& any, const T (&values)[kSize],
            const std::optional<T>& chosen) {
  Html options{R"(<option value="">)", any, "</option>"};
  for (const T& value : values) {
    options += {R"(<option value=")",
                Html::Text(pat::ToString(value)),
                R"(")",
                chosen == value ? Html(" selected") : Html(),
                ">",
                Html::Text(Named(value)),
                "</option>"};
  }
  return {R"(<label class="hidden" for="filter-)",
          name,
          R"(">)",
          label,
          R"(</label><select id="filter-)",
          name,
          R"(" name=")",
          name,
          R"(">)",
          options,
          "</select>"};
}

Html Toolbar(const TokenFilter& filter, const pat::Counts& counts) {
  return {
      R"(<div class="toolbar"><p class="counts"><span class="count"><strong id="active-count">)",
      Html::Text(std::to_string(counts.active)),
      R"(</strong> active</span> <span class="count"><strong id="inactive-count">)",
      Html::Text(std::to_string(counts.inactive)),
      R"(</strong> inactive</span></p>)"
      R"(<form class="filters" role="search" method="get" action="/settings/tokens">)"
      R"(<div class="search">)",
      icons::Search(),
      R"(<label class="hidden" for="filter-text">Search descriptions</label>)"
      R"(<input id="filter-text" type="search" name="text" maxlength="100" )"
      R"(placeholder="Search descriptions" value=")",
      Html::Text(filter.text),
      R"("></div>)",
      Choice("state", "Status", "Any status", kStates, filter.state),
      Choice("source", "Source", "Any source", kOrigins, filter.origin),
      R"(<button class="apply">Filter</button>)",
      filter.narrows() ? Html(R"(<a class="clear" href="/settings/tokens">Clear</a>)") : Html(),
      "</form></div>"};
}

/// What can be done to several rows at once. Its checkboxes are in the table.
Html Selection(const Visit& visit) {
  return {
      R"(<form id="selected" class="selection" method="post" action="/settings/tokens/selected">)",
      FormToken(visit),
      R"(<p class="selection-text">Selected tokens:</p>)"
      R"(<button class="small" name="what" value="activate">Activate</button>)"
      R"(<button class="small" name="what" value="deactivate">Deactivate</button>)"
      R"(<button class="small danger" name="what" value="delete">Delete</button></form>)"};
}

Html StateBadge(const pat::Token& token) {
  if (token.damaged) return R"(<span class="badge bad">Damaged</span>)";
  const std::string kind(pat::ToString(token.state));
  return {R"(<span class="badge )", Html::Text(kind), R"(">)", Html::Text(Named(token.state)),
          "</span>"};
}

Html LastUsed(const pat::Token& token, absl::Time now) {
  if (!token.last_used_at) return R"(<span class="faint">Never</span>)";
  Html html = Ago(*token.last_used_at, now);
  if (!token.last_used_ip.empty()) {
    html += {R"(<span class="second"><span class="hidden">from </span>)",
             Html::Text(token.last_used_ip), "</span>"};
  }
  return html;
}

Html Expiry(const pat::Token& token, absl::Time now) {
  if (!token.expires_at) return R"(<span class="faint">Never</span>)";
  const bool soon = *token.expires_at > now && *token.expires_at - now <= kExpiresSoon;
  if (!soon) return Day(*token.expires_at);
  return {Day(*token.expires_at),
          R"(<span class="badge soon">)",
          icons::Clock(),
          "Expires ",
          Html::Text(Until(*token.expires_at, now)),
          "</span>"};
}

/// A menu that opens without script. Its buttons belong to the one form `row`.
Html RowMenu(const pat::Token& token, const Html& name) {
  const Html address{"/settings/tokens/", Html::Text(token.public_id)};
  Html flip;
  if (!token.damaged && token.state == pat::State::kActive) {
    flip = {R"(<button form="row" formaction=")", address, R"(/deactivate">Deactivate</button>)"};
  } else if (!token.damaged && token.state == pat::State::kInactive) {
    flip = {R"(<button form="row" formaction=")", address, R"(/activate">Activate</button>)"};
  }
  const Html edit = token.damaged ? Html() : Html{R"(<a href=")", address, R"(/edit">Edit</a>)"};
  return {R"(<details class="menu"><summary><span class="hidden">Actions for )",
          name,
          "</span>",
          icons::Dots(),
          R"(</summary><div class="items">)",
          edit,
          flip,
          R"(<a class="danger" data-ask=")",
          Html::Text(token.public_id),
          R"(" href=")",
          address,
          R"(/delete">Delete</a></div></details>)"};
}

Html Row(const pat::Token& token, absl::Time now) {
  const Html name = Html::Text(NameOf(token));
  return {R"(<tr role="row"><td role="cell" class="pick"><input type="checkbox" form="selected" )"
          R"(name="id" value=")",
          Html::Text(token.public_id),
          R"(" aria-label="Select )",
          name,
          R"("></td><th role="rowheader" scope="row" class="name"><bdi>)",
          name,
          R"(</bdi></th><td role="cell" data-label="Status">)",
          StateBadge(token),
          R"(</td><td role="cell" data-label="Source">)",
          Html::Text(Named(token.origin)),
          R"(</td><td role="cell" data-label="Permissions">)",
          Html::Text(AccessInWords(token.scopes)),
          R"(</td><td role="cell" data-label="Created">)",
          Day(token.created_at),
          R"(</td><td role="cell" data-label="Last used">)",
          LastUsed(token, now),
          R"(</td><td role="cell" data-label="Expires">)",
          Expiry(token, now),
          R"(</td><td role="cell" class="act">)",
          RowMenu(token, name),
          "</td></tr>"};
}

Html Table(const Visit& visit, const pat::TokenPage& page, absl::Time now) {
  Html rows;
  for (const pat::Token& token : page.tokens) rows += Row(token, now);
  Html heads;
  for (std::string_view head :
       {"Description", "Status", "Source", "Permissions", "Created", "Last used", "Expires"}) {
    heads += {R"(<th role="columnheader" scope="col">)", Html::Text(head), "</th>"};
  }
  return {Selection(visit),
          R"(<form id="row" method="post">)",
          FormToken(visit),
          R"(</form><table role="table"><caption class="hidden">Your personal access tokens, the )"
          R"(newest first</caption><thead role="rowgroup"><tr role="row">)"
          R"(<th role="columnheader" scope="col" class="pick"><span class="hidden">Select</span>)"
          R"(<input type="checkbox" id="select-all" aria-label="Select all on this page" hidden>)"
          R"(</th>)",
          heads,
          R"(<th role="columnheader" scope="col" class="act"><span class="hidden">Actions)"
          R"(</span></th></tr></thead><tbody role="rowgroup">)",
          rows,
          "</tbody></table>"};
}

Html NothingThere(const TokenFilter& filter) {
  if (filter.narrows() || !filter.after.empty()) {
    return R"(<div class="empty"><p><strong>No token is like that</strong></p>)"
           R"(<p><a href="/settings/tokens">Show all tokens</a></p></div>)";
  }
  return {R"(<div class="empty"><span class="round">)", icons::Key(),
          R"(</span><p><strong>No access tokens yet</strong></p><p>Generate one for each tool or )"
          R"(machine, so that you can stop one without the others.</p></div>)"};
}

Html Paging(const TokenFilter& filter, const pat::TokenPage& page) {
  if (filter.after.empty() && page.next.empty()) return {};
  Html links;
  if (!filter.after.empty()) {
    links +=
        {R"(<a class="button small" href=")", Html::Text(filter.Address({})), R"(">Newest</a>)"};
  }
  if (!page.next.empty()) {
    links += {R"(<a class="button small" rel="next" href=")", Html::Text(filter.Address(page.next)),
              R"(">Older tokens</a>)"};
  }
  return {R"(<nav class="paging" aria-label="Pages of tokens">)", links, "</nav>"};
}

/// The question that page.js asks in place of the page that asks it.
Html AskDialog(const Visit& visit) {
  return {
      R"(<dialog id="ask" aria-labelledby="ask-title"><form method="post" )"
      R"(action="/settings/tokens/selected">)",
      FormToken(visit),
      R"(<input type="hidden" name="what" value="delete"><input type="hidden" )"
      R"(name="confirmed" value="yes"><div id="ask-ids"></div><h2 id="ask-title"></h2>)"
      R"(<ul id="ask-names"></ul><p>Whatever still uses a deleted token is refused at once. )"
      R"(This cannot be undone.</p><div class="buttons"><button class="danger solid">Delete</button>)"
      R"(<button type="button" id="ask-cancel">Cancel</button></div></form></dialog>)"};
}

}  // namespace

std::string NameOf(const pat::Token& token) {
  const bool blank = token.description.find_first_not_of(" \t\r\n") == std::string::npos;
  return blank ? Cat({"(no description, ", token.public_id.substr(0, 8), ")"}) : token.description;
}

TokenFilter TokenFilter::Of(std::string_view query) {
  TokenFilter filter;
  const std::optional<Form> form = Form::Parse(query);
  if (!form) return filter;
  for (pat::State state : kStates) {
    if (form->First("state") == pat::ToString(state)) filter.state = state;
  }
  for (pat::Origin origin : kOrigins) {
    if (form->First("source") == pat::ToString(origin)) filter.origin = origin;
  }
  filter.text = Trimmed(form->First("text"));
  filter.after = form->First("after");
  return filter;
}

pat::ListOptions TokenFilter::Options() const {
  pat::ListOptions options;
  options.state = state;
  options.origin = origin;
  options.text = text;
  options.after = after;
  options.limit = kPageSize;
  return options;
}

std::string TokenFilter::Address(std::string_view from) const {
  std::string query;
  AddParameter(query, "text", text);
  if (state) AddParameter(query, "state", pat::ToString(*state));
  if (origin) AddParameter(query, "source", pat::ToString(*origin));
  AddParameter(query, "after", from);
  return Cat({"/settings/tokens", query});
}

Html ListBody(const Visit& visit, const TokenFilter& filter, const pat::TokenPage& page,
              const pat::Counts& counts, absl::Time now) {
  const bool any = !page.tokens.empty();
  return {R"(<div class="head"><div><h1>Personal access tokens</h1><p class="lead">Sign in with a )"
          R"(token in place of your password, from the command line and from tools. Each can do )"
          R"(what you allow it, and can be stopped on its own.</p></div>)"
          R"(<a class="button primary" href="/settings/tokens/new">)",
          icons::Plus(),
          R"(Generate new token</a></div><section class="card flush" )"
          R"(aria-label="Tokens">)",
          Toolbar(filter, counts),
          any ? Table(visit, page, now) : NothingThere(filter),
          Paging(filter, page),
          "</section>",
          any ? AskDialog(visit) : Html()};
}

}  // namespace hub
