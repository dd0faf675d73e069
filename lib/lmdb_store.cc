// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/lmdb_store.h"

#include <lmdb.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/batch.h"
#include "lib/lmdb_apply.h"
#include "lib/lmdb_env.h"
#include "lib/lmdb_readers.h"
#include "lib/lmdb_tables.h"
#include "lib/lmdb_uses.h"
#include "lib/out_of_memory.h"
#include "lib/place_table.h"
#include "pat/token.h"

namespace pat {
namespace {

using Reader = LmdbReaders::Reader;

// A cursor that is closed before its transaction ends.
class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi table) : rc_(mdb_cursor_open(txn, table, &cursor_)) {}
  ~Cursor() {
    if (rc_ == 0) mdb_cursor_close(cursor_);
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  int Get(MDB_val* key, MDB_val* value, MDB_cursor_op op) {
    return rc_ != 0 ? rc_ : mdb_cursor_get(cursor_, key, value, op);
  }

 private:
  MDB_cursor* cursor_ = nullptr;
  int rc_;
};

std::string CopyOf(const MDB_val& value) { return std::string(ViewOf(value)); }

void CopyRow(std::uint32_t number, std::string_view bytes, AccountRow* row) noexcept {
  row->number = number;
  row->size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(row->bytes.data(), bytes.data(), bytes.size());
}

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(std::shared_ptr<LmdbEnv> env)
      : env_(std::move(env)), tables_(env_->tables()) {}
  ~LmdbStore() override { LmdbStore::Close().IgnoreError(); }

  Lookup Find(std::uint64_t id, TokenRecord* record, std::uint64_t* meta_version) noexcept override;
  void Prefetch(std::uint64_t id) noexcept override;
  std::uint64_t MetaVersion() noexcept override;
  Lookup FindAccount(std::uint32_t number, AccountRow* row) noexcept override;
  void RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                 std::string_view user_agent) noexcept override;
  absl::StatusOr<LastUse> ReadUse(std::uint64_t id) override;
  absl::StatusOr<AccountRow> ReadAccount(std::string_view account) override;
  absl::StatusOr<std::string> ReadMetadata(std::uint32_t account_number, std::uint64_t id) override;
  absl::StatusOr<std::vector<TokenRow>> Page(std::uint32_t account_number, std::uint64_t before,
                                             std::size_t n) override;
  absl::StatusOr<std::vector<TokenRow>> Scan(std::uint64_t first, std::size_t n) override;
  absl::StatusOr<AccountRow> NextAccount(std::uint32_t first) override;
  absl::StatusOr<std::string> ReadMeta(std::string_view name) override;
  absl::StatusOr<StoreStats> Stats() override;
  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override;
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override;
  absl::Status Apply(const Batch& batch) override;
  absl::Status Flush() override;
  absl::Status Health() override;
  absl::Status Close() override;

 private:
  ABSL_ATTRIBUTE_NOINLINE void NoteUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                                       std::string_view user_agent) noexcept;
  bool closed() const { return closed_.load(std::memory_order_relaxed) || env_->inherited(); }
  static absl::Status Forked() {
    return absl::FailedPreconditionError(
        "this process was forked after the store was opened: open it again here");
  }
  // Why a read cannot begin, if so.
  absl::Status Readable(const Reader& reader) const {
    if (env_->inherited()) return Forked();
    return closed() ? absl::UnavailableError("the store is closed") : reader.status();
  }
  absl::Status Writable() const {
    if (env_->inherited()) return Forked();
    return closed() ? absl::FailedPreconditionError("the store is closed") : absl::OkStatus();
  }

  const std::shared_ptr<LmdbEnv> env_;
  const LmdbTables tables_;
  std::atomic<bool> closed_{false};
};

Store::Lookup LmdbStore::Find(std::uint64_t id, TokenRecord* record,
                              std::uint64_t* meta_version) noexcept {
  if (!IsTokenId(id)) {
    *meta_version = LmdbStore::MetaVersion();
    return Lookup::kAbsent;
  }
  const Reader reader(env_->readers());
  if (closed() || !reader.ok()) return Lookup::kUnavailable;
  const unsigned char* page = nullptr;
  const int rc = env_->directory().Find(reader.txn(), tables_, id, &page, meta_version);
  if (rc != 0 && rc != MDB_NOTFOUND) return Lookup::kUnavailable;
  if (rc == MDB_NOTFOUND) return Lookup::kAbsent;
  std::memcpy(record->bytes.data(), page + HotOffset(id), kRecordBytes);
  return record->empty() ? Lookup::kAbsent : Lookup::kFound;
}

void LmdbStore::Prefetch(std::uint64_t id) noexcept {
  if (!IsTokenId(id)) return;
  env_->times().Prefetch(id);
  const unsigned char* page = env_->directory().Guess(id);
  if (page == nullptr) return;
  const unsigned char* record = page + HotOffset(id);
  __builtin_prefetch(record);  // no fault, whatever has become of the page
  __builtin_prefetch(record + kRecordBytes - 1);
}

std::uint64_t LmdbStore::MetaVersion() noexcept { return env_->MetaVersion(); }

Store::Lookup LmdbStore::FindAccount(std::uint32_t number, AccountRow* row) noexcept {
  if (number == 0) return Lookup::kAbsent;
  const Reader reader(env_->readers());
  if (closed() || !reader.ok()) return Lookup::kUnavailable;
  AcctKey acct_key = AcctKey::Account(number);
  MDB_val key = acct_key.val();
  MDB_val value;
  const int rc = mdb_get(reader.txn(), tables_.acct, &key, &value);
  // A row that cannot be one stands for none: trying again would not help.
  if (rc == MDB_NOTFOUND || (rc == 0 && value.mv_size > kMaxAccountRowBytes)) {
    return Lookup::kAbsent;
  }
  if (rc != 0) return Lookup::kUnavailable;
  CopyRow(number, ViewOf(value), row);
  return Lookup::kFound;
}

void LmdbStore::RecordUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                          std::string_view user_agent) noexcept {
  if (closed() || !IsTokenId(id) || unix_s == 0) return;
  if (env_->times().IsRecent(id, unix_s)) return;
  NoteUse(id, unix_s, ip, user_agent);
}

void LmdbStore::NoteUse(std::uint64_t id, std::uint32_t unix_s, std::string_view ip,
                        std::string_view user_agent) noexcept {
  const LastUsed::Noted noted = env_->times().Note(id, unix_s);
  if (noted == LastUsed::Noted::kRecent) return;
  // Without room for the time the table keeps that too.
  const bool has_time = noted == LastUsed::Noted::kNoted;
  if (has_time && ip.empty() && user_agent.empty()) return;
  env_->places().Note(id, unix_s, Place(ip, user_agent), /*sparse=*/!has_time);
}

absl::StatusOr<LastUse> LmdbStore::ReadUse(std::uint64_t id) {
  // The table before the snapshot: a flush in between moves a use from the table to the row.
  const std::optional<PlaceTable::Use> newest = env_->places().Find(id);
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  LastUse use;
  if (!IsTokenId(id)) return use;
  absl::StatusOr<std::optional<PlaceTable::Use>> row = ReadUseRow(reader.txn(), tables_, id);
  if (!row.ok()) return row.status();
  use.unix_s = env_->times().Read(id);
  for (const std::optional<PlaceTable::Use>& found : {newest, *row}) {
    if (found.has_value()) use.unix_s = std::max(use.unix_s, found->unix_s);
  }
  const bool take_row =
      row->has_value() && (!newest.has_value() || newest->place.empty() ||
                           (newest->unix_s < (*row)->unix_s && !(*row)->place.empty()));
  const std::optional<PlaceTable::Use>& place = take_row ? *row : newest;
  if (place.has_value()) {
    use.ip = std::string(place->place.ip());
    use.user_agent = std::string(place->place.user_agent());
  }
  return use;
}

absl::StatusOr<AccountRow> LmdbStore::ReadAccount(std::string_view account) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  if (!IsAccount(account)) return absl::NotFoundError("no such account");
  absl::StatusOr<std::uint32_t> number = GetAccountNumber(reader.txn(), tables_, account);
  if (!number.ok()) return number.status();
  absl::StatusOr<std::string_view> bytes = GetAccountRow(reader.txn(), tables_, *number);
  if (absl::IsNotFound(bytes.status())) return absl::DataLossError("an account's row is lost");
  if (!bytes.ok()) return bytes.status();
  AccountRow row;
  CopyRow(*number, *bytes, &row);
  return row;
}

absl::StatusOr<std::string> LmdbStore::ReadMetadata(std::uint32_t account_number,
                                                    std::uint64_t id) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  if (!IsTokenId(id)) return absl::NotFoundError("no such metadata");
  AcctKey acct_key = AcctKey::Token(account_number, id);
  MDB_val key = acct_key.val();
  MDB_val value;
  const int rc = mdb_get(reader.txn(), tables_.acct, &key, &value);
  if (rc == MDB_NOTFOUND) return absl::NotFoundError("no such metadata");
  if (rc != 0) return LmdbError(rc, "read a token's metadata");
  if (value.mv_size > kMaxRowBytes) return absl::DataLossError("a token's metadata is damaged");
  return CopyOf(value);
}

absl::StatusOr<std::vector<TokenRow>> LmdbStore::Page(std::uint32_t account_number,
                                                      std::uint64_t before, std::size_t n) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  std::vector<TokenRow> rows;
  if (account_number == 0) return rows;
  // Keys hold ~id, so ids below `before` are the keys above it; above the account's own row, too.
  AcctKey start = AcctKey::Token(account_number, std::min(before - 1, kLastTokenId));
  MDB_val key = start.val();
  MDB_val value;
  Cursor cursor(reader.txn(), tables_.acct);
  int rc = before == 1 ? MDB_NOTFOUND : cursor.Get(&key, &value, MDB_SET_RANGE);
  for (; rc == 0 && rows.size() < n; rc = cursor.Get(&key, &value, MDB_NEXT)) {
    std::uint32_t number = 0;
    TokenRow row;
    if (!ParseAcctKey(key, &number, &row.id)) continue;  // somebody put it there; it hides nothing
    if (number != account_number) return rows;
    if (!IsTokenId(row.id)) continue;
    if (value.mv_size <= kMaxRowBytes) row.metadata = CopyOf(value);
    const unsigned char* page = nullptr;
    const int found = GetHotPage(reader.txn(), tables_, row.id, &page);
    if (found != 0 && found != MDB_NOTFOUND && found != MDB_CORRUPTED) {
      return LmdbError(found, "read a token");
    }
    if (found == 0) std::memcpy(row.record.bytes.data(), page + HotOffset(row.id), kRecordBytes);
    rows.push_back(std::move(row));
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "list tokens");
  return rows;
}

absl::StatusOr<std::vector<TokenRow>> LmdbStore::Scan(std::uint64_t first, std::size_t n) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  std::vector<TokenRow> rows;
  HotKey start(first);
  MDB_val key = start.val();
  MDB_val value;
  Cursor cursor(reader.txn(), tables_.hot);
  int rc = cursor.Get(&key, &value, MDB_SET_RANGE);
  for (; rc == 0 && rows.size() < n; rc = cursor.Get(&key, &value, MDB_NEXT)) {
    std::size_t page = 0;
    if (key.mv_size != sizeof page || value.mv_size != kHotPageBytes)
      continue;  // no tokens of ours
    std::memcpy(&page, key.mv_data, sizeof page);
    if (page > kLastTokenId / kRecordsPerPage) continue;
    for (std::size_t i = 0; i < kRecordsPerPage && rows.size() < n; ++i) {
      TokenRow row;
      row.id = page * kRecordsPerPage + i;
      std::memcpy(row.record.bytes.data(),
                  static_cast<const unsigned char*>(value.mv_data) + i * kRecordBytes,
                  kRecordBytes);
      if (row.id >= first && IsTokenId(row.id) && !row.record.empty()) rows.push_back(row);
    }
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "scan tokens");
  return rows;
}

absl::StatusOr<AccountRow> LmdbStore::NextAccount(std::uint32_t first) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  AcctKey start = AcctKey::Account(first);
  MDB_val key = start.val();
  MDB_val value;
  Cursor cursor(reader.txn(), tables_.acct);
  int rc = cursor.Get(&key, &value, MDB_SET_RANGE);
  while (rc == 0) {
    std::uint32_t number = 0;
    std::uint64_t id = 0;
    if (!ParseAcctKey(key, &number, &id)) {  // somebody put it there; it hides nothing
      rc = cursor.Get(&key, &value, MDB_NEXT);
      continue;
    }
    if (id == 0 && number != 0 && value.mv_size <= kMaxAccountRowBytes) {
      AccountRow row;
      CopyRow(number, ViewOf(value), &row);
      return row;
    }
    if (number == UINT32_MAX) break;
    start = AcctKey::Account(number + 1);  // past the account's tokens
    key = start.val();
    rc = cursor.Get(&key, &value, MDB_SET_RANGE);
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "list accounts");
  return absl::NotFoundError("no more accounts");
}

absl::StatusOr<std::string> LmdbStore::ReadMeta(std::string_view name) {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  if (!IsMetaName(name)) return absl::NotFoundError("no such meta row");
  MDB_val key = ValueOf(name);
  MDB_val value;
  const int rc = mdb_get(reader.txn(), tables_.meta, &key, &value);
  if (rc == MDB_NOTFOUND) return absl::NotFoundError("no such meta row");
  if (rc != 0) return LmdbError(rc, "read a meta row");
  if (value.mv_size > kMaxRowBytes) return absl::DataLossError("a meta row is damaged");
  return CopyOf(value);
}

absl::StatusOr<StoreStats> LmdbStore::Stats() {
  const Reader reader(env_->readers());
  if (absl::Status status = Readable(reader); !status.ok()) return status;
  MDB_stat names{};
  if (const int rc = mdb_stat(reader.txn(), tables_.name, &names); rc != 0) {
    return LmdbError(rc, "count accounts");
  }
  MDB_val key = ValueOf("next_token_id");
  MDB_val next;
  const int rc = mdb_get(reader.txn(), tables_.meta, &key, &next);
  if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read the next token id");
  if (rc != 0 || next.mv_size != 8) return absl::DataLossError("the next token id is damaged");
  StoreStats stats;
  stats.accounts = names.ms_entries;
  stats.next_token_id = LoadInteger(ViewOf(next));
  stats.bytes = env_->bytes();
  stats.uses_dropped = env_->places().dropped();
  MDB_envinfo info{};
  if (mdb_env_info(mdb_txn_env(reader.txn()), &info) == 0) {
    stats.readers = info.me_numreaders;
    stats.most_readers = info.me_maxreaders;
  }
  return stats;
}

absl::StatusOr<std::uint64_t> LmdbStore::ReserveTokenIds(std::uint32_t n) {
  if (absl::Status status = Writable(); !status.ok()) return status;
  if (absl::Status status = ValidateReserve(n); !status.ok()) return status;
  return env_->ReserveTokenIds(n);
}

absl::StatusOr<std::uint32_t> LmdbStore::ReserveAccountNumber() {
  if (absl::Status status = Writable(); !status.ok()) return status;
  return env_->ReserveAccountNumber();
}

absl::Status LmdbStore::Apply(const Batch& batch) {
  if (absl::Status status = Writable(); !status.ok()) return status;
  if (absl::Status status = ValidateBatch(batch); !status.ok()) return status;
  absl::Status status = env_->Write(
      [&](MDB_txn* txn, TxnChanges* changes) {
        absl::Status checked = CheckBatch(txn, tables_, batch);
        return checked.ok() ? WriteBatch(txn, tables_, batch, changes) : checked;
      },
      [&](MDB_txn* txn) { return HoldsBatch(txn, tables_, batch); }, batch.revocation);
  if (!status.ok()) return status;
  for (const Batch::TokenPut& put : batch.tokens) {
    if (!put.record.empty()) continue;
    env_->places().Forget(put.id, ~std::uint32_t{0});
    env_->times().Forget(put.id);
  }
  return status;
}

absl::Status LmdbStore::Flush() {
  absl::Status status = Writable();
  return status.ok() ? env_->Flush() : status;
}

absl::Status LmdbStore::Health() {
  if (env_->inherited()) return Forked();
  return closed() ? absl::UnavailableError("the store is closed") : env_->Health();
}

absl::Status LmdbStore::Close() {
  return closed_.exchange(true) ? absl::OkStatus() : env_->Close();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenLmdbStore(const std::string& directory,
                                                     const LmdbOptions& options) {
  absl::StatusOr<std::shared_ptr<LmdbEnv>> env =
      CatchOutOfMemory([&] { return LmdbEnv::Open(directory, options); });
  if (!env.ok()) return env.status();
  try {
    return std::make_unique<LmdbStore>(*env);
  } catch (const std::bad_alloc&) {
    (*env)->Close().IgnoreError();  // Open was called for this store
    return OutOfMemory();
  }
}

}  // namespace pat
