// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "credentials.h"

#include "base64.h"
#include "text.h"

namespace hub {
namespace {

/// The rest of `value` after the name of a scheme and blanks; none if it is of another scheme.
std::optional<std::string_view> AfterScheme(std::string_view value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return {};
  if (!EqualsIgnoreCase(value.substr(0, scheme.size()), scheme)) return {};
  value.remove_prefix(scheme.size());
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

std::optional<Credentials> Basic(std::string_view encoded) {
  std::optional<std::string> pair = FromBase64(encoded);
  if (!pair) return {};
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos || pair->find('\0') != std::string::npos) {
    Wipe(*pair);
    return {};
  }
  Credentials credentials;
  credentials.user = pair->substr(0, colon);
  std::string secret = pair->substr(colon + 1);
  Wipe(*pair);
  credentials.secret = Secret(secret);
  return credentials;
}

}  // namespace

std::optional<Credentials> ParseAuthorization(std::string_view value) {
  if (const auto encoded = AfterScheme(value, "Basic")) return Basic(*encoded);
  if (const auto token = AfterScheme(value, "Bearer")) {
    Credentials credentials;
    credentials.bearer = true;
    std::string text(*token);
    credentials.secret = Secret(text);
    return credentials;
  }
  return {};
}

std::optional<Credentials> CredentialsOf(const Request& request) {
  const auto value = request.Header("Authorization");
  return value ? ParseAuthorization(*value) : std::nullopt;
}

}  // namespace hub
