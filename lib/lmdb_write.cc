// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// How a change gets into the store: the locks, the room, the commit, and what its failure means.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "lib/lmdb_env.h"
#include "lib/out_of_memory.h"

namespace pat {
namespace {

// A map with less than this left may be what a revocation fails for.
constexpr std::size_t kMapMarginPages = 64;

// LMDB says EIO if only a part of a write fits on the disk. Less than this free is full.
constexpr std::uint64_t kFullDiskBytes = std::uint64_t{1} << 20;

bool DiskIsFull(MDB_env* env) {
  mdb_filehandle_t fd = -1;
  struct statvfs disk {};
  return mdb_env_get_fd(env, &fd) == 0 && fstatvfs(fd, &disk) == 0 &&
         disk.f_bavail * disk.f_frsize < kFullDiskBytes;
}

// Unknown, also where there is no memory to say why.
absl::Status Undecided(absl::string_view why) noexcept {
  try {
    return absl::UnknownError("the disk failed at a commit, which may or may not have happened: " +
                              std::string(why));
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kUnknown, "");
  }
}

}  // namespace

WriteLock::Clock::time_point LmdbEnv::Deadline() const {
  return WriteLock::Clock::now() + absl::ToChronoNanoseconds(options_.write_deadline);
}

absl::Status LmdbEnv::Write(Change change, Question happened, bool revocation) {
  WriteQueue::Member member{change, happened, revocation};
  return write_queue_.Run(&member, Deadline(),
                          [this](WriteQueue::Member* group) { WriteGroup(group); });
}

void LmdbEnv::WriteGroup(WriteQueue::Member* group) {
  const WriteLock::Clock::time_point deadline = Deadline();
  const auto end = [group](const absl::Status& status) {
    for (auto* m = group; m != nullptr; m = m->next) m->result = status;
  };
  const std::unique_lock<std::timed_mutex> lock(write_mutex_, deadline);
  if (!lock.owns_lock()) {
    return end(absl::UnavailableError("the store is being closed; nothing was changed"));
  }
  if (shut_) return end(absl::FailedPreconditionError("the store is closed"));
  const WriteLock::Hold hold(lock_, deadline);
  if (!hold.ok()) return end(hold.status());
  if (absl::Status status = Settle(); !status.ok()) return end(status);
  if (group->next != nullptr) {
    const absl::Status together = CatchOutOfMemory([&] { return WriteTogether(group); });
    if (together.ok()) return;
    if (absl::IsUnknown(together)) return end(together);
  }
  // Alone each gets what it can get; while there is room, those that take rights away.
  for (const bool revocations : {true, false}) {
    for (auto* m = group; m != nullptr; m = m->next) {
      if (m->revocation != revocations) continue;
      m->result =
          CatchOutOfMemory([&] { return WriteLocked(m->change, m->happened, m->revocation); });
    }
  }
}

// All in one transaction: a change that is refused before it wrote anything is left out. If this
// fails nothing has happened, unless it is Unknown.
absl::Status LmdbEnv::WriteTogether(WriteQueue::Member* group) {
  const auto change = [&](MDB_txn* txn, TxnChanges* changes) -> absl::Status {
    bool any = false;
    for (auto* m = group; m != nullptr; m = m->next) {
      changes->begun = false;
      m->answer = m->change(txn, changes);
      m->wrote = changes->begun;
      if (m->wrote && !m->answer.ok()) return m->answer;
      any = any || m->wrote;
    }
    return any ? absl::OkStatus() : absl::CancelledError();
  };
  const auto happened = [&](MDB_txn* txn) -> absl::StatusOr<bool> {
    for (auto* m = group; m != nullptr; m = m->next) {  // all of them or none
      absl::StatusOr<bool> did = m->wrote ? m->happened(txn) : false;
      if (!did.ok() || *did) return did;
    }
    return false;
  };
  absl::Status status = WriteLocked(change, happened, /*revocation=*/false);
  if (!status.ok() && !absl::IsCancelled(status)) return status;  // cancelled: nothing to write
  for (auto* m = group; m != nullptr; m = m->next) m->result = std::move(m->answer);
  return absl::OkStatus();
}

absl::Status LmdbEnv::WriteLocked(Change change, Question happened, bool revocation) {
  if (!revocation) {
    if (absl::Status status = KeepReserve(); !status.ok()) return status;
  }
  const auto commit = [this](Change that) {
    return CatchOutOfMemory([&] { return Commit(that); });
  };
  absl::Status status = commit(change);
  // Without the old pages that killed readers hold there may be room.
  if (absl::IsResourceExhausted(status) && ReapReaders()) status = commit(change);
  if (absl::IsResourceExhausted(status) && revocation && MapIsFull()) {
    if (absl::Status grown = ReopenLarger(); !grown.ok()) return grown;
    status = commit(change);
  }
  // From here on memory that runs out must not pass for "nothing was changed".
  if (!failed_ || !CatchOutOfMemory([this] { return Settle(); }).ok()) return status;
  // Nobody else has written since: what is there now is the state before, or the one after, and
  // durable.
  std::optional<bool> done;
  status = commit([&](MDB_txn* txn, TxnChanges* changes) -> absl::Status {
    const absl::StatusOr<bool> already = happened(txn);
    if (!already.ok()) return already.status();
    done = *already;
    return *done ? absl::CancelledError() : change(txn, changes);
  });
  if (!done.has_value()) return Undecided(status.message());
  return *done ? absl::OkStatus() : status;
}

absl::Status LmdbEnv::Commit(Change change) {
  MDB_txn* txn = nullptr;
  int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (rc == MDB_MAP_RESIZED) {  // another process has a larger one
    if (absl::Status status = ReopenLarger(); !status.ok()) return status;
    rc = mdb_txn_begin(env_, nullptr, 0, &txn);
  }
  if (rc != 0) return LmdbError(rc, "write to the store");
  Transaction guard(txn);
  TxnChanges changes;
  if (absl::Status status = change(txn, &changes); !status.ok()) return status;
  if (absl::Status status = NoteRecent(txn, tables_, changes); !status.ok()) return status;
  lock_.set_unsettled(true);  // so that the next one knows, should this process die in here
  rc = mdb_txn_commit(guard.release());
  if (rc != 0 && Refuses()) {
    failed_ = true;
    return Undecided(mdb_strerror(rc));
  }
  lock_.set_unsettled(false);
  if (rc == 0) return absl::OkStatus();
  if (rc == EIO && DiskIsFull(env_)) rc = ENOSPC;
  const absl::Status status = LmdbError(rc, "write to the store");
  return absl::Status(status.code(), std::string(status.message()) + "; nothing was changed");
}

// Sees to it that there are blocks behind the end of data.mdb, which a full disk then cannot
// refuse. Where the file system cannot do that, there is no reserve.
absl::Status LmdbEnv::KeepReserve() {
  const auto bytes = static_cast<off_t>(options_.reserve_bytes);
  mdb_filehandle_t fd = -1;
  struct stat data {};
  if (bytes == 0 || mdb_env_get_fd(env_, &fd) != 0 || fstat(fd, &data) != 0) {
    return absl::OkStatus();
  }
  if (data.st_size == reserved_behind_) return absl::OkStatus();
  int rc = 0;
  do {
    rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, data.st_size, bytes) == 0 ? 0 : errno;
  } while (rc == EINTR);
  if (rc == ENOSPC || rc == EDQUOT) {
    return absl::ResourceExhaustedError(
        "the disk is full: what the store has left is kept for revocations");
  }
  reserved_behind_ = data.st_size;
  return absl::OkStatus();
}

bool LmdbEnv::MapIsFull() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  return mdb_env_info(env_, &info) == 0 && mdb_env_stat(env_, &stat) == 0 &&
         (info.me_last_pgno + kMapMarginPages) * stat.ms_psize >= info.me_mapsize;
}

}  // namespace pat
