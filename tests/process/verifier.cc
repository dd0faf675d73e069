// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/verifier.h"

#include <algorithm>
#include <chrono>

void VerifyWithoutPause(pat::Authority* authority, RevocationBoard* board,
                        RevocationBoard::Verifier* counts) {
  while (!board->stop.load()) {
    // Windows that are open now, and still are after the call, were open all along: no moment is
    // given twice. What is read before `began` is taken came before it.
    const std::uint64_t revoked_since = board->revoked_since.load();
    const std::uint64_t good_since = board->good_since.load();
    const char* const text = board->texts[board->token.load()].data();
    const std::uint64_t began = board->sequence.fetch_add(1) + 1;

    const pat::Decision decision = authority->Verify(text);

    const bool accepted = decision.principal() != nullptr;
    (accepted ? counts->accepted : counts->refused).fetch_add(1);
    if (revoked_since != 0 && revoked_since < began &&
        board->revoked_since.load() == revoked_since) {
      counts->after_revocation.fetch_add(1);
      if (accepted) counts->accepted_too_late.fetch_add(1);
    }
    if (!accepted && good_since != 0 && good_since < began &&
        board->good_since.load() == good_since) {
      counts->refused_too_late.fetch_add(1);
    }
    if (!accepted && decision.refusal()->reason() != pat::RefusalReason::kInactive &&
        decision.refusal()->reason() != pat::RefusalReason::kDeleted) {
      counts->other.fetch_add(1);
    }
    counts->judged_by.store(std::max(revoked_since, good_since));
  }
}

pat::Store::Lookup StaleStore::Find(std::uint64_t id, pat::TokenRecord* record,
                                    std::uint64_t* meta_version) noexcept {
  struct Kept {
    std::uint64_t id = 0;
    pat::TokenRecord record;
    std::uint64_t meta_version = 0;
    std::chrono::steady_clock::time_point since;
  };
  thread_local Kept kept;
  const auto now = std::chrono::steady_clock::now();
  if (kept.id != id || now - kept.since > std::chrono::milliseconds(1)) {
    const Lookup found = ForwardingStore::Find(id, &kept.record, &kept.meta_version);
    if (found != Lookup::kFound) return found;
    kept.id = id;
    kept.since = now;
  }
  *record = kept.record;
  *meta_version = kept.meta_version;
  return Lookup::kFound;
}
