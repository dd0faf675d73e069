// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/memory_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lib/batch.h"
#include "lib/place_table.h"

namespace pat {
namespace {

absl::Status Closed() { return absl::FailedPreconditionError("the store is closed"); }
absl::Status ClosedForReads() { return absl::UnavailableError("the store is closed"); }

class MemoryStore final : public Store {
 public:
  Lookup Find(std::uint64_t id, TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Lookup::kUnavailable;
    *meta_version = meta_version_.load(std::memory_order_relaxed);
    const auto it = tokens_.find(id);
    if (it == tokens_.end()) return Lookup::kAbsent;
    *record = it->second.record;
    return Lookup::kFound;
  }

  std::uint64_t MetaVersion() noexcept override {
    return meta_version_.load(std::memory_order_acquire);
  }

  Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Lookup::kUnavailable;
    return CopyAccount(number, row) ? Lookup::kFound : Lookup::kAbsent;
  }

  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = tokens_.find(id);
    if (closed_ || it == tokens_.end() || unix_s == 0) return;
    Slot& slot = it->second;
    if (slot.used_unix_s != 0 && unix_s < std::uint64_t{slot.used_unix_s} + 60) return;
    slot.used_unix_s = unix_s;
    const Place place(ip, user_agent);
    if (!place.empty()) slot.place = place;
  }

  absl::StatusOr<LastUse> ReadUse(std::uint64_t id) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    LastUse use;
    if (const auto it = tokens_.find(id); it != tokens_.end()) {
      use.unix_s = it->second.used_unix_s;
      use.ip = std::string(it->second.place.ip());
      use.user_agent = std::string(it->second.place.user_agent());
    }
    return use;
  }

  absl::StatusOr<AccountRow> ReadAccount(std::string_view account) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    AccountRow row;
    const auto it = numbers_.find(account);
    if (it == numbers_.end() || !CopyAccount(it->second, &row)) {
      return absl::NotFoundError("no such account");
    }
    return row;
  }

  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number,
                                           std::uint64_t id) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    const auto it = metadata_.find({account_number, ~id});
    if (it == metadata_.end()) return absl::NotFoundError("no such metadata");
    return it->second;
  }

  absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number, std::uint64_t before,
                                             std::size_t n) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    std::vector<TokenRow> rows;
    auto it = metadata_.lower_bound({account_number, ~before + 1});
    for (; it != metadata_.end() && it->first.first == account_number && rows.size() < n; ++it) {
      const std::uint64_t id = ~it->first.second;
      const auto token = tokens_.find(id);
      rows.push_back(
          {id, token == tokens_.end() ? TokenRecord{} : token->second.record, it->second});
    }
    return rows;
  }

  absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    std::vector<TokenRow> rows;
    for (auto it = tokens_.lower_bound(first); it != tokens_.end() && rows.size() < n; ++it) {
      rows.push_back({it->first, it->second.record, {}});
    }
    return rows;
  }

  absl::StatusOr<std::string> ReadMeta(std::string_view name) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    const auto it = meta_.find(name);
    if (it == meta_.end()) return absl::NotFoundError("no such meta row");
    return it->second;
  }

  absl::StatusOr<StoreStats> Stats() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    StoreStats stats;
    stats.accounts = numbers_.size();
    stats.next_token_id = next_token_id_;
    stats.bytes = tokens_.size() * sizeof(Slot);
    for (const auto& [number, row] : accounts_) stats.bytes += row.size();
    for (const auto& [key, row] : metadata_) stats.bytes += row.size();
    for (const auto& [name, value] : meta_) stats.bytes += value.size();
    return stats;
  }

  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Closed();
    if (absl::Status status = ValidateReserve(n); !status.ok()) return status;
    if (n > kLastTokenId + 1 - next_token_id_) {
      return absl::ResourceExhaustedError("token ids are used up");
    }
    const std::uint64_t first = next_token_id_;
    next_token_id_ += n;
    return first;
  }

  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Closed();
    if (next_account_ == 0) return absl::ResourceExhaustedError("account numbers are used up");
    return next_account_++;
  }

  absl::Status Apply(const Batch& batch) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Closed();
    if (absl::Status status = ValidateBatch(batch); !status.ok()) return status;
    if (absl::Status status = Check(batch); !status.ok()) return status;
    for (const Batch::TokenPut& put : batch.tokens) {
      if (put.record.empty()) {
        tokens_.erase(put.id);
      } else {
        tokens_[put.id].record = put.record;
      }
    }
    for (const Batch::MetadataPut& put : batch.metadata) {
      Set(metadata_, {put.account_number, ~put.id}, put.metadata);
    }
    for (const Batch::AccountPut& put : batch.accounts) {
      numbers_[put.account] = put.number;
      accounts_[put.number] = put.row;
    }
    for (const Batch::MetaPut& put : batch.meta) Set(meta_, put.name, put.value);
    if (!batch.meta.empty()) meta_version_.fetch_add(1, std::memory_order_release);
    return absl::OkStatus();
  }

  absl::Status Flush() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_ ? Closed() : absl::OkStatus();
  }

  absl::Status Health() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return closed_ ? ClosedForReads() : absl::OkStatus();
  }

  absl::Status Close() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    return absl::OkStatus();
  }

 private:
  struct Slot {
    TokenRecord record;
    std::uint32_t used_unix_s = 0;
    Place place;
  };

  template <typename Map>
  static void Set(Map& map, const typename Map::key_type& key, const std::string& value) {
    if (value.empty()) {
      map.erase(key);
    } else {
      map[key] = value;
    }
  }

  bool CopyAccount(std::uint32_t number, AccountRow* row) const {
    const auto it = accounts_.find(number);
    if (it == accounts_.end()) return false;
    row->number = number;
    row->size = static_cast<std::uint32_t>(it->second.size());
    std::memcpy(row->bytes.data(), it->second.data(), it->second.size());
    return true;
  }

  // Everything the batch rests on, before any of it is written.
  absl::Status Check(const Batch& batch) const {
    for (const Batch::TokenCheck& check : batch.token_checks) {
      const auto it = tokens_.find(check.id);
      const TokenRecord now = it == tokens_.end() ? TokenRecord{} : it->second.record;
      if (now != check.expected) return absl::AbortedError("a token has changed");
    }
    for (const Batch::AccountCheck& check : batch.account_checks) {
      const auto it = numbers_.find(check.account);
      const std::string_view now =
          it == numbers_.end() ? std::string_view() : accounts_.at(it->second);
      if (now != check.expected) return absl::AbortedError("an account has changed");
    }
    for (const Batch::MetaCheck& check : batch.meta_checks) {
      const auto it = meta_.find(check.name);
      const std::string_view now = it == meta_.end() ? std::string_view() : it->second;
      if (now != check.expected) return absl::AbortedError("a meta row has changed");
    }
    for (const Batch::AccountPut& put : batch.accounts) {
      const auto it = numbers_.find(put.account);
      if (it == numbers_.end() ? accounts_.count(put.number) != 0 : it->second != put.number) {
        return AccountNumberError();
      }
    }
    return absl::OkStatus();
  }

  std::mutex mutex_;
  bool closed_ = false;
  std::uint64_t next_token_id_ = 1;
  std::uint32_t next_account_ = 1;  // 0: used up
  std::map<std::uint64_t, Slot> tokens_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> metadata_;  // {account, ~id}
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::map<std::uint32_t, std::string> accounts_;
  std::map<std::string, std::string, std::less<>> meta_;
  std::atomic<std::uint64_t> meta_version_{1};
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace pat
