// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_TOKEN_VIEW_H_
#define PATCTL_TOKEN_VIEW_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "pat/token.h"

namespace patctl {

/// A token as one JSON object: id (decimal, a string), uuid, account, description, scopes, state,
/// origin, created_at, expires_at, last_used_at, last_used_ip (null where there is none),
/// attributes; `token`, the secret text, only if it is not empty. Where they apply:
/// account_base64 if the account's id is not UTF-8, last_used_user_agent, deleted_at and
/// delete_reason, damaged.
std::string TokenJson(const pat::Token& token, std::string_view text = {});

/// A token for people: one line a property. `text` is the secret text, or "***".
std::string TokenBlock(const pat::Token& token, std::string_view text);

/// Tokens for people: one line each, under a heading.
std::string TokenTable(absl::Span<const pat::Token> tokens);

}  // namespace patctl

#endif  // PATCTL_TOKEN_VIEW_H_
