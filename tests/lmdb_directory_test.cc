// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The page directory against LMDB itself: whatever is committed, in whatever order it is read, a
// snapshot finds its own pages. Guess, which has no guard, is the control: it does go wrong.
#include "lib/lmdb_directory.h"

#include <gtest/gtest.h>
#include <lmdb.h>

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lib/lmdb_apply.h"
#include "lib/lmdb_recent.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

class DirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mdb_env_create(&env_), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(env_, 16), 0);
    ASSERT_EQ(mdb_env_set_mapsize(env_, std::size_t{1} << 28), 0);
    // What is tested here is not what survives a crash.
    ASSERT_EQ(mdb_env_open(env_, dir_.path().c_str(), MDB_NOTLS | MDB_NOSYNC, 0600), 0);
    auto tables = OpenTables(env_, /*create=*/true);
    ASSERT_TRUE(tables.ok()) << tables.status();
    tables_ = *tables;
    directory_.Open(std::size_t{1} << 16);
  }
  void TearDown() override { mdb_env_close(env_); }

  static TokenRecord Record(std::uint64_t value) {
    TokenRecord record;
    record.bytes.fill(0x11);
    std::memcpy(record.bytes.data(), &value, sizeof value);
    return record;
  }

  enum class Noted { kYes, kNo };

  void Put(const std::vector<std::uint64_t>& ids, std::uint64_t value, Noted noted = Noted::kYes,
           bool meta = false) {
    MDB_txn* txn = nullptr;
    ASSERT_EQ(mdb_txn_begin(env_, nullptr, 0, &txn), 0);
    Batch batch;
    for (const std::uint64_t id : ids) batch.tokens.push_back({id, Record(value)});
    if (meta) batch.meta.push_back({"header", std::to_string(value)});
    TxnChanges changes;
    ASSERT_TRUE(WriteBatch(txn, tables_, batch, &changes).ok());
    if (noted == Noted::kYes) {
      ASSERT_TRUE(NoteRecent(txn, tables_, changes).ok());
    }
    ASSERT_EQ(mdb_txn_commit(txn), 0);
  }

  class Snapshot {
   public:
    explicit Snapshot(MDB_env* env) {
      EXPECT_EQ(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_), 0);
    }
    ~Snapshot() { mdb_txn_abort(txn_); }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    MDB_txn* txn() const { return txn_; }

   private:
    MDB_txn* txn_ = nullptr;
  };

  static std::uint64_t ValueAt(const unsigned char* page, std::uint64_t id) {
    std::uint64_t value = 0;
    std::memcpy(&value, page + HotOffset(id), sizeof value);
    return value;
  }
  // 0: not there.
  std::uint64_t Found(const Snapshot& snapshot, std::uint64_t id) {
    const unsigned char* page = nullptr;
    std::uint64_t version = 0;
    const int rc = directory_.Find(snapshot.txn(), tables_, id, &page, &version);
    return rc == 0 ? ValueAt(page, id) : 0;
  }
  std::uint64_t ReallyThere(const Snapshot& snapshot, std::uint64_t id) {
    const unsigned char* page = nullptr;
    return GetHotPage(snapshot.txn(), tables_, id, &page) == 0 ? ValueAt(page, id) : 0;
  }
  std::uint64_t Guessed(std::uint64_t id) {
    const unsigned char* page = directory_.Guess(id);
    return page == nullptr ? 0 : ValueAt(page, id);
  }

  TempDir dir_;
  MDB_env* env_ = nullptr;
  LmdbTables tables_;
  LmdbDirectory directory_;
};

TEST_F(DirectoryTest, LearnsAPageAndFollowsItWhereItGoes) {
  Put({1, 2, 100}, 10);
  {
    const Snapshot snapshot(env_);
    EXPECT_EQ(Guessed(1), 0U);
    EXPECT_EQ(Found(snapshot, 1), 10U);
    EXPECT_EQ(Guessed(2), 10U) << "learned";
  }
  Put({2}, 11);
  const Snapshot snapshot(env_);
  EXPECT_EQ(Guessed(2), 10U) << "without the guard the old page would be read";
  EXPECT_EQ(Found(snapshot, 2), 11U);
  EXPECT_EQ(Found(snapshot, 1), 10U);
  EXPECT_EQ(Found(snapshot, 100), 10U);
  EXPECT_EQ(Found(snapshot, 5000), 0U);
}

TEST_F(DirectoryTest, AnOlderSnapshotFindsItsOwnPages) {
  Put({1}, 10);
  const Snapshot older(env_);
  EXPECT_EQ(Found(older, 1), 10U);
  Put({1}, 11);
  const Snapshot newer(env_);
  EXPECT_EQ(Found(newer, 1), 11U);
  EXPECT_EQ(Found(newer, 1), 11U) << "by the directory now";
  EXPECT_EQ(Found(older, 1), 10U);
  EXPECT_EQ(Guessed(1), 11U);
}

TEST_F(DirectoryTest, ACommitThatTellsNothingIsNoticed) {
  Put({1, 200}, 10);
  {
    const Snapshot snapshot(env_);
    EXPECT_EQ(Found(snapshot, 1), 10U);
    EXPECT_EQ(Found(snapshot, 200), 10U);
  }
  Put({1}, 11, Noted::kNo);
  {
    const Snapshot snapshot(env_);
    EXPECT_EQ(Found(snapshot, 1), 11U);
  }
  Put({1}, 12, Noted::kNo);
  Put({200}, 13);  // tells of its own page only
  const Snapshot snapshot(env_);
  EXPECT_EQ(Found(snapshot, 1), 12U);
  EXPECT_EQ(Found(snapshot, 200), 13U);
}

TEST_F(DirectoryTest, MoreChangesThanAreRememberedDropAll) {
  Put({1}, 10);
  {
    const Snapshot snapshot(env_);
    EXPECT_EQ(Found(snapshot, 1), 10U);
  }
  Put({1}, 11);
  for (std::size_t i = 0; i < 2 * kMostRecentRuns; ++i) Put({85 * (i + 2)}, 12);
  const Snapshot snapshot(env_);
  EXPECT_EQ(Found(snapshot, 1), 11U);
}

TEST_F(DirectoryTest, VersionOfMetaRowsIsTheSnapshots) {
  Put({1}, 10);
  const Snapshot older(env_);
  const std::uint64_t before = directory_.MetaVersion(older.txn(), tables_);
  Put({1}, 11);
  {
    const Snapshot same(env_);
    EXPECT_EQ(directory_.MetaVersion(same.txn(), tables_), before);
  }
  Put({1}, 12, Noted::kYes, /*meta=*/true);
  const Snapshot newer(env_);
  EXPECT_NE(directory_.MetaVersion(newer.txn(), tables_), before);
  EXPECT_EQ(directory_.MetaVersion(older.txn(), tables_), before);
}

TEST_F(DirectoryTest, ClearForgets) {
  Put({1}, 10);
  const Snapshot snapshot(env_);
  EXPECT_EQ(Found(snapshot, 1), 10U);
  directory_.Clear();
  EXPECT_EQ(Guessed(1), 0U);
  EXPECT_EQ(Found(snapshot, 1), 10U);
}

TEST_F(DirectoryTest, RandomCommitsReadInAnyOrder) {
  std::mt19937_64 random(5);  // NOLINT
  std::uint64_t guesses = 0;
  std::uint64_t wrong = 0;
  for (std::uint64_t round = 1; round <= 20000; ++round) {
    std::vector<std::uint64_t> ids(1 + random() % 4);
    for (std::uint64_t& id : ids) id = 1 + random() % 20000;
    Put(ids, round, random() % 50 == 0 ? Noted::kNo : Noted::kYes);
    if (random() % 3 != 0) continue;  // several commits between looks
    const Snapshot snapshot(env_);
    for (int look = 0; look < 20; ++look) {
      const std::uint64_t id = look == 0 ? ids[0] : 1 + random() % 20000;
      const std::uint64_t right = ReallyThere(snapshot, id);
      const std::uint64_t guess = Guessed(id);
      guesses += guess != 0 ? 1 : 0;
      wrong += guess != 0 && guess != right ? 1 : 0;
      ASSERT_EQ(Found(snapshot, id), right) << round << ' ' << id;
    }
  }
  EXPECT_GT(guesses, 10000U) << "pages are learned";
  EXPECT_GT(wrong, 100U) << "and without the guard there would be wrong ones";
}

TEST_F(DirectoryTest, ThreadsThatReadWhileOneWrites) {
  Put({1, 100, 200, 300}, 1);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const Snapshot snapshot(env_);
        // A reader that is held up while it begins gets the tree of a later commit under an older
        // number; the directory then answers as of the number.
        if (!GetRecent(snapshot.txn(), tables_).valid()) continue;
        for (const std::uint64_t id : {1U, 100U, 200U, 300U}) {
          ASSERT_EQ(Found(snapshot, id), ReallyThere(snapshot, id));
        }
      }
    });
  }
  for (std::uint64_t round = 2; round < 3000; ++round)
    Put({round % 4 * 100 + (round % 4 == 0)}, round);
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace pat
