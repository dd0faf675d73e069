// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out while a thread commits for others, while a commit that failed is settled,
// and in the thread that writes places of use. Nobody is stranded, and nobody is told that a change
// was made, or not made, if that is not so.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "pat/lmdb_store.h"
#include "tests/memory/exhaust.h"
#include "tests/temp_dir.h"

namespace {

std::atomic<int> lock_waits{0};   // for the store's lock for writers
std::atomic<int> queue_waits{0};  // for whoever commits for others

enum class MetaFault { kNone, kNotDone, kDoneButSaid };
thread_local MetaFault meta_fault = MetaFault::kNone;  // of the next commit's last write

}  // namespace

// Before the C library's, which are found by name.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) {
  static const auto next =
      reinterpret_cast<decltype(&pthread_mutex_clocklock)>(dlsym(RTLD_NEXT, __func__));
  ++lock_waits;
  return next(mutex, clock, until);
}
extern "C" int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                      clockid_t clock, const timespec* until) {
  static const auto next =
      reinterpret_cast<decltype(&pthread_cond_clockwait)>(dlsym(RTLD_NEXT, __func__));
  ++queue_waits;
  return next(condition, mutex, clock, until);
}
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  // A meta page is written by what follows its header, into one of the first two pages. If that
  // fails, LMDB writes the old content back, and that may fail too.
  if (meta_fault != MetaFault::kNone && at < 8192 && size < 4096) {
    static thread_local bool again = false;
    const bool done = meta_fault == MetaFault::kDoneButSaid;
    if (!again && done) syscall(SYS_pwrite64, fd, bytes, size, at);
    again = !again;
    if (!again) meta_fault = MetaFault::kNone;
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pwrite64, fd, bytes, size, at);
}

namespace pat {
namespace {

std::unique_ptr<Store> Open(const std::string& path, absl::Duration flush_interval) {
  LmdbOptions options;
  options.create_if_missing = true;
  options.map_bytes = std::size_t{64} << 20;
  options.flush_interval = flush_interval;
  options.concurrent_reads = 2;
  options.reserve_bytes = 0;
  auto store = OpenLmdbStore(path, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TokenRecord Record(int i) {
  TokenRecord record;
  record.bytes.fill(static_cast<unsigned char>(1 + i % 250));
  return record;
}

// Empty, or what is wrong with a write of `made` over `before` that ended with `status`.
std::string Judge(const absl::Status& status, const TokenRecord& before, const TokenRecord& made,
                  const TokenRecord& found) {
  if (status.ok() && found != made) return "acknowledged, but not there";
  if (found != before && found != made) return "neither the old nor the new";
  if (absl::IsResourceExhausted(status) && found != before) return "said not to be made, but there";
  if (!status.ok() && !absl::IsResourceExhausted(status) && !absl::IsUnknown(status)) {
    return status.ToString();
  }
  return {};
}

class GroupMemoryTest : public testing::Test {
 protected:
  static constexpr std::size_t kMembers = 3;

  TokenRecord Find(std::uint64_t id) {
    TokenRecord record;
    EXPECT_NE(store_->Find(id, &record), Store::Lookup::kUnavailable);
    return record;
  }

  absl::Status Put(std::uint64_t id, const TokenRecord& expected, const TokenRecord& record) {
    Batch batch;
    batch.token_checks.push_back({id, expected});
    batch.tokens.push_back({id, record});
    return store_->Apply(batch);
  }

  // One thread waits for the store's lock, three queue behind it; the first of those commits for
  // all three, and its `n`th allocation in that fails. False if there are not so many.
  bool Round(long n, bool for_good, std::array<absl::Status, kMembers>* results) {
    EXPECT_TRUE(other_.HoldWriters());
    lock_waits = 0;
    queue_waits = 0;
    const absl::Status nothing = absl::OkStatus();
    std::vector<std::thread> threads;
    threads.emplace_back([&] { EXPECT_TRUE(store_->Apply(Batch()).ok()); });
    while (lock_waits < 1) std::this_thread::yield();
    std::atomic<bool> failed{false};
    for (std::size_t i = 0; i < kMembers; ++i) {
      threads.emplace_back([&, i] {
        Batch batch;
        const std::uint64_t id = 1 + i * 100;
        batch.token_checks.push_back({id, Record(round_)});
        batch.tokens.push_back({id, Record(round_ + 1)});
        if (i == 0) memory_fail(n, for_good ? 1 : 0);
        (*results)[i] = Thrown([&] { return store_->Apply(batch); });
        if (i == 0) failed = memory_heal() != 0;
      });
      while (queue_waits < static_cast<int>(i) + 1) std::this_thread::yield();
    }
    EXPECT_TRUE(other_.Release());
    for (std::thread& thread : threads) thread.join();
    return failed;
  }

  const TempDir dir_ = TempDir::InMemory();
  OtherProcess other_{dir_ / "store"};
  std::unique_ptr<Store> store_ = Open(dir_ / "store", absl::ZeroDuration());
  int round_ = 0;
};

TEST_F(GroupMemoryTest, WhoCommitsForOthersAnswersRightly) {
  int exhausted = 0;
  for (const bool for_good : {false, true}) {
    for (long n = 1;; ++n) {
      for (std::size_t i = 0; i < kMembers; ++i) {
        const std::uint64_t id = 1 + i * 100;
        ASSERT_TRUE(Put(id, Find(id), Record(round_)).ok());
      }
      std::array<absl::Status, kMembers> results;
      const bool failed = Round(n, for_good, &results);
      for (std::size_t i = 0; i < kMembers; ++i) {
        ASSERT_EQ(Judge(results[i], Record(round_), Record(round_ + 1), Find(1 + i * 100)), "")
            << "member " << i << ", allocation " << n << (for_good ? " and all after it" : "");
        exhausted += results[i].ok() ? 0 : 1;
        ASSERT_FALSE(absl::IsUnknown(results[i]));
      }
      ASSERT_TRUE(other_.Writes());
      ++round_;
      if (!failed) break;
    }
  }
  EXPECT_GT(exhausted, 10) << "or nothing was tried";
}

// The disk fails at the commit, and memory runs out while that is settled.
TEST_F(GroupMemoryTest, AFailedCommitIsSettledRightly) {
  int unknown = 0;
  for (const MetaFault fault : {MetaFault::kNotDone, MetaFault::kDoneButSaid}) {
    for (const bool for_good : {false, true}) {
      for (long n = 1;; ++n) {
        const TokenRecord before = Find(1);
        const TokenRecord made = Record(++round_);
        Batch batch;
        batch.token_checks.push_back({1, before});
        batch.tokens.push_back({1, made});
        meta_fault = fault;
        memory_fail(n, for_good ? 1 : 0);
        const absl::Status status = Thrown([&] { return store_->Apply(batch); });
        const bool failed = memory_heal() != 0;
        meta_fault = MetaFault::kNone;
        ASSERT_TRUE(store_->Health().ok()) << "reads go on, allocation " << n;
        ASSERT_TRUE(other_.Writes()) << "and others write";
        ASSERT_TRUE(store_->Apply(Batch()).ok());
        ASSERT_EQ(Judge(status, before, made, Find(1)), "")
            << "allocation " << n << (for_good ? " and all after it" : "");
        unknown += absl::IsUnknown(status) ? 1 : 0;
        if (!failed) {
          EXPECT_TRUE(status.ok()) << status;
          break;
        }
      }
    }
  }
  EXPECT_GT(unknown, 0) << "or the disk did not fail";
}

TEST(FlusherMemoryTest, TheThreadThatWritesPlacesTriesAgain) {
  const TempDir dir = TempDir::InMemory();
  OtherProcess other(dir / "store");
  const auto store = Open(dir / "store", absl::Milliseconds(1));
  ASSERT_NE(store, nullptr);
  Batch batch;
  batch.tokens.push_back({1, Record(0)});
  ASSERT_TRUE(store->Apply(batch).ok());
  std::uint32_t now = 1000;
  // A thread that is only starting needs memory that is not the library's.
  store->RecordUse(1, now, "192.0.2.1", "it runs");
  while (!other.SeesNewPlace()) std::this_thread::yield();
  int failures = 0;
  for (long n = 1;; ++n) {
    memory_fail_elsewhere(n);
    store->RecordUse(1, now += 60, "192.0.2.1", "a browser " + std::to_string(n));
    while (!other.SeesNewPlace()) std::this_thread::yield();
    if (memory_heal() == 0) break;
    ++failures;
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(store->ReadUse(1)->unix_s, now);
}

// What these tests must notice.
TEST(CommitMemoryTest, TheJudgeNotices) {
  const absl::Status exhausted(absl::StatusCode::kResourceExhausted, "");
  EXPECT_NE(Judge(absl::OkStatus(), Record(1), Record(2), Record(1)), "");
  EXPECT_NE(Judge(exhausted, Record(1), Record(2), Record(2)), "");
  EXPECT_NE(Judge(absl::UnknownError(""), Record(1), Record(2), Record(3)), "");
  EXPECT_NE(Judge(absl::AbortedError(""), Record(1), Record(2), Record(1)), "");
  EXPECT_EQ(Judge(absl::OkStatus(), Record(1), Record(2), Record(2)), "");
  EXPECT_EQ(Judge(exhausted, Record(1), Record(2), Record(1)), "");
}

}  // namespace
}  // namespace pat
