// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_tables.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lib/lmdb_recent.h"
#include "lib/out_of_memory.h"
#include "pat/version.h"

namespace pat {
namespace {

struct Table {
  const char* name;
  unsigned flags;
  MDB_dbi LmdbTables::*handle;
};

constexpr Table kTables[] = {
    {"meta", 0, &LmdbTables::meta},
    {"hot", MDB_INTEGERKEY, &LmdbTables::hot},
    {"acct", 0, &LmdbTables::acct},
    {"name", 0, &LmdbTables::name},
    {"place", MDB_INTEGERKEY, &LmdbTables::place},
    {"recent", 0, &LmdbTables::recent},
};

absl::Status NotAStore() {
  return absl::FailedPreconditionError("the directory's data.mdb is not a libpat store");
}

absl::Status CheckFormat(MDB_txn* txn, MDB_dbi meta) {
  MDB_val key = ValueOf("format");
  MDB_val value;
  const int rc = mdb_get(txn, meta, &key, &value);
  if (rc == MDB_NOTFOUND || (rc == 0 && value.mv_size != 4)) return NotAStore();
  if (rc != 0) return LmdbError(rc, "read the store's format");
  const std::uint64_t format = LoadInteger(ViewOf(value));
  if (format == kStoreFormat) return absl::OkStatus();
  return absl::FailedPreconditionError(std::string("the store was written by ") +
                                       (format > kStoreFormat ? "a newer" : "an older") +
                                       " libpat: it has format " + std::to_string(format) +
                                       ", this one reads " + std::to_string(kStoreFormat));
}

absl::Status OpenAll(MDB_txn* txn, LmdbTables* tables) {
  for (const Table& table : kTables) {
    const int rc = mdb_dbi_open(txn, table.name, table.flags, &(tables->*table.handle));
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) return NotAStore();
    if (rc != 0) return LmdbError(rc, "open the store's tables");
    unsigned flags = 0;
    if (mdb_dbi_flags(txn, tables->*table.handle, &flags) != 0 || flags != table.flags) {
      return NotAStore();  // LMDB takes the flags of the file, whatever was asked for
    }
    // "meta" is first: a newer format may have other tables, and should be told as what it is.
    if (table.handle != &LmdbTables::meta) continue;
    if (absl::Status status = CheckFormat(txn, tables->meta); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CreateAll(MDB_txn* txn, LmdbTables* tables) {
  for (const Table& table : kTables) {
    const int rc =
        mdb_dbi_open(txn, table.name, table.flags | MDB_CREATE, &(tables->*table.handle));
    if (rc != 0) return LmdbError(rc, "create the store's tables");
  }
  const std::pair<const char*, std::string> rows[] = {{"format", StoreInteger(kStoreFormat, 4)},
                                                      {"next_token_id", StoreInteger(1, 8)},
                                                      {"next_account", StoreInteger(1, 4)}};
  for (const auto& [name, bytes] : rows) {
    MDB_val key = ValueOf(name);
    MDB_val value = ValueOf(bytes);
    const int rc = mdb_put(txn, tables->meta, &key, &value, 0);
    if (rc != 0) return LmdbError(rc, "create the store");
  }
  return NoteRecent(txn, *tables, {});
}

}  // namespace

AcctKey::AcctKey(std::uint32_t number, std::uint64_t rest) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes_[i] = static_cast<unsigned char>(number >> (24 - 8 * i));
  }
  for (std::size_t i = 0; i < 8; ++i) {
    bytes_[4 + i] = static_cast<unsigned char>(rest >> (56 - 8 * i));
  }
}

bool ParseAcctKey(const MDB_val& key, std::uint32_t* number, std::uint64_t* id) {
  if (key.mv_size != 12) return false;
  const auto* bytes = static_cast<const unsigned char*>(key.mv_data);
  *number = 0;
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < 4; ++i) *number = (*number << 8) | bytes[i];
  for (std::size_t i = 4; i < 12; ++i) rest = (rest << 8) | bytes[i];
  *id = rest == 0 ? 0 : ~rest;
  return true;
}

std::uint64_t LoadInteger(std::string_view value) {
  std::uint64_t integer = 0;
  for (std::size_t i = value.size(); i-- > 0;) {
    integer = (integer << 8) | static_cast<unsigned char>(value[i]);
  }
  return integer;
}

std::string StoreInteger(std::uint64_t integer, std::size_t bytes) {
  std::string value(bytes, '\0');
  for (char& c : value) {
    c = static_cast<char>(integer & 0xFF);
    integer >>= 8;
  }
  return value;
}

int GetHotPage(MDB_txn* txn, const LmdbTables& tables, std::uint64_t id,
               const unsigned char** page) {
  HotKey hot_key(id);
  MDB_val key = hot_key.val();
  MDB_val value;
  const int rc = mdb_get(txn, tables.hot, &key, &value);
  if (rc != 0) return rc;
  *page = static_cast<const unsigned char*>(value.mv_data);
  return value.mv_size == kHotPageBytes ? 0 : MDB_CORRUPTED;
}

absl::StatusOr<std::uint32_t> GetAccountNumber(MDB_txn* txn, const LmdbTables& tables,
                                               std::string_view account) {
  MDB_val key = ValueOf(account);
  MDB_val value;
  const int rc = mdb_get(txn, tables.name, &key, &value);
  if (rc == MDB_NOTFOUND) return absl::NotFoundError("no such account");
  if (rc != 0) return LmdbError(rc, "read an account's number");
  const std::uint64_t number = value.mv_size == 4 ? LoadInteger(ViewOf(value)) : 0;
  if (number == 0) return absl::DataLossError("an account's number is damaged");
  return static_cast<std::uint32_t>(number);
}

absl::StatusOr<std::string_view> GetAccountRow(MDB_txn* txn, const LmdbTables& tables,
                                               std::uint32_t number) {
  AcctKey acct_key = AcctKey::Account(number);
  MDB_val key = acct_key.val();
  MDB_val value;
  const int rc = mdb_get(txn, tables.acct, &key, &value);
  if (rc == MDB_NOTFOUND) return absl::NotFoundError("no account has this number");
  if (rc != 0) return LmdbError(rc, "read an account");
  if (value.mv_size == 0 || value.mv_size > kMaxAccountRowBytes) {
    return absl::DataLossError("an account's row is damaged");
  }
  return ViewOf(value);
}

absl::Status LmdbError(int rc, const char* doing) {
  const std::string message = std::string("cannot ") + doing + ": " + mdb_strerror(rc);
  switch (rc) {
    case MDB_MAP_FULL:
    case MDB_READERS_FULL:
    case MDB_TXN_FULL:
    case MDB_DBS_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE: return absl::ResourceExhaustedError(message);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:
    case MDB_CURSOR_FULL: return absl::DataLossError(message);
    case MDB_PANIC:
    case MDB_MAP_RESIZED:
    case EAGAIN:
    case EINTR:
    case EIO: return absl::UnavailableError(message);
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE: return absl::FailedPreconditionError(message);
    case EACCES:
    case EPERM:
    case EROFS: return absl::PermissionDeniedError(message);
    default: return absl::InternalError(message);
  }
}

absl::StatusOr<LmdbTables> OpenTables(MDB_env* env, bool create) {
  LmdbTables tables;
  // The caller holds the directory's lock: nobody fills it between two transactions of ours.
  for (const bool creating : {false, true}) {
    MDB_txn* begun = nullptr;
    int rc = mdb_txn_begin(env, nullptr, creating ? 0U : static_cast<unsigned>(MDB_RDONLY), &begun);
    if (rc != 0) return LmdbError(rc, "read the store");
    Transaction txn(begun);
    MDB_dbi main = 0;
    MDB_stat stat{};
    if (rc = mdb_dbi_open(begun, nullptr, 0, &main); rc == 0) rc = mdb_stat(begun, main, &stat);
    if (rc != 0) return LmdbError(rc, "read the store");
    const bool empty = stat.ms_entries == 0;
    if (empty && !creating) {
      if (create) continue;
      return absl::NotFoundError("there is no store in the directory");
    }
    absl::Status status = empty ? CreateAll(begun, &tables) : OpenAll(begun, &tables);
    if (!status.ok()) return status;
    // Also for a reading transaction: it is the commit that keeps the handles.
    rc = mdb_txn_commit(txn.release());
    if (rc != 0) return LmdbError(rc, "open the store's tables");
    return tables;
  }
  return absl::InternalError("unreachable");
}

absl::Status CreateStoreFile(const StoreDirectory& directory) {
  constexpr const char* kNew = "data.mdb.new";
  const std::string path = directory.path() + "/" + kNew;
  unlinkat(directory.fd(), kNew, 0);  // of a creation that was cut off
  absl::Status status = CatchOutOfMemory([&]() -> absl::Status {
    if (!directory.CreateFile(kNew)) return LmdbError(errno, "create data.mdb");
    MDB_env* made = nullptr;
    int rc = mdb_env_create(&made);
    if (rc != 0) return LmdbError(rc, "create data.mdb");
    const std::unique_ptr<MDB_env, decltype(&mdb_env_close)> env(made, mdb_env_close);
    rc = mdb_env_set_maxdbs(made, 16);
    if (rc == 0) rc = mdb_env_open(made, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    if (rc != 0) return LmdbError(rc, "create data.mdb");
    return OpenTables(made, /*create=*/true).status();
  });
  if (status.ok() && renameat(directory.fd(), kNew, directory.fd(), "data.mdb") == 0) return status;
  const int error = errno;
  unlinkat(directory.fd(), kNew, 0);
  return status.ok() ? LmdbError(error, "create data.mdb") : status;
}

}  // namespace pat
