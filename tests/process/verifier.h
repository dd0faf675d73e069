// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_VERIFIER_H_
#define TESTS_PROCESS_VERIFIER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "pat/authority.h"
#include "tests/process/forwarding_store.h"

inline constexpr int kVerifiers = 2;
inline constexpr std::size_t kMostRevocationTokens = 100'000;

/// What the one who revokes and those who verify tell each other. `sequence` is the order of
/// things: whoever notes a moment takes a number from it.
struct RevocationBoard {
  std::atomic<std::uint64_t> sequence;

  std::atomic<std::uint32_t> token;  ///< Which of `texts` is tried now.

  /// The moment after Deactivate or Delete of this token had returned OK, until right before
  /// Activate is called (or the next token's turn): 0 outside. Each value comes once.
  std::atomic<std::uint64_t> revoked_since;

  /// Likewise: Activate (or Issue) has returned and Deactivate is not yet called.
  std::atomic<std::uint64_t> good_since;

  std::atomic<bool> stop;

  struct alignas(64) Verifier {
    std::atomic<std::uint64_t> judged_by;  ///< The window that the latest Verify fell into.
    std::atomic<std::uint64_t> accepted;
    std::atomic<std::uint64_t> refused;
    std::atomic<std::uint64_t> after_revocation;   ///< All within a `revoked_since`.
    std::atomic<std::uint64_t> accepted_too_late;  ///< Accepted among these.
    std::atomic<std::uint64_t> refused_too_late;   ///< Began after the activation had returned.
    std::atomic<std::uint64_t> other;              ///< Refused for a reason it cannot have.
  };
  std::array<Verifier, kVerifiers> verifiers;

  using Text = std::array<char, 80>;  ///< NUL at the end.
  std::array<Text, kMostRevocationTokens> texts;
};

/// Verifies the board's token without pause until `stop`, and counts.
void VerifyWithoutPause(pat::Authority* authority, RevocationBoard* board,
                        RevocationBoard::Verifier* counts);

/// The control: keeps each thread's latest record for a millisecond, as a well-meant cache would.
class StaleStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override;
};

#endif  // TESTS_PROCESS_VERIFIER_H_
