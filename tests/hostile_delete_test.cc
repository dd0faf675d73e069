// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A revocation works whatever else of the store was spoiled.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lmdb_tables.h"
#include "tests/hostile_fixture.h"

namespace pat {
namespace {

struct Damage {
  const char* what;
  bool row_proves_account;  // the account can still be counted
  void (*spoil)(RawTables& raw, const std::string& account, std::uint32_t number, std::uint64_t id,
                std::string row);
};

// To a token's metadata, its account's row, its account's name; each with what else is done.
constexpr Damage kMetadataDamage[] = {
    {"metadata whole", true,
     [](RawTables&, const std::string&, std::uint32_t, std::uint64_t, std::string) {}},
    {"metadata spoiled", true,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t id, std::string) {
       raw.PutMetadata(number, id, std::string(200, 'x'));
     }},
    {"metadata cut", true,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t id, std::string) {
       raw.PutMetadata(number, id, "x");
     }},
    {"metadata gone", true,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t id, std::string) {
       raw.PutMetadata(number, id, "");
     }},
};
constexpr Damage kAccountDamage[] = {
    {"account whole", true,
     [](RawTables&, const std::string&, std::uint32_t, std::uint64_t, std::string) {}},
    {"account spoiled", false,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t, std::string row) {
       row.back() = static_cast<char>(row.back() ^ 1);
       raw.PutAccount(number, row);
     }},
    {"account too long", false,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t, std::string) {
       raw.PutAccount(number, std::string(5000, 'x'));
     }},
    {"account gone", false,
     [](RawTables& raw, const std::string&, std::uint32_t number, std::uint64_t, std::string) {
       raw.PutAccount(number, "");
     }},
};
constexpr Damage kNameDamage[] = {
    {"name whole", true,
     [](RawTables&, const std::string&, std::uint32_t, std::uint64_t, std::string) {}},
    {"name remapped", false,
     [](RawTables& raw, const std::string& account, std::uint32_t, std::uint64_t, std::string) {
       raw.PutName(account, StoreInteger(1, 4));  // the bystander's
     }},
    {"name spoiled", false,
     [](RawTables& raw, const std::string& account, std::uint32_t, std::uint64_t, std::string) {
       raw.PutName(account, "xyz");
     }},
    {"name gone", false,
     [](RawTables& raw, const std::string& account, std::uint32_t, std::uint64_t, std::string) {
       raw.PutName(account, "");
     }},
};

class HostileDeleteTest : public HostileStoreTest {
 protected:
  void SetUp() override {
    HostileStoreTest::SetUp();
    bystander_ = Issue("bystander");
    ASSERT_EQ(Row("bystander").number, 1U);
  }

  // An account with three tokens, the first of which is to go.
  std::vector<Issued> IssueThree(const std::string& account) {
    std::vector<IssueRequest> requests(3, Request(account));
    requests[1].origin = Origin::kAuto;
    absl::StatusOr<std::vector<Issued>> issued = authority_->IssueMany(requests);
    EXPECT_TRUE(issued.ok()) << issued.status();
    for (const Issued& one : *issued) RecordIssuedSecret(one.text.Reveal());
    return *std::move(issued);
  }

  void Revoke(const std::string& account, bool edited, bool with_owner, const Damage& metadata,
              const Damage& row_damage, const Damage& name) {
    SCOPED_TRACE(account + ", " + metadata.what + ", " + row_damage.what + ", " + name.what +
                 (edited ? ", edited" : "") + (with_owner ? ", with owner" : ""));
    const std::vector<Issued> issued = IssueThree(account);
    const std::uint64_t id = issued[0].token.id;
    const AccountRow row = Row(account);
    TokenRecord record = Record(id);
    if (edited) record.bytes[16] ^= 0xFFU;
    Edit([&](RawTables& raw) {
      raw.PutRecord(id, record);
      for (const Damage* damage : {&metadata, &row_damage, &name}) {
        damage->spoil(raw, account, row.number, id, std::string(row.view()));
      }
    });
    const std::string owner = with_owner ? account : "";
    EXPECT_FALSE(authority_->Delete(id, "bystander").ok());
    EXPECT_EQ(Record(id), record);
    const absl::Status status = authority_->Delete(id, owner);
    EXPECT_TRUE(status.ok()) << status;
    ExpectRefused(issued[0]);
    EXPECT_TRUE(authority_->Delete(id).ok());
    EXPECT_FALSE(authority_->Activate(id).ok());
    EXPECT_TRUE(authority_->Get(id).ok());
    ExpectRefused(issued[0]);
    if (row_damage.row_proves_account && name.row_proves_account) {
      ExpectCountsAreRight(account);
      EXPECT_EQ(authority_->Count(account)->active, 2U);
      ExpectAccepted(issued[1]);
      ExpectAccepted(issued[2]);
    }
  }

  Issued bystander_;
};

TEST_F(HostileDeleteTest, DeleteAlwaysWorks) {
  int round = 0;
  for (const Damage& metadata : kMetadataDamage) {
    for (const Damage& row : kAccountDamage) {
      for (const Damage& name : kNameDamage) {
        for (int variant = round / 4 % 2; variant < 8; variant += 2) {
          std::string account = std::to_string(round++);
          account.insert(0, (variant & 1) != 0 ? 10 : 30, 'a');
          Revoke(account, (variant & 2) != 0, (variant & 4) != 0, metadata, row, name);
          if (HasFailure()) return;
        }
      }
    }
  }
  ExpectAccepted(bystander_);
  ExpectCountsAreRight("bystander");
}

TEST_F(HostileDeleteTest, AnOwnerDeletesAmongHisOwnWhateverTheRecordClaims) {
  for (const bool by_deactivate : {false, true}) {
    const std::vector<Issued> issued = IssueThree("alice");
    const std::uint64_t id = issued[0].token.id;
    TokenRecord record = Record(id);
    const std::string claimed = std::string("bystander") + std::string(7, '\0');
    std::copy(claimed.begin(), claimed.end(), record.bytes.begin() + 32);
    record.bytes[30] = static_cast<unsigned char>((record.bytes[30] & 0x0FU) | 8U << 4U);
    Edit([&](RawTables& raw) { raw.PutRecord(id, record); });
    EXPECT_EQ(Listed("alice", id)->damaged, true);
    EXPECT_FALSE(authority_->Delete(id, kLongAccount).ok());
    if (by_deactivate) {
      EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(id, "alice")));
    } else {
      EXPECT_TRUE(authority_->Delete(id, "alice").ok());
    }
    ExpectRefused(issued[0]);
    ExpectCountsAreRight("alice");
    ExpectCountsAreRight("bystander");
    ListOptions options;
    options.state = State::kDeleted;
    EXPECT_GE(authority_->List("alice", options)->tokens.size(), 1U);
    EXPECT_EQ(authority_->List("alice", options)->tokens[0].id, id);
    EXPECT_EQ(authority_->List("alice", options)->tokens[0].description, "laptop");
  }
}

TEST_F(HostileDeleteTest, ADamagedAutoTokenIsEvictedFirstAndCountedNoMore) {
  IssueRequest request = Request("alice");
  request.origin = Origin::kAuto;
  std::vector<Issued> issued;
  for (int i = 0; i < 5; ++i) issued.push_back(Issue(request));
  struct {
    std::size_t which;
    unsigned byte;
  } const damage[] = {{4, 16}, {3, 32}};  // permissions; the account
  for (const auto& d : damage) {
    const std::size_t which = d.which;
    TokenRecord record = Record(issued[which].token.id);
    record.bytes[d.byte] ^= 1U;
    Edit([&](RawTables& raw) { raw.PutRecord(issued[which].token.id, record); });
    issued.push_back(Issue(request));
    ExpectRefused(issued[which]);
    EXPECT_FALSE(Listed("alice", issued[which].token.id).has_value());
    ExpectCountsAreRight("alice");
    EXPECT_EQ(authority_->Count("alice")->active, 5U);
  }
  Edit([&](RawTables& raw) { raw.PutRecord(issued[2].token.id, TokenRecord()); });
  issued.push_back(Issue(request));  // there is room: nobody need go
  for (const std::size_t i : {0U, 1U, 5U, 6U, 7U}) ExpectAccepted(issued[i]);
  EXPECT_EQ(authority_->Count("alice")->active, 5U);
}

TEST_F(HostileDeleteTest, DeactivateOfADamagedTokenIsFinal) {
  const Issued issued = Issue("alice");
  const std::uint32_t number = Row("alice").number;
  const std::string metadata = Metadata(number, issued.token.id);
  Edit([&](RawTables& raw) { raw.PutMetadata(number, issued.token.id, "spoiled"); });
  ExpectAccepted(issued);  // the record is whole, and it alone decides
  EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(issued.token.id, "alice")));
  ExpectRefused(issued);
  Edit([&](RawTables& raw) { raw.PutMetadata(number, issued.token.id, metadata); });
  ExpectRefused(issued);
  EXPECT_FALSE(authority_->Activate(issued.token.id, "alice").ok());
  ExpectRefused(issued);
  ExpectCountsAreRight("alice");
}

}  // namespace
}  // namespace pat
