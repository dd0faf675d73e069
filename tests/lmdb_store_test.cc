// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// What is the LMDB store's alone: rows spoiled behind its back, a full map, its reader pool, the
// writing of places, what it leaves in its tables.
#include "pat/lmdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/raw_lmdb.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

using Lookup = Store::Lookup;

LmdbOptions Quiet() {
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  return options;
}

std::unique_ptr<Store> MustOpen(const std::string& directory, const LmdbOptions& options) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TokenRecord Record(unsigned char fill) {
  TokenRecord record;
  record.bytes.fill(fill);
  return record;
}

Batch PutToken(std::uint64_t id, unsigned char fill) {
  Batch batch;
  batch.tokens.push_back({id, Record(fill)});
  return batch;
}

// Account "a" with number 1 and token 100.
Batch FirstBatch() {
  Batch batch = PutToken(100, 1);
  batch.metadata.push_back({1, 100, "metadata"});
  batch.accounts.push_back({"a", 1, "row"});
  batch.meta.push_back({"header", "value"});
  return batch;
}

class LmdbStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    ASSERT_TRUE(store_->Apply(FirstBatch()).ok());
  }

  void Reopen() {
    store_.reset();
    store_ = MustOpen(dir_.path(), options_);
    ASSERT_NE(store_, nullptr);
  }

  // Changes rows behind the store's back.
  template <typename Change>
  void Spoil(Change change) {
    store_.reset();
    {
      RawLmdb raw(dir_.path());
      change(raw);
    }
    Reopen();
  }

  const TempDir dir_;
  LmdbOptions options_ = Quiet();
  std::unique_ptr<Store> store_;
};

// ---- Spoiled rows

TEST_F(LmdbStoreTest, PageOfAnotherSizeIsNeverReadPastItsEnd) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{48}, std::size_t{1440},
                                 std::size_t{4079}, std::size_t{4081}, std::size_t{9000}}) {
    Spoil([&](RawLmdb& raw) { raw.Put("hot", RawLmdb::Native(1), std::string(size, 'x')); });
    TokenRecord record;
    for (const std::uint64_t id : {85U, 100U, 169U}) {
      EXPECT_EQ(store_->Find(id, &record), Lookup::kUnavailable) << size;
    }
    EXPECT_EQ(store_->Find(170, &record), Lookup::kAbsent);
    const absl::StatusOr<std::vector<TokenRow>> scan = store_->Scan(0, 10);
    ASSERT_TRUE(scan.ok()) << scan.status();
    for (const TokenRow& row : *scan) EXPECT_GE(row.id, 170U) << "it is passed over";
    const absl::StatusOr<std::vector<TokenRow>> page = store_->Page(1, 0, 10);
    ASSERT_TRUE(page.ok()) << "it hides no token of other pages: " << page.status();
    for (const TokenRow& row : *page) EXPECT_TRUE(row.id >= 170 || row.record.empty());
    EXPECT_TRUE(absl::IsDataLoss(store_->Apply(PutToken(100, 2))));
    Batch check;
    check.token_checks.push_back({100, {}});
    EXPECT_TRUE(absl::IsDataLoss(store_->Apply(check)));
    store_->RecordUse(100, 1000, "192.0.2.1", "agent");
    EXPECT_TRUE(store_->Flush().ok());
    EXPECT_TRUE(store_->Apply(PutToken(1000, 1)).ok()) << "other pages go on";
  }
}

TEST_F(LmdbStoreTest, PageUnderAnImpossibleKeyIsPassedOver) {
  Spoil([](RawLmdb& raw) {
    raw.Put("hot", RawLmdb::Native(~std::uint64_t{0}), std::string(4080, 'x'));
  });
  EXPECT_EQ(store_->Scan(0, 1000)->size(), 1U);
}

TEST_F(LmdbStoreTest, SpoiledNameOrAccountRowIsDataLoss) {
  AccountRow row;
  for (const std::string& number : {std::string(), std::string("\1"), std::string(4, '\0'),
                                    std::string("\1\0\0\0\0\0\0\0", 8)}) {
    Spoil([&](RawLmdb& raw) { raw.Put("name", "a", number); });
    EXPECT_TRUE(absl::IsDataLoss(store_->ReadAccount("a").status()));
    Batch check;
    check.account_checks.push_back({"a", "row"});
    EXPECT_TRUE(absl::IsDataLoss(store_->Apply(check)));
    EXPECT_TRUE(absl::IsDataLoss(store_->Apply(FirstBatch())));
    EXPECT_EQ(store_->FindAccount(1, &row), Lookup::kFound) << "it does not need the name";
  }
  Spoil([](RawLmdb& raw) { raw.Put("name", "a", std::string("\2\0\0\0", 4)); });  // no such row
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadAccount("a").status()));
  Spoil([](RawLmdb& raw) { raw.Put("name", "a", std::string("\1\0\0\0", 4)); });
  for (const std::size_t size : {std::size_t{769}, std::size_t{4000}, std::size_t{100000}}) {
    Spoil([&](RawLmdb& raw) { raw.Put("acct", RawLmdb::Acct(1, 0), std::string(size, 'x')); });
    EXPECT_TRUE(absl::IsDataLoss(store_->ReadAccount("a").status()));
    EXPECT_EQ(store_->FindAccount(1, &row), Lookup::kAbsent);
  }
  Spoil([](RawLmdb& raw) { raw.Put("acct", RawLmdb::Acct(1, 0), ""); });
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadAccount("a").status()));
}

TEST_F(LmdbStoreTest, SpoiledKeysAndRowsOfAnAccountHideNoneOfItsTokens) {
  Batch other = PutToken(200, 2);
  other.metadata.push_back({2, 200, "m"});
  ASSERT_TRUE(store_->Apply(other).ok());
  const std::vector<std::string> keys = {RawLmdb::Acct(1, ~std::uint64_t{50}).substr(0, 11),
                                         RawLmdb::Acct(1, ~std::uint64_t{50}) + "x",
                                         RawLmdb::Acct(1, 77),  // an id of more than 48 bits
                                         RawLmdb::Acct(1, ~std::uint64_t{0})};  // id 0
  for (const std::string& key : keys) {
    Spoil([&](RawLmdb& raw) { raw.Put("acct", key, "m"); });
    const absl::StatusOr<std::vector<TokenRow>> page = store_->Page(1, 101, 10);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_EQ(page->size(), 1U);
    EXPECT_EQ((*page)[0].metadata, "metadata");
    EXPECT_EQ(store_->Page(2, 0, 10)->size(), 1U);
    EXPECT_EQ(*store_->ReadMetadata(1, 100), "metadata");
    Spoil([&](RawLmdb& raw) { raw.Delete("acct", key); });
  }
  Spoil([](RawLmdb& raw) {
    raw.Put("acct", RawLmdb::Acct(1, ~std::uint64_t{100}), std::string(2 << 20, 'x'));
  });
  ASSERT_EQ(store_->Page(1, 0, 10)->size(), 1U);
  EXPECT_EQ((*store_->Page(1, 0, 10))[0].metadata, "") << "as if lost";
  EXPECT_TRUE(absl::IsDataLoss(store_->ReadMetadata(1, 100).status()));
}

TEST_F(LmdbStoreTest, SpoiledNextNumbersAreDataLossAndNeverZero) {
  for (const std::string& value : {std::string(), std::string("\1"), std::string(8, '\0'),
                                   std::string(4, '\0'), std::string(9, '\1')}) {
    Spoil([&](RawLmdb& raw) {
      raw.Put("meta", "next_token_id", value);
      raw.Put("meta", "next_account", value);
    });
    EXPECT_TRUE(absl::IsDataLoss(store_->ReserveTokenIds(1).status()));
    EXPECT_TRUE(absl::IsDataLoss(store_->ReserveAccountNumber().status()));
  }
}

TEST_F(LmdbStoreTest, NumbersEndWhereTheyEnd) {
  const auto set = [&](std::uint64_t token, std::uint32_t account) {
    Spoil([&](RawLmdb& raw) {
      raw.Put("meta", "next_token_id", RawLmdb::Native(token));
      raw.Put("meta", "next_account", RawLmdb::Native(account).substr(0, 4));
    });
  };
  constexpr std::uint64_t kLast = (std::uint64_t{1} << 48) - 1;
  set(kLast - 1, 0xFFFFFFFD);
  EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveTokenIds(3).status()));
  EXPECT_EQ(*store_->ReserveTokenIds(1), kLast - 1);
  EXPECT_EQ(*store_->ReserveTokenIds(1), kLast);
  EXPECT_EQ(*store_->ReserveAccountNumber(), 0xFFFFFFFD);
  EXPECT_EQ(*store_->ReserveAccountNumber(), 0xFFFFFFFE);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveTokenIds(1).status()));
    EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveAccountNumber().status()));
  }
  set(~std::uint64_t{0}, 0xFFFFFFFF);
  EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveTokenIds(1).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveTokenIds(65536).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(store_->ReserveAccountNumber().status()));
  EXPECT_LT(store_->Stats()->bytes, std::uint64_t{200} << 20) << "no array for 2^48 times";
}

TEST_F(LmdbStoreTest, SpoiledPlaceIsNoPlace) {
  store_->RecordUse(100, 1000, "192.0.2.1", "agent");
  for (const std::string& row :
       {std::string(), std::string("\1\0\0\0", 4), std::string("\1\0\0\0\xFFxx", 7),
        std::string("\1\0\0\0\4xxx", 8), std::string(100000, '\xFF'),
        std::string("\1\0\0\0\1\xFF\0\xFE", 8)}) {
    Spoil([&](RawLmdb& raw) { raw.Put("place", RawLmdb::Native(100), row, MDB_INTEGERKEY); });
    const absl::StatusOr<LastUse> use = store_->ReadUse(100);
    ASSERT_TRUE(use.ok()) << use.status();
    EXPECT_GE(use->unix_s, 1000U);
    EXPECT_EQ(use->ip, "");
    EXPECT_EQ(use->user_agent, "");
  }
  Spoil([&](RawLmdb& raw) {
    raw.Put("place", RawLmdb::Native(100), std::string("\1\0\0\0\x64", 5) + std::string(400, 'x'),
            MDB_INTEGERKEY);
  });
  EXPECT_EQ(store_->ReadUse(100)->ip.size(), 45U);
  EXPECT_EQ(store_->ReadUse(100)->user_agent.size(), 128U);
}

// ---- What is in the tables

TEST_F(LmdbStoreTest, HotPagesExistOnDemand) {
  ASSERT_TRUE(store_->Apply(PutToken(101, 1)).ok());
  ASSERT_TRUE(store_->Apply(PutToken(1000, 1)).ok());
  store_->RecordUse(1000, 1000, "192.0.2.1", "agent");
  ASSERT_TRUE(store_->Flush().ok());
  Spoil([](RawLmdb& raw) {
    EXPECT_EQ(raw.Entries("hot"), 2U);
    EXPECT_EQ(raw.Entries("place"), 1U);
    EXPECT_EQ(raw.Get("hot", RawLmdb::Native(1)).size(), 4080U);
    EXPECT_EQ(raw.Get("hot", RawLmdb::Native(1)).substr(15 * 48, 96), std::string(96, '\1'));
  });
  ASSERT_TRUE(store_->Apply(PutToken(100, 0)).ok());
  ASSERT_TRUE(store_->Apply(PutToken(1000, 0)).ok());
  Spoil([](RawLmdb& raw) {
    EXPECT_EQ(raw.Entries("hot"), 1U) << "a page without tokens goes";
    EXPECT_EQ(raw.Entries("place"), 0U) << "and so do the places of use of tokens that went";
  });
}

TEST_F(LmdbStoreTest, UnusedNumbersGoBackAtClose) {
  // 1, then blocks of 2, 4, 8: of the last most are left.
  for (std::uint64_t i = 1; i <= 8; ++i) EXPECT_EQ(*store_->ReserveTokenIds(1), i);
  EXPECT_EQ(store_->Stats()->next_token_id, 16U);
  EXPECT_EQ(*store_->ReserveAccountNumber(), 1U);
  EXPECT_EQ(*store_->ReserveAccountNumber(), 2U);
  Reopen();
  EXPECT_EQ(store_->Stats()->next_token_id, 9U);
  EXPECT_EQ(*store_->ReserveTokenIds(1), 9U);
  EXPECT_EQ(*store_->ReserveAccountNumber(), 3U);
}

TEST_F(LmdbStoreTest, DumpWouldSeeNamedTablesOnly) {
  Spoil([](RawLmdb& raw) { EXPECT_EQ(raw.Entries(nullptr), 6U); });
}

// ---- Room

TEST_F(LmdbStoreTest, FullMapIsResourceExhaustedAndRevocationStillWorks) {
  const TempDir dir;
  LmdbOptions options = Quiet();
  options.map_bytes = 4 << 20;
  const std::unique_ptr<Store> store = MustOpen(dir.path(), options);
  std::uint64_t next = 1;
  absl::Status status;
  for (std::size_t size : {std::size_t{200000}, std::size_t{5000}, std::size_t{10}}) {
    for (;; ++next) {
      Batch batch = PutToken(next, 1);
      batch.metadata.push_back({1, next, std::string(size, 'm')});
      if (status = store->Apply(batch); !status.ok()) break;
    }
    ASSERT_TRUE(absl::IsResourceExhausted(status)) << status;
    TokenRecord record;
    EXPECT_EQ(store->Find(next, &record), Lookup::kAbsent);
  }
  ASSERT_GT(next, 20U);
  for (std::uint64_t id = 1; id < next; ++id) {
    Batch revoke = PutToken(id, 2);
    revoke.token_checks.push_back({id, Record(1)});
    ASSERT_TRUE((status = store->Apply(revoke)).ok()) << id << " of " << next << ": " << status;
  }
  EXPECT_TRUE(store->Health().ok());
  for (std::uint64_t id = 1; id < next; ++id) {  // and room can be made
    Batch purge = PutToken(id, 0);
    purge.metadata.push_back({1, id, ""});
    if (store->Apply(purge).ok()) continue;
    // LMDB reuses pages two commits after they were freed.
    ASSERT_TRUE(store->Apply(PutToken(id, 3)).ok());
    ASSERT_TRUE((status = store->Apply(purge)).ok()) << id << " of " << next << ": " << status;
  }
  Batch again = PutToken(next, 1);
  again.metadata.push_back({1, next, std::string(200000, 'm')});
  EXPECT_TRUE(store->Apply(again).ok());
}

TEST_F(LmdbStoreTest, RewritingDoesNotGrowTheFile) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_->Apply(PutToken(100, 2)).ok());
  const std::uint64_t before = store_->Stats()->bytes;
  for (int i = 0; i < 300; ++i) {
    TokenRecord record;
    ASSERT_TRUE(store_->Apply(PutToken(100, static_cast<unsigned char>(1 + i % 2))).ok());
    ASSERT_EQ(store_->Find(100, &record), Lookup::kFound);
  }
  EXPECT_LE(store_->Stats()->bytes, before + 65536) << "no read holds old pages";
}

// ---- Readers

TEST_F(LmdbStoreTest, MoreThreadsThanReaderSlotsTakeTurns) {
  options_.concurrent_reads = 1;
  Reopen();
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        TokenRecord record;
        AccountRow row;
        if (store_->Find(100, &record) == Lookup::kFound && record == Record(1) &&
            store_->FindAccount(1, &row) == Lookup::kFound && row.view() == "row") {
          ++reads;
        }
        if (i % 200 == 0) {
          EXPECT_TRUE(store_->Page(1, 0, 10).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reads.load(), 16000);
}

TEST_F(LmdbStoreTest, ManyThreadsComeAndGo) {
  // With a reader for each thread, LMDB's table would be full after 126.
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 10; ++t) {
      threads.emplace_back([&] {
        TokenRecord record;
        EXPECT_EQ(store_->Find(100, &record), Lookup::kFound);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// What the comment above says of LMDB.
TEST_F(LmdbStoreTest, ControlAReaderForEachThreadFillsTheTable) {
  const TempDir dir;
  MDB_env* env = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_open(env, dir.path().c_str(), 0, 0600), 0);
  std::vector<std::thread> threads;
  std::atomic<int> taken{0};
  std::atomic<int> full{0};
  std::atomic<bool> done{false};
  for (int t = 0; t < 127; ++t) {
    threads.emplace_back([&] {
      MDB_txn* txn = nullptr;
      const int rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
      ++(rc == 0 ? taken : full);
      if (rc == 0) mdb_txn_abort(txn);
      while (!done) std::this_thread::yield();  // its slot is free when the thread ends
    });
  }
  while (taken + full < 127) std::this_thread::yield();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 126);
  EXPECT_EQ(full, 1);
  mdb_env_close(env);
}

TEST_F(LmdbStoreTest, FewerSlotsThanAskedForAreEnough) {
  const TempDir dir;
  LmdbOptions options = Quiet();
  options.concurrent_reads = 1024;
  options.max_readers = 20;
  const std::unique_ptr<Store> store = MustOpen(dir.path(), options);
  ASSERT_NE(store, nullptr);
  ASSERT_TRUE(store->Apply(PutToken(1, 1)).ok());
  TokenRecord record;
  EXPECT_EQ(store->Find(1, &record), Lookup::kFound);
}

// ---- Places

TEST_F(LmdbStoreTest, ThreadWritesPlacesNowAndThen) {
  options_.flush_interval = absl::Milliseconds(5);
  Reopen();
  store_->RecordUse(100, 1000, "192.0.2.1", "agent");
  // Another environment sees what has been written, and only that.
  const auto written = [&] {
    const TempDir copy;
    std::filesystem::copy(dir_ / "data.mdb", copy / "data.mdb");
    return RawLmdb(copy.path()).Get("place", RawLmdb::Native(100));
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string row;
  while ((row = written()) == "(none)" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(row, std::string("\xE8\3\0\0\x09", 5) + "192.0.2.1agent");
  EXPECT_EQ(store_->ReadUse(100)->ip, "192.0.2.1");
}

TEST_F(LmdbStoreTest, PlacesOfManyTokensAreWrittenAtClose) {
  Batch batch;
  for (std::uint64_t id = 1; id <= 3000; ++id) batch.tokens.push_back({id, Record(1)});
  ASSERT_TRUE(store_->Apply(batch).ok());
  ASSERT_TRUE(store_->ReserveTokenIds(3001).ok());
  for (std::uint64_t id = 1; id <= 3000; ++id) {
    store_->RecordUse(id, 1000, "192.0.2." + std::to_string(id % 250), "agent");
  }
  const std::uint64_t dropped = store_->Stats()->uses_dropped;
  Reopen();
  std::uint64_t kept = 0;
  for (std::uint64_t id = 1; id <= 3000; ++id) {
    EXPECT_EQ(store_->ReadUse(id)->unix_s, 1000U) << "no time is ever dropped";
    if (store_->ReadUse(id)->ip == "192.0.2." + std::to_string(id % 250)) ++kept;
  }
  EXPECT_EQ(kept, 3000 - dropped);
  EXPECT_GT(kept, 2700U);
}

TEST_F(LmdbStoreTest, MorePlacesThanTheTableHoldsAreCounted) {
  Batch batch;
  for (std::uint64_t id = 1; id <= 6000; ++id) batch.tokens.push_back({id, Record(1)});
  ASSERT_TRUE(store_->Apply(batch).ok());
  for (std::uint64_t id = 1; id <= 6000; ++id) store_->RecordUse(id, 1000, "192.0.2.1", "");
  EXPECT_GE(store_->Stats()->uses_dropped, 6000U - 4096U);
  EXPECT_LT(store_->Stats()->uses_dropped, 6000U);
  for (const std::uint64_t id : {1U, 3000U, 6000U}) EXPECT_EQ(store_->ReadUse(id)->unix_s, 1000U);
}

TEST_F(LmdbStoreTest, UseOfATokenThatIsGoneIsNotWritten) {
  store_->RecordUse(500, 1000, "192.0.2.1", "agent");  // never was
  ASSERT_TRUE(store_->Flush().ok());
  Spoil([](RawLmdb& raw) { EXPECT_EQ(raw.Entries("place"), 0U); });
}

}  // namespace
}  // namespace pat
