// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/commit_phase.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>

namespace {

std::atomic<std::atomic<std::uint32_t>*> noted{nullptr};

// Moves from one phase to the next; stays where it is if it stands elsewhere.
void Advance(CommitPhase from, CommitPhase to) {
  std::atomic<std::uint32_t>* const phase = noted.load(std::memory_order_relaxed);
  auto expected = static_cast<std::uint32_t>(from);
  if (phase != nullptr) phase->compare_exchange_strong(expected, static_cast<std::uint32_t>(to));
}

void Set(CommitPhase to) {
  std::atomic<std::uint32_t>* const phase = noted.load(std::memory_order_relaxed);
  if (phase != nullptr) phase->store(static_cast<std::uint32_t>(to));
}

class Applying {
 public:
  Applying() { Set(CommitPhase::kApplying); }
  ~Applying() { Set(CommitPhase::kOutside); }
  Applying(const Applying&) = delete;
  Applying& operator=(const Applying&) = delete;
};

void BeforeWrite() {
  Advance(CommitPhase::kApplying, CommitPhase::kWriting);
  Advance(CommitPhase::kSynced, CommitPhase::kMeta);
}

}  // namespace

// The program's own come before the C library's for every library it loads.
static_assert(sizeof(off_t) == sizeof(long), "an offset is one argument of a system call");

extern "C" ssize_t pwrite(int fd, const void* bytes, size_t n, off_t offset) {
  BeforeWrite();
  const ssize_t written = syscall(SYS_pwrite64, fd, bytes, n, offset);
  Advance(CommitPhase::kMeta, CommitPhase::kWritten);
  return written;
}

extern "C" ssize_t writev(int fd, const struct iovec* parts, int n) {
  BeforeWrite();
  return syscall(SYS_writev, fd, parts, n);
}

extern "C" int fdatasync(int fd) {
  const int rc = static_cast<int>(syscall(SYS_fdatasync, fd));
  Advance(CommitPhase::kWriting, CommitPhase::kSynced);
  return rc;
}

PhaseNotingStore::PhaseNotingStore(std::unique_ptr<pat::Store> base,
                                   std::atomic<std::uint32_t>* phase)
    : ForwardingStore(std::move(base)) {
  noted.store(phase);
}

absl::StatusOr<std::uint64_t> PhaseNotingStore::ReserveTokenIds(std::uint32_t n) {
  const Applying applying;
  return ForwardingStore::ReserveTokenIds(n);
}

absl::StatusOr<std::uint32_t> PhaseNotingStore::ReserveAccountNumber() {
  const Applying applying;
  return ForwardingStore::ReserveAccountNumber();
}

absl::Status PhaseNotingStore::Apply(const pat::Batch& batch) {
  const Applying applying;
  return ForwardingStore::Apply(batch);
}
