// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "examples/hub/sessions.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hub {
namespace {

class SessionsTest : public testing::Test {
 protected:
  static SessionLimits Few() {
    SessionLimits limits;
    limits.all = 4;
    limits.account = 2;
    return limits;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  Sessions sessions_{Few(), [this] { return now_; }};
};

TEST_F(SessionsTest, IdsAreLongAndNeverTheSame) {
  Sessions many(SessionLimits(), [this] { return now_; });
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.insert(many.Begin("a", "v", true));
  EXPECT_EQ(ids.size(), 200U);
  for (const std::string& id : ids) EXPECT_EQ(id.size(), 43U);
}

TEST_F(SessionsTest, OneIsFoundByItsWholeIdAlone) {
  const std::string id = sessions_.Begin("a", "v", true);
  const auto found = sessions_.Find(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->account, "a");
  EXPECT_EQ(found->version, "v");
  EXPECT_TRUE(found->signed_in);
  EXPECT_FALSE(sessions_.Find(id.substr(1)));
  EXPECT_FALSE(sessions_.Find(""));
  EXPECT_FALSE(sessions_.Find(id + "A"));
  sessions_.End(id);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, OneEndsWhenItIsIdle) {
  const std::string id = sessions_.Begin("a", "v", true);
  now_ += absl::Minutes(59);
  EXPECT_TRUE(sessions_.Find(id));
  now_ += absl::Minutes(59);
  EXPECT_TRUE(sessions_.Find(id)) << "being seen keeps it";
  now_ += absl::Minutes(60);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, OneEndsAfterItsLifetimeHoweverBusy) {
  const std::string id = sessions_.Begin("a", "v", true);
  for (int minutes = 0; minutes < 12 * 60; minutes += 30, now_ += absl::Minutes(30)) {
    EXPECT_TRUE(sessions_.Find(id)) << minutes;
  }
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, TheCodeIsWaitedForFiveMinutes) {
  const std::string id = sessions_.Begin("a", "v", false);
  now_ += absl::Minutes(4);
  ASSERT_TRUE(sessions_.Find(id));
  EXPECT_FALSE(sessions_.Find(id)->signed_in);
  now_ += absl::Minutes(1);
  EXPECT_FALSE(sessions_.Find(id));
}

TEST_F(SessionsTest, TheAccountsOldestMakesRoom) {
  const std::string first = sessions_.Begin("a", "v", true);
  now_ += absl::Seconds(1);
  const std::string second = sessions_.Begin("a", "v", true);
  const std::string other = sessions_.Begin("b", "v", true);
  now_ += absl::Seconds(1);
  ASSERT_TRUE(sessions_.Find(first));  // so the second is longest not seen
  const std::string third = sessions_.Begin("a", "v", true);
  EXPECT_TRUE(sessions_.Find(first));
  EXPECT_FALSE(sessions_.Find(second));
  EXPECT_TRUE(sessions_.Find(third));
  EXPECT_TRUE(sessions_.Find(other));
}

TEST_F(SessionsTest, ThereAreNeverMoreThanTheLimit) {
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    ids.push_back(sessions_.Begin("account-" + std::to_string(i), "v", true));
    now_ += absl::Seconds(1);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(sessions_.Find(ids[i]).has_value(), i >= 3) << i;
  }
}

TEST_F(SessionsTest, WhatIsLeftIsTakenOnce) {
  const std::string id = sessions_.Begin("a", "v", true);
  EXPECT_FALSE(sessions_.TakeMessage(id));
  sessions_.Leave(id, Message{"done", false});
  ASSERT_TRUE(sessions_.TakeMessage(id));
  EXPECT_FALSE(sessions_.TakeMessage(id));
  std::string text = "a token's text";
  sessions_.Leave(id, NewToken{Secret(text), "uuid"});
  const auto token = sessions_.TakeNewToken(id);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->text.Reveal(), "a token's text");
  EXPECT_FALSE(sessions_.TakeNewToken(id));
}

TEST_F(SessionsTest, ANewTokenThatNobodyFetchesGoesAfterAMinute) {
  const std::string id = sessions_.Begin("a", "v", true);
  std::string text = "a token's text";
  sessions_.Leave(id, NewToken{Secret(text), "uuid"});
  now_ += absl::Minutes(1);
  EXPECT_FALSE(sessions_.TakeNewToken(id));
}

TEST(FormTokenTest, IsTheVerySame) {
  EXPECT_TRUE(SameFormToken("abc", "abc"));
  EXPECT_FALSE(SameFormToken("abd", "abc"));
  EXPECT_FALSE(SameFormToken("ab", "abc"));
  EXPECT_FALSE(SameFormToken("", "")) << "a session without one takes no form";
}

}  // namespace
}  // namespace hub
