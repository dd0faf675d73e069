// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// The LMDB store between processes, also killed ones.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pat/lmdb_store.h"
#include "tests/helper_process.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

std::unique_ptr<Store> MustOpen(const std::string& directory, unsigned max_readers = 4096) {
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.max_readers = max_readers;
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

TEST(LmdbProcesses, AllMayCreateTheStoreAtTheSameMoment) {
  for (int round = 0; round < 5; ++round) {
    const TempDir dir;
    std::vector<HelperProcess> helpers;
    for (int i = 0; i < 6; ++i) helpers.emplace_back(std::vector<std::string>{"open", dir / "s"});
    for (HelperProcess& helper : helpers) EXPECT_EQ(helper.Wait(), 0);
    EXPECT_EQ(*MustOpen(dir / "s")->ReserveTokenIds(1), 1U);
  }
}

TEST(LmdbProcesses, NoTwoGetTheSameId) {
  const TempDir dir;
  std::vector<HelperProcess> helpers;
  for (int i = 0; i < 4; ++i) {
    helpers.emplace_back(std::vector<std::string>{"ids", dir.path(), "500"});
  }
  std::set<std::string> ids;
  for (HelperProcess& helper : helpers) {
    const std::vector<std::string> lines = helper.Lines();
    EXPECT_EQ(helper.Wait(), 0);
    EXPECT_EQ(lines.size(), 500U);
    ids.insert(lines.begin(), lines.end());
  }
  EXPECT_EQ(ids.size(), 2000U);
  EXPECT_EQ(ids.count("0"), 0U);
}

TEST(LmdbProcesses, NoUpdateIsLostUnderOptimisticChecks) {
  const TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.path());
  Batch batch;
  batch.accounts.push_back({"a", 1, "0"});
  ASSERT_TRUE(store->Apply(batch).ok());
  std::vector<HelperProcess> helpers;
  for (int i = 0; i < 4; ++i) {
    helpers.emplace_back(std::vector<std::string>{"count", dir.path(), "50"});
  }
  for (HelperProcess& helper : helpers) EXPECT_EQ(helper.Wait(), 0);
  EXPECT_EQ(store->ReadAccount("a")->view(), "200");
}

TEST(LmdbProcesses, TimeOfUseReachesOthersAtOnceAndSurvivesTheProcess) {
  const TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.path());
  const auto helper_uses = [&](std::uint64_t id, std::uint32_t unix_s) {
    HelperProcess helper({"use", dir.path(), std::to_string(id), std::to_string(unix_s)});
    EXPECT_EQ(helper.Wait(), 0);
  };
  store->RecordUse(7, 1000, "192.0.2.1", "here");
  HelperProcess reader({"read_use", dir.path(), "7"});
  EXPECT_EQ(reader.Line(), "1000");
  helper_uses(7, 900);
  EXPECT_EQ(store->ReadUse(7)->unix_s, 1000U);
  helper_uses(7, 2000);
  EXPECT_EQ(store->ReadUse(7)->unix_s, 2000U);
  store->RecordUse(7, 2030, "192.0.2.1", "here");
  EXPECT_EQ(store->ReadUse(7)->unix_s, 2000U) << "within the other's minute";
  // Far beyond what this process knew of the array when it opened it.
  ASSERT_TRUE(store->ReserveTokenIds(60000).ok());
  HelperProcess ids({"ids", dir.path(), "1"});
  EXPECT_EQ(ids.Wait(), 0);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->ReserveTokenIds(65000).ok());
  helper_uses(300000, 5000);
  EXPECT_EQ(store->ReadUse(300000)->unix_s, 5000U);
}

TEST(LmdbProcesses, ReadersKilledInsideReadsUseNothingUp) {
  const TempDir dir;
  const std::unique_ptr<Store> store = MustOpen(dir.path(), /*max_readers=*/200);
  Batch batch;
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    batch.tokens.push_back({id, Record(1)});
    batch.metadata.push_back({1, id, "metadata"});
  }
  ASSERT_TRUE(store->Apply(batch).ok());
  for (int i = 0; i < 12; ++i) {  // 12 times 50 slots, where there are 200
    HelperProcess reader({"read", dir.path(), "50"});
    ASSERT_EQ(reader.Line(), "1") << i;
    EXPECT_EQ(reader.Kill(), -SIGKILL);
  }
  const std::uint64_t before = store->Stats()->bytes;
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(store->Apply(PutToken(1 + i * 5, 2)).ok());
  HelperProcess(std::vector<std::string>{"open", dir.path()}).Wait();  // takes their slots away
  const std::uint64_t checked = store->Stats()->bytes;
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(store->Apply(PutToken(1 + i * 5, 3)).ok());
  EXPECT_LE(store->Stats()->bytes, checked + 65536) << "from " << before;
}

TEST(LmdbProcesses, FullMapFindsRoomBehindAKilledReader) {
  const TempDir dir;
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.map_bytes = 4 << 20;
  auto store = OpenLmdbStore(dir.path(), options);
  ASSERT_TRUE(store.ok());
  Batch batch;
  for (std::uint64_t id = 1; id <= 500; ++id)
    batch.metadata.push_back({1, id, std::string(900, 'm')});
  ASSERT_TRUE((*store)->Apply(batch).ok());
  HelperProcess reader({"pin", dir.path()});
  ASSERT_EQ(reader.Line(), "1");
  reader.Kill();
  // Each rewrite needs new pages; the old ones come back only if no reader can see them.
  for (int i = 0; i < 500; ++i) {
    Batch rewrite;
    rewrite.metadata.push_back({1, 1 + static_cast<std::uint64_t>(i * 37 % 500),
                                std::string(900, static_cast<char>('a' + i % 26))});
    const absl::Status status = (*store)->Apply(rewrite);
    ASSERT_TRUE(status.ok()) << i << ": " << status;
  }
}

TEST(LmdbProcesses, RevocationNeverFailsForWantOfMapAndOthersFollow) {
  const TempDir dir = TempDir::InMemory();
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.map_bytes = 1 << 20;
  auto store = OpenLmdbStore(dir.path(), options);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Apply(PutToken(1, 1)).ok());
  HelperProcess reader({"pin", dir.path()});
  ASSERT_EQ(reader.Line(), "1");
  HelperProcess follower({"await", dir.path(), "1", "6", "1048576"});
  ASSERT_EQ(follower.Line(), "1");
  absl::Status status;
  while ((status = (*store)->Apply(PutToken(2, 1))).ok()) {
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  for (int i = 0; i < 1000; ++i) {  // each takes pages that the reader does not let go
    Batch revocation = PutToken(1, 3);
    revocation.revocation = true;
    ASSERT_TRUE((status = (*store)->Apply(revocation)).ok()) << i << ": " << status;
  }
  Batch last = PutToken(1, 7);
  last.revocation = true;
  EXPECT_TRUE((*store)->Apply(last).ok());
  EXPECT_EQ(follower.Wait(), 0) << "it did not see what lies beyond its own map";
  HelperProcess writer({"count", dir.path(), "0"});
  EXPECT_EQ(writer.Wait(), 0);
}

std::unique_ptr<Store> OpenWithDeadline(const std::string& directory, absl::Duration deadline) {
  LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.write_deadline = deadline;
  auto store = OpenLmdbStore(directory, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

TEST(LmdbProcesses, StoppedWriterMakesOthersUnavailableAndNeverHangsThem) {
  const TempDir dir;
  const std::unique_ptr<Store> store = OpenWithDeadline(dir.path(), absl::Milliseconds(50));
  ASSERT_TRUE(store->Apply(PutToken(1, 1)).ok());
  HelperProcess stopped({"stop", dir.path(), "2"});
  ASSERT_TRUE(stopped.AwaitStop());
  TokenRecord record;
  for (int i = 0; i < 3; ++i) {
    Batch revocation = PutToken(1, 2);
    revocation.revocation = true;
    EXPECT_TRUE(absl::IsUnavailable(store->Apply(revocation)));
    EXPECT_TRUE(absl::IsUnavailable(store->ReserveAccountNumber().status()));
    EXPECT_EQ(store->Find(1, &record), Store::Lookup::kFound);
    EXPECT_EQ(record, Record(1));
  }
  // Neither opening nor closing waits for it.
  HelperProcess opener({"open", dir.path()});
  EXPECT_EQ(opener.Wait(), 0);
  stopped.Continue();
  EXPECT_EQ(stopped.Wait(), 0);
  EXPECT_TRUE(store->Apply(PutToken(1, 2)).ok());
  EXPECT_EQ(store->Find(2, &record), Store::Lookup::kFound);
}

TEST(LmdbProcesses, WriterKilledInsideACommitIsSettledByTheNext) {
  const TempDir dir;
  const std::unique_ptr<Store> store = OpenWithDeadline(dir.path(), absl::Seconds(60));
  for (std::uint64_t id = 2; id < 8; ++id) {
    HelperProcess stopped({"stop", dir.path(), std::to_string(id)});
    ASSERT_TRUE(stopped.AwaitStop());
    EXPECT_EQ(stopped.Kill(), -SIGKILL);
    ASSERT_TRUE(store->Apply(PutToken(1, static_cast<unsigned char>(id))).ok());
    TokenRecord record;
    EXPECT_EQ(store->Find(id, &record), Store::Lookup::kAbsent) << "it had not come to its end";
    EXPECT_EQ(store->Find(1, &record), Store::Lookup::kFound);
    EXPECT_EQ(record, Record(static_cast<unsigned char>(id)));
  }
}

TEST(LmdbProcesses, AcknowledgedWritesSurviveKill) {
  const TempDir dir;
  std::set<std::uint64_t> acknowledged;
  for (int round = 0; round < 15; ++round) {
    std::vector<HelperProcess> writers;
    for (int i = 0; i < 3; ++i) {
      writers.emplace_back(std::vector<std::string>{"write", dir.path()});
    }
    // The first has written enough: all die wherever they are.
    for (int i = 0; i < 3 + round; ++i) {
      const std::string line = writers[0].Line();
      ASSERT_NE(line, "");
      acknowledged.insert(std::stoull(line));
    }
    for (HelperProcess& writer : writers) writer.Kill();
    for (HelperProcess& writer : writers) {
      for (const std::string& line : writer.Lines()) {
        EXPECT_TRUE(acknowledged.insert(std::stoull(line)).second) << "an id given twice";
      }
    }
  }
  EXPECT_GE(acknowledged.size(), 100U);
  const std::unique_ptr<Store> store = MustOpen(dir.path());
  for (const std::uint64_t id : acknowledged) {
    TokenRecord record;
    ASSERT_EQ(store->Find(id, &record), Store::Lookup::kFound) << id;
    EXPECT_EQ(record, Record(static_cast<unsigned char>(1 + id % 255)));
    EXPECT_EQ(*store->ReadMetadata(1, id), std::to_string(id));
  }
  const auto rows = store->Page(1, 0, 1000000);
  ASSERT_TRUE(rows.ok());
  for (const TokenRow& row : *rows) EXPECT_FALSE(row.record.empty()) << "half a batch";
  EXPECT_GT(*store->ReserveTokenIds(1), *acknowledged.rbegin());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PAT_PLAIN_BUILD 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef PAT_PLAIN_BUILD
#endif
#endif
#endif

#ifdef PAT_PLAIN_BUILD  // sanitizers make system calls, and need terabytes of addresses

TEST(LmdbProcesses, VerifyPathMakesNoSystemCall) {
  const TempDir dir;
  {
    const std::unique_ptr<Store> store = MustOpen(dir.path());
    Batch batch;
    batch.accounts.push_back({"a", 1, "row"});
    for (std::uint64_t id = 1; id <= 2000; ++id) batch.tokens.push_back({id, Record(1)});
    ASSERT_TRUE(store->Apply(batch).ok());
    ASSERT_TRUE(store->ReserveTokenIds(2001).ok());
  }
  HelperProcess confined({"confined", dir.path(), "2000"});
  EXPECT_EQ(confined.Wait(), 0);
  HelperProcess control({"confined", dir.path(), "2000", "slip"});
  EXPECT_EQ(control.Wait(), -SIGKILL) << "the filter does not bite";
}

TEST(LmdbProcesses, OpensInASmallAddressSpace) {
  const TempDir dir;
  for (const char* bytes : {"4000000000", "300000000", "150000000"}) {
    HelperProcess cramped({"cramped", dir.path(), bytes});
    EXPECT_EQ(cramped.Line(), "1000") << bytes;
    EXPECT_EQ(cramped.Wait(), 0) << bytes;
  }
  HelperProcess control({"cramped", dir.path(), "200000000000"});
  EXPECT_EQ(control.Wait(), 7) << "where the default map is granted, nothing is halved";
}

#ifdef PAT_VALGRIND
TEST(LmdbProcesses, OpensUnderValgrind) {
  const TempDir dir;
  HelperProcess watched({"-q", "--tool=none", PAT_STORE_HELPER, "cramped", dir.path(), "0"},
                        PAT_VALGRIND);
  EXPECT_EQ(watched.Line(), "1000");
  EXPECT_EQ(watched.Wait(), 0);
}
#endif

#endif  // PAT_PLAIN_BUILD

}  // namespace
}  // namespace pat
