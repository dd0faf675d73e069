// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_STORE_CONFORMANCE_ROWS_H_
#define PAT_TESTS_STORE_CONFORMANCE_ROWS_H_

// Rows, batches and their checks, numbers, pages. Part of tests/store_conformance.h.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pat/store.h"
#include "tests/store_conformance_fixture.h"

namespace pat {

// ---- Reading and writing rows

TEST_P(StoreConformance, EmptyStoreHasNothing) {
  TokenRecord record;
  AccountRow account;
  for (const std::uint64_t id :
       {std::uint64_t{0}, std::uint64_t{1}, kLastId, kLastId + 1, ~std::uint64_t{0}}) {
    EXPECT_EQ(store_->Find(id, &record), Lookup::kAbsent);
    EXPECT_EQ(Use(id).unix_s, 0U);
    EXPECT_TRUE(absl::IsNotFound(store_->ReadMetadata(1, id).status()));
    EXPECT_TRUE(PageIds(1, id, 10).empty());
    EXPECT_TRUE(Ids(store_->Scan(id, 10)).empty());
  }
  for (const std::uint32_t number : {0U, 1U, 0xFFFFFFFFU}) {
    EXPECT_EQ(store_->FindAccount(number, &account), Lookup::kAbsent);
    EXPECT_TRUE(PageIds(number, 0, 10).empty());
  }
  for (const std::string& name : {std::string(), std::string("a"), std::string(1000, 'a'),
                                  std::string(1, '\0'), std::string("format")}) {
    EXPECT_TRUE(absl::IsNotFound(store_->ReadAccount(name).status())) << name;
    EXPECT_TRUE(absl::IsNotFound(store_->ReadMeta(name).status())) << name;
  }
  ASSERT_TRUE(store_->Stats().ok());
  EXPECT_EQ(store_->Stats()->accounts, 0U);
  EXPECT_TRUE(store_->Health().ok());
  EXPECT_TRUE(store_->Flush().ok());
}

TEST_P(StoreConformance, MetaVersionMovesWithMetaRowsAlone) {
  const std::uint64_t before = store_->MetaVersion();
  EXPECT_EQ(store_->MetaVersion(), before);
  TokenRecord record;
  std::uint64_t version = before + 1;
  ASSERT_EQ(store_->Find(100, &record, &version), Lookup::kAbsent);
  EXPECT_EQ(version, before) << "also of a token that is not there";
  MustApply(PutRow(7, 100, "metadata"));
  EXPECT_EQ(store_->MetaVersion(), before);
  std::set<std::uint64_t> seen = {before};
  for (const std::string value : {"one", "two", ""}) {
    Batch batch;
    batch.meta.push_back({"header", value});
    MustApply(batch);
    ASSERT_EQ(store_->Find(100, &record, &version), Lookup::kFound);
    EXPECT_EQ(version, store_->MetaVersion());
    EXPECT_TRUE(seen.insert(version).second) << "never a number that stood for other rows";
  }
}

TEST_P(StoreConformance, BatchIsVisibleOnceApplied) {
  Batch batch = PutRow(7, 100, "metadata");
  batch.accounts.push_back({"alice", 7, "row"});
  batch.meta.push_back({"header", "value"});
  MustApply(batch);

  EXPECT_EQ(Found(100), Record(100));
  EXPECT_EQ(*store_->ReadMetadata(7, 100), "metadata");
  EXPECT_EQ(*store_->ReadMeta("header"), "value");
  const absl::StatusOr<AccountRow> row = store_->ReadAccount("alice");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->number, 7U);
  EXPECT_EQ(row->view(), "row");
  AccountRow by_number;
  ASSERT_EQ(store_->FindAccount(7, &by_number), Lookup::kFound);
  EXPECT_EQ(by_number.number, 7U);
  EXPECT_EQ(by_number.view(), "row");
  EXPECT_EQ(store_->Stats()->accounts, 1U);
  // Neighbours in whatever page it lies are still absent.
  TokenRecord record;
  for (const std::uint64_t id : {99U, 101U}) EXPECT_EQ(store_->Find(id, &record), Lookup::kAbsent);
  EXPECT_TRUE(absl::IsNotFound(store_->ReadMetadata(8, 100).status()));
}

TEST_P(StoreConformance, LaterPutOfOneRowCounts) {
  Batch batch = PutToken(5, Record(1));
  batch.tokens.push_back({90, Record(2)});
  batch.tokens.push_back({5, Record(3)});
  batch.metadata.push_back({1, 5, "first"});
  batch.metadata.push_back({1, 5, "second"});
  batch.accounts.push_back({"a", 1, "first"});
  batch.accounts.push_back({"a", 1, "second"});
  MustApply(batch);
  EXPECT_EQ(Found(5), Record(3));
  EXPECT_EQ(Found(90), Record(2));
  EXPECT_EQ(*store_->ReadMetadata(1, 5), "second");
  EXPECT_EQ(store_->ReadAccount("a")->view(), "second");
}

TEST_P(StoreConformance, EmptyRecordFreesTheSlotAlone) {
  for (const std::uint64_t id : {84U, 85U, 86U}) MustApply(PutToken(id, Record(id)));
  MustApply(PutToken(85, {}));
  TokenRecord record;
  EXPECT_EQ(store_->Find(85, &record), Lookup::kAbsent);
  EXPECT_EQ(Found(84), Record(84));
  EXPECT_EQ(Found(86), Record(86));
  MustApply(PutToken(86, {}));
  MustApply(PutToken(86, {}));
  EXPECT_THAT(Ids(store_->Scan(0, 10)), testing::ElementsAre(84));
}

TEST_P(StoreConformance, EmptyMetadataAndMetaRemoveTheRow) {
  Batch batch = PutRow(1, 10, "metadata");
  batch.meta.push_back({"scopes", "value"});
  MustApply(batch);
  Batch remove;
  remove.metadata.push_back({1, 10, ""});
  remove.meta.push_back({"scopes", ""});
  MustApply(remove);
  MustApply(remove);
  EXPECT_TRUE(absl::IsNotFound(store_->ReadMetadata(1, 10).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->ReadMeta("scopes").status()));
  EXPECT_TRUE(PageIds(1, 0, 10).empty());
  EXPECT_EQ(Found(10), Record(10));
}

TEST_P(StoreConformance, AccountIdsAreAnyBytes) {
  const std::vector<std::string> accounts = {
      std::string(1, '\0'), std::string("a\0b", 3),  "a", std::string(128, '\xFF'),
      "\xC3\x28",           std::string(127, '\xFF')};
  std::uint32_t number = 0;
  for (const std::string& account : accounts) MustApply(PutAccount(account, ++number, account));
  number = 0;
  for (const std::string& account : accounts) {
    const absl::StatusOr<AccountRow> row = store_->ReadAccount(account);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->number, ++number);
    EXPECT_EQ(row->view(), account);
  }
  EXPECT_TRUE(absl::IsNotFound(store_->ReadAccount(std::string("a\0", 2)).status()));
}

TEST_P(StoreConformance, LargestRowsFit) {
  const std::string row(kMaxAccountRowBytes, 'r');
  const std::string big(64 * 1024, 'm');
  Batch batch = PutAccount("a", 0xFFFFFFFF, row);
  batch.tokens.push_back({kLastId, Record(1)});
  batch.metadata.push_back({0xFFFFFFFF, kLastId, big});
  batch.metadata.push_back({0xFFFFFFFF, 1, big});
  batch.meta.push_back({"scopes", big});
  MustApply(batch);
  EXPECT_EQ(Found(kLastId), Record(1));
  EXPECT_EQ(store_->ReadAccount("a")->view(), row);
  EXPECT_EQ(*store_->ReadMetadata(0xFFFFFFFF, kLastId), big);
  EXPECT_EQ(*store_->ReadMeta("scopes"), big);
  EXPECT_THAT(PageIds(0xFFFFFFFF, 0, 10), testing::ElementsAre(kLastId, 1));
  EXPECT_THAT(Ids(store_->Scan(kLastId, 10)), testing::ElementsAre(kLastId));
}

TEST_P(StoreConformance, BatchOfManyTokensIsOne) {
  Batch batch;
  for (std::uint64_t id = 1; id <= 5000; ++id) {
    batch.tokens.push_back({id, Record(id)});
    batch.metadata.push_back({static_cast<std::uint32_t>(1 + id % 3), id, std::to_string(id)});
  }
  MustApply(batch);
  EXPECT_EQ(Ids(store_->Scan(0, 100000)).size(), 5000U);
  EXPECT_EQ(PageIds(1, 0, 100000).size(), 1666U);
  for (const std::uint64_t id : {1U, 84U, 85U, 2500U, 5000U}) EXPECT_EQ(Found(id), Record(id));
}

// ---- Checks

TEST_P(StoreConformance, EmptyBatchIsOk) { EXPECT_TRUE(store_->Apply({}).ok()); }

TEST_P(StoreConformance, ChecksThatHoldLetTheBatchThrough) {
  Batch batch = PutRow(1, 10, "m");
  batch.accounts.push_back({"a", 1, "row"});
  batch.meta.push_back({"header", "h"});
  batch.token_checks.push_back({10, {}});
  batch.account_checks.push_back({"a", ""});
  batch.meta_checks.push_back({"header", ""});
  MustApply(batch);

  Batch next = PutToken(10, Record(11));
  next.token_checks.push_back({10, Record(10)});
  next.account_checks.push_back({"a", "row"});
  next.meta_checks.push_back({"header", "h"});
  MustApply(next);
  EXPECT_EQ(Found(10), Record(11));
  EXPECT_TRUE(absl::IsAborted(store_->Apply(next)));
}

TEST_P(StoreConformance, OneFailedCheckChangesNothing) {
  Batch before = PutRow(1, 10, "m");
  before.accounts.push_back({"a", 1, "row"});
  before.meta.push_back({"header", "h"});
  MustApply(before);

  TokenRecord almost = Record(10);
  almost.bytes[47] ^= 1;
  const std::vector<std::function<void(Batch*)>> spoil = {
      [&](Batch* b) {
        b->token_checks.push_back({10, almost});
      },
      [&](Batch* b) {
        b->token_checks.push_back({10, {}});
      },
      [&](Batch* b) {
        b->token_checks.push_back({11, Record(10)});
      },
      [&](Batch* b) {
        b->token_checks.push_back({100000, Record(10)});
      },
      [&](Batch* b) {
        b->account_checks.push_back({"a", ""});
      },
      [&](Batch* b) {
        b->account_checks.push_back({"a", "ro"});
      },
      [&](Batch* b) {
        b->account_checks.push_back({"a", "row2"});
      },
      [&](Batch* b) {
        b->account_checks.push_back({"b", "row"});
      },
      [&](Batch* b) {
        b->meta_checks.push_back({"header", ""});
      },
      [&](Batch* b) {
        b->meta_checks.push_back({"header", "H"});
      },
      [&](Batch* b) {
        b->meta_checks.push_back({"scopes", "h"});
      },
  };
  for (std::size_t i = 0; i < spoil.size(); ++i) {
    Batch batch = PutRow(1, 10, "changed");
    batch.tokens[0].record = Record(999);
    batch.tokens.push_back({11, Record(11)});
    batch.metadata.push_back({2, 11, "new"});
    batch.accounts.push_back({"a", 1, "changed"});
    batch.accounts.push_back({"c", 3, "new"});
    batch.meta.push_back({"header", "changed"});
    batch.token_checks.push_back({10, Record(10)});
    spoil[i](&batch);
    EXPECT_TRUE(absl::IsAborted(store_->Apply(batch))) << i;

    TokenRecord record;
    EXPECT_EQ(Found(10), Record(10)) << i;
    EXPECT_EQ(store_->Find(11, &record), Lookup::kAbsent) << i;
    EXPECT_EQ(*store_->ReadMetadata(1, 10), "m") << i;
    EXPECT_TRUE(absl::IsNotFound(store_->ReadMetadata(2, 11).status())) << i;
    EXPECT_EQ(store_->ReadAccount("a")->view(), "row") << i;
    EXPECT_TRUE(absl::IsNotFound(store_->ReadAccount("c").status())) << i;
    EXPECT_EQ(*store_->ReadMeta("header"), "h") << i;
  }
}

TEST_P(StoreConformance, AccountNumberNeverChangesAndIsItsAlone) {
  MustApply(PutAccount("a", 1, "row"));
  MustApply(PutAccount("b", 2, "row"));
  for (const Batch& clash :
       {PutAccount("a", 2, "x"), PutAccount("a", 3, "x"), PutAccount("c", 1, "x")}) {
    Batch batch = clash;
    batch.tokens.push_back({1, Record(1)});
    EXPECT_TRUE(absl::IsFailedPrecondition(store_->Apply(batch)));
    EXPECT_EQ(Found(1), TokenRecord{});
  }
  Batch twice = PutAccount("d", 4, "x");
  twice.accounts.push_back({"e", 4, "x"});
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Apply(twice)));
  twice.accounts[1] = {"d", 5, "x"};
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Apply(twice)));
  EXPECT_EQ(store_->ReadAccount("a")->number, 1U);
  EXPECT_EQ(store_->ReadAccount("a")->view(), "row");
  EXPECT_TRUE(absl::IsNotFound(store_->ReadAccount("c").status()));
  EXPECT_TRUE(absl::IsNotFound(store_->ReadAccount("d").status()));
  AccountRow row;
  EXPECT_EQ(store_->FindAccount(4, &row), Lookup::kAbsent);
}

TEST_P(StoreConformance, ImpossibleBatchIsRefusedWhole) {
  const std::vector<std::function<void(Batch*)>> spoil = {
      [](Batch* b) {
        b->tokens.push_back({0, Record(1)});
      },
      [](Batch* b) {
        b->tokens.push_back({kLastId + 1, Record(1)});
      },
      [](Batch* b) {
        b->tokens.push_back({~std::uint64_t{0}, Record(1)});
      },
      [](Batch* b) {
        b->token_checks.push_back({0, {}});
      },
      [](Batch* b) {
        b->token_checks.push_back({kLastId + 1, {}});
      },
      [](Batch* b) {
        b->metadata.push_back({1, 0, "m"});
      },
      [](Batch* b) {
        b->metadata.push_back({1, kLastId + 1, "m"});
      },
      [](Batch* b) {
        b->metadata.push_back({1, ~std::uint64_t{0}, "m"});
      },
      [](Batch* b) {
        b->metadata.push_back({0, 1, "m"});
      },
      [](Batch* b) {
        b->metadata.push_back({1, 1, std::string(2 << 20, 'm')});
      },
      [](Batch* b) {
        b->accounts.push_back({"", 1, "row"});
      },
      [](Batch* b) {
        b->accounts.push_back({std::string(129, 'a'), 1, "row"});
      },
      [](Batch* b) {
        b->accounts.push_back({"a", 0, "row"});
      },
      [](Batch* b) {
        b->accounts.push_back({"a", 1, ""});
      },
      [](Batch* b) {
        b->accounts.push_back({"a", 1, std::string(kMaxAccountRowBytes + 1, 'r')});
      },
      [](Batch* b) {
        b->account_checks.push_back({"", ""});
      },
      [](Batch* b) {
        b->account_checks.push_back({std::string(600, 'a'), ""});
      },
      [](Batch* b) {
        b->meta.push_back({"", "v"});
      },
      [](Batch* b) {
        b->meta.push_back({std::string(600, 'n'), "v"});
      },
      [](Batch* b) {
        b->meta.push_back({"scopes", std::string(2 << 20, 'v')});
      },
      [](Batch* b) {
        b->meta.push_back({"next_token_id", "v"});
      },
      [](Batch* b) {
        b->meta_checks.push_back({"", ""});
      },
  };
  for (std::size_t i = 0; i < spoil.size(); ++i) {
    Batch batch = PutRow(1, 10, "m");
    spoil[i](&batch);
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Apply(batch))) << i;
    EXPECT_EQ(Found(10), TokenRecord{}) << i;
    EXPECT_TRUE(absl::IsNotFound(store_->ReadMetadata(1, 10).status())) << i;
  }
}

// ---- Numbers

TEST_P(StoreConformance, ReservedIdsAreFresh) {
  EXPECT_TRUE(absl::IsInvalidArgument(store_->ReserveTokenIds(0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->ReserveTokenIds(65537).status()));
  EXPECT_EQ(*store_->ReserveTokenIds(1), 1U);
  std::uint64_t past = 2;
  for (const std::uint32_t n : {1U, 2U, 3U, 100U, 1U, 1000U, 65536U, 1U, 7U}) {
    const absl::StatusOr<std::uint64_t> first = store_->ReserveTokenIds(n);
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_EQ(*first, past) << "one caller alone gets dense ids";
    past = *first + n;
  }
  EXPECT_GE(store_->Stats()->next_token_id, past);
}

TEST_P(StoreConformance, ThreadsNeverGetTheSameNumber) {
  constexpr int kThreads = 4;
  std::vector<std::vector<std::uint64_t>> ids(kThreads);
  std::vector<std::vector<std::uint32_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 60; ++i) {
        const std::uint32_t n = 1 + (i * 7 + static_cast<std::uint32_t>(t)) % 5;
        const std::uint64_t first = store_->ReserveTokenIds(n).value_or(0);
        for (std::uint32_t k = 0; k < n; ++k) ids[t].push_back(first + k);
        if (i % 4 == 0) numbers[t].push_back(store_->ReserveAccountNumber().value_or(0));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint64_t> all_ids;
  std::set<std::uint32_t> all_numbers;
  std::size_t id_count = 0;
  std::size_t number_count = 0;
  for (std::size_t t = 0; t < kThreads; ++t) {
    all_ids.insert(ids[t].begin(), ids[t].end());
    all_numbers.insert(numbers[t].begin(), numbers[t].end());
    id_count += ids[t].size();
    number_count += numbers[t].size();
  }
  EXPECT_EQ(all_ids.size(), id_count);
  EXPECT_EQ(all_numbers.size(), number_count);
  EXPECT_EQ(all_ids.count(0), 0U);
  EXPECT_EQ(all_numbers.count(0), 0U);
}

// ---- Pages and scans

TEST_P(StoreConformance, PageIsNewestFirstOfOneAccount) {
  for (const std::uint64_t id : {3U, 84U, 85U, 86U, 170U, 4000U}) MustApply(PutRow(7, id, "m"));
  MustApply(PutRow(6, 90, "m"));
  MustApply(PutRow(8, 91, "m"));
  MustApply(PutAccount("a", 7, "row"));
  MustApply(PutToken(5000, Record(1)));  // no metadata: on no page
  EXPECT_THAT(PageIds(7, 0, 100), testing::ElementsAre(4000, 170, 86, 85, 84, 3));
  EXPECT_THAT(PageIds(7, 0, 2), testing::ElementsAre(4000, 170));
  EXPECT_THAT(PageIds(7, 170, 2), testing::ElementsAre(86, 85));
  EXPECT_THAT(PageIds(7, 85, 100), testing::ElementsAre(84, 3));
  EXPECT_THAT(PageIds(7, 5, 100), testing::ElementsAre(3));  // 5 was never there
  EXPECT_TRUE(PageIds(7, 3, 100).empty());
  EXPECT_TRUE(PageIds(7, 1, 100).empty());
  EXPECT_TRUE(PageIds(7, 0, 0).empty());
  EXPECT_EQ(PageIds(7, kLastId, 100).size(), 6U);
  EXPECT_EQ(PageIds(7, kLastId + 1, 100).size(), 6U);
  EXPECT_EQ(PageIds(7, ~std::uint64_t{0}, ~std::size_t{0}).size(), 6U);
  EXPECT_THAT(PageIds(6, 0, 100), testing::ElementsAre(90));
  EXPECT_THAT(PageIds(8, 0, 100), testing::ElementsAre(91));
  EXPECT_TRUE(PageIds(9, 0, 100).empty());

  const absl::StatusOr<std::vector<TokenRow>> rows = store_->Page(7, 100, 1);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].record, Record(86));
  EXPECT_EQ((*rows)[0].metadata, "m");
}

TEST_P(StoreConformance, PageShowsMetadataWithoutRecord) {
  MustApply(PutRow(7, 10, "m"));
  MustApply(PutToken(10, {}));
  const absl::StatusOr<std::vector<TokenRow>> rows = store_->Page(7, 0, 10);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_TRUE((*rows)[0].record.empty());
}

TEST_P(StoreConformance, PagingIsStableUnderInsertsAndDeletes) {
  for (std::uint64_t id = 1; id <= 50; ++id) MustApply(PutRow(7, id * 10, "m"));
  std::vector<std::uint64_t> seen;
  std::uint64_t before = 0;
  for (std::uint64_t round = 0;; ++round) {
    const std::vector<std::uint64_t> page = PageIds(7, before, 7);
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
    before = page.back();
    MustApply(PutRow(7, 1000 + round, "new"));  // newer than all: on no later page
    Batch remove;
    remove.metadata.push_back({7, page.front(), ""});  // already seen
    remove.metadata.push_back({7, page.back(), ""});   // the cursor itself
    MustApply(remove);
  }
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 50; id >= 1; --id) expected.push_back(id * 10);
  EXPECT_EQ(seen, expected);
}

TEST_P(StoreConformance, ScanIsAscendingAndResumes) {
  const std::vector<std::uint64_t> ids = {1, 2, 84, 85, 86, 169, 170, 171, 9999, kLastId};
  for (const std::uint64_t id : ids) MustApply(PutRow(1, id, "m"));
  EXPECT_EQ(Ids(store_->Scan(0, 100)), ids);
  EXPECT_EQ(Ids(store_->Scan(1, ~std::size_t{0})), ids);
  std::vector<std::uint64_t> seen;
  for (std::uint64_t next = 0;;) {
    const std::vector<std::uint64_t> page = Ids(store_->Scan(next, 3));
    seen.insert(seen.end(), page.begin(), page.end());
    if (page.size() < 3) break;
    next = page.back() + 1;
  }
  EXPECT_EQ(seen, ids);
  EXPECT_THAT(Ids(store_->Scan(86, 2)), testing::ElementsAre(86, 169));
  EXPECT_THAT(Ids(store_->Scan(3, 1)), testing::ElementsAre(84));
  EXPECT_TRUE(Ids(store_->Scan(0, 0)).empty());
  const absl::StatusOr<std::vector<TokenRow>> rows = store_->Scan(9999, 1);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0].record, Record(9999));
  EXPECT_EQ((*rows)[0].metadata, "");
}

TEST_P(StoreConformance, RandomHistoryMatchesAModel) {
  std::mt19937_64 random(20240607);
  std::map<std::uint64_t, TokenRecord> tokens;
  std::map<std::uint32_t, std::map<std::uint64_t, std::string, std::greater<>>> metadata;
  for (int round = 0; round < 150; ++round) {
    Batch batch;
    for (std::uint64_t i = random() % 6; i-- > 0;) {
      const std::uint64_t id = 1 + random() % 300;
      const auto number = static_cast<std::uint32_t>(1 + random() % 3);
      const TokenRecord record = random() % 3 == 0 ? TokenRecord{} : Record(random());
      const std::string text = random() % 3 == 0 ? "" : std::to_string(random());
      batch.tokens.push_back({id, record});
      batch.metadata.push_back({number, id, text});
      tokens[id] = record;
      metadata[number][id] = text;
      if (record.empty()) tokens.erase(id);
      if (text.empty()) metadata[number].erase(id);
    }
    MustApply(batch);
    const std::uint64_t first = random() % 310;
    const std::size_t n = random() % 40;
    const absl::StatusOr<std::vector<TokenRow>> scan = store_->Scan(first, n);
    ASSERT_TRUE(scan.ok()) << scan.status();
    auto it = tokens.lower_bound(first);
    for (const TokenRow& row : *scan) {
      ASSERT_NE(it, tokens.end());
      ASSERT_EQ(row.id, it->first);
      ASSERT_EQ(row.record, it->second);
      ++it;
    }
    if (scan->size() < n) {
      ASSERT_EQ(it, tokens.end());
    }
    const auto number = static_cast<std::uint32_t>(1 + random() % 3);
    const absl::StatusOr<std::vector<TokenRow>> page = store_->Page(number, first, n);
    ASSERT_TRUE(page.ok()) << page.status();
    auto row = first == 0 ? metadata[number].begin() : metadata[number].upper_bound(first);
    for (const TokenRow& found : *page) {
      ASSERT_NE(row, metadata[number].end());
      ASSERT_EQ(found.id, row->first);
      ASSERT_EQ(found.metadata, row->second);
      ASSERT_EQ(found.record, tokens.count(found.id) != 0 ? tokens[found.id] : TokenRecord{});
      ++row;
    }
    if (page->size() < n) {
      ASSERT_EQ(row, metadata[number].end());
    }
  }
}

}  // namespace pat

#endif  // PAT_TESTS_STORE_CONFORMANCE_ROWS_H_
