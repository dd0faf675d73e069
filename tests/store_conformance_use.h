// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_STORE_CONFORMANCE_USE_H_
#define PAT_TESTS_STORE_CONFORMANCE_USE_H_

// Last use. Part of tests/store_conformance.h.

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pat/store.h"
#include "tests/store_conformance_fixture.h"

namespace pat {

// ---- Last use

TEST_P(StoreConformance, UseIsNotedOnceAMinuteAndNeverGoesBack) {
  MustApply(PutToken(5, Record(5)));
  EXPECT_EQ(Use(5).unix_s, 0U);
  store_->RecordUse(5, 1000, "192.0.2.1", "first");
  EXPECT_EQ(Use(5).unix_s, 1000U);
  EXPECT_EQ(Use(5).ip, "192.0.2.1");
  EXPECT_EQ(Use(5).user_agent, "first");
  for (const std::uint32_t t : {0U, 1U, 999U, 1000U, 1059U}) store_->RecordUse(5, t, "x", "y");
  EXPECT_EQ(Use(5).unix_s, 1000U);
  EXPECT_EQ(Use(5).ip, "192.0.2.1");
  store_->RecordUse(5, 1060, "2001:db8::1", "second");
  EXPECT_EQ(Use(5).unix_s, 1060U);
  EXPECT_EQ(Use(5).ip, "2001:db8::1");
  EXPECT_EQ(Use(5).user_agent, "second");
  EXPECT_EQ(Use(4).unix_s, 0U);
  EXPECT_EQ(Use(6).unix_s, 0U);
  store_->RecordUse(5, 0xFFFFFFFF, "", "");
  EXPECT_EQ(Use(5).unix_s, 0xFFFFFFFFU);
  store_->RecordUse(5, 0xFFFFFFFF, "", "");
  store_->RecordUse(5, 5000, "", "");
  EXPECT_EQ(Use(5).unix_s, 0xFFFFFFFFU);
}

TEST_P(StoreConformance, PlaceSurvivesAFlushAndIsReplacedByANewerOne) {
  MustApply(PutToken(5, Record(5)));
  store_->RecordUse(5, 1000, "192.0.2.1", "first");
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(Use(5).unix_s, 1000U);
  EXPECT_EQ(Use(5).ip, "192.0.2.1");
  EXPECT_EQ(Use(5).user_agent, "first");
  store_->RecordUse(5, 2000, "192.0.2.2", "");
  EXPECT_EQ(Use(5).ip, "192.0.2.2");
  EXPECT_EQ(Use(5).user_agent, "");
  // Used again, from nobody knows where: the time moves, the last known place stays.
  store_->RecordUse(5, 3000, "", "");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Use(5).unix_s, 3000U);
    EXPECT_EQ(Use(5).ip, "192.0.2.2");
    ASSERT_TRUE(store_->Flush().ok());
  }
}

TEST_P(StoreConformance, PlaceIsCutToCleanText) {
  MustApply(PutToken(5, Record(5)));
  std::string long_agent(127, 'a');
  long_agent += "\xC3\xA9tude";  // the character would end in byte 129
  store_->RecordUse(5, 1000, std::string(100, '1'), long_agent);
  EXPECT_EQ(Use(5).ip, std::string(45, '1'));
  EXPECT_EQ(Use(5).user_agent, std::string(127, 'a'));
  store_->RecordUse(
      5, 2000, std::string("1\0 2", 4),
      std::string("ok\xFF\xC0\x80\xED\xA0\x80\0\xE2\x82\xAC\xF0\x9F\x98\x80\xE2", 17));
  EXPECT_EQ(Use(5).ip, "1 2");
  EXPECT_EQ(Use(5).user_agent, "ok\xE2\x82\xAC\xF0\x9F\x98\x80");
  store_->RecordUse(5, 3000, "", std::string(1 << 20, '\xFF') + "a");
  EXPECT_LE(Use(5).user_agent.size(), 128U);
}

TEST_P(StoreConformance, UseOfImpossibleIdsIsIgnored) {
  for (const std::uint64_t id : {std::uint64_t{0}, kLastId, kLastId + 1, ~std::uint64_t{0}}) {
    store_->RecordUse(id, 1000, "192.0.2.1", "agent");
    if (id != kLastId) {
      EXPECT_EQ(Use(id).unix_s, 0U);
    }
  }
  EXPECT_TRUE(store_->Flush().ok());
}

TEST_P(StoreConformance, FreedSlotHasNoUse) {
  MustApply(PutToken(5, Record(5)));
  MustApply(PutToken(6, Record(6)));
  for (const std::uint64_t id : {5U, 6U}) store_->RecordUse(id, 1000, "192.0.2.1", "agent");
  ASSERT_TRUE(store_->Flush().ok());
  store_->RecordUse(5, 2000, "192.0.2.2", "agent");
  MustApply(PutToken(5, {}));
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(Use(5).unix_s, 0U);
  EXPECT_EQ(Use(5).ip, "");
  EXPECT_EQ(Use(6).ip, "192.0.2.1");
}

TEST_P(StoreConformance, ConcurrentUsesKeepTheNewest) {
  MustApply(PutToken(5, Record(5)));
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 1; i <= 2000; ++i) {
        store_->RecordUse(5, 100 * i + t, "192.0.2." + std::to_string(t), "agent");
        if (i % 500 == 0) {
          EXPECT_TRUE(store_->Flush().ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Use(5).unix_s, 200000U);
  EXPECT_LE(Use(5).unix_s, 200003U);
}

}  // namespace pat

#endif  // PAT_TESTS_STORE_CONFORMANCE_USE_H_
