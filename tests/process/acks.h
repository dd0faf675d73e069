// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_ACKS_H_
#define TESTS_PROCESS_ACKS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "pat/authority.h"

/// What writers that may be killed at any moment were promised: a table of acknowledgements in
/// shared memory. Each writer has tokens of its own, which nobody else changes, except that a
/// sign-in of any writer may evict an auto token.

inline constexpr int kWriters = 4;
inline constexpr std::uint32_t kMostTokensOfAWriter = 200'000;

/// A token's state and the number in its description.
struct Seen {
  enum State : std::uint32_t { kNone, kActive, kInactive, kDeleted };
  State state = kNone;
  std::uint32_t name = 0;
  friend bool operator==(Seen a, Seen b) { return a.state == b.state && a.name == b.name; }
};

/// What is promised of a token: how it is, or, while a change is under way, how it was or will be.
/// One word, so that a writer's death leaves it whole. `change` grows with each new word.
struct Promise {
  Seen acknowledged;
  std::optional<Seen> under_way;
  std::uint32_t change = 0;

  std::uint64_t Pack() const;
  static Promise Unpack(std::uint64_t word);

  /// Whether the token may be seen like this. An auto token may be evicted at any time.
  bool Allows(Seen seen, bool automatic) const;
};

struct AckedToken {
  std::atomic<std::uint64_t> promise;  ///< A Promise. 0: nobody was told of this token.
  // Written before the first promise, then left alone.
  std::uint64_t id;
  std::uint32_t account;
  bool automatic;
  std::array<char, 68> text;  ///< NUL at the end.
};

struct AckedWriter {
  alignas(64) std::atomic<std::uint32_t> phase;  ///< A CommitPhase.
  std::atomic<std::uint32_t> tokens;             ///< How many of `token` were begun.
  std::atomic<std::uint32_t> lives;
  std::atomic<std::uint32_t> opened;   ///< Lives that opened the store.
  std::atomic<std::uint32_t> issuing;  ///< The account a token is being issued for, + 1.
  std::atomic<std::uint64_t> issues;   ///< Acknowledged ...
  std::atomic<std::uint64_t> changes;
  std::atomic<std::uint64_t> deletions;
  std::array<AckedToken, kMostTokensOfAWriter> token;
};

struct AckTable {
  std::array<AckedWriter, kWriters> writers;

  std::atomic<bool> stop_watching;
  std::atomic<std::uint64_t> watched;  ///< Verifies of the watcher.

  std::atomic<std::uint32_t> complaints;
  std::array<char, 512> complaint;  ///< The first one. NUL at the end.

  /// Something is not as promised (or fails): counted, the first kept. No secrets in it.
  void Complain(const std::string& what);
};

/// Accounts: the first few are everybody's, with ids of all kinds; those after them come new.
inline constexpr std::uint32_t kCommonAccounts = 6;
std::string AckedAccount(std::uint32_t account);

/// The description with a number, and back.
std::string NameOf(std::uint32_t number);
std::uint32_t NumberOf(const std::string& name);

/// Reads the token as it is. Complains and returns none if it cannot be read.
std::optional<Seen> Look(pat::Authority* authority, const AckedToken& token, AckTable* table);

/// Presents the token. The name stays 0. Complains and returns none for an answer that no state
/// of this token has.
std::optional<Seen> Present(pat::Authority* authority, const AckedToken& token, AckTable* table);

#endif  // TESTS_PROCESS_ACKS_H_
