// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_apply.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/batch.h"
#include "lib/lmdb_uses.h"

namespace pat {
namespace {

absl::Status CheckTokens(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const Batch::TokenCheck& check : batch.token_checks) {
    const unsigned char* page = nullptr;
    TokenRecord now;
    const int rc = GetHotPage(txn, tables, check.id, &page);
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read a token");
    if (rc == 0) std::memcpy(now.bytes.data(), page + HotOffset(check.id), kRecordBytes);
    if (now != check.expected) return absl::AbortedError("a token has changed");
  }
  return absl::OkStatus();
}

absl::Status CheckAccounts(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const Batch::AccountCheck& check : batch.account_checks) {
    std::string_view now;
    absl::StatusOr<std::uint32_t> number = GetAccountNumber(txn, tables, check.account);
    if (number.ok()) {
      absl::StatusOr<std::string_view> row = GetAccountRow(txn, tables, *number);
      if (absl::IsNotFound(row.status())) return absl::DataLossError("an account's row is lost");
      if (!row.ok()) return row.status();
      now = *row;
    } else if (!absl::IsNotFound(number.status())) {
      return number.status();
    }
    if (now != check.expected) return absl::AbortedError("an account has changed");
  }
  return absl::OkStatus();
}

absl::Status CheckMeta(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const Batch::MetaCheck& check : batch.meta_checks) {
    MDB_val key = ValueOf(check.name);
    MDB_val value{0, nullptr};
    const int rc = mdb_get(txn, tables.meta, &key, &value);
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read a meta row");
    if ((rc == 0 ? ViewOf(value) : std::string_view()) != check.expected) {
      return absl::AbortedError("a meta row has changed");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const Batch::AccountPut& put : batch.accounts) {
    absl::StatusOr<std::uint32_t> number = GetAccountNumber(txn, tables, put.account);
    if (number.ok()) {
      if (*number != put.number) return AccountNumberError();
      continue;
    }
    if (!absl::IsNotFound(number.status())) return number.status();
    absl::StatusOr<std::string_view> row = GetAccountRow(txn, tables, put.number);
    if (!absl::IsNotFound(row.status())) return AccountNumberError();
  }
  return absl::OkStatus();
}

// Puts a row, or deletes it if the value is empty.
absl::Status Set(MDB_txn* txn, MDB_dbi table, MDB_val key, std::string_view bytes) {
  MDB_val value = ValueOf(bytes);
  const int rc =
      bytes.empty() ? mdb_del(txn, table, &key, nullptr) : mdb_put(txn, table, &key, &value, 0);
  if (rc == 0 || (bytes.empty() && rc == MDB_NOTFOUND)) return absl::OkStatus();
  return LmdbError(rc, "write to the store");
}

using Puts = std::vector<const Batch::TokenPut*>;

// One page: read, changed and written once.
absl::Status WritePage(MDB_txn* txn, const LmdbTables& tables, Puts::const_iterator first,
                       Puts::const_iterator last) {
  HotPage page{};
  const unsigned char* before = nullptr;
  const int rc = GetHotPage(txn, tables, (*first)->id, &before);
  if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read a page of tokens");
  if (rc == 0) std::memcpy(page.data(), before, page.size());
  for (; first != last; ++first) {
    const Batch::TokenPut& put = **first;
    std::memcpy(page.data() + HotOffset(put.id), put.record.bytes.data(), kRecordBytes);
    if (!put.record.empty()) continue;
    if (absl::Status status = DeleteUse(txn, tables, put.id); !status.ok()) return status;
  }
  const bool empty = std::all_of(page.begin(), page.end(), [](unsigned char c) { return c == 0; });
  HotKey key((*std::prev(last))->id);
  return Set(txn, tables.hot, key.val(),
             empty ? std::string_view()
                   : std::string_view(reinterpret_cast<const char*>(page.data()), page.size()));
}

absl::Status WriteTokens(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  Puts puts;
  puts.reserve(batch.tokens.size());
  for (const Batch::TokenPut& put : batch.tokens) puts.push_back(&put);
  const auto page = [](const Batch::TokenPut* put) { return put->id / kRecordsPerPage; };
  // Stable: of two puts of one token the later counts.
  std::stable_sort(puts.begin(), puts.end(),
                   [&](const auto* a, const auto* b) { return page(a) < page(b); });
  for (auto first = puts.cbegin(); first != puts.cend();) {
    const auto last = std::find_if(first, puts.cend(),
                                   [&](const auto* put) { return page(put) != page(*first); });
    if (absl::Status status = WritePage(txn, tables, first, last); !status.ok()) return status;
    first = last;
  }
  return absl::OkStatus();
}

absl::Status WriteAccounts(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const Batch::AccountPut& put : batch.accounts) {
    absl::StatusOr<std::uint32_t> number = GetAccountNumber(txn, tables, put.account);
    if (absl::IsNotFound(number.status())) {
      absl::Status status =
          Set(txn, tables.name, ValueOf(put.account), StoreInteger(put.number, 4));
      if (!status.ok()) return status;
    } else if (!number.ok()) {
      return number.status();
    }
    AcctKey key = AcctKey::Account(put.number);
    if (absl::Status status = Set(txn, tables.acct, key.val(), put.row); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  for (const auto check : {CheckTokens, CheckAccounts, CheckMeta, CheckNumbers}) {
    if (absl::Status status = check(txn, tables, batch); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status WriteBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch,
                        TxnChanges* changes) {
  changes->begun = true;
  if (absl::Status status = WriteTokens(txn, tables, batch); !status.ok()) return status;
  if (absl::Status status = WriteAccounts(txn, tables, batch); !status.ok()) return status;
  for (const Batch::MetadataPut& put : batch.metadata) {
    AcctKey key = AcctKey::Token(put.account_number, put.id);
    absl::Status status = Set(txn, tables.acct, key.val(), put.metadata);
    if (!status.ok()) return status;
  }
  for (const Batch::MetaPut& put : batch.meta) {
    absl::Status status = Set(txn, tables.meta, ValueOf(put.name), put.value);
    if (!status.ok()) return status;
  }
  for (const Batch::TokenPut& put : batch.tokens) {
    changes->hot_pages.push_back(put.id / kRecordsPerPage);
  }
  changes->meta_rows = changes->meta_rows || !batch.meta.empty();
  return absl::OkStatus();
}

absl::StatusOr<bool> HoldsBatch(MDB_txn* txn, const LmdbTables& tables, const Batch& batch) {
  std::map<std::uint64_t, TokenRecord> tokens;  // of two puts of one row the later counts
  for (const Batch::TokenPut& put : batch.tokens) tokens[put.id] = put.record;
  for (const auto& [id, record] : tokens) {
    const unsigned char* page = nullptr;
    TokenRecord now;
    const int rc = GetHotPage(txn, tables, id, &page);
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read a token");
    if (rc == 0) std::memcpy(now.bytes.data(), page + HotOffset(id), kRecordBytes);
    if (now != record) return false;
  }
  std::map<std::pair<MDB_dbi, std::string>, std::string_view> rows;
  const auto expect = [&](MDB_dbi table, MDB_val key, std::string_view value) {
    rows[{table, std::string(ViewOf(key))}] = value;
  };
  for (const Batch::AccountPut& put : batch.accounts) {
    expect(tables.acct, AcctKey::Account(put.number).val(), put.row);
  }
  for (const Batch::MetadataPut& put : batch.metadata) {
    expect(tables.acct, AcctKey::Token(put.account_number, put.id).val(), put.metadata);
  }
  for (const Batch::MetaPut& put : batch.meta) expect(tables.meta, ValueOf(put.name), put.value);
  for (const auto& [place, expected] : rows) {
    MDB_val key = ValueOf(place.second);
    MDB_val value{0, nullptr};
    const int rc = mdb_get(txn, place.first, &key, &value);
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "read the store");
    if ((rc == 0 ? ViewOf(value) : std::string_view()) != expected) return false;
  }
  return true;
}

}  // namespace pat
