// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FORWARDING_STORE_H_
#define TESTS_FORWARDING_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pat/store.h"

namespace pat {

/// Passes everything on to a store that it shares, but Close: so several authorities, one after
/// the other or at once, can be opened on one memory store. Override to interfere.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(std::shared_ptr<Store> inner) : inner_(std::move(inner)) {}

  Lookup Find(std::uint64_t id, TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    return inner_->Find(id, record, meta_version);
  }
  void Prefetch(std::uint64_t id) noexcept override { inner_->Prefetch(id); }
  std::uint64_t MetaVersion() noexcept override { return inner_->MetaVersion(); }
  Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept override {
    return inner_->FindAccount(number, row);
  }
  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override {
    inner_->RecordUse(id, unix_s, ip, user_agent);
  }
  absl::StatusOr<LastUse> ReadUse(std::uint64_t id) override { return inner_->ReadUse(id); }
  absl::StatusOr<AccountRow> ReadAccount(std::string_view account) override {
    return inner_->ReadAccount(account);
  }
  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number,
                                           std::uint64_t id) override {
    return inner_->ReadMetadata(account_number, id);
  }
  absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number, std::uint64_t before,
                                             std::size_t n) override {
    return inner_->Page(account_number, before, n);
  }
  absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) override {
    return inner_->Scan(first, n);
  }
  absl::StatusOr<AccountRow> NextAccount(std::uint32_t first) override {
    return inner_->NextAccount(first);
  }
  absl::StatusOr<std::string> ReadMeta(std::string_view name) override {
    return inner_->ReadMeta(name);
  }
  absl::StatusOr<StoreStats> Stats() override { return inner_->Stats(); }
  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override {
    return inner_->ReserveTokenIds(n);
  }
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override {
    return inner_->ReserveAccountNumber();
  }
  absl::Status Apply(const Batch& batch) override { return inner_->Apply(batch); }
  absl::Status Flush() override { return inner_->Flush(); }
  absl::Status Health() override { return inner_->Health(); }
  absl::Status Close() override { return absl::OkStatus(); }

 protected:
  Store* inner() { return inner_.get(); }

 private:
  std::shared_ptr<Store> inner_;
};

}  // namespace pat

#endif  // TESTS_FORWARDING_STORE_H_
