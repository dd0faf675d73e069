// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_uses.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace pat {
namespace {

constexpr std::size_t kPrefixBytes = 5;  // time u32, length of ip u8

// True if the token has a record.
absl::StatusOr<bool> Exists(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id) {
  const unsigned char* page = nullptr;
  const int rc = GetHotPage(txn, tables, id, &page);
  if (rc == MDB_NOTFOUND || rc == MDB_CORRUPTED) return false;
  if (rc != 0) return LmdbError(rc, "read a token");
  const unsigned char* record = page + HotOffset(id);
  return std::any_of(record, record + kRecordBytes, [](unsigned char c) { return c != 0; });
}

absl::Status WriteUse(MDB_txn* txn, const LmdbTables& tables, const PlaceTable::Use& use) {
  absl::StatusOr<bool> exists = Exists(txn, tables, use.id);
  if (!exists.ok()) return exists.status();
  if (!*exists) return absl::OkStatus();
  absl::StatusOr<std::optional<PlaceTable::Use>> before = ReadUseRow(txn, tables, use.id);
  if (!before.ok()) return before.status();
  if (before->has_value() && (*before)->unix_s > use.unix_s) return absl::OkStatus();
  const bool keep = before->has_value() && use.place.empty();
  const Place place = keep ? (*before)->place : use.place;
  std::string row = StoreInteger(use.unix_s, 4) + StoreInteger(place.ip().size(), 1);
  row.append(place.ip()).append(place.user_agent());
  std::uint64_t id = use.id;
  MDB_val key{sizeof id, &id};
  MDB_val value = ValueOf(row);
  const int rc = mdb_put(txn, tables.place, &key, &value, 0);
  return rc == 0 ? absl::OkStatus() : LmdbError(rc, "write a place of use");
}

}  // namespace

absl::StatusOr<std::optional<PlaceTable::Use>> ReadUseRow(MDB_txn* txn, const LmdbTables& tables,
                                                          std::uint64_t id) {
  MDB_val key{sizeof id, &id};
  MDB_val value;
  const int rc = mdb_get(txn, tables.place, &key, &value);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  if (rc != 0) return LmdbError(rc, "read a place of use");
  const std::string_view row = ViewOf(value);
  if (row.size() < kPrefixBytes) return std::nullopt;
  const auto ip_size = static_cast<unsigned char>(row[4]);
  if (row.size() - kPrefixBytes < ip_size) return std::nullopt;
  PlaceTable::Use use;
  use.id = id;
  use.unix_s = static_cast<std::uint32_t>(LoadInteger(row.substr(0, 4)));
  use.place = Place(row.substr(kPrefixBytes, ip_size), row.substr(kPrefixBytes + ip_size));
  return use;
}

absl::Status WriteUses(MDB_txn* txn, const LmdbTables& tables,
                       const std::vector<PlaceTable::Use>& uses) {
  for (const PlaceTable::Use& use : uses) {
    if (absl::Status status = WriteUse(txn, tables, use); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status DeleteUse(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id) {
  MDB_val key{sizeof id, &id};
  const int rc = mdb_del(txn, tables.place, &key, nullptr);
  return rc == 0 || rc == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(rc, "forget a use");
}

}  // namespace pat
