// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_COMMIT_PHASE_H_
#define TESTS_PROCESS_COMMIT_PHASE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "tests/process/forwarding_store.h"

/// Where a writer stands: told in shared memory, so that whoever kills it knows what it hit.
enum class CommitPhase : std::uint32_t {
  kOutside,
  kApplying,  ///< In the store, perhaps waiting for another writer: nothing is written yet.
  kWriting,   ///< From here on the write lock is held: the first page goes to the file.
  kSynced,    ///< All pages are on the disk, the one that makes them count is not.
  kMeta,      ///< That one is being written.
  kWritten,   ///< It is; the call has not returned yet.
};
inline constexpr int kCommitPhases = 6;

constexpr const char* ToString(CommitPhase phase) {
  constexpr const char* kNames[kCommitPhases] = {"outside", "applying",     "writing pages",
                                                 "synced",  "writing meta", "written"};
  return kNames[static_cast<int>(phase)];
}

/// A commit is under way, and this process is the one that makes it.
constexpr bool InsideCommit(CommitPhase phase) { return phase >= CommitPhase::kWriting; }

/// Notes the phases of what one thread at a time writes through it. commit_phase.cc overrides
/// pwrite, writev and fdatasync for the program, which is how it sees into LMDB's commit.
class PhaseNotingStore : public ForwardingStore {
 public:
  /// `phase` (a CommitPhase) must outlive the process's writing.
  PhaseNotingStore(std::unique_ptr<pat::Store> base, std::atomic<std::uint32_t>* phase);

  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t n) override;
  absl::StatusOr<std::uint32_t> ReserveAccountNumber() override;
  absl::Status Apply(const pat::Batch& batch) override;
};

#endif  // TESTS_PROCESS_COMMIT_PHASE_H_
