// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl new-realm, killed at one system call after the other: what is left is the store as it was
// or the one of the new realm, never something in between, and the next run comes through.
//
// PAT_STRIDE: at how many system calls more the next one is killed (7; a soak takes 1).
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/issued_secrets.h"
#include "tests/process/child.h"
#include "tests/process/scratch_store.h"

namespace {

namespace fs = std::filesystem;

class NewRealm : public testing::Test {
 protected:
  void SetUp() override {
    auto authority = Open(original_, /*create=*/true);
    ASSERT_TRUE(authority.ok()) << authority.status();
    for (const char* account : {"alice", "bob", "an account with a long name"}) {
      pat::IssueRequest request;
      request.account = account;
      request.description = "of the old realm";
      request.scopes = {"repo:read"};
      const auto issued = (*authority)->Issue(request);
      ASSERT_TRUE(issued.ok()) << issued.status();
      texts_.emplace_back(issued->text.Reveal());
      RecordIssuedSecret(texts_.back());
      accounts_.emplace_back(account);
    }
  }

  // The keyring lies in the store, so that both are to be replaced in one step.
  static absl::StatusOr<std::unique_ptr<pat::Authority>> Open(const std::string& store,
                                                              bool create = false) {
    pat::LmdbOptions lmdb;
    lmdb.create_if_missing = create;
    lmdb.flush_interval = absl::ZeroDuration();
    auto rows = pat::OpenLmdbStore(store, lmdb);
    if (!rows.ok()) return rows.status();
    pat::AuthorityOptions options;
    options.create_if_missing = create;
    if (create) options.prefixes = {kTestPrefix};
    return pat::Authority::Open(*std::move(rows), pat::Keyring::File(store + "/keyring"), options);
  }

  void Lay() const {
    fs::remove_all(store_);
    fs::remove_all(store_ + ".new-realm");
    fs::copy(original_, store_);
    fs::permissions(store_, fs::perms::owner_all);
  }

  Child Run() const {
    return Child::Of(PAT_BIN_DIR "/patctl",
                     {"--store", store_, "--keyring", store_ + "/keyring", "new-realm"});
  }

  // "old", "new", or what is wrong.
  std::string Realm() const {
    const auto authority = Open(store_);
    if (!authority.ok()) return authority.status().ToString();
    std::map<bool, int> accepted;
    for (const std::string& text : texts_) {
      ++accepted[(*authority)->Verify(text).principal() != nullptr];
    }
    for (const std::string& account : accounts_) {
      const auto counts = (*authority)->Count(account);
      if (!counts.ok()) return counts.status().ToString();
      if (counts->active != 1) return "a token is lost";
    }
    if (accepted.size() != 1) return "a part of the tokens is accepted";
    return accepted.count(true) != 0 ? "old" : "new";
  }

  const ScratchStore scratch_{ScratchStore::Where::kMemory};
  const std::string original_ = scratch_.directory() + "/original";
  const std::string store_ = scratch_.directory() + "/store";
  std::vector<std::string> texts_;
  std::vector<std::string> accounts_;
};

TEST_F(NewRealm, KilledAnywhereItIsTheOldOneOrTheNew) {
  const int stride = NumberFromEnv("PAT_STRIDE", 7);
  std::map<std::string, int> found;
  int calls = 1;
  int kills = 0;
  // It may have made some calls before it is watched, so one that comes through is not the last.
  for (int spared = 0; spared < 10; calls += stride) {
    Lay();
    const bool killed = Run().KillAtSystemCall(calls);
    ++(killed ? kills : spared);
    const std::string realm = Realm();
    ASSERT_TRUE(realm == "old" || realm == "new") << realm << ", killed at " << calls;
    if (killed) ++found[realm];
    ASSERT_EQ(Run().Wait(), 0) << "after one killed at " << calls;
    ASSERT_EQ(Realm(), "new") << "after one killed at " << calls;
  }
  std::cout << kills << " kills within " << calls << " system calls: left the old one "
            << found["old"] << " times, the new one " << found["new"] << " times\n";
  EXPECT_GT(found["old"], 10);
  EXPECT_GT(found["new"], 0);
}

TEST_F(NewRealm, ControlHalfOfItIsNoticed) {
  Lay();
  ASSERT_EQ(Realm(), "old");
  ASSERT_EQ(Run().Wait(), 0);
  ASSERT_EQ(Realm(), "new");
  for (const char* name : {"keyring", "data.mdb"}) {
    Lay();
    ASSERT_EQ(Run().Wait(), 0);
    fs::copy(original_ + "/" + name, store_ + "/" + name, fs::copy_options::overwrite_existing);
    const std::string realm = Realm();
    EXPECT_TRUE(realm != "old" && realm != "new") << realm;
  }
}

}  // namespace
