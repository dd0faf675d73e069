// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_STORE_CONFORMANCE_THREADS_H_
#define PAT_TESTS_STORE_CONFORMANCE_THREADS_H_

// Several threads, and the end of a store. Part of tests/store_conformance.h.

#include <gtest/gtest.h>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pat/store.h"
#include "tests/store_conformance_fixture.h"

namespace pat {

// ---- Threads

TEST_P(StoreConformance, NoUpdateIsLostUnderOptimisticChecks) {
  MustApply(PutAccount("a", 1, "0"));
  std::atomic<int> conflicts{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < 40;) {
        const std::string now(store_->ReadAccount("a")->view());
        Batch batch = PutAccount("a", 1, std::to_string(std::stoi(now) + 1));
        batch.account_checks.push_back({"a", now});
        const absl::Status status = store_->Apply(batch);
        if (status.ok()) {
          ++done;
        } else {
          ASSERT_TRUE(absl::IsAborted(status)) << status;
          ++conflicts;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->ReadAccount("a")->view(), "160") << conflicts << " conflicts";
}

TEST_P(StoreConformance, ReadSeesAllOfABatchOrNothing) {
  const auto round_batch = [](std::uint64_t round) {
    Batch batch;
    for (const std::uint64_t id : {1U, 100U, 1000U, 9000U}) {  // on four pages
      batch.tokens.push_back({id, Record(round)});
      batch.metadata.push_back({7, id, std::to_string(round)});
    }
    return batch;
  };
  MustApply(round_batch(0));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const absl::StatusOr<std::vector<TokenRow>> rows = store_->Page(7, 0, 10);
        ASSERT_TRUE(rows.ok()) << rows.status();
        ASSERT_EQ(rows->size(), 4U);
        for (const TokenRow& row : *rows) {
          ASSERT_EQ(row.metadata, rows->front().metadata);
          ASSERT_EQ(row.record, Record(std::stoull(row.metadata)));
        }
        const absl::StatusOr<std::vector<TokenRow>> scan = store_->Scan(0, 10);
        ASSERT_TRUE(scan.ok());
        for (const TokenRow& row : *scan) ASSERT_EQ(row.record, scan->front().record);
        ++reads;
      }
    });
  }
  for (std::uint64_t round = 1; round <= 150 || reads.load() < 50; ++round) {
    MustApply(round_batch(round));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_P(StoreConformance, ReadThatBeginsAfterApplyReturnedSeesIt) {
  MustApply(PutToken(5, Record(1)));
  std::atomic<std::uint64_t> applied{1};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      std::map<std::string, std::uint64_t> round_of;
      while (!stop.load()) {
        const std::uint64_t before = applied.load();
        TokenRecord record;
        ASSERT_EQ(store_->Find(5, &record), Lookup::kFound);
        std::uint64_t seen = before;
        while (record != Record(seen) && seen < before + 1000) ++seen;
        ASSERT_EQ(record, Record(seen)) << "older than what was acknowledged: " << before;
      }
    });
  }
  for (std::uint64_t round = 2; round <= 200; ++round) {
    MustApply(PutToken(5, Record(round)));
    applied.store(round);
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

// ---- The end

TEST_P(StoreConformance, ClosedStoreRefuses) {
  MustApply(PutRow(1, 5, "m"));
  EXPECT_TRUE(store_->Close().ok());
  EXPECT_TRUE(store_->Close().ok());
  TokenRecord record;
  AccountRow row;
  EXPECT_EQ(store_->Find(5, &record), Lookup::kUnavailable);
  EXPECT_EQ(store_->FindAccount(1, &row), Lookup::kUnavailable);
  store_->RecordUse(5, 1000, "192.0.2.1", "agent");
  EXPECT_TRUE(absl::IsUnavailable(store_->ReadUse(5).status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->ReadAccount("a").status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->ReadMetadata(1, 5).status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->Page(1, 0, 1).status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->Scan(0, 1).status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->ReadMeta("header").status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->Stats().status()));
  EXPECT_TRUE(absl::IsUnavailable(store_->Health()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->ReserveTokenIds(1).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->ReserveAccountNumber().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Apply(PutToken(6, Record(6)))));
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Flush()));
}

TEST_P(StoreConformance, CloseWhileOthersAreInsideCalls) {
  MustApply(PutRow(1, 5, "m"));
  std::atomic<int> running{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      ++running;
      for (std::uint32_t i = 0;; ++i) {
        TokenRecord record;
        if (store_->Find(5, &record) == Lookup::kUnavailable) break;
        ASSERT_EQ(record, Record(5));
        store_->RecordUse(5, i * 60, "192.0.2.1", "agent");
        if (t == 0) store_->Apply(PutToken(6, Record(i))).IgnoreError();
        if (t == 1) store_->ReserveTokenIds(1).status().IgnoreError();
        if (t == 2) store_->Page(1, 0, 10).status().IgnoreError();
      }
    });
  }
  while (running.load() < 4) std::this_thread::yield();
  EXPECT_TRUE(store_->Close().ok());
  for (std::thread& thread : threads) thread.join();
}

TEST_P(StoreConformance, AllIsThereAfterReopening) {
  if (!GetParam().reopen) return;  // a store that keeps nothing promises nothing here
  Batch batch = PutRow(7, 100, "metadata");
  batch.accounts.push_back({"alice", 7, "row"});
  batch.meta.push_back({"header", "value"});
  MustApply(batch);
  store_->RecordUse(100, 5000, "192.0.2.1", "agent");
  const std::uint64_t id = *store_->ReserveTokenIds(3);
  const std::uint32_t number = *store_->ReserveAccountNumber();
  store_ = GetParam().reopen(std::move(store_));
  ASSERT_NE(store_, nullptr);
  EXPECT_EQ(Found(100), Record(100));
  EXPECT_EQ(*store_->ReadMetadata(7, 100), "metadata");
  EXPECT_EQ(store_->ReadAccount("alice")->view(), "row");
  EXPECT_EQ(*store_->ReadMeta("header"), "value");
  EXPECT_EQ(Use(100).unix_s, 5000U);
  EXPECT_EQ(Use(100).ip, "192.0.2.1");
  EXPECT_EQ(Use(100).user_agent, "agent");
  EXPECT_GE(*store_->ReserveTokenIds(1), id + 3);
  EXPECT_GT(*store_->ReserveAccountNumber(), number);
}

}  // namespace pat

#endif  // PAT_TESTS_STORE_CONFORMANCE_THREADS_H_
