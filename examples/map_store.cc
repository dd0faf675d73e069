// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "map_store.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "pat/token.h"

namespace {

using Reading = std::shared_lock<std::shared_mutex>;
using Writing = std::unique_lock<std::shared_mutex>;

absl::Status Closed() { return absl::FailedPreconditionError("the store is closed"); }
absl::Status ClosedForReads() { return absl::UnavailableError("the store is closed"); }

/// The value at `key`, or one that stands for "nothing there".
template <typename Map, typename Key>
typename Map::mapped_type At(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

/// Empty rows are rows that go.
template <typename Map, typename Value>
void Put(Map& map, const typename Map::key_type& key, const Value& value) {
  if (value == Value()) {
    map.erase(key);
  } else {
    map[key] = value;
  }
}

bool IsTokenId(std::uint64_t id) { return id >= 1 && id < std::uint64_t{1} << 48; }
bool IsAccount(std::string_view account) { return pat::ValidateAccount(account).ok(); }
bool IsMetaName(std::string_view name) {  // a database would keep its own numbers there too
  return !name.empty() && name.size() <= 64 && name != "next_token_id";
}
constexpr std::size_t kMaxRowBytes = std::size_t{1} << 20;

template <typename List, typename Condition>
bool All(const List& list, Condition condition) {
  return std::all_of(list.begin(), list.end(), condition);
}

/// Whether the batch could be right in any store. A host's mistake must not become a row.
bool IsPossible(const pat::Batch& batch) {
  using Batch = pat::Batch;
  return All(batch.token_checks, [](const Batch::TokenCheck& c) { return IsTokenId(c.id); }) &&
         All(batch.account_checks,
             [](const Batch::AccountCheck& c) { return IsAccount(c.account); }) &&
         All(batch.meta_checks, [](const Batch::MetaCheck& c) { return IsMetaName(c.name); }) &&
         All(batch.tokens, [](const Batch::TokenPut& p) { return IsTokenId(p.id); }) &&
         All(batch.metadata,
             [](const Batch::MetadataPut& p) {
               return IsTokenId(p.id) && p.account_number != 0 && p.metadata.size() <= kMaxRowBytes;
             }) &&
         All(batch.accounts,
             [](const Batch::AccountPut& p) {
               return IsAccount(p.account) && p.number != 0 && !p.row.empty() &&
                      p.row.size() <= pat::kMaxAccountRowBytes;
             }) &&
         All(batch.meta, [](const Batch::MetaPut& p) {
           return IsMetaName(p.name) && p.value.size() <= kMaxRowBytes;
         });
}

/// The UTF-8 characters of `text` but NUL, up to `limit` bytes: what a client sends about itself
/// is anything.
std::string CleanText(std::string_view text, std::size_t limit) {
  std::string clean;
  text = text.substr(0, 4 * limit);
  while (!text.empty()) {
    std::size_t n = 1;
    while (n < 4 && n < text.size() && pat::CountUtf8(text.substr(0, n)) != std::size_t{1}) ++n;
    const bool is_character = pat::CountUtf8(text.substr(0, n)) == std::size_t{1};
    if (is_character && text.front() != '\0') {
      if (clean.size() + n > limit) break;
      clean += text.substr(0, n);
    }
    text.remove_prefix(is_character ? n : 1);
  }
  return clean;
}

pat::AccountRow RowOf(std::uint32_t number, std::string_view bytes) {
  pat::AccountRow row;
  row.number = number;
  row.size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(row.bytes.data(), bytes.data(), bytes.size());
  return row;
}

}  // namespace

// ---- The verify path.

pat::Store::Lookup MapStore::Find(std::uint64_t id, pat::TokenRecord* record,
                                  std::uint64_t* meta_version) noexcept {
  const Reading lock(mutex_);
  if (closed_) return Lookup::kUnavailable;
  *meta_version = meta_version_;
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) return Lookup::kAbsent;
  *record = found->second;
  return Lookup::kFound;
}

std::uint64_t MapStore::MetaVersion() noexcept {
  const Reading lock(mutex_);
  return meta_version_;
}

pat::Store::Lookup MapStore::FindAccount(std::uint32_t number, pat::AccountRow* row) noexcept {
  const Reading lock(mutex_);
  if (closed_) return Lookup::kUnavailable;
  const auto name = account_names_.find(number);
  if (name == account_names_.end()) return Lookup::kAbsent;
  *row = RowOf(number, accounts_.find(name->second)->second.row);
  return Lookup::kFound;
}

void MapStore::RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                         std::string_view user_agent) noexcept {
  const Writing lock(mutex_);
  const auto found = uses_.find(id);  // made by Apply: nothing is allocated for strangers
  if (closed_ || found == uses_.end()) return;
  pat::LastUse& use = found->second;
  if (use.unix_s != 0 && unix_s < std::uint64_t{use.unix_s} + 60) return;
  use.unix_s = unix_s;
  if (ip.empty() && user_agent.empty()) return;  // keep the last place that is known
  use.ip = CleanText(ip, 45);
  use.user_agent = CleanText(user_agent, 128);
}

// ---- Reading.

absl::StatusOr<pat::LastUse> MapStore::ReadUse(std::uint64_t id) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  return At(uses_, id);
}

absl::StatusOr<pat::AccountRow> MapStore::ReadAccount(std::string_view account) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return absl::NotFoundError("no such account");
  return RowOf(found->second.number, found->second.row);
}

absl::StatusOr<std::string> MapStore::ReadMetadata(std::uint32_t account_number, std::uint64_t id) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  const auto found = metadata_.find({account_number, id});
  if (found == metadata_.end()) return absl::NotFoundError("no such metadata");
  return found->second;
}

absl::StatusOr<std::vector<pat::TokenRow>> MapStore::Page(std::uint32_t account_number,
                                                          std::uint64_t before, std::size_t n) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  std::vector<pat::TokenRow> rows;
  const auto begin = metadata_.lower_bound({account_number, 0});
  auto it = before == 0 ? metadata_.upper_bound({account_number, UINT64_MAX})
                        : metadata_.lower_bound({account_number, before});
  while (it != begin && rows.size() < n) {  // newest first: backwards
    --it;
    const std::uint64_t id = it->first.second;
    rows.push_back({id, At(tokens_, id), it->second});
  }
  return rows;
}

absl::StatusOr<std::vector<pat::TokenRow>> MapStore::Scan(std::uint64_t first, std::size_t n) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  std::vector<pat::TokenRow> rows;
  for (auto it = tokens_.lower_bound(first); it != tokens_.end() && rows.size() < n; ++it) {
    rows.push_back({it->first, it->second, {}});
  }
  return rows;
}

absl::StatusOr<pat::AccountRow> MapStore::NextAccount(std::uint32_t first) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  const auto name = account_names_.lower_bound(first);
  if (name == account_names_.end()) return absl::NotFoundError("no more accounts");
  return RowOf(name->first, accounts_.find(name->second)->second.row);
}

absl::StatusOr<std::string> MapStore::ReadMeta(std::string_view name) {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  const auto found = meta_.find(name);
  if (found == meta_.end()) return absl::NotFoundError("no such row");
  return found->second;
}

absl::StatusOr<pat::StoreStats> MapStore::Stats() {
  const Reading lock(mutex_);
  if (closed_) return ClosedForReads();
  pat::StoreStats stats;
  stats.accounts = accounts_.size();
  stats.next_token_id = next_token_id_;
  stats.bytes = tokens_.size() * sizeof(pat::TokenRecord);
  return stats;
}

// ---- Writing.

absl::StatusOr<std::uint64_t> MapStore::ReserveTokenIds(std::uint32_t n) {
  const Writing lock(mutex_);
  if (closed_) return Closed();
  if (n < 1 || n > 65536) return absl::InvalidArgumentError("reserve 1 to 65536 ids at once");
  const std::uint64_t first = next_token_id_;
  next_token_id_ += n;
  return first;
}

absl::StatusOr<std::uint32_t> MapStore::ReserveAccountNumber() {
  const Writing lock(mutex_);
  if (closed_) return Closed();
  if (next_account_number_ == 0) return absl::ResourceExhaustedError("no account number is left");
  return next_account_number_++;
}

/// A transaction: the lock makes it one here.
absl::Status MapStore::Apply(const pat::Batch& batch) {
  const Writing lock(mutex_);
  if (closed_) return Closed();
  if (!IsPossible(batch)) return absl::InvalidArgumentError("a batch that cannot be");
  if (absl::Status s = Check(batch); !s.ok()) return s;
  Write(batch);
  return absl::OkStatus();
}

absl::Status MapStore::Check(const pat::Batch& batch) const {
  for (const pat::Batch::TokenCheck& check : batch.token_checks) {
    if (At(tokens_, check.id) != check.expected) return absl::AbortedError("a token has changed");
  }
  for (const pat::Batch::AccountCheck& check : batch.account_checks) {
    if (At(accounts_, check.account).row != check.expected) {
      return absl::AbortedError("an account has changed");
    }
  }
  for (const pat::Batch::MetaCheck& check : batch.meta_checks) {
    if (At(meta_, check.name) != check.expected) return absl::AbortedError("a row has changed");
  }
  std::map<std::string, std::uint32_t> numbers;  // those of this batch
  std::map<std::uint32_t, std::string> names;
  for (const pat::Batch::AccountPut& put : batch.accounts) {
    const std::uint32_t number = At(accounts_, put.account).number;
    const std::string name = At(account_names_, put.number);
    if ((number != 0 && number != put.number) || (!name.empty() && name != put.account) ||
        numbers.emplace(put.account, put.number).first->second != put.number ||
        names.emplace(put.number, put.account).first->second != put.account) {
      return absl::FailedPreconditionError("an account's number never changes and is its alone");
    }
  }
  return absl::OkStatus();
}

void MapStore::Write(const pat::Batch& batch) {
  for (const pat::Batch::TokenPut& put : batch.tokens) {
    Put(tokens_, put.id, put.record);
    if (put.record.empty()) {
      uses_.erase(put.id);
    } else {
      uses_[put.id];
    }
  }
  for (const pat::Batch::MetadataPut& put : batch.metadata) {
    Put(metadata_, {put.account_number, put.id}, put.metadata);
  }
  for (const pat::Batch::AccountPut& put : batch.accounts) {
    accounts_[put.account] = {put.number, put.row};
    account_names_[put.number] = put.account;
  }
  for (const pat::Batch::MetaPut& put : batch.meta) Put(meta_, put.name, put.value);
  if (!batch.meta.empty()) ++meta_version_;
}

// ---- Operating.

absl::Status MapStore::Flush() {
  const Reading lock(mutex_);
  return closed_ ? Closed() : absl::OkStatus();
}

absl::Status MapStore::Health() {
  const Reading lock(mutex_);
  return closed_ ? ClosedForReads() : absl::OkStatus();
}

absl::Status MapStore::Close() {
  const Writing lock(mutex_);
  closed_ = true;
  return absl::OkStatus();
}
