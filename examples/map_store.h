// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef EXAMPLES_MAP_STORE_H_
#define EXAMPLES_MAP_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <utility>

#include "pat/store.h"

/// A whole pat::Store on a few maps, as a pattern for one on a database of yours: each map is a
/// table, Apply a transaction. A database's checks and writes would be statements, the rules of the
/// contract are the same; the store never needs to understand a row, for they are sealed.
///
/// What it leaves out: it is gone with the process, and readers take a shared lock, where a store
/// for real traffic keeps the verify path (Find, FindAccount, RecordUse) free of locks.
class MapStore final : public pat::Store {
 public:
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override;
  std::uint64_t MetaVersion() noexcept override;
  Lookup FindAccount(std::uint32_t number, pat::AccountRow* row) noexcept override;
  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override;

  absl::StatusOr<pat::LastUse> ReadUse(std::uint64_t id) override;
  absl::StatusOr<pat::AccountRow> ReadAccount(std::string_view account) override;
  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number, std::uint64_t id) override;
  absl::StatusOr<std::vector<pat::TokenRow>> Page(std::uint32_t account_number,
                                                  std::uint64_t before, std::size_t n) override;
  absl::StatusOr<std::vector<pat::TokenRow>> Scan(std::uint64_t first, std::size_t n) override;
  absl::StatusOr<pat::AccountRow> NextAccount(std::uint32_t first) override;
  absl::StatusOr<std::string> ReadMeta(std::string_view name) override;
  absl::StatusOr<pat::StoreStats> Stats() override;

  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override;
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override;
  absl::Status Apply(const pat::Batch& batch) override;

  absl::Status Flush() override;
  absl::Status Health() override;
  absl::Status Close() override;

 private:
  struct Account {
    std::uint32_t number = 0;
    std::string row;
  };

  absl::Status Check(const pat::Batch& batch) const;
  void Write(const pat::Batch& batch);

  std::shared_mutex mutex_;
  bool closed_ = false;
  std::uint64_t next_token_id_ = 1;
  std::uint32_t next_account_number_ = 1;
  std::map<std::uint64_t, pat::TokenRecord> tokens_;
  std::map<std::uint64_t, pat::LastUse> uses_;
  std::map<std::string, Account, std::less<>> accounts_;
  std::map<std::uint32_t, std::string> account_names_;                       // by number: an index
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> metadata_;  // {account, token}
  std::map<std::string, std::string, std::less<>> meta_;
  std::uint64_t meta_version_ = 1;
};

#endif  // EXAMPLES_MAP_STORE_H_
