// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Rows that nobody of ours wrote, put beside good ones: they hide nothing, and they keep nobody
// from revoking. The store is edited by plain LMDB calls.
#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/lmdb_tables.h"
#include "tests/hostile_fixture.h"

namespace pat {
namespace {

struct Junk {
  const char* what;
  void (*put)(RawTables& raw, std::uint32_t number, std::uint64_t id);
};

void PutAcct(RawTables& raw, std::string key, const std::string& value) {
  raw.Put("acct", {key.size(), key.data()}, value);
}

std::string NumberKey(std::uint32_t number) {
  std::string key;
  for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(number >> shift & 0xFFU);
  return key;
}

constexpr Junk kJunk[] = {
    {"metadata over a mebibyte",
     [](RawTables& raw, std::uint32_t number, std::uint64_t id) {
       raw.PutMetadata(number, id, std::string((1U << 20U) + 1, 'x'));
     }},
    {"metadata gone, a row at the account's end",
     [](RawTables& raw, std::uint32_t number, std::uint64_t id) {
       raw.PutMetadata(number, id, "");
       PutAcct(raw, NumberKey(number) + std::string(8, '\xFF'), "junk");
     }},
    {"metadata gone, a key of another length among the account's",
     [](RawTables& raw, std::uint32_t number, std::uint64_t id) {
       raw.PutMetadata(number, id, "");
       PutAcct(raw, NumberKey(number) + std::string(9, '\xFF'), "junk");
     }},
    {"metadata gone, the page of another token cut",
     [](RawTables& raw, std::uint32_t number, std::uint64_t id) {
       raw.PutMetadata(number, id, "");
       HotKey key(id + kRecordsPerPage);
       raw.Put("hot", key.val(), "cut");
     }},
    {"nothing of the token's, a row at the account's end",
     [](RawTables& raw, std::uint32_t number, std::uint64_t) {
       PutAcct(raw, NumberKey(number) + std::string(8, '\xFF'), "junk");
     }},
    {"nothing of the token's, a huge row of an id that is none",
     [](RawTables& raw, std::uint32_t number, std::uint64_t) {
       PutAcct(raw, NumberKey(number) + std::string(8, '\x01'), std::string(2U << 20U, 'x'));
     }},
};

class HostileRowsTest : public HostileStoreTest {
 protected:
  // Tokens of one account over several pages, some expired, so that its counts must be made anew.
  void Populate() {
    for (std::size_t i = 0; i < 2 * kRecordsPerPage; ++i) {
      IssueRequest request = Request("alice");
      if (i % 50 == 7) request.expires_at = absl::FromUnixSeconds(kNow + 10);
      Issued issued = Issue(request);
      if (i == 1) victim_ = std::move(issued);
      if (i == 2) other_ = std::move(issued);
    }
    now_ = kNow + 20;
  }

  Issued victim_;
  Issued other_;
};

TEST_F(HostileRowsTest, NothingKeepsAnybodyFromRevoking) {
  for (const Junk& junk : kJunk) {
    for (const bool by_deactivating : {true, false}) {
      for (const char* owner : {"", "alice"}) {
        SCOPED_TRACE(std::string(junk.what) + (by_deactivating ? ", deactivate" : ", delete") +
                     (*owner == '\0' ? "" : ", by owner"));
        Close();
        std::filesystem::remove_all(Directory());
        std::filesystem::remove(KeyringPath());
        now_ = kNow;
        Open();
        Populate();
        const std::uint32_t number = Row("alice").number;
        Edit([&](RawTables& raw) { junk.put(raw, number, victim_.token.id); });
        const std::uint64_t id = victim_.token.id;
        if (by_deactivating) {
          const absl::Status status = authority_->Deactivate(id, owner);
          EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
        } else {
          const absl::Status status = authority_->Delete(id, owner);
          EXPECT_TRUE(status.ok()) << status;
        }
        ExpectRefused(victim_);
        ExpectAccepted(other_);
        EXPECT_TRUE(Listed("alice", other_.token.id).has_value());
        EXPECT_TRUE(authority_->Delete(other_.token.id, owner).ok());
        ExpectRefused(other_);
      }
    }
  }
}

TEST_F(HostileRowsTest, PurgeGoesOnPastPagesThatAreNone) {
  Populate();
  ASSERT_TRUE(authority_->Delete(victim_.token.id).ok());
  Edit([&](RawTables& raw) {
    std::string key = "odd";
    raw.Put("meta", {key.size(), key.data()}, "x");
    HotKey cut(victim_.token.id + kRecordsPerPage);
    raw.Put("hot", cut.val(), "cut");
  });
  EXPECT_EQ(*authority_->Purge(absl::InfiniteFuture()), 1U);
}

TEST_F(HostileRowsTest, TokensThatTheAccountsRowDoesNotProveAreShownAsDamaged) {
  const Issued alice = Issue("alice");
  const Issued bob = Issue("bob");
  const std::string foreign(Row("bob").view());
  const std::uint32_t number = Row("alice").number;
  Edit([&](RawTables& raw) { raw.PutAccount(number, foreign); });
  ASSERT_TRUE(Listed("alice", alice.token.id).has_value());
  EXPECT_TRUE(Listed("alice", alice.token.id)->damaged) << "as Get says";
  EXPECT_TRUE(authority_->Get(alice.token.id)->damaged);
  EXPECT_FALSE(Listed("bob", bob.token.id)->damaged);
  EXPECT_TRUE(authority_->Delete(alice.token.id, "alice").ok());
  ExpectRefused(alice);
}

}  // namespace
}  // namespace pat
