// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_AUTO_TOKEN_H_
#define PAT_AUTO_TOKEN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace pat {

/// Rules for auto-generated tokens: those a sign-in makes for a device, so that nobody need come
/// back to delete them. Source: Docker Hub, "Auto-generated personal access tokens".
struct AutoTokenPolicy {
  /// Auto tokens an account may have that are not deleted (active, inactive and expired alike).
  /// 1..64.
  int max_per_account = 5;

  /// The scopes an auto token gets when its request names none: read, write, delete.
  std::vector<std::string> scopes = {"repo:admin"};
};

/// Highest value of AutoTokenPolicy::max_per_account.
inline constexpr int kMaxAutoTokens = 64;

/// What eviction looks at: an auto token of the account that is not deleted.
struct AutoToken {
  std::uint64_t id = 0;
  absl::Time created_at;
  std::optional<absl::Time> last_used_at;  ///< None: never used.
  bool expired = false;
};

/// The ids to delete, in order, so that `arriving` more auto tokens leave the account with at most
/// `max` of them. Expired ones go first; then the one with the smallest max(last used, created):
/// `max`, since a sign-in that was not used yet must not be the first to go; then the smallest id.
/// Pure: the same input gives the same answer, whatever its order. Never more than there are, never
/// more than needed. A negative number counts as 0.
inline std::vector<std::uint64_t> PickEvictions(absl::Span<const AutoToken> tokens, int arriving,
                                                int max) {
  const auto rank = [](const AutoToken& token) {
    return std::make_tuple(
        !token.expired, std::max(token.created_at, token.last_used_at.value_or(token.created_at)),
        token.id);
  };
  std::vector<AutoToken> order(tokens.begin(), tokens.end());
  std::sort(order.begin(), order.end(),
            [&](const AutoToken& a, const AutoToken& b) { return rank(a) < rank(b); });
  const std::int64_t excess =
      static_cast<std::int64_t>(order.size()) + std::max(arriving, 0) - std::max(max, 0);
  std::vector<std::uint64_t> evicted;
  for (const AutoToken& token : order) {
    if (static_cast<std::int64_t>(evicted.size()) >= excess) break;
    evicted.push_back(token.id);
  }
  return evicted;
}

}  // namespace pat

#endif  // PAT_AUTO_TOKEN_H_
