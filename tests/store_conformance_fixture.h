// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_STORE_CONFORMANCE_FIXTURE_H_
#define PAT_TESTS_STORE_CONFORMANCE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pat/store.h"

namespace pat {

/// How the suite gets at a store.
struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<Store>()> make_empty;  ///< A new store without any row.
  /// Closes a store and opens it anew; none if rows do not outlive the object.
  std::function<std::unique_ptr<Store>(std::unique_ptr<Store>)> reopen;
};

inline std::ostream& operator<<(std::ostream& out, const StoreUnderTest& store) {
  return out << store.name;
}

class StoreConformance : public testing::TestWithParam<StoreUnderTest> {
 protected:
  static constexpr std::uint64_t kLastId = (std::uint64_t{1} << 48) - 1;
  using Lookup = Store::Lookup;

  void SetUp() override {
    store_ = GetParam().make_empty();
    ASSERT_NE(store_, nullptr);
  }

  static TokenRecord Record(std::uint64_t seed) {
    TokenRecord record;
    for (std::size_t i = 0; i < record.bytes.size(); ++i) {
      record.bytes[i] = static_cast<unsigned char>((seed >> (i % 8 * 8)) + i + 1);
    }
    return record;
  }

  static Batch PutToken(std::uint64_t id, const TokenRecord& record) {
    Batch batch;
    batch.tokens.push_back({id, record});
    return batch;
  }

  static Batch PutAccount(const std::string& account, std::uint32_t number,
                          const std::string& row) {
    Batch batch;
    batch.accounts.push_back({account, number, row});
    return batch;
  }

  // A token with metadata of account number `number`.
  static Batch PutRow(std::uint32_t number, std::uint64_t id, const std::string& metadata) {
    Batch batch = PutToken(id, Record(id));
    batch.metadata.push_back({number, id, metadata});
    return batch;
  }

  void MustApply(const Batch& batch) {
    const absl::Status status = store_->Apply(batch);
    ASSERT_TRUE(status.ok()) << status;
  }

  TokenRecord Found(std::uint64_t id) {
    TokenRecord record;
    return store_->Find(id, &record) == Lookup::kFound ? record : TokenRecord{};
  }

  std::vector<std::uint64_t> PageIds(std::uint32_t number, std::uint64_t before, std::size_t n) {
    return Ids(store_->Page(number, before, n));
  }

  static std::vector<std::uint64_t> Ids(const absl::StatusOr<std::vector<TokenRow>>& rows) {
    std::vector<std::uint64_t> ids;
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (rows.ok()) {
      for (const TokenRow& row : *rows) ids.push_back(row.id);
    }
    return ids;
  }

  LastUse Use(std::uint64_t id) {
    absl::StatusOr<LastUse> use = store_->ReadUse(id);
    EXPECT_TRUE(use.ok()) << use.status();
    return use.ok() ? *use : LastUse{};
  }

  std::unique_ptr<Store> store_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

}  // namespace pat

#endif  // PAT_TESTS_STORE_CONFORMANCE_FIXTURE_H_
