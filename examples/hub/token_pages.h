// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_TOKEN_PAGES_H_
#define HUB_TOKEN_PAGES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "html.h"
#include "page.h"
#include "pat/authority.h"
#include "pat/token.h"

// How tokens look: what each page shows. What they do stands in page_tokens.cc.

namespace hub {

/// Tokens that expire within this are marked.
inline constexpr absl::Duration kExpiresSoon = absl::Hours(7 * 24);

/// Which tokens somebody looks at: what the query of the list says.
struct TokenFilter {
  static TokenFilter Of(std::string_view query);
  pat::ListOptions Options() const;
  bool narrows() const { return state || origin || !text.empty(); }
  /// The list's address with this filter, from `after` on.
  std::string Address(std::string_view after) const;

  std::optional<pat::State> state;
  std::optional<pat::Origin> origin;
  std::string text;
  std::string after;
};

/// What the form for a new or changed token holds.
struct TokenDraft {
  std::string description;
  std::string access;      ///< A scope's name, or "keep": as the token has them.
  std::string expires;     ///< "never", a number of days, or "date".
  std::string expires_on;  ///< "2030-01-01", for "date".
};

/// An error and the field it is about; empty: none.
struct DraftError {
  std::string field;
  std::string text;
};

/// The words by which a token is named to its owner: never empty.
std::string NameOf(const pat::Token& token);

Html ListBody(const Visit& visit, const TokenFilter& filter, const pat::TokenPage& page,
              const pat::Counts& counts, absl::Time now);
Html NewBody(const Visit& visit, const TokenDraft& draft, const DraftError& error);
Html CreatedBody(const Visit& visit, const pat::Token& token, std::string_view text);
Html EditBody(const Visit& visit, const pat::Token& token, const TokenDraft& draft,
              const DraftError& error, absl::Time now);
Html DeleteBody(const Visit& visit, const std::vector<pat::Token>& tokens);

}  // namespace hub

#endif  // HUB_TOKEN_PAGES_H_
