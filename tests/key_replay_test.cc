// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Somebody who can write the store's files, but has no keyring, puts older records back: what that
// brings him before and after the key they are under is retired.
#include <set>
#include <string>
#include <vector>

#include "tests/hostile_fixture.h"

namespace pat {
namespace {

class KeyReplayTest : public HostileStoreTest {
 protected:
  std::string Reason(const Issued& issued) {
    const Decision decision = authority_->Verify(issued.text.Reveal());
    return decision.refusal() == nullptr ? "" : std::string(ToString(decision.refusal()->reason()));
  }

  // A token's rows as they stand now.
  struct Rows {
    std::uint64_t id;
    TokenRecord record;
    std::uint32_t number;
    std::string metadata;
    std::string account;
  };
  Rows Keep(const Issued& issued, std::string_view account) {
    const AccountRow row = Row(account);
    return {issued.token.id, Record(issued.token.id), row.number,
            Metadata(row.number, issued.token.id), std::string(row.view())};
  }
  void PutBack(const Rows& rows) {
    Edit([&](RawTables& raw) {
      raw.PutRecord(rows.id, rows.record);
      raw.PutMetadata(rows.number, rows.id, rows.metadata);
      raw.PutAccount(rows.number, rows.account);
    });
  }

  void NewSealKey() {
    const absl::StatusOr<KeyInfo> info = authority_->RotateKey(KeyKind::kSeal);
    ASSERT_TRUE(info.ok()) << info.status();
    ASSERT_TRUE(authority_->Reseal().ok());
  }
};

TEST_F(KeyReplayTest, AnOlderRecordIsAcceptedUntilItsKeyIsRetired) {
  for (const std::string_view account : {std::string_view("alice"), kLongAccount}) {
    const Issued issued = Issue(Request(account));
    const Rows active = Keep(issued, account);
    ASSERT_TRUE(authority_->Deactivate(issued.token.id).ok());
    ASSERT_EQ(Reason(issued), "inactive");
    PutBack(active);
    EXPECT_EQ(Reason(issued), "");  // documented: a seal says that it was once true
    ASSERT_TRUE(authority_->Deactivate(issued.token.id).ok());

    NewSealKey();
    PutBack(active);
    EXPECT_EQ(Reason(issued), "");  // the older key is still live
    ASSERT_TRUE(authority_->Deactivate(issued.token.id).ok());
    ASSERT_TRUE(authority_->Reseal().ok());

    const auto keys = authority_->Keys();
    ASSERT_TRUE(keys.ok());
    for (const KeyInfo& key : *keys) {
      if (key.kind == KeyKind::kSeal && !key.newest) {
        ASSERT_TRUE(authority_->RetireKey(KeyKind::kSeal, key.number).ok());
      }
    }
    EXPECT_EQ(Reason(issued), "inactive");
    PutBack(active);
    EXPECT_EQ(Reason(issued), "wrong_secret");
    Close();
    Open();
    EXPECT_EQ(Reason(issued), "wrong_secret");
    EXPECT_FALSE(authority_->Activate(issued.token.id).ok());
    EXPECT_TRUE(authority_->Delete(issued.token.id).ok());
  }
}

TEST_F(KeyReplayTest, ASpoiledHeaderKeepsNobodyFromRevoking) {
  const Issued one = Issue(Request("alice"));
  const Issued other = Issue(Request("alice"));
  const std::string header = *peek_->ReadMeta("header");
  Edit([&](RawTables& raw) { raw.PutMeta("header", "rubbish of the editor's, long enough"); });
  EXPECT_TRUE(authority_->Deactivate(one.token.id, "alice").ok());
  EXPECT_TRUE(authority_->Delete(other.token.id, "alice").ok());
  EXPECT_EQ(authority_->Issue(Request("alice")).status().code(), absl::StatusCode::kUnavailable);
  Edit([&](RawTables& raw) { raw.PutMeta("header", ""); });
  EXPECT_TRUE(authority_->Delete(one.token.id, "alice").ok());
  Edit([&](RawTables& raw) { raw.PutMeta("header", header); });
  now_ += 1;
  EXPECT_EQ(Reason(one), "deleted");
  EXPECT_EQ(Reason(other), "deleted");
  EXPECT_EQ(Reason(Issue(Request("alice"))), "");
}

TEST_F(KeyReplayTest, ARetiredKeyLeftInTheKeyringIsTheWayBack) {  // why retiring takes it out
  const Issued issued = Issue(Request("alice"));
  const Rows active = Keep(issued, "alice");
  const std::string header = *peek_->ReadMeta("header");
  const std::string scopes = *peek_->ReadMeta("scopes");
  std::string keyring;
  {
    std::ifstream file(KeyringPath());
    std::getline(file, keyring, '\0');
  }
  ASSERT_TRUE(authority_->Deactivate(issued.token.id).ok());
  NewSealKey();
  ASSERT_TRUE(authority_->RetireKey(KeyKind::kSeal, 1).ok());
  PutBack(active);
  Edit([&](RawTables& raw) {
    raw.PutMeta("header", header);
    raw.PutMeta("scopes", scopes);
  });
  Close();
  const auto refused =
      Authority::Open(OpenStore(Directory()), Keyring::File(KeyringPath()), Options());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  std::ofstream(KeyringPath()) << keyring;  // the control: an operator who put the old one back
  Open();
  EXPECT_EQ(Reason(issued), "");
}

}  // namespace
}  // namespace pat
