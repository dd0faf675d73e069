// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl on a store that somebody edited: what is damaged is shown as such and can be deleted.
#include <gmock/gmock.h>

#include "tests/patctl_run.h"
#include "tests/raw_tables.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kRubbish[] = "rubbish that no seal fits, and longer than a seal of sixteen bytes";

TEST_F(PatctlTest, ADamagedTokenIsShownAndDeleted) {
  Init();
  const json token = Issue();
  const json other = Issue();
  ASSERT_TRUE(
      pat::EditRaw(store_, [](pat::RawTables& tables) { tables.PutMetadata(1, 1, kRubbish); }));
  EXPECT_EQ(Json({"show", "1"})["damaged"], true);
  EXPECT_THAT(Patctl({"show", "1"}).out, HasSubstr("DAMAGED"));
  EXPECT_EQ(Json({"list", "--account", "alice"})["tokens"].size(), 2U);
  EXPECT_EQ(Patctl({"rename", "1", "x"}).status, 2);
  EXPECT_EQ(Patctl({"activate", "1"}).status, 2);
  EXPECT_EQ(Patctl({"delete", "1"}).status, 0);
  EXPECT_EQ(Verify(token), 1);
  EXPECT_EQ(Verify(other), 0);
}

TEST_F(PatctlTest, ADamagedTokenThatIsDeactivatedIsGoneAndSaysSo) {
  Init();
  const json token = Issue();
  ASSERT_TRUE(
      pat::EditRaw(store_, [](pat::RawTables& tables) { tables.PutMetadata(1, 1, kRubbish); }));
  const Outcome outcome = Patctl({"deactivate", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_FALSE(outcome.err.empty());
  EXPECT_EQ(Verify(token), 1);
}

TEST_F(PatctlTest, DamagedCountsDoNotHideTokens) {
  Init();
  Issue();
  ASSERT_TRUE(pat::EditRaw(store_, [](pat::RawTables& tables) { tables.PutAccount(1, kRubbish); }));
  const Outcome outcome = Patctl({"list", "--account", "alice", "--json"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("counts"));
  const json list = outcome.json();
  EXPECT_TRUE(list["active"].is_null());
  EXPECT_EQ(list["tokens"].size(), 1U);
}

TEST_F(PatctlTest, ADamagedHeaderIsAnError) {
  Init();
  ASSERT_TRUE(
      pat::EditRaw(store_, [](pat::RawTables& tables) { tables.PutMeta("header", kRubbish); }));
  EXPECT_EQ(Patctl({"stats"}).status, 2);
  EXPECT_EQ(Patctl({"init", "--prefix", "acme_pat_"}).status, 2);
}

}  // namespace
