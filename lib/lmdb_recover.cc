// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// After a failed commit. LMDB makes a transaction count by one small synced write to one of two
// meta pages. If that fails, the new state may be on the disk, or in the page cache, or neither,
// and LMDB refuses everything from then on, revocations too. So: open the environment anew, make
// what the page cache says durable, and only then go on. The order matters: the next transaction
// writes over pages that the failed one had taken, and a power cut must not find them under a meta
// page that had reached the disk after all.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "absl/time/time.h"
#include "lib/lmdb_env.h"
#include "lib/out_of_memory.h"

namespace pat {
namespace {

// In a meta page: a page's header has 16 bytes; after magic, version, address and size of the map,
// and two tables of 48 bytes, come the last page's number and the transaction's.
constexpr std::size_t kMagicOffset = 16;
constexpr std::size_t kTransactionOffset = 144;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;

// Keeps the old number, so that nobody takes a commit that failed for the newest: LMDB does this
// itself, unless that fails too.
bool Withdraw(std::vector<unsigned char>* metas, std::size_t page, std::uint64_t transaction) {
  unsigned char* const meta = metas->data() + page;
  std::uint32_t magic = 0;
  std::uint64_t number = 0;
  std::memcpy(&magic, meta + kMagicOffset, sizeof magic);
  std::memcpy(&number, meta + kTransactionOffset, sizeof number);
  if (magic != kMagic || number != transaction) return false;
  number = transaction < 2 ? 0 : transaction - 2;
  std::memcpy(meta + kTransactionOffset, &number, sizeof number);
  return true;
}

absl::Status StillFailing(int error) {
  const absl::Status status = LmdbError(error, "settle a commit that failed");
  return absl::UnavailableError(std::string(status.message()) + "; nothing was changed");
}

}  // namespace

// LMDB's mark of a failed commit shows only in what it refuses. (To read might fail for a slot.)
bool LmdbEnv::Refuses() const {
  MDB_txn* txn = nullptr;
  const int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (rc == 0) mdb_txn_abort(txn);
  return rc == MDB_PANIC;
}

absl::Status LmdbEnv::Settle() {
  if (failed_ || env_ == nullptr) {
    if (absl::Status status = Reopen(options_.map_bytes); !status.ok()) return status;
  }
  if (!lock_.unsettled()) return absl::OkStatus();
  if (absl::Status status = MakeMetaDurable(); !status.ok()) return status;
  lock_.set_unsettled(false);
  return absl::OkStatus();
}

absl::Status LmdbEnv::OpenAgain(std::size_t map_bytes) {
  if (directory_.DataIdentity() != data_identity_) {
    return absl::UnavailableError("data.mdb was removed or replaced while it is open");
  }
  if (absl::Status status = OpenMapped(map_bytes); !status.ok()) return status;
  // Handles are given out in order, so those that all stores of this environment hold stay good.
  const absl::StatusOr<LmdbTables> tables = OpenTables(env_, /*create=*/false);
  if (tables.ok() && std::memcmp(&*tables, &tables_, sizeof tables_) != 0) {
    return absl::InternalError("the tables of the store have other handles than before");
  }
  return tables.status();
}

absl::Status LmdbEnv::Reopen(std::size_t map_bytes) {
  MDB_envinfo info{};
  if (env_ != nullptr && mdb_env_info(env_, &info) == 0) {
    map_bytes = std::max(map_bytes, info.me_mapsize);
  }
  absl::Status status = directory_.Lock(options_.write_deadline);
  if (!status.ok()) return status;
  readers_.Pause();
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
  pages_.Clear();
  reserved_behind_ = -1;
  status = CatchOutOfMemory([&] { return OpenAgain(map_bytes); });
  const absl::Status resumed =
      CatchOutOfMemory([&] { return readers_.Resume(status.ok() ? env_ : nullptr); });
  if (status.ok()) status = resumed;
  if (!status.ok() && env_ != nullptr) {  // the next read or write tries again
    mdb_env_close(env_);
    env_ = nullptr;
  }
  if (!exclusive_) directory_.Unlock();
  if (absl::IsResourceExhausted(status)) return status;
  if (!status.ok()) return absl::UnavailableError(status.message());
  failed_ = false;
  return absl::OkStatus();
}

// By a step, not by what is missing: a writer that goes on would soon be beyond that.
absl::Status LmdbEnv::ReopenLarger() {
  constexpr std::size_t kStepBytes = std::size_t{16} << 20;
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return Reopen(info.me_mapsize + kStepBytes);
}

absl::Status LmdbEnv::MakeMetaDurable() {
  MDB_txn* txn = nullptr;  // for LMDB's lock, and what it does itself after a writer's death
  int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (rc != 0) return StillFailing(rc);
  const Transaction guard(txn);
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_filehandle_t fd = -1;
  rc = mdb_env_info(env_, &info);
  if (rc == 0) rc = mdb_env_stat(env_, &stat);
  if (rc == 0) rc = mdb_env_get_fd(env_, &fd);
  if (rc != 0) return StillFailing(rc);
  std::vector<unsigned char> metas(std::size_t{2} * stat.ms_psize);
  const auto bytes = static_cast<ssize_t>(metas.size());
  if (pread(fd, metas.data(), metas.size(), 0) != bytes) return StillFailing(EIO);
  // Other processes did not take the failed commit for done: nor may whoever opens the file next.
  const std::uint64_t next = mdb_txn_id(txn);
  if (info.me_last_txnid >= next && !Withdraw(&metas, next % 2 * stat.ms_psize, next)) {
    return absl::DataLossError("the store's meta pages are damaged");
  }
  if (pwrite(fd, metas.data(), metas.size(), 0) != bytes) return StillFailing(EIO);
  return fdatasync(fd) == 0 ? absl::OkStatus() : StillFailing(errno);
}

// Called by a read that LMDB refuses. It may wait, as a write may: this is no usual verify.
bool LmdbEnv::MendForReading() noexcept {
  try {
    const std::unique_lock<std::timed_mutex> lock(write_mutex_, Deadline());
    if (!lock.owns_lock() || shut_) return false;
    MDB_txn* txn = nullptr;
    const int rc = env_ == nullptr ? MDB_PANIC : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    if (rc == 0) mdb_txn_abort(txn);
    if (rc == MDB_MAP_RESIZED) return ReopenLarger().ok();
    return rc == 0 || Reopen(options_.map_bytes).ok();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace pat
