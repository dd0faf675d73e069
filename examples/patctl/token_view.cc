// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "token_view.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "json.h"
#include "pat/lifecycle.h"
#include "text.h"
#include "times.h"

namespace patctl {
namespace {

std::optional<std::string> TimeOrNone(const std::optional<absl::Time>& time) {
  if (!time.has_value()) return std::nullopt;
  return Rfc3339(*time);
}

std::optional<std::string> TextOrNone(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::string Scopes(const pat::Token& token) {
  std::string text;
  for (const std::string& scope : token.scopes) text += (text.empty() ? "" : " ") + Escaped(scope);
  return text;
}

std::string StateText(const pat::Token& token) {
  std::string text(pat::ToString(token.state));
  if (token.delete_reason.has_value())
    text += Cat({" (", pat::ToString(*token.delete_reason), ")"});
  if (token.damaged) text += " DAMAGED";
  return text;
}

std::string LastUse(const pat::Token& token) {
  if (!token.last_used_at.has_value()) return "never";
  std::string text = Rfc3339(*token.last_used_at);
  if (!token.last_used_ip.empty()) text += " from " + Escaped(token.last_used_ip);
  return text;
}

}  // namespace

std::string TokenJson(const pat::Token& token, std::string_view text) {
  JsonObject attributes;
  for (const auto& [name, value] : token.attributes) attributes.Text(name, value);
  JsonObject json;
  json.Text("id", std::to_string(token.id));
  json.Text("uuid", token.public_id);
  json.Text("account", token.account);
  if (!pat::CountUtf8(token.account).has_value()) {
    json.Text("account_base64", absl::Base64Escape(token.account));
  }
  json.Text("description", token.description);
  json.Raw("scopes", JsonStrings(token.scopes));
  json.Text("state", pat::ToString(token.state));
  json.Text("origin", pat::ToString(token.origin));
  json.Text("created_at", Rfc3339(token.created_at));
  json.TextOrNull("expires_at", TimeOrNone(token.expires_at));
  json.TextOrNull("last_used_at", TimeOrNone(token.last_used_at));
  json.TextOrNull("last_used_ip", TextOrNone(token.last_used_ip));
  if (!token.last_used_user_agent.empty()) {
    json.Text("last_used_user_agent", token.last_used_user_agent);
  }
  json.Raw("attributes", attributes.str());
  if (token.deleted_at.has_value()) json.Text("deleted_at", Rfc3339(*token.deleted_at));
  if (token.delete_reason.has_value()) {
    json.Text("delete_reason", pat::ToString(*token.delete_reason));
  }
  if (token.damaged) json.Bool("damaged", true);
  if (!text.empty()) json.Text("token", text);
  return json.str();
}

std::string TokenBlock(const pat::Token& token, std::string_view text) {
  std::vector<std::vector<std::string>> rows = {
      {"id:", std::to_string(token.id)},
      {"uuid:", Escaped(token.public_id)},
      {"account:", Escaped(token.account)},
      {"description:", Escaped(token.description)},
      {"scopes:", Scopes(token)},
      {"state:", StateText(token)},
      {"origin:", std::string(pat::ToString(token.origin))},
      {"created:", Rfc3339(token.created_at)},
      {"expires:", TimeOrNone(token.expires_at).value_or("never")},
      {"last used:", LastUse(token)},
  };
  if (!token.last_used_user_agent.empty()) {
    rows.push_back({"user agent:", Escaped(token.last_used_user_agent)});
  }
  if (token.deleted_at.has_value()) rows.push_back({"deleted:", Rfc3339(*token.deleted_at)});
  for (const auto& [name, value] : token.attributes) {
    rows.push_back({"attribute:", Cat({Escaped(name), "=", Escaped(value)})});
  }
  rows.push_back({"token:", std::string(text)});
  return Table(rows);
}

std::string TokenTable(absl::Span<const pat::Token> tokens) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "DESCRIPTION", "SCOPES", "STATE", "ORIGIN", "CREATED", "EXPIRES", "LAST USED"}};
  for (const pat::Token& token : tokens) {
    rows.push_back({std::to_string(token.id), Escaped(token.description), Scopes(token),
                    StateText(token), std::string(pat::ToString(token.origin)),
                    Rfc3339(token.created_at), TimeOrNone(token.expires_at).value_or("never"),
                    LastUse(token)});
  }
  return Table(rows);
}

}  // namespace patctl
