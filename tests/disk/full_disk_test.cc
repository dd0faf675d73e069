// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A full disk, while a stopped reader keeps old pages from being used again, so that each change
// needs new ones: revocations work from the reserve.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pat/lmdb_store.h"
#include "tests/disk/disk.h"
#include "tests/helper_process.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

constexpr std::uint64_t kTokens = 2000;

TokenRecord Record(unsigned char fill) {
  TokenRecord record;
  record.bytes.fill(fill);
  return record;
}

class FullDisk : public testing::Test {
 protected:
  void Open(const std::string& directory, std::size_t reserve_bytes) {
    LmdbOptions options;
    options.create_if_missing = true;
    options.flush_interval = absl::ZeroDuration();
    options.reserve_bytes = reserve_bytes;
    auto store = OpenLmdbStore(directory, options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    Batch batch;
    for (std::uint64_t id = 1; id <= kTokens; ++id) batch.tokens.push_back({id, Record(1)});
    ASSERT_TRUE(store_->Apply(batch).ok());
    ASSERT_TRUE(store_->Apply(Issue()).ok());  // the reserve is behind what is there now
  }

  Batch Issue() {
    Batch batch;
    batch.tokens.push_back({++last_, Record(1)});
    batch.metadata.push_back({1, last_, std::string(20000, 'm')});
    return batch;
  }

  // How many of the tokens can be revoked, by another record than those before.
  std::uint64_t RevokeAll(unsigned char fill = 2) {
    std::uint64_t revoked = 0;
    for (std::uint64_t id = 1; id <= kTokens; ++id) {
      Batch batch;
      batch.tokens.push_back({id, Record(fill)});
      batch.revocation = true;
      const absl::Status status = store_->Apply(batch);
      if (status.ok()) {
        ++revoked;
      } else {
        EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      }
      TokenRecord record;
      EXPECT_EQ(store_->Find(id, &record), Store::Lookup::kFound);
      EXPECT_EQ(record == Record(fill), status.ok());
    }
    return revoked;
  }

  void TearDown() override {
    disk::Heal();
    store_.reset();
    if (!mounted_.empty()) {
      EXPECT_EQ(umount2(mounted_.c_str(), MNT_DETACH), 0);
    }
  }

  const TempDir dir_;
  std::string mounted_;
  std::uint64_t last_ = kTokens;
  std::unique_ptr<Store> store_;
};

TEST_F(FullDisk, NoReaderStopped) {
  const TempDir dir = TempDir::InMemory();
  Open(dir.path(), std::size_t{1} << 20);
  disk::FailCalls(dir.path(), disk::Fault::kFullDisk, 1, disk::kForGood);
  EXPECT_TRUE(absl::IsResourceExhausted(store_->Apply(Issue())));
  EXPECT_EQ(RevokeAll(), kTokens);
  EXPECT_TRUE(absl::IsResourceExhausted(store_->Apply(Issue())));
  disk::Heal();
  EXPECT_TRUE(store_->Apply(Issue()).ok());
}

TEST_F(FullDisk, ReaderStopped) {
  const TempDir dir = TempDir::InMemory();
  Open(dir.path(), std::size_t{8} << 20);
  HelperProcess reader({"pin", dir.path()});
  ASSERT_EQ(reader.Line(), "1");
  disk::FailCalls(dir.path(), disk::Fault::kFullDisk, 1, disk::kForGood);
  EXPECT_TRUE(absl::IsResourceExhausted(store_->Apply(Issue())));
  const std::uint64_t revoked = RevokeAll();
  EXPECT_GE(revoked, 250U);
  std::cout << revoked << " of " << kTokens << " revoked from a reserve of 8 MiB\n";
  reader.Kill();
  EXPECT_EQ(RevokeAll(3), kTokens) << "without the reader's old pages there is room";
}

TEST_F(FullDisk, ControlWithoutAReserveAStoppedReaderIsEnoughToStopRevocation) {
  const TempDir dir = TempDir::InMemory();
  Open(dir.path(), 0);
  HelperProcess reader({"pin", dir.path()});
  ASSERT_EQ(reader.Line(), "1");
  disk::FailCalls(dir.path(), disk::Fault::kFullDisk, 1, disk::kForGood);
  EXPECT_LT(RevokeAll(), 20U);
}

TEST_F(FullDisk, ARealOne) {
  if (mount("none", dir_.path().c_str(), "tmpfs", 0, "size=24m,mode=0700") != 0) {
    GTEST_SKIP() << "may not mount";
  }
  mounted_ = dir_.path();
  Open(dir_ / "store", std::size_t{8} << 20);
  HelperProcess reader({"pin", dir_ / "store"});
  EXPECT_EQ(reader.Line(), "1");
  {
    std::ofstream filler(dir_ / "filler", std::ios::binary);
    const std::string block(65536, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  absl::Status status = store_->Apply(Issue());
  while (status.ok()) status = store_->Apply(Issue());
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_GE(RevokeAll(), 200U);
  reader.Kill();
  EXPECT_EQ(RevokeAll(3), kTokens);
}

}  // namespace
}  // namespace pat
