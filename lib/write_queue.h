// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_WRITE_QUEUE_H_
#define PAT_LIB_WRITE_QUEUE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/lmdb_recent.h"

namespace pat {

/// Group commit: callers who come while one is committing wait together, and then the first of
/// them commits for all. The disk's sync, which is most of a change's time, is shared.
class WriteQueue {
 public:
  using Clock = std::chrono::steady_clock;
  using Change = absl::FunctionRef<absl::Status(MDB_txn*, TxnChanges*)>;
  using Question = absl::FunctionRef<absl::StatusOr<bool>(MDB_txn*)>;

  /// One caller's change; on its stack, until Run returns.
  struct Member {
    Change change;
    Question happened;
    bool revocation;
    absl::Status result{};

    // The leader's, while it is not known whether the transaction will be.
    absl::Status answer{};
    bool wrote = false;

    // The queue's.
    enum class State { kWaiting, kTaken, kLeads, kDone } state = State::kWaiting;
    std::condition_variable wake{};
    Member* next = nullptr;
  };

  /// Joins the queue. The one who leads calls `commit` with the group, a list that begins with
  /// itself; it sets each member's result (and if it throws std::bad_alloc, those it did not reach
  /// get ResourceExhausted). Returns the member's result; Unavailable if nobody took it up by the
  /// deadline.
  absl::Status Run(Member* member, Clock::time_point deadline,
                   absl::FunctionRef<void(Member* group)> commit);

  /// How many wait: for tests.
  int waiting();

 private:
  class Leading;  // what a leader owes the others, also if memory runs out

  Member* TakeGroup();
  void Finish(Member* group, const Member* leader);
  bool Remove(const Member* member);

  std::mutex mutex_;
  bool led_ = false;  // somebody is committing, or was just told to
  Member* first_ = nullptr;
  Member* last_ = nullptr;
};

}  // namespace pat

#endif  // PAT_LIB_WRITE_QUEUE_H_
