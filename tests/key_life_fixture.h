// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KEY_LIFE_FIXTURE_H_
#define TESTS_KEY_LIFE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pat/pat.h"
#include "tests/authority_fixture.h"
#include "tests/forwarding_store.h"
#include "tests/issued_secrets.h"

namespace pat {

/// A store whose meta rows seem never to change: the control of every test that a change of keys is
/// noticed.
class FrozenStore : public ForwardingStore {
 public:
  explicit FrozenStore(std::shared_ptr<Store> inner)
      : ForwardingStore(std::move(inner)), version_(ForwardingStore::MetaVersion()) {}
  Lookup Find(std::uint64_t id, TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    const Lookup found = ForwardingStore::Find(id, record, meta_version);
    *meta_version = version_;
    return found;
  }
  std::uint64_t MetaVersion() noexcept override { return version_; }

 private:
  const std::uint64_t version_;
};

/// One store of either kind and authorities on it that know nothing of each other, as those of
/// several processes.
class KeyLifeTest : public testing::TestWithParam<StoreKind> {
 protected:
  static constexpr std::int64_t kStart = 1'700'000'000;

  void SetUp() override {
    if (GetParam() == StoreKind::kMemory) {
      store_ = NewMemoryStore();
    } else {
      LmdbOptions options;
      options.create_if_missing = true;
      options.map_bytes = std::size_t{1} << 28;
      options.flush_interval = absl::ZeroDuration();
      auto store = OpenLmdbStore(folder_.path() + "/store", options);
      ASSERT_TRUE(store.ok()) << store.status();
      store_ = *std::move(store);
    }
    a_ = Open();
    ASSERT_NE(a_, nullptr);
  }

  std::string KeyringPath() const { return folder_.path() + "/keyring"; }
  std::string KeyringText() const {
    std::ifstream file(KeyringPath(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void RecordKeys(const std::string& text) {
    for (std::size_t at = 0; (at = text.find(' ', at)) != text.npos; ++at) {
      const std::size_t end = text.find_first_of(" \n", at + 1);
      if (end - at == 65) RecordIssuedSecret(text.substr(at + 1, 64));
    }
  }

  absl::StatusOr<std::unique_ptr<Authority>> TryOpen(const Keyring& keyring, bool frozen = false) {
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    options.clock = [this] { return absl::FromUnixSeconds(now_.load()); };
    std::unique_ptr<Store> store;
    if (frozen) {
      store = std::make_unique<FrozenStore>(store_);
    } else {
      store = std::make_unique<ForwardingStore>(store_);
    }
    return Authority::Open(std::move(store), keyring, options);
  }
  std::unique_ptr<Authority> Open(const Keyring& keyring, bool frozen = false) {
    auto authority = TryOpen(keyring, frozen);
    EXPECT_TRUE(authority.ok()) << authority.status();
    return authority.ok() ? *std::move(authority) : nullptr;
  }
  std::unique_ptr<Authority> Open() {
    auto authority = Open(Keyring::File(KeyringPath()));
    RecordKeys(KeyringText());
    return authority;
  }

  static Issued Issue(Authority& authority, const std::string& account = "alice") {
    IssueRequest request;
    request.account = account;
    request.description = "laptop";
    request.scopes = {"repo:read"};
    absl::StatusOr<Issued> issued = authority.Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return {};
    RecordIssuedSecret(issued->text.Reveal());
    return *std::move(issued);
  }

  /// "" if accepted, else the reason.
  static std::string Reason(Authority& authority, const Issued& issued) {
    const Decision decision = authority.Verify(issued.text.Reveal());
    return decision.refusal() == nullptr ? "" : std::string(ToString(decision.refusal()->reason()));
  }

  std::uint16_t Rotate(Authority& authority, KeyKind kind) {
    const absl::StatusOr<KeyInfo> info = authority.RotateKey(kind);
    EXPECT_TRUE(info.ok()) << info.status();
    if (!info.ok()) return 0;
    EXPECT_TRUE(info->newest);
    RecordKeys(KeyringText());
    return info->number;
  }

  /// {number, dependents} of the kind's live keys.
  static std::vector<std::pair<int, int>> Keys(Authority& authority, KeyKind kind) {
    const absl::StatusOr<std::vector<KeyInfo>> infos = authority.Keys();
    EXPECT_TRUE(infos.ok()) << infos.status();
    std::vector<std::pair<int, int>> keys;
    if (!infos.ok()) return keys;
    for (const KeyInfo& info : *infos) {
      if (info.kind == kind) keys.emplace_back(info.number, static_cast<int>(info.dependents));
    }
    return keys;
  }

  const TemporaryFolder folder_;
  std::atomic<std::int64_t> now_{kStart};
  std::shared_ptr<Store> store_;
  std::unique_ptr<Authority> a_;
};

using NumbersAndDependents = std::vector<std::pair<int, int>>;

inline const std::string kLongName = "an-account-of-more-than-16-bytes";

}  // namespace pat

#endif  // TESTS_KEY_LIFE_FIXTURE_H_
