// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Somebody who can write the store's files but has no keyring: whatever he edits, moves or copies,
// no token comes of it and no right grows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/lmdb_tables.h"
#include "lib/seal.h"
#include "tests/hostile_fixture.h"

namespace pat {
namespace {

struct RecordEdit {
  const char* what;
  std::function<void(TokenRecord&)> edit;
};

void SetBytes(TokenRecord& record, std::size_t at, std::string_view bytes) {
  std::copy(bytes.begin(), bytes.end(), record.bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

void FlipBit(TokenRecord& record, std::size_t byte, unsigned bit) {
  record.bytes[byte] = static_cast<unsigned char>(record.bytes[byte] ^ (1U << bit));
}

std::vector<RecordEdit> RecordEdits() {
  return {
      {"seal", [](TokenRecord& r) { FlipBit(r, 3, 1); }},
      {"seal of zeros", [](TokenRecord& r) { SetBytes(r, 0, std::string(16, '\0')); }},
      {"one permission more", [](TokenRecord& r) { FlipBit(r, 16, 3); }},
      {"all permissions", [](TokenRecord& r) { SetBytes(r, 16, std::string(8, '\xFF')); }},
      {"no expiry", [](TokenRecord& r) { SetBytes(r, 24, std::string(4, '\0')); }},
      {"later expiry", [](TokenRecord& r) { FlipBit(r, 27, 7); }},
      {"version", [](TokenRecord& r) { FlipBit(r, 28, 0); }},
      {"active", [](TokenRecord& r) { r.bytes[30] = (r.bytes[30] & 0xFCU) | 1U; }},
      {"deleted", [](TokenRecord& r) { r.bytes[30] |= 3U; }},
      {"no state", [](TokenRecord& r) { r.bytes[30] &= 0xFCU; }},
      {"origin", [](TokenRecord& r) { FlipBit(r, 30, 2); }},
      {"kind of account", [](TokenRecord& r) { FlipBit(r, 30, 3); }},
      {"size of account", [](TokenRecord& r) { FlipBit(r, 30, 4); }},
      {"reason", [](TokenRecord& r) { FlipBit(r, 31, 0); }},
      {"key slot", [](TokenRecord& r) { FlipBit(r, 31, 3); }},
      {"unknown flag", [](TokenRecord& r) { FlipBit(r, 31, 6); }},
      {"account", [](TokenRecord& r) { FlipBit(r, 32, 0); }},
      {"account's end", [](TokenRecord& r) { FlipBit(r, 47, 7); }},
      {"another account",
       [](TokenRecord& r) {
         r.bytes[30] = (r.bytes[30] & 7U) | 2U << 4U;
         SetBytes(r, 32, std::string("bob") + std::string(13, '\0'));
       }},
  };
}

class EditedRecordTest : public HostileStoreTest {
 protected:
  // A token whose record was edited, of an account that also has an untouched one.
  Issued IssueAndEdit(std::string_view account, const RecordEdit& edit) {
    IssueRequest request = Request(account);
    request.expires_at = absl::FromUnixSeconds(kNow + 86400);
    Issued issued = Issue(request);
    EXPECT_TRUE(authority_->Deactivate(issued.token.id).ok());
    edited_ = Record(issued.token.id);
    edit.edit(edited_);
    EXPECT_NE(edited_, Record(issued.token.id));
    Edit([&](RawTables& raw) { raw.PutRecord(issued.token.id, edited_); });
    return issued;
  }

  void ExpectNothingChanges(const Issued& issued) {
    const std::uint64_t id = issued.token.id;
    const std::uint32_t number = Row(issued.token.account).number;
    const std::string metadata = Metadata(number, id);
    TokenUpdate rename;
    rename.description = "renamed";
    TokenUpdate raise;
    raise.scopes = {{"repo:admin"}};
    for (const std::string& owner : {std::string(), issued.token.account}) {
      EXPECT_TRUE(absl::IsDataLoss(authority_->Update(id, rename, owner).status()));
      EXPECT_TRUE(absl::IsDataLoss(authority_->Update(id, raise, owner).status()));
      EXPECT_TRUE(absl::IsDataLoss(authority_->Activate(id, owner)));
    }
    EXPECT_EQ(Record(id), edited_);
    EXPECT_EQ(Metadata(number, id), metadata);
  }

  void ExpectGoneForGood(const Issued& issued) {
    ExpectRefused(issued);
    EXPECT_FALSE(Listed(issued.token.account, issued.token.id).has_value());
    EXPECT_NE(Record(issued.token.id), edited_);
    EXPECT_TRUE(authority_->Delete(issued.token.id).ok());
    EXPECT_FALSE(authority_->Activate(issued.token.id).ok());
    ExpectRefused(issued);
    Edit([&](RawTables& raw) { raw.PutRecord(issued.token.id, edited_); });
    ExpectRefused(issued);
    EXPECT_TRUE(authority_->Delete(issued.token.id).ok());
  }

  TokenRecord edited_;
};

TEST_F(EditedRecordTest, IsNeverAcceptedNeverResealedAndCanBeRevoked) {
  const Issued bobs = Issue("bob");
  for (const std::string_view account : {std::string_view("alice"), kLongAccount}) {
    const Issued other = Issue(account);
    for (const RecordEdit& edit : RecordEdits()) {
      SCOPED_TRACE(std::string(edit.what) + ", " + std::string(account));
      for (const bool by_delete : {true, false}) {
        const Issued issued = IssueAndEdit(account, edit);
        ExpectRefused(issued);
        ExpectNothingChanges(issued);
        ExpectRefused(issued);
        const std::optional<Token> shown = Listed(account, issued.token.id);
        if (std::string_view(edit.what) != "deleted") {  // those are not in the list anyway
          ASSERT_TRUE(shown.has_value());
          EXPECT_TRUE(shown->damaged);
        }
        EXPECT_TRUE(authority_->Get(issued.token.id)->damaged);
        if (by_delete) {
          EXPECT_TRUE(authority_->Delete(issued.token.id, account).ok());
        } else {
          EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(issued.token.id, account)));
        }
        ExpectCountsAreRight(account);
        ExpectGoneForGood(issued);
        ExpectAccepted(other);
        EXPECT_FALSE(Listed(account, other.token.id)->damaged);
      }
    }
  }
  ExpectAccepted(bobs);
  ExpectCountsAreRight("bob");
}

TEST_F(HostileStoreTest, SwappedRecordsAreRefused) {
  const Issued mine = Issue("alice");
  IssueRequest request = Request("bob");
  request.scopes = {"repo:admin"};
  const Issued admin = Issue(request);
  const Issued third = Issue(kLongAccount);
  const TokenRecord mine_record = Record(mine.token.id);
  const TokenRecord admin_record = Record(admin.token.id);
  Edit([&](RawTables& raw) {
    raw.PutRecord(mine.token.id, admin_record);
    raw.PutRecord(admin.token.id, mine_record);
  });
  ExpectRefused(mine);
  ExpectRefused(admin);
  ExpectAccepted(third);
  TokenUpdate update;
  update.description = "renamed";
  EXPECT_TRUE(absl::IsDataLoss(authority_->Update(mine.token.id, update).status()));
  EXPECT_TRUE(absl::IsDataLoss(authority_->Update(admin.token.id, update, "bob").status()));
  EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(mine.token.id, "alice")));
  EXPECT_TRUE(authority_->Delete(admin.token.id, "bob").ok());
  ExpectCountsAreRight("alice");
  ExpectCountsAreRight("bob");
  ExpectRefused(mine);
  ExpectRefused(admin);
}

TEST_F(HostileStoreTest, ARecordInAnotherSlotIsRefused) {
  const Issued issued = Issue("alice");
  const TokenRecord record = Record(issued.token.id);
  Edit([&](RawTables& raw) {
    raw.PutRecord(issued.token.id, TokenRecord());
    for (std::uint64_t id = issued.token.id + 1; id < issued.token.id + 200; ++id) {
      raw.PutRecord(id, record);
    }
  });
  ExpectRefused(issued);
  EXPECT_FALSE(authority_->Get(issued.token.id).ok());
  EXPECT_TRUE(authority_->Get(issued.token.id + 1)->damaged);
  EXPECT_TRUE(authority_->Delete(issued.token.id + 1).ok());
}

// The documented limit: it undoes a change, a revocation too, until the seal key is retired.
TEST_F(HostileStoreTest, AnOlderWholeRecordIsAcceptedAgain) {
  IssueRequest request = Request("alice");
  request.scopes = {"repo:admin"};
  const Issued issued = Issue(request);
  const TokenRecord older = Record(issued.token.id);
  TokenUpdate lower;
  lower.scopes = {{"repo:read"}};
  ASSERT_TRUE(authority_->Update(issued.token.id, lower).ok());
  ASSERT_TRUE(authority_->Deactivate(issued.token.id).ok());
  Edit([&](RawTables& raw) { raw.PutRecord(issued.token.id, older); });
  ExpectAccepted(issued);  // with the rights it had
  // But it is noticed: the metadata is of another version. And it can be revoked again.
  EXPECT_TRUE(Listed("alice", issued.token.id)->damaged);
  EXPECT_TRUE(absl::IsDataLoss(authority_->Update(issued.token.id, lower).status()));
  EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(issued.token.id)));
  ExpectRefused(issued);
  ExpectCountsAreRight("alice");
}

// ---- Bytes a user chose

TEST_F(HostileStoreTest, MetadataCopiedAsARecordIsRefused) {
  // A user who chooses bytes that read as an active record with all permissions of account "b":
  // attribute values of ASCII, since all must be UTF-8.
  std::string crafted(48, 'z');
  crafted[30] = 'A';  // 0x41: active, manual, inline, five bytes
  crafted[31] = 0x10;
  crafted.replace(32, 5, "alice");
  IssueRequest request = Request("alice");
  request.description = crafted;
  request.attributes = {{"a", crafted + crafted}, {crafted, "b"}};
  const Issued issued = Issue(request);
  const TokenRecord original = Record(issued.token.id);
  const std::uint32_t number = Row("alice").number;
  std::string cold = Metadata(number, issued.token.id);
  cold += std::string(Row("alice").view()) + *peek_->ReadMeta("header");
  TokenRecord record;
  SetBytes(record, 0, crafted);
  EXPECT_EQ(DecodeRecord(record).inline_account(), "alice");
  Edit([&](RawTables& raw) { raw.PutRecord(issued.token.id, record); });
  ExpectRefused(issued);
  // Every 48 bytes there are in the cold rows, and every 16 of them as a seal on the old fields.
  for (std::size_t at = 0; at + 48 <= cold.size(); ++at) {
    SetBytes(record, 0, std::string_view(cold).substr(at, 48));
    Batch batch;
    batch.tokens.push_back({issued.token.id, record});
    ASSERT_TRUE(peek_->Apply(batch).ok());
    ASSERT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr) << at;
    record = original;
    SetBytes(record, 0, std::string_view(cold).substr(at, 16));
    batch.tokens[0].record = record;
    ASSERT_TRUE(peek_->Apply(batch).ok());
    ASSERT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr) << at;
  }
}

// ---- Long accounts

class LongAccountTest : public HostileStoreTest {
 protected:
  void SetUp() override {
    HostileStoreTest::SetUp();
    mine_ = Issue(kLongAccount);
    other_ = Issue(kOtherLongAccount);
    mine_row_ = Row(kLongAccount);
    other_row_ = Row(kOtherLongAccount);
  }

  // Whatever is accepted is accepted as whose it is.
  void ExpectNeverTheOther() {
    for (const Issued* issued : {&mine_, &other_}) {
      for (const Claim& claim :
           {Claim::None(), Claim::Account(kLongAccount), Claim::Account(kOtherLongAccount)}) {
        Presented presented;
        presented.claim = claim;
        const Decision decision = authority_->Verify(issued->text.Reveal(), presented);
        if (decision.principal() == nullptr) continue;
        EXPECT_EQ(decision.principal()->account(), issued->token.account);
        EXPECT_TRUE(claim.is_none() || claim.account() == issued->token.account);
      }
      const absl::StatusOr<Token> token = authority_->Get(issued->token.id);
      if (token.ok() && !token->damaged) {
        EXPECT_EQ(token->account, issued->token.account);
      }
    }
    for (const std::string_view account : {kLongAccount, kOtherLongAccount}) {
      const absl::StatusOr<TokenPage> page = authority_->List(account);
      if (!page.ok()) continue;
      for (const Token& token : page->tokens) {
        EXPECT_EQ(token.id, (account == kLongAccount ? mine_ : other_).token.id);
      }
    }
  }

  Issued mine_;
  Issued other_;
  AccountRow mine_row_;
  AccountRow other_row_;
};

TEST_F(LongAccountTest, ANameThatLeadsToAnotherAccountIsOfNoUse) {
  Edit([&](RawTables& raw) {
    raw.PutName(kLongAccount, StoreInteger(other_row_.number, 4));
    raw.PutName(kOtherLongAccount, StoreInteger(mine_row_.number, 4));
  });
  ExpectNeverTheOther();
  EXPECT_FALSE(authority_->Issue(Request(kLongAccount)).ok());
  EXPECT_FALSE(authority_->Count(kLongAccount).ok());
  // The owner of the one cannot touch the other's tokens by it.
  EXPECT_FALSE(authority_->Delete(mine_.token.id, kOtherLongAccount).ok());
  ExpectAccepted(mine_);
  EXPECT_TRUE(authority_->Delete(mine_.token.id, kLongAccount).ok());
  EXPECT_TRUE(authority_->Delete(other_.token.id, kOtherLongAccount).ok());
  ExpectRefused(mine_);
  ExpectRefused(other_);
}

TEST_F(LongAccountTest, AnotherAccountsRowIsOfNoUse) {
  Edit([&](RawTables& raw) { raw.PutAccount(mine_row_.number, other_row_.view()); });
  ExpectNeverTheOther();
  ExpectRefused(mine_);
  Edit([&](RawTables& raw) {
    raw.PutName(kLongAccount, StoreInteger(other_row_.number, 4));
    raw.PutAccount(other_row_.number, mine_row_.view());
  });
  ExpectNeverTheOther();
  ExpectRefused(mine_);
  ExpectRefused(other_);
  for (const Issued* issued : {&mine_, &other_}) {
    EXPECT_TRUE(authority_->Delete(issued->token.id, issued->token.account).ok());
    ExpectRefused(*issued);
  }
}

TEST_F(LongAccountTest, AnotherNumberInTheRecordIsOfNoUse) {
  TokenRecord record = Record(mine_.token.id);
  SetBytes(record, 32, StoreInteger(other_row_.number, 4));
  Edit([&](RawTables& raw) { raw.PutRecord(mine_.token.id, record); });
  ExpectNeverTheOther();
  ExpectRefused(mine_);
  std::copy_n(Record(other_.token.id).bytes.begin() + 32, 16, record.bytes.begin() + 32);
  Edit([&](RawTables& raw) { raw.PutRecord(mine_.token.id, record); });
  ExpectNeverTheOther();
  ExpectRefused(mine_);
  EXPECT_TRUE(authority_->Delete(mine_.token.id, kLongAccount).ok());
  ExpectCountsAreRight(kLongAccount);
  ExpectAccepted(other_);
}

TEST_F(LongAccountTest, AnAccountRowTooLongIsNoRow) {
  Edit([&](RawTables& raw) { raw.PutAccount(mine_row_.number, std::string(3000, 'x')); });
  ExpectRefused(mine_);
  ExpectAccepted(other_);
  EXPECT_TRUE(authority_->Delete(mine_.token.id, kLongAccount).ok());
  ExpectRefused(mine_);
}

// ---- Numbers set back

TEST_F(HostileStoreTest, ANextTokenIdSetBackOverwritesNothing) {
  std::vector<Issued> issued;
  for (int i = 0; i < 5; ++i) issued.push_back(Issue("alice"));
  const std::string garbage[] = {StoreInteger(1, 8),
                                 StoreInteger(0, 8),
                                 StoreInteger(3, 8),
                                 StoreInteger(kMaxTokenId, 8),
                                 StoreInteger(~std::uint64_t{0}, 8),
                                 "x",
                                 std::string(100, 'x'),
                                 ""};
  for (std::size_t i = 0; i < std::size(garbage); ++i) {
    SCOPED_TRACE(i);
    Close();
    Edit([&](RawTables& raw) { raw.PutMeta("next_token_id", garbage[i]); });
    Open();
    for (int n = 0; n < 3; ++n) {
      absl::StatusOr<Issued> fresh = authority_->Issue(Request("alice"));
      if (!fresh.ok()) {
        EXPECT_TRUE(absl::IsDataLoss(fresh.status()) || absl::IsResourceExhausted(fresh.status()))
            << fresh.status();
        continue;
      }
      RecordIssuedSecret(fresh->text.Reveal());
      for (const Issued& older : issued) EXPECT_NE(fresh->token.id, older.token.id);
      issued.push_back(*std::move(fresh));
    }
    for (const Issued& one : issued) ExpectAccepted(one);
  }
  ExpectCountsAreRight("alice");
}

TEST_F(HostileStoreTest, ANextAccountNumberSetBackGivesNobodyAnothersRow) {
  const Issued mine = Issue(kLongAccount);
  const std::string garbage[] = {StoreInteger(1, 4), StoreInteger(0, 4), "x", ""};
  for (std::size_t i = 0; i < std::size(garbage); ++i) {
    SCOPED_TRACE(i);
    Close();
    Edit([&](RawTables& raw) { raw.PutMeta("next_account", garbage[i]); });
    Open();
    const std::string account = "newcomer" + std::to_string(i);
    const absl::StatusOr<Issued> fresh = authority_->Issue(Request(account));
    if (fresh.ok()) {
      RecordIssuedSecret(fresh->text.Reveal());
      EXPECT_NE(Row(account).number, Row(kLongAccount).number);
    }
    ExpectAccepted(mine);
    EXPECT_EQ(authority_->List(account)->tokens.size(), fresh.ok() ? 1U : 0U);
    EXPECT_EQ(authority_->List(kLongAccount)->tokens.size(), 1U);
  }
}

TEST_F(LongAccountTest, ANumberGivenTwiceMakesNobodyAnother) {
  // The account's rows are wiped and its number is given again: the newcomer's row is well sealed.
  Close();
  Edit([&](RawTables& raw) {
    raw.PutName(kLongAccount, "");
    raw.PutAccount(mine_row_.number, "");
    raw.PutMeta("next_account", StoreInteger(mine_row_.number, 4));
  });
  Open();
  const Issued newcomer = Issue("a newcomer with an account id of some length");
  ASSERT_EQ(Row(newcomer.token.account).number, mine_row_.number);
  ExpectAccepted(newcomer);
  ExpectRefused(mine_);
  Presented presented;
  presented.claim = Claim::Account(newcomer.token.account);
  EXPECT_EQ(authority_->Verify(mine_.text.Reveal(), presented).principal(), nullptr);
  EXPECT_FALSE(Listed(newcomer.token.account, mine_.token.id).has_value());
  ExpectCountsAreRight(newcomer.token.account);
  EXPECT_TRUE(authority_->Delete(mine_.token.id, kLongAccount).ok());
  ExpectRefused(mine_);
  ExpectAccepted(newcomer);
}

// ---- Rows of another store

TEST_F(HostileStoreTest, RowsOfAnotherRealmUnderTheSameSecretsAreRefused) {
  // The same master secrets in another realm.
  Close();
  std::string keyring;
  {
    std::FILE* file = std::fopen(KeyringPath().c_str(), "r");
    ASSERT_NE(file, nullptr);
    keyring.resize(4096);
    keyring.resize(std::fread(keyring.data(), 1, keyring.size(), file));
    std::fclose(file);
  }
  Open();
  char& digit = keyring[keyring.find("realm ") + 6];
  digit = digit == '0' ? '1' : '0';
  const std::string directory = folder_.path() + "/foreign";
  auto foreign = Authority::Open(OpenStore(directory), Keyring::Bytes(keyring), Options());
  ASSERT_TRUE(foreign.ok()) << foreign.status();
  const std::unique_ptr<Store> foreign_peek = OpenStore(directory);

  for (const std::string_view account : {std::string_view("alice"), kLongAccount}) {
    IssueRequest request = Request(account);
    request.scopes = {"repo:admin"};
    absl::StatusOr<Issued> theirs = (*foreign)->Issue(request);
    ASSERT_TRUE(theirs.ok());
    RecordIssuedSecret(theirs->text.Reveal());
    const Issued mine = Issue(account);
    ASSERT_EQ(theirs->token.id, mine.token.id);
    TokenRecord record;
    ASSERT_EQ(foreign_peek->Find(mine.token.id, &record), Store::Lookup::kFound);
    const absl::StatusOr<AccountRow> row = foreign_peek->ReadAccount(account);
    ASSERT_TRUE(row.ok());
    const std::string metadata = *foreign_peek->ReadMetadata(row->number, mine.token.id);
    Edit([&](RawTables& raw) { raw.PutRecord(mine.token.id, record); });
    ExpectRefused(mine);
    ExpectRefused(*theirs);
    Edit([&](RawTables& raw) {
      raw.PutMetadata(row->number, mine.token.id, metadata);
      raw.PutAccount(row->number, row->view());
    });
    ExpectRefused(mine);
    ExpectRefused(*theirs);
    EXPECT_FALSE(authority_->Activate(mine.token.id).ok());
    EXPECT_TRUE(authority_->Delete(mine.token.id, account).ok());
    ExpectRefused(mine);
    ExpectRefused(*theirs);
  }
  Close();
  const std::string header = *foreign_peek->ReadMeta("header");
  Edit([&](RawTables& raw) { raw.PutMeta("header", header); });
  EXPECT_EQ(Authority::Open(OpenStore(Directory()), Keyring::File(KeyringPath()), Options())
                .status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

// ---- The store's own rows

TEST_F(HostileStoreTest, EditedHeaderOrScopesFailTheOpen) {
  Issue("alice");
  const Batch::MetaPut rows[] = {{"header", *peek_->ReadMeta("header")},
                                 {"scopes", *peek_->ReadMeta("scopes")}};
  authority_.reset();
  const auto open_with = [&](const std::string& name, const std::string& value) {
    Batch batch;
    batch.meta.push_back({name, value});
    EXPECT_TRUE(peek_->Apply(batch).ok());
    return Authority::Open(OpenStore(Directory()), Keyring::File(KeyringPath()), Options())
        .status();
  };
  for (const auto& [name, value] : rows) {
    SCOPED_TRACE(name);
    for (std::size_t i = 0; i < value.size(); ++i) {
      std::string edited = value;
      edited[i] = static_cast<char>(edited[i] ^ (1 << i % 8));
      const absl::Status status = open_with(name, edited);
      EXPECT_TRUE(absl::IsFailedPrecondition(status) || absl::IsDataLoss(status))
          << i << ": " << status;
      EXPECT_FALSE(status.message().empty());
    }
    for (const std::string& edited :
         {std::string(), value.substr(0, value.size() - 1), value + "x", value.substr(0, 18),
          value.substr(0, 5), std::string(5000, 'x'), rows[0].value + rows[1].value}) {
      EXPECT_FALSE(open_with(name, edited).ok()) << edited.size();
    }
    EXPECT_TRUE(open_with(name, value).ok());
  }
  EXPECT_FALSE(open_with("scopes", rows[0].value).ok());  // the one in place of the other
  EXPECT_TRUE(open_with("scopes", rows[1].value).ok());
}

}  // namespace
}  // namespace pat
