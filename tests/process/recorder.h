// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_RECORDER_H_
#define TESTS_PROCESS_RECORDER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "absl/time/time.h"
#include "pat/authority.h"
#include "tests/process/forwarding_store.h"
#include "tests/process/history.h"

/// The time, for all: who is evicted is then told by the ids.
inline absl::Time HistoryTime() { return absl::FromUnixSeconds(1'800'000'000); }

inline constexpr int kMostRecorders = 8;
inline constexpr int kCallsInARound = 10;
inline constexpr int kSlots = 64;

/// What a test and those who record share. In a round each recorder makes its calls on one account,
/// all from the same moment on.
struct HistoryBoard {
  std::atomic<std::uint64_t> sequence;  ///< The clock: whoever notes a moment takes a number.
  std::atomic<std::uint64_t> round;     ///< Begins when it changes.
  std::atomic<int> joined;              ///< Recorders that were given a number.
  std::atomic<int> through;             ///< Recorders that have made their calls.
  std::atomic<bool> stop;

  std::array<char, 32> account;  ///< NUL at the end.

  /// Its tokens: the test's, and those that come in the round.
  struct Slot {
    std::atomic<std::uint64_t> id;  ///< 0: none yet. Set last.
    std::array<char, 80> text;
  };
  std::array<Slot, kSlots> slots;
  std::atomic<int> taken;  ///< Slots that are somebody's; not all have their token yet.

  std::array<std::array<Call, kCallsInARound>, kMostRecorders> calls;
};

/// Lets others have the processor before it goes on, so that calls overlap also where no disk makes
/// them wait.
class YieldingStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    std::this_thread::yield();
    return ForwardingStore::Find(id, record, meta_version);
  }
  absl::Status Apply(const pat::Batch& batch) override {
    std::this_thread::yield();
    return ForwardingStore::Apply(batch);
  }
};

enum class Draws { kAll, kVerify };

/// Makes calls in each round until `stop`, drawn from round and recorder, and records them.
void RecordCalls(pat::Authority* authority, HistoryBoard* board, Draws draws);

#endif  // TESTS_PROCESS_RECORDER_H_
