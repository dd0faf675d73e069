// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Group commit over a store: what is written together, and that nobody answers for another.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "lib/write_queue.h"
#include "pat/lmdb_store.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

using Member = WriteQueue::Member;

WriteQueue::Clock::time_point Later() {
  return WriteQueue::Clock::now() + std::chrono::seconds(60);
}

absl::Status Nothing(MDB_txn*, TxnChanges*) { return absl::OkStatus(); }
absl::StatusOr<bool> Never(MDB_txn*) { return false; }

std::size_t SizeOf(const Member* group) {
  std::size_t n = 0;
  for (; group != nullptr; group = group->next) ++n;
  return n;
}

// Holds the first group until `others` more wait, and then lets the rest be taken.
class QueueTest : public testing::Test {
 protected:
  static constexpr int kOthers = 7;

  // Runs a leader and kOthers more behind it; `second` commits the second group.
  std::vector<absl::Status> RunAll(const std::function<void(Member*)>& second) {
    std::vector<absl::Status> results(kOthers + 1);
    std::atomic<bool> held{false};
    std::atomic<int> joining{0};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      Member member{Nothing, Never, false};
      results[0] = queue_.Run(&member, Later(), [&](Member* group) {
        held = true;
        while (joining < kOthers) std::this_thread::yield();
        WaitUntilQueued(kOthers);
        group->result = absl::OkStatus();
      });
    });
    while (!held) std::this_thread::yield();
    for (int i = 1; i <= kOthers; ++i) {
      threads.emplace_back([&, i] {
        ++joining;
        Member member{Nothing, Never, false};
        results[i] = queue_.Run(&member, Later(), [&](Member* group) { second(group); });
      });
    }
    for (std::thread& thread : threads) thread.join();
    return results;
  }

  // By the clock of the members: each that waits has told so before, and then needs a moment.
  void WaitUntilQueued(int n) {
    while (queue_.waiting() < n) std::this_thread::yield();
  }

  WriteQueue queue_;
};

TEST_F(QueueTest, ThoseWhoWaitAreOneGroup) {
  std::atomic<std::size_t> size{0};
  const auto results = RunAll([&](Member* group) {
    size = SizeOf(group);
    int i = 0;
    for (Member* m = group; m != nullptr; m = m->next) {
      m->result = ++i % 2 == 0 ? absl::OkStatus() : absl::AbortedError("mine");
    }
  });
  EXPECT_EQ(size, static_cast<std::size_t>(kOthers));
  EXPECT_TRUE(results[0].ok());
  int aborted = 0;
  for (const absl::Status& result : results) aborted += absl::IsAborted(result) ? 1 : 0;
  EXPECT_EQ(aborted, 4) << "each gets its own answer";
}

TEST_F(QueueTest, MemoryThatRunsOutStrandsNobody) {
  const auto results = RunAll([&](Member* group) {
    group->result = absl::OkStatus();
    throw std::bad_alloc();
  });
  int exhausted = 0;
  for (const absl::Status& result : results) exhausted += absl::IsResourceExhausted(result) ? 1 : 0;
  EXPECT_EQ(exhausted, kOthers - 1) << "all but the one whose change was made";
  Member member{Nothing, Never, false};
  EXPECT_TRUE(queue_.Run(&member, Later(), [](Member* group) { group->result = {}; }).ok())
      << "and the queue goes on";
}

TEST_F(QueueTest, WhoeverIsNotTakenUpGivesUpAtTheDeadline) {
  std::atomic<bool> held{false};
  std::atomic<bool> release{false};
  std::thread leader([&] {
    Member member{Nothing, Never, false};
    EXPECT_TRUE(queue_
                    .Run(&member, Later(),
                         [&](Member* group) {
                           held = true;
                           while (!release) std::this_thread::yield();
                           group->result = {};
                         })
                    .ok());
  });
  while (!held) std::this_thread::yield();
  Member late{Nothing, Never, false};
  const absl::Status status =
      queue_.Run(&late, WriteQueue::Clock::now(), [](Member*) { ADD_FAILURE() << "not taken"; });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(queue_.waiting(), 0);
  release = true;
  leader.join();
}

// Over LMDB: batches of many threads, of which some fail their checks.
TEST(GroupCommitTest, AFailedCheckFailsItsOwnBatchAlone) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 100;
  const TempDir dir;
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  auto opened = OpenLmdbStore(dir.path(), options);
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  const auto record = [](int thread, int round) {
    TokenRecord made;
    made.bytes.fill(static_cast<unsigned char>(1 + thread * 16 + round % 16));
    return made;
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TokenRecord now;  // empty
      const auto id = static_cast<std::uint64_t>(1 + t * 40);
      for (int round = 0; round < kRounds; ++round) {
        Batch batch;
        batch.tokens.push_back({id, record(t, round)});
        batch.token_checks.push_back({id, record(99, round)});  // not what is there
        ASSERT_TRUE(absl::IsAborted(store.Apply(batch)));
        batch.token_checks[0].expected = now;
        ASSERT_TRUE(store.Apply(batch).ok());
        now = record(t, round);
        TokenRecord found;
        ASSERT_EQ(store.Find(id, &found), Store::Lookup::kFound);
        ASSERT_EQ(found, now) << "acknowledged is visible";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace pat
