// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/auto_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "absl/time/time.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Time At(std::int64_t s) { return absl::FromUnixSeconds(s); }

// Used at `used` seconds; 0: never.
AutoToken Make(std::uint64_t id, std::int64_t created, std::int64_t used = 0,
               bool expired = false) {
  AutoToken token{id, At(created), std::nullopt, expired};
  if (used != 0) token.last_used_at = At(used);
  return token;
}

// What the rules say, said again: while there is one too many, look at all that are left and take
// out the one that no other precedes.
bool GoesBefore(const AutoToken& a, const AutoToken& b) {
  if (a.expired && !b.expired) return true;
  if (b.expired && !a.expired) return false;
  absl::Time a_time = a.created_at;
  if (a.last_used_at.has_value() && *a.last_used_at > a_time) a_time = *a.last_used_at;
  absl::Time b_time = b.created_at;
  if (b.last_used_at.has_value() && *b.last_used_at > b_time) b_time = *b.last_used_at;
  if (a_time != b_time) return a_time < b_time;
  return a.id < b.id;
}

std::vector<std::uint64_t> Reference(std::vector<AutoToken> left, int arriving, int max) {
  std::vector<std::uint64_t> gone;
  while (!left.empty() && static_cast<std::int64_t>(left.size()) + std::max(arriving, 0) >
                              static_cast<std::int64_t>(std::max(max, 0))) {
    std::size_t victim = 0;
    for (std::size_t i = 1; i < left.size(); ++i) {
      if (GoesBefore(left[i], left[victim])) victim = i;
    }
    gone.push_back(left[victim].id);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(victim));
  }
  return gone;
}

TEST(PickEvictionsTest, SixthPushesOutTheLeastRecentlyUsed) {
  const std::vector<AutoToken> tokens = {Make(1, 100, 900), Make(2, 200, 300), Make(3, 300, 800),
                                         Make(4, 400, 700), Make(5, 500, 600)};
  EXPECT_THAT(PickEvictions(tokens, 1, 5), ElementsAre(2));
}

TEST(PickEvictionsTest, NoneWhileThereIsRoom) {
  std::vector<AutoToken> tokens;
  for (std::uint64_t id = 1; id <= 5; ++id) {
    EXPECT_THAT(PickEvictions(tokens, 1, 5), IsEmpty());
    tokens.push_back(Make(id, 100));
  }
  EXPECT_THAT(PickEvictions(tokens, 0, 5), IsEmpty());
  EXPECT_THAT(PickEvictions(tokens, 1, 5), ElementsAre(1));
}

TEST(PickEvictionsTest, NewAndNeverUsedOutlivesOldAndUsed) {
  const std::vector<AutoToken> tokens = {Make(1, 1000), Make(2, 100, 999)};
  EXPECT_THAT(PickEvictions(tokens, 1, 2), ElementsAre(2));
}

TEST(PickEvictionsTest, UseBeforeCreationCountsAsCreation) {  // a clock that went back
  const std::vector<AutoToken> tokens = {Make(1, 1000, 1), Make(2, 999, 999)};
  EXPECT_THAT(PickEvictions(tokens, 1, 2), ElementsAre(2));
}

TEST(PickEvictionsTest, ExpiredGoFirstThoughUsedLast) {
  const std::vector<AutoToken> tokens = {Make(1, 100), Make(2, 200), Make(3, 300, 9999, true)};
  EXPECT_THAT(PickEvictions(tokens, 1, 3), ElementsAre(3));
  EXPECT_THAT(PickEvictions(tokens, 2, 3), ElementsAre(3, 1));
}

TEST(PickEvictionsTest, TieGoesToTheSmallestId) {
  const std::vector<AutoToken> tokens = {Make(9, 100, 500), Make(3, 500), Make(7, 500, 200),
                                         Make(UINT64_MAX, 500), Make(0, 500)};
  EXPECT_THAT(PickEvictions(tokens, 5, 5), ElementsAre(0, 3, 7, 9, UINT64_MAX));
}

TEST(PickEvictionsTest, NeverMoreThanThereAre) {
  const std::vector<AutoToken> tokens = {Make(1, 100), Make(2, 200)};
  EXPECT_THAT(PickEvictions(tokens, 6, 5), ElementsAre(1, 2));
  EXPECT_THAT(PickEvictions(tokens, INT_MAX, 5), ElementsAre(1, 2));
  EXPECT_THAT(PickEvictions(tokens, INT_MAX, INT_MIN), ElementsAre(1, 2));
  EXPECT_THAT(PickEvictions({}, INT_MAX, 0), IsEmpty());
}

TEST(PickEvictionsTest, NegativeNumbersCountAsNothing) {
  const std::vector<AutoToken> tokens = {Make(1, 100), Make(2, 200)};
  EXPECT_THAT(PickEvictions(tokens, -1, 2), IsEmpty());
  EXPECT_THAT(PickEvictions(tokens, INT_MIN, 1), ElementsAre(1));
  EXPECT_THAT(PickEvictions(tokens, INT_MIN, INT_MAX), IsEmpty());
  EXPECT_THAT(PickEvictions(tokens, 0, -1), ElementsAre(1, 2));
  EXPECT_THAT(PickEvictions(tokens, 0, INT_MIN), ElementsAre(1, 2));
}

TEST(PickEvictionsTest, LoweredCapIsReachedAtOnce) {
  const std::vector<AutoToken> tokens = {Make(1, 100), Make(2, 200), Make(3, 300)};
  EXPECT_THAT(PickEvictions(tokens, 0, 1), ElementsAre(1, 2));
}

TEST(PickEvictionsTest, TheEndsOfTime) {
  AutoToken never{1, absl::InfinitePast(), std::nullopt, false};
  AutoToken ever{2, absl::InfinitePast(), absl::InfiniteFuture(), false};
  EXPECT_THAT(PickEvictions({ever, Make(3, 100), never}, 3, 3), ElementsAre(1, 3, 2));
}

TEST(PickEvictionsTest, ManyTokens) {
  std::vector<AutoToken> tokens;
  for (std::uint64_t id = 0; id < 100000; ++id) tokens.push_back(Make(100000 - id, 1));
  const std::vector<std::uint64_t> evicted = PickEvictions(tokens, 1, 5);
  ASSERT_EQ(evicted.size(), 99996U);
  EXPECT_EQ(evicted.front(), 1U);
  EXPECT_TRUE(std::is_sorted(evicted.begin(), evicted.end()));
}

// Few distinct times, so that ties are common.
std::vector<AutoToken> RandomTokens(std::mt19937_64& random) {
  std::vector<AutoToken> tokens;
  std::set<std::uint64_t> ids;
  for (std::size_t n = random() % 12; tokens.size() < n;) {
    const std::uint64_t id = random() % 5 == 0 ? random() : random() % 40;
    if (!ids.insert(id).second) continue;
    tokens.push_back(Make(id, static_cast<std::int64_t>(1 + random() % 4),
                          static_cast<std::int64_t>(random() % 6), random() % 4 == 0));
  }
  return tokens;
}

TEST(PickEvictionsTest, AgreesWithTheReferenceInAnyOrder) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20000; ++round) {
    std::vector<AutoToken> tokens = RandomTokens(random);
    const int arriving = static_cast<int>(random() % 8) - 1;
    const int max = static_cast<int>(random() % 9) - 1;
    const std::vector<std::uint64_t> expected = Reference(tokens, arriving, max);
    for (int order = 0; order < 3; ++order) {
      std::shuffle(tokens.begin(), tokens.end(), random);
      ASSERT_EQ(PickEvictions(tokens, arriving, max), expected) << "round " << round;
    }
  }
}

// Stated without the order of judgement: as many as needed, no id twice, none that does not exist,
// and whoever stays is preceded by all who go.
TEST(PickEvictionsTest, AsManyAsNeededAndTheRightOnes) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; ++round) {
    const std::vector<AutoToken> tokens = RandomTokens(random);
    const auto size = static_cast<int>(tokens.size());
    const int arriving = static_cast<int>(random() % 8);
    const int max = static_cast<int>(random() % 8);
    const std::vector<std::uint64_t> evicted = PickEvictions(tokens, arriving, max);
    EXPECT_EQ(static_cast<int>(evicted.size()), std::clamp(size + arriving - max, 0, size));
    const std::set<std::uint64_t> gone(evicted.begin(), evicted.end());
    EXPECT_EQ(gone.size(), evicted.size());
    std::size_t found = 0;
    for (const AutoToken& going : tokens) {
      if (gone.count(going.id) == 0) continue;
      ++found;
      for (const AutoToken& staying : tokens) {
        if (gone.count(staying.id) == 0) {
          ASSERT_TRUE(GoesBefore(going, staying));
        }
      }
    }
    EXPECT_EQ(found, evicted.size());
  }
}

// Two arrivals at once push out what two arrivals one after the other do (those not used yet are
// younger than all, so they stay).
TEST(PickEvictionsTest, TogetherOrOneByOneIsTheSame) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 5000; ++round) {
    std::vector<AutoToken> tokens = RandomTokens(random);
    const int max = 2 + static_cast<int>(random() % 6);
    std::vector<std::uint64_t> together = PickEvictions(tokens, 2, max);
    std::vector<std::uint64_t> one_by_one;
    for (std::uint64_t arrival = 0; arrival < 2; ++arrival) {
      const std::vector<std::uint64_t> evicted = PickEvictions(tokens, 1, max);
      one_by_one.insert(one_by_one.end(), evicted.begin(), evicted.end());
      tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                                  [&](const AutoToken& token) {
                                    return std::count(evicted.begin(), evicted.end(), token.id) > 0;
                                  }),
                   tokens.end());
      tokens.push_back(Make(UINT64_MAX - arrival, 100));
    }
    ASSERT_EQ(together, one_by_one) << "round " << round;
  }
}

TEST(AutoTokenPolicyTest, DockerHubsRules) {
  const AutoTokenPolicy policy;
  EXPECT_EQ(policy.max_per_account, 5);
  EXPECT_THAT(policy.scopes, ElementsAre("repo:admin"));
  EXPECT_LE(policy.max_per_account, kMaxAutoTokens);
}

}  // namespace
}  // namespace pat
