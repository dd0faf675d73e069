// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What is deleted and purged makes room: as many tokens again take no more of the disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pat/pat.h"
#include "tests/issued_secrets.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

class PurgeRoom : public testing::Test {
 protected:
  static constexpr std::size_t kTokens = 10'000;

  void SetUp() override {
    LmdbOptions lmdb;
    lmdb.create_if_missing = true;
    lmdb.flush_interval = absl::ZeroDuration();
    auto store = OpenLmdbStore(dir_ / "store", lmdb);
    ASSERT_TRUE(store.ok()) << store.status();
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    auto authority = Authority::Open(*std::move(store), Keyring::File(dir_ / "keyring"), options);
    ASSERT_TRUE(authority.ok()) << authority.status();
    authority_ = *std::move(authority);
  }

  // Makes tokens of a hundred accounts.
  void Issue() {
    std::vector<IssueRequest> requests(kTokens);
    for (std::size_t i = 0; i < kTokens; ++i) {
      requests[i].account = absl::StrCat("account ", i % 100);
      requests[i].description = "made to be deleted";
      requests[i].scopes = {"repo:read"};
    }
    const absl::StatusOr<std::vector<Issued>> issued = authority_->IssueMany(requests);
    ASSERT_TRUE(issued.ok()) << issued.status();
    for (const Issued& one : *issued) {
      RecordIssuedSecret(one.text.Reveal());
      ids_.push_back(one.token.id);
    }
  }

  void DeleteAll() {
    for (const std::uint64_t id : ids_) ASSERT_TRUE(authority_->Delete(id).ok());
    ids_.clear();
  }

  // Without the times of last use: four bytes for each id there ever was.
  std::uint64_t Bytes() const { return std::filesystem::file_size(dir_ / "store/data.mdb"); }

  const TempDir dir_ = TempDir::InMemory();
  std::unique_ptr<Authority> authority_;
  std::vector<std::uint64_t> ids_;
};

TEST_F(PurgeRoom, IsUsedAgain) {
  std::uint64_t most = 0;
  for (int cycle = 0; cycle < 6; ++cycle) {
    Issue();
    const std::uint64_t full = Bytes();
    DeleteAll();
    const absl::StatusOr<std::size_t> purged = authority_->Purge(absl::InfiniteFuture());
    ASSERT_TRUE(purged.ok()) << purged.status();
    ASSERT_EQ(*purged, kTokens);
    std::cout << "cycle " << cycle << ": " << full << " bytes with all, " << Bytes()
              << " when they are purged\n";
    // The first cycle also leaves behind what its changes wrote beside the rows.
    if (cycle == 0) most = Bytes();
    EXPECT_LE(Bytes(), most + most / 50) << "in cycle " << cycle;
  }
  EXPECT_LT(most, kTokens * 1000);
}

TEST_F(PurgeRoom, ControlWithoutPurgeTheStoreGrows) {
  Issue();
  const std::uint64_t once = Bytes();
  DeleteAll();
  Issue();
  EXPECT_GT(Bytes(), once + once / 2);
}

}  // namespace
}  // namespace pat
