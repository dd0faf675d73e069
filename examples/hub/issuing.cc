// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "issuing.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "json.h"
#include "pat/token.h"
#include "request_log.h"
#include "text.h"

namespace hub {
namespace {

// The names of our attributes of tokens.
constexpr char kClientId[] = "client_id";
constexpr char kIp[] = "ip";
constexpr char kUserAgent[] = "user_agent";
constexpr char kExpiresAt[] = "expires_at";

/// What there is room for among a token's attributes.
constexpr std::size_t kMaxUserAgentBytes = 768;

/// The header as sent, but that it must be text: what is no UTF-8 becomes question marks.
std::string UserAgentOf(const Request& request) {
  std::string text(request.Header("User-Agent").value_or(""));
  if (text.size() > kMaxUserAgentBytes) {
    text.resize(kMaxUserAgentBytes);
    while (!text.empty() && !pat::CountUtf8(text) && (text.back() & 0x80) != 0) text.pop_back();
  }
  if (!pat::CountUtf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  return text;
}

std::string AttributeOf(const pat::Token& token, const char* name) {
  const auto found = token.attributes.find(name);
  return found == token.attributes.end() ? std::string() : found->second;
}

void LogEvicted(const User& user, const std::vector<std::uint64_t>& ids,
                const pat::Authority& authority) {
  Json tokens = Json::array();
  for (const std::uint64_t id : ids) {
    const absl::StatusOr<std::string> public_id = authority.PublicIdOf(id);
    if (public_id.ok()) tokens.push_back(*public_id);
  }
  LogEvent("tokens_evicted", {{"user", user.name}, {"tokens", tokens}});
}

/// The number that `text` is, all digits.
int Digits(std::string_view text) { return static_cast<int>(ParseNumber(text).value_or(-1)); }

}  // namespace

absl::StatusOr<pat::Issued> Issuing::Issue(const User& user, const TokenOrder& order,
                                           const Request& request) {
  const absl::Time now = clock_();
  if (throttle_.Wait(user.account, now) > absl::ZeroDuration()) {
    return absl::ResourceExhaustedError("Too many new access tokens. Wait, then try again.");
  }
  pat::IssueRequest wanted;
  wanted.account = user.account;
  wanted.description = order.label;
  wanted.scopes = order.scopes;
  wanted.origin = order.origin;
  if (!order.expires_at.empty()) {
    wanted.expires_at = ParseApiTime(order.expires_at);
    if (!wanted.expires_at) {
      return absl::InvalidArgumentError("expires_at is a time like 2030-01-01T00:00:00Z");
    }
    // libpat keeps whole seconds.
    if (order.expires_at != ApiTime(*wanted.expires_at)) {
      wanted.attributes[kExpiresAt] = order.expires_at;
    }
  }
  wanted.attributes[kClientId] = order.client_id;
  wanted.attributes[kIp] = request.ip;
  wanted.attributes[kUserAgent] = UserAgentOf(request);
  absl::StatusOr<pat::Issued> issued = authority_.Issue(wanted);
  if (!issued.ok()) return issued;
  throttle_.Fail(user.account, now);
  metrics_.Issued(order.origin, issued->evicted.size());
  if (!issued->evicted.empty()) LogEvicted(user, issued->evicted, authority_);
  return issued;
}

Creation CreationOf(const pat::Token& token) {
  return {AttributeOf(token, kClientId), AttributeOf(token, kIp), AttributeOf(token, kUserAgent)};
}

std::optional<absl::Time> ParseApiTime(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const std::string_view fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  const bool fraction_fits =
      fraction.empty() || (fraction.front() == '.' && fraction.size() >= 2 &&
                           fraction.size() <= 7 && ParseNumber(fraction.substr(1)));
  if (!fraction_fits) return std::nullopt;
  const int parts[] = {Digits(text.substr(0, 4)),  Digits(text.substr(5, 2)),
                       Digits(text.substr(8, 2)),  Digits(text.substr(11, 2)),
                       Digits(text.substr(14, 2)), Digits(text.substr(17, 2))};
  const absl::CivilSecond civil(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  const absl::Time time = absl::FromCivil(civil, absl::UTCTimeZone());
  // A 30th of February became another day.
  if (ApiTime(time).substr(0, kShape.size()) != text.substr(0, kShape.size())) return std::nullopt;
  return time;
}

std::string ApiTime(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::optional<std::string> ExpiryText(const pat::Token& token) {
  if (!token.expires_at) return std::nullopt;
  std::string given = AttributeOf(token, kExpiresAt);
  return given.empty() ? ApiTime(*token.expires_at) : given;
}

}  // namespace hub
