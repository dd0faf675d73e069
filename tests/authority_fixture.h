// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_AUTHORITY_FIXTURE_H_
#define TESTS_AUTHORITY_FIXTURE_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pat/pat.h"
#include "tests/issued_secrets.h"

namespace pat {

/// A folder of its own, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "pat-test-XXXXXX").string();
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class StoreKind { kMemory, kLmdb };

/// An authority over a fresh store of either kind, with a clock the test sets.
class AuthorityTest : public testing::TestWithParam<StoreKind> {
 protected:
  static constexpr std::int64_t kStart = 1'700'000'000;

  void SetUp() override { authority_ = Open(Options()); }

  AuthorityOptions Options() {
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    options.clock = [this] { return absl::FromUnixSeconds(now_.load()); };
    return options;
  }

  std::unique_ptr<Store> MakeStore() {
    if (GetParam() == StoreKind::kMemory) return NewMemoryStore();
    LmdbOptions options;
    options.create_if_missing = true;
    options.map_bytes = std::size_t{1} << 30;
    options.flush_interval = absl::ZeroDuration();
    absl::StatusOr<std::unique_ptr<Store>> store =
        OpenLmdbStore(folder_.path() + "/store", options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  std::unique_ptr<Authority> Open(const AuthorityOptions& options) {
    absl::StatusOr<std::unique_ptr<Authority>> authority =
        Authority::Open(MakeStore(), Keyring::File(folder_.path() + "/keyring"), options);
    EXPECT_TRUE(authority.ok()) << authority.status();
    return authority.ok() ? *std::move(authority) : nullptr;
  }

  static IssueRequest Request(std::string account = "alice") {
    IssueRequest request;
    request.account = std::move(account);
    request.description = "laptop";
    request.scopes = {"repo:write"};
    return request;
  }
  static IssueRequest AutoRequest(std::string account = "alice") {
    IssueRequest request = Request(std::move(account));
    request.scopes.clear();
    request.origin = Origin::kAuto;
    return request;
  }

  Issued Issue(const IssueRequest& request) {
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return {};
    RecordIssuedSecret(issued->text.Reveal());
    return *std::move(issued);
  }
  Issued Issue() { return Issue(Request()); }

  /// "" if accepted, else the reason.
  std::string Reason(std::string_view text, const Presented& presented = {}) {
    const Decision decision = authority_->Verify(text, presented);
    return decision.refusal() == nullptr ? "" : std::string(ToString(decision.refusal()->reason()));
  }
  std::string Reason(const Issued& issued, const Presented& presented = {}) {
    return Reason(issued.text.Reveal(), presented);
  }

  std::vector<Token> ListAll(const std::string& account, ListOptions options = {}) {
    options.limit = 1000;
    absl::StatusOr<TokenPage> page = authority_->List(account, options);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->tokens : std::vector<Token>();
  }
  std::vector<std::uint64_t> ListIds(const std::string& account, const ListOptions& options = {}) {
    std::vector<std::uint64_t> ids;
    for (const Token& token : ListAll(account, options)) ids.push_back(token.id);
    return ids;
  }
  /// {active, inactive}
  std::pair<std::uint64_t, std::uint64_t> Count(const std::string& account) {
    absl::StatusOr<Counts> counts = authority_->Count(account);
    EXPECT_TRUE(counts.ok()) << counts.status();
    if (!counts.ok()) return {UINT64_MAX, UINT64_MAX};
    return {counts->active, counts->inactive};
  }

  TemporaryFolder folder_;
  std::atomic<std::int64_t> now_{kStart};
  std::unique_ptr<Authority> authority_;
};

inline std::string NameOf(const testing::TestParamInfo<StoreKind>& info) {
  return info.param == StoreKind::kMemory ? "Memory" : "Lmdb";
}

}  // namespace pat

#endif  // TESTS_AUTHORITY_FIXTURE_H_
