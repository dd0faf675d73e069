// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HOSTILE_FIXTURE_H_
#define TESTS_HOSTILE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pat/pat.h"
#include "tests/authority_fixture.h"
#include "tests/issued_secrets.h"
#include "tests/raw_tables.h"

namespace pat {

inline constexpr std::string_view kLongAccount = "account-of-more-than-16-bytes";
inline constexpr std::string_view kOtherLongAccount = "another-account-of-more-than-16-bytes";

/// An authority over LMDB files that somebody else writes to who has no keyring.
class HostileStoreTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'700'000'000;

  void SetUp() override { Open(); }

  std::string Directory() const { return folder_.path() + "/store"; }
  std::string KeyringPath() const { return folder_.path() + "/keyring"; }

  static std::unique_ptr<Store> OpenStore(const std::string& directory) {
    LmdbOptions options;
    options.create_if_missing = true;
    options.map_bytes = std::size_t{1} << 28;
    options.flush_interval = absl::ZeroDuration();  // no thread: the tests fork
    absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  AuthorityOptions Options() {
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    options.clock = [this] { return absl::FromUnixSeconds(now_); };
    return options;
  }

  void Open() {
    auto authority =
        Authority::Open(OpenStore(Directory()), Keyring::File(KeyringPath()), Options());
    ASSERT_TRUE(authority.ok()) << authority.status();
    authority_ = *std::move(authority);
    peek_ = OpenStore(Directory());
    std::ifstream keyring(KeyringPath());
    for (std::string word; keyring >> word;) {
      if (word.size() == 64) RecordIssuedSecret(word);
    }
  }
  void Close() {
    peek_.reset();
    authority_.reset();
  }

  void Edit(absl::FunctionRef<void(RawTables&)> edit) { ASSERT_TRUE(EditRaw(Directory(), edit)); }

  // ---- What the store holds

  TokenRecord Record(std::uint64_t id) {
    TokenRecord record;
    EXPECT_NE(peek_->Find(id, &record), Store::Lookup::kUnavailable);
    return record;
  }
  AccountRow Row(std::string_view account) {
    absl::StatusOr<AccountRow> row = peek_->ReadAccount(account);
    EXPECT_TRUE(row.ok()) << row.status();
    return row.ok() ? *row : AccountRow{};
  }
  std::string Metadata(std::uint32_t number, std::uint64_t id) {
    absl::StatusOr<std::string> row = peek_->ReadMetadata(number, id);
    return row.ok() ? *row : "";
  }

  // ---- Tokens

  static IssueRequest Request(std::string_view account) {
    IssueRequest request;
    request.account = account;
    request.description = "laptop";
    request.scopes = {"repo:read"};
    return request;
  }
  Issued Issue(const IssueRequest& request) {
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return {};
    RecordIssuedSecret(issued->text.Reveal());
    return *std::move(issued);
  }
  Issued Issue(std::string_view account) { return Issue(Request(account)); }

  /// Accepted, and as what it was issued.
  void ExpectAccepted(const Issued& issued) {
    const Decision decision = authority_->Verify(issued.text.Reveal());
    ASSERT_NE(decision.principal(), nullptr) << ToString(decision.refusal()->reason());
    EXPECT_EQ(decision.principal()->account(), issued.token.account);
    EXPECT_EQ(decision.principal()->permissions(), issued.token.permissions);
    EXPECT_EQ(decision.principal()->origin(), issued.token.origin);
    EXPECT_EQ(decision.principal()->token_id(), issued.token.id);
  }

  /// Refused, whatever is claimed.
  void ExpectRefused(const Issued& issued) {
    for (const Claim& claim :
         {Claim::None(), Claim::Account(issued.token.account), Claim::Account("alice"),
          Claim::Account("bob"), Claim::Account("\0"), Claim::Account(kLongAccount),
          Claim::Account(kOtherLongAccount), Claim::Unknown()}) {
      Presented presented;
      presented.claim = claim;
      EXPECT_EQ(authority_->Verify(issued.text.Reveal(), presented).principal(), nullptr)
          << claim.account();
    }
  }

  std::optional<Token> Listed(std::string_view account, std::uint64_t id) {
    ListOptions options;
    options.limit = 1000;
    const absl::StatusOr<TokenPage> page = authority_->List(account, options);
    EXPECT_TRUE(page.ok()) << page.status();
    if (page.ok()) {
      for (const Token& token : page->tokens) {
        if (token.id == id) return token;
      }
    }
    return std::nullopt;
  }

  /// The account's counts are those of the tokens that are listed and not damaged.
  void ExpectCountsAreRight(std::string_view account) {
    ListOptions options;
    options.limit = 1000;
    const absl::StatusOr<TokenPage> page = authority_->List(account, options);
    const absl::StatusOr<Counts> counts = authority_->Count(account);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_TRUE(counts.ok()) << counts.status();
    std::uint64_t active = 0;
    std::uint64_t inactive = 0;
    for (const Token& token : page->tokens) {
      if (token.damaged) continue;
      active += token.state == State::kActive ? 1 : 0;
      inactive += token.state == State::kInactive ? 1 : 0;
    }
    EXPECT_EQ(counts->active, active);
    EXPECT_EQ(counts->inactive, inactive);
  }

  const TemporaryFolder folder_;
  std::int64_t now_ = kNow;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Store> peek_;  // a second look at the same files
};

}  // namespace pat

#endif  // TESTS_HOSTILE_FIXTURE_H_
