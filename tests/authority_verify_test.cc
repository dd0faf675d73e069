// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Refusals that a store has to be bent for: one that cannot be read, whose keys never stand still,
// whose records are of a newer version.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/keyring_source.h"
#include "lib/seal.h"
#include "pat/pat.h"
#include "tests/forwarding_store.h"
#include "tests/issued_secrets.h"

namespace pat {
namespace {

const char* const kLongAccount = "an account of more than 16 bytes";

// What of the store fails.
struct Bent {
  bool find = false;
  bool accounts = false;
  bool versions = false;  // another one each time
};

class BentStore final : public ForwardingStore {
 public:
  BentStore(std::shared_ptr<Store> inner, const Bent* bent)
      : ForwardingStore(std::move(inner)), bent_(bent) {}
  Lookup Find(std::uint64_t id, TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    if (bent_->find) return Lookup::kUnavailable;
    const Lookup found = ForwardingStore::Find(id, record, meta_version);
    if (bent_->versions) *meta_version = ++version_;
    return found;
  }
  Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept override {
    return bent_->accounts ? Lookup::kUnavailable : ForwardingStore::FindAccount(number, row);
  }

 private:
  const Bent* const bent_;
  std::uint64_t version_ = 1'000'000;
};

class AuthorityVerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto text = Keyring::Generate();
    ASSERT_TRUE(text.ok());
    keyring_ = *text;
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    for (auto* made : {&authority_, &other_}) {
      auto opened = Authority::Open(std::make_unique<BentStore>(store_, &bent_),
                                    Keyring::Callback([this] { return keyring_; }), options);
      ASSERT_TRUE(opened.ok()) << opened.status();
      *made = *std::move(opened);
    }
    IssueRequest request;
    request.account = kLongAccount;
    request.description = "laptop";
    request.scopes = {"repo:read"};
    auto issued = authority_->Issue(request);
    ASSERT_TRUE(issued.ok()) << issued.status();
    RecordIssuedSecret(issued->text.Reveal());
    issued_ = *std::move(issued);
  }

  // As docs/format.md says: SealRecord writes no flags that it does not know.
  static void Seal(const KeySet& keys, std::uint64_t id, const Digest& digest,
                   TokenRecord* record) {
    const SealKey& key = keys.newest_seal();
    std::string message(16, '\0');
    for (std::size_t i = 0; i < 8; ++i) message[i] = static_cast<char>(id >> (56 - 8 * i));
    message[8] = static_cast<char>(key.number >> 8U);
    message[9] = static_cast<char>(key.number);
    message[10] = static_cast<char>(kStoreFormat);
    message.append(digest.begin(), digest.end());
    message.append(record->bytes.begin() + 16, record->bytes.end());
    const crypto::Block seal = crypto::Cmac(key.token, message);
    std::copy(seal.begin(), seal.end(), record->bytes.begin());
  }

  static std::string ReasonOf(const Decision& decision) {
    return decision.refusal() == nullptr ? "" : std::string(ToString(decision.refusal()->reason()));
  }
  std::string Reason() { return ReasonOf(authority_->Verify(issued_.text.Reveal())); }

  Bent bent_;
  std::string keyring_;
  const std::shared_ptr<Store> store_ = NewMemoryStore();
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Authority> other_;
  Issued issued_;
};

TEST_F(AuthorityVerifyTest, AStoreThatCannotBeReadIsUnavailable) {
  EXPECT_EQ(Reason(), "");
  bent_.find = true;
  EXPECT_EQ(Reason(), "unavailable");
  bent_.find = false;
  bent_.accounts = true;  // a long account stands in its row
  EXPECT_EQ(Reason(), "unavailable");
  bent_.accounts = false;
  EXPECT_EQ(Reason(), "");
}

TEST_F(AuthorityVerifyTest, KeysThatNeverStandStillAreUnavailable) {
  bent_.versions = true;
  EXPECT_EQ(Reason(), "unavailable");
  bent_.versions = false;
  EXPECT_EQ(Reason(), "");
}

TEST_F(AuthorityVerifyTest, VerifyManySeesAChangeOfKeys) {
  const auto more = Keyring::AddKey(keyring_, KeyKind::kSeal);
  ASSERT_TRUE(more.ok());
  keyring_ = *more;
  ASSERT_TRUE(other_->RotateKey(KeyKind::kSeal).ok());
  ASSERT_TRUE(other_->Reseal().ok());
  const std::vector<std::string_view> texts(3, issued_.text.Reveal());
  int accepted = 0;
  authority_->VerifyMany(texts, {}, [&](std::size_t, const Decision& decision) {
    accepted += ReasonOf(decision).empty() ? 1 : 0;
  });
  EXPECT_EQ(accepted, 3);
}

// A flag that this version does not know may mean that the token is good for nothing.
TEST_F(AuthorityVerifyTest, ARecordWithUnknownFlagsIsUnavailable) {
  const auto contents = KeyringSource::Parse(keyring_);
  ASSERT_TRUE(contents.ok());
  const auto keys = KeySet::Derive(*contents);
  ASSERT_TRUE(keys.ok());
  const std::uint64_t id = issued_.token.id;
  TokenRecord record;
  ASSERT_EQ(store_->Find(id, &record), Store::Lookup::kFound);
  const Digest digest = crypto::Sha256Half(issued_.text.Reveal().substr(
      std::string_view("acme_pat_").size(), kSelectorLength + kSecretLength));
  const TokenRecord good = record;
  Seal(*keys, id, digest, &record);
  ASSERT_EQ(record, good) << "or the flags prove nothing";
  record.bytes[31] = static_cast<unsigned char>(record.bytes[31] | 0x40U);
  Seal(*keys, id, digest, &record);
  Batch batch;
  batch.tokens.push_back({id, record});
  ASSERT_TRUE(store_->Apply(batch).ok());
  EXPECT_EQ(Reason(), "unavailable");
}

TEST_F(AuthorityVerifyTest, APasswordGrantsNothingThatIsNotDeclared) {
  Presented presented;
  presented.claim = Claim::Account("alice");
  const auto right = [](std::string_view) { return true; };
  EXPECT_EQ(ReasonOf(authority_->Authenticate("password", presented, false, right)), "");
  presented.need = {Permission{"team:manage", 63}};
  EXPECT_EQ(ReasonOf(authority_->Authenticate("password", presented, false, right)),
            "missing_permission");
}

}  // namespace
}  // namespace pat
