// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_FORWARDING_STORE_H_
#define TESTS_PROCESS_FORWARDING_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pat/store.h"

/// Passes everything on to another store: tests override what they watch or spoil.
class ForwardingStore : public pat::Store {
 public:
  explicit ForwardingStore(std::unique_ptr<pat::Store> base) : base_(std::move(base)) {}

  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    return base_->Find(id, record, meta_version);
  }
  void Prefetch(std::uint64_t id) noexcept override { base_->Prefetch(id); }
  std::uint64_t MetaVersion() noexcept override { return base_->MetaVersion(); }
  Lookup FindAccount(std::uint32_t number, pat::AccountRow* row) noexcept override {
    return base_->FindAccount(number, row);
  }
  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override {
    base_->RecordUse(id, unix_s, ip, user_agent);
  }
  absl::StatusOr<pat::LastUse> ReadUse(std::uint64_t id) override { return base_->ReadUse(id); }
  absl::StatusOr<pat::AccountRow> ReadAccount(std::string_view account) override {
    return base_->ReadAccount(account);
  }
  absl::StatusOr<std::string> ReadMetadata(std::uint32_t number, std::uint64_t id) override {
    return base_->ReadMetadata(number, id);
  }
  absl::StatusOr<std::vector<pat::TokenRow>> Page(std::uint32_t number, std::uint64_t before,
                                                  std::size_t n) override {
    return base_->Page(number, before, n);
  }
  absl::StatusOr<std::vector<pat::TokenRow>> Scan(std::uint64_t first, std::size_t n) override {
    return base_->Scan(first, n);
  }
  absl::StatusOr<pat::AccountRow> NextAccount(std::uint32_t first) override {
    return base_->NextAccount(first);
  }
  absl::StatusOr<std::string> ReadMeta(std::string_view name) override {
    return base_->ReadMeta(name);
  }
  absl::StatusOr<pat::StoreStats> Stats() override { return base_->Stats(); }
  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override {
    return base_->ReserveTokenIds(n);
  }
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override {
    return base_->ReserveAccountNumber();
  }
  absl::Status Apply(const pat::Batch& batch) override { return base_->Apply(batch); }
  absl::Status Flush() override { return base_->Flush(); }
  absl::Status Health() override { return base_->Health(); }
  absl::Status Close() override { return base_->Close(); }

 private:
  std::unique_ptr<pat::Store> base_;
};

#endif  // TESTS_PROCESS_FORWARDING_STORE_H_
