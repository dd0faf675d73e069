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
    const auto it = tables_.tokens.find(id);
    if (it == tables_.tokens.end()) return Lookup::kAbsent;
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
    const auto it = tables_.tokens.find(id);
    if (closed_ || it == tables_.tokens.end() || unix_s == 0) return;
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
    if (const auto it = tables_.tokens.find(id); it != tables_.tokens.end()) {
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
    const auto it = tables_.numbers.find(account);
    if (it == tables_.numbers.end() || !CopyAccount(it->second, &row)) {
      return absl::NotFoundError("no such account");
    }
    return row;
  }

  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number,
                                           std::uint64_t id) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    const auto it = tables_.metadata.find({account_number, ~id});
    if (it == tables_.metadata.end()) return absl::NotFoundError("no such metadata");
    return it->second;
  }

  absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number, std::uint64_t before,
                                             std::size_t n) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    std::vector<TokenRow> rows;
    auto it = tables_.metadata.lower_bound({account_number, ~before + 1});
    for (; it != tables_.metadata.end() && it->first.first == account_number && rows.size() < n;
         ++it) {
      const std::uint64_t id = ~it->first.second;
      const auto token = tables_.tokens.find(id);
      rows.push_back(
          {id, token == tables_.tokens.end() ? TokenRecord{} : token->second.record, it->second});
    }
    return rows;
  }

  absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    std::vector<TokenRow> rows;
    for (auto it = tables_.tokens.lower_bound(first); it != tables_.tokens.end() && rows.size() < n;
         ++it) {
      rows.push_back({it->first, it->second.record, {}});
    }
    return rows;
  }

  absl::StatusOr<AccountRow> NextAccount(std::uint32_t first) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    AccountRow row;
    const auto it = tables_.accounts.lower_bound(first);
    if (it == tables_.accounts.end()) return absl::NotFoundError("no more accounts");
    CopyAccount(it->first, &row);
    return row;
  }

  absl::StatusOr<std::string> ReadMeta(std::string_view name) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    const auto it = tables_.meta.find(name);
    if (it == tables_.meta.end()) return absl::NotFoundError("no such meta row");
    return it->second;
  }

  absl::StatusOr<StoreStats> Stats() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return ClosedForReads();
    StoreStats stats;
    stats.accounts = tables_.numbers.size();
    stats.next_token_id = next_token_id_;
    stats.bytes = tables_.tokens.size() * sizeof(Slot);
    for (const auto& [number, row] : tables_.accounts) stats.bytes += row.size();
    for (const auto& [key, row] : tables_.metadata) stats.bytes += row.size();
    for (const auto& [name, value] : tables_.meta) stats.bytes += value.size();
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
    // All that may fail for want of memory comes first: a batch happens whole or not at all.
    Tables staged = Stage(batch);
    Commit(staged.tokens, tables_.tokens);
    Commit(staged.metadata, tables_.metadata);
    Commit(staged.numbers, tables_.numbers);
    Commit(staged.accounts, tables_.accounts);
    Commit(staged.meta, tables_.meta);
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

  struct Tables {
    std::map<std::uint64_t, Slot> tokens;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> metadata;  // {account, ~id}
    std::map<std::string, std::uint32_t, std::less<>> numbers;
    std::map<std::uint32_t, std::string> accounts;
    std::map<std::string, std::string, std::less<>> meta;
  };

  // What the batch puts, as rows of their own; empty ones are to go.
  static Tables Stage(const Batch& batch) {
    Tables staged;
    for (const Batch::TokenPut& put : batch.tokens) staged.tokens[put.id].record = put.record;
    for (const Batch::MetadataPut& put : batch.metadata) {
      staged.metadata[{put.account_number, ~put.id}] = put.metadata;
    }
    for (const Batch::AccountPut& put : batch.accounts) {
      staged.numbers[put.account] = put.number;
      staged.accounts[put.number] = put.row;
    }
    for (const Batch::MetaPut& put : batch.meta) staged.meta[put.name] = put.value;
    return staged;
  }

  static bool Goes(const Slot& slot) { return slot.record.empty(); }
  static bool Goes(const std::string& row) { return row.empty(); }
  static bool Goes(std::uint32_t /*number*/) { return false; }
  static void Replace(Slot& old, Slot& with) { old.record = with.record; }  // its uses stay
  static void Replace(std::string& old, std::string& with) { old.swap(with); }
  static void Replace(std::uint32_t& old, std::uint32_t with) { old = with; }

  // Moves the staged rows into the table: allocates nothing.
  template <typename Map>
  static void Commit(Map& staged, Map& table) noexcept {
    while (!staged.empty()) {
      auto row = staged.extract(staged.begin());
      const auto old = table.find(row.key());
      if (old == table.end()) {
        if (!Goes(row.mapped())) table.insert(std::move(row));
      } else if (Goes(row.mapped())) {
        table.erase(old);
      } else {
        Replace(old->second, row.mapped());
      }
    }
  }

  bool CopyAccount(std::uint32_t number, AccountRow* row) const {
    const auto it = tables_.accounts.find(number);
    if (it == tables_.accounts.end()) return false;
    row->number = number;
    row->size = static_cast<std::uint32_t>(it->second.size());
    std::memcpy(row->bytes.data(), it->second.data(), it->second.size());
    return true;
  }

  // Everything the batch rests on, before any of it is written.
  absl::Status Check(const Batch& batch) const {
    for (const Batch::TokenCheck& check : batch.token_checks) {
      const auto it = tables_.tokens.find(check.id);
      const TokenRecord now = it == tables_.tokens.end() ? TokenRecord{} : it->second.record;
      if (now != check.expected) return absl::AbortedError("a token has changed");
    }
    for (const Batch::AccountCheck& check : batch.account_checks) {
      const auto it = tables_.numbers.find(check.account);
      const std::string_view now =
          it == tables_.numbers.end() ? std::string_view() : tables_.accounts.at(it->second);
      if (now != check.expected) return absl::AbortedError("an account has changed");
    }
    for (const Batch::MetaCheck& check : batch.meta_checks) {
      const auto it = tables_.meta.find(check.name);
      const std::string_view now = it == tables_.meta.end() ? std::string_view() : it->second;
      if (now != check.expected) return absl::AbortedError("a meta row has changed");
    }
    for (const Batch::AccountPut& put : batch.accounts) {
      const auto it = tables_.numbers.find(put.account);
      if (it == tables_.numbers.end() ? tables_.accounts.count(put.number) != 0
                                      : it->second != put.number) {
        return AccountNumberError();
      }
    }
    return absl::OkStatus();
  }

  std::mutex mutex_;
  bool closed_ = false;
  std::uint64_t next_token_id_ = 1;
  std::uint32_t next_account_ = 1;  // 0: used up
  Tables tables_;
  std::atomic<std::uint64_t> meta_version_{1};
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace pat
