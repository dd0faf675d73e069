// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Changes to what there is. Each reads what it rests on, checks the seals, builds one batch and
// applies it with checks that what was read still stands; if not, it starts over.
#include <algorithm>
#include <chrono>
#include <optional>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::size_t kPurgeBatch = 1000;
constexpr std::chrono::seconds kRetryFor{30};
constexpr int kUnguardedTries = 1000;

absl::Status Damaged() {
  return absl::DataLossError(
      "the token's rows do not fit their seals: edited or damaged; it can only be deleted");
}

}  // namespace

absl::Status Authority::Impl::Retry(absl::FunctionRef<absl::Status(const KeyState&)> attempt) {
  const auto deadline = std::chrono::steady_clock::now() + kRetryFor;
  for (;;) {
    const absl::StatusOr<const KeyState*> state = CurrentKeys();
    if (!state.ok()) return state.status();
    absl::Status status = attempt(**state);
    const bool aborted = absl::IsAborted(status);
    if (!aborted && (status.ok() || keys_->IsCurrent(**state))) return status;
    if (aborted) keys_->Recheck(**state);
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError("too many changes at the same time; try again");
    }
  }
}

// What takes rights away happens also where the keys in use now are not to be had: then by those
// this process had last. A record under an older key is as good as any that can never verify.
absl::Status Authority::Impl::Revoke(absl::FunctionRef<absl::Status(const Ledger&)> attempt) {
  absl::Status status = RetryWrite(attempt);
  if (status.ok() || !CheckAlive().ok() || CurrentKeys().ok()) return status;
  const Ledger unguarded(store_.get(), &keys(), {});
  status = absl::AbortedError("");
  for (int i = 0; absl::IsAborted(status) && i < kUnguardedTries; ++i) status = attempt(unguarded);
  if (absl::IsAborted(status)) return absl::UnavailableError("too many changes at the same time");
  return status;
}

absl::Status Authority::Impl::RetryWrite(absl::FunctionRef<absl::Status(const Ledger&)> attempt) {
  return Retry([&](const KeyState& state) { return attempt(LedgerOf(state)); });
}

// ---- Update and delete

absl::StatusOr<TokenEntry> Authority::Impl::ReadOwned(const Ledger& ledger, std::uint64_t id,
                                                      std::string_view owner) {
  absl::StatusOr<TokenEntry> entry = ledger.ReadToken(id);
  if (!entry.ok() || owner.empty()) return entry;
  const absl::StatusOr<bool> owns = ledger.Owns(owner, *entry);
  if (!owns.ok()) return owns.status();
  if (!*owns) return absl::NotFoundError("no such token");
  if (absl::Status s = ledger.Adopt(owner, &*entry); !s.ok()) return s;
  return entry;
}

absl::Status Authority::Impl::BuryOnce(const Ledger& ledger, const TokenEntry& token,
                                       DeleteReason reason, std::uint32_t now) {
  Batch batch;
  ledger.Bury(token, reason, now, &batch);
  if (token.owner.has_value()) {
    const AccountEntry& read = *token.owner;
    // A damaged token's part in the counts is unknown: count anew, which leaves it out.
    absl::StatusOr<Account> next =
        token.sealed ? ledger.CountedAt(read, now) : ledger.Recount(read, now);
    if (absl::IsDataLoss(next.status())) return ledger.Apply(std::move(batch));  // nothing stops it
    if (!next.ok()) return next.status();
    if (token.sealed) CountToken(token.fields, -1, &*next);
    auto& list = next->auto_tokens;
    list.erase(std::remove(list.begin(), list.end(), token.id), list.end());
    ledger.RewriteAccount(read, *std::move(next), &batch);
  }
  return ledger.Apply(std::move(batch));
}

absl::Status Authority::Impl::UpdateOnce(const Ledger& ledger, std::uint64_t id,
                                         const TokenUpdate& update, std::string_view owner,
                                         std::uint32_t now, Token* result, absl::Status* buried) {
  absl::StatusOr<TokenEntry> entry = ReadOwned(ledger, id, owner);
  if (!entry.ok()) return entry.status();
  if (entry->deleted()) return absl::NotFoundError("no such token: it is deleted, for good");
  if (!entry->sealed || entry->fields.unknown_flags != 0) {
    if (!ledger.guarded()) {  // perhaps it is a good one, under a key that is not to be had
      return absl::UnavailableError("the store's keys cannot be loaded: only deleting works");
    }
    if (update.active.value_or(true)) return Damaged();
    *buried = Damaged();  // made before the change: after it nothing may fail
    return BuryOnce(ledger, *entry, DeleteReason::kAdmin, now);
  }
  const RecordFields before = entry->fields;
  Metadata& metadata = *entry->metadata;
  bool changed = false;
  if (update.description.has_value() && *update.description != metadata.description) {
    metadata.description = *update.description;
    changed = true;
  }
  if (update.scopes.has_value()) {
    const absl::StatusOr<PermissionSet> granted = scopes_.Grant(*update.scopes);
    if (!granted.ok()) return granted.status();
    changed = changed || *update.scopes != metadata.scopes || granted->bits() != before.permissions;
    metadata.scopes = *update.scopes;
    entry->fields.permissions = granted->bits();
  }
  Lifecycle cycle = LifecycleOf(before);
  const bool moved = update.active.has_value() &&
                     pat::Apply(*update.active ? Move::kActivate : Move::kDeactivate, cycle) ==
                         MoveResult::kChanged;
  if (moved) entry->fields.state = cycle.active ? StoredState::kActive : StoredState::kInactive;
  // What is handed out takes its memory before the change: after it nothing may fail.
  Token view = ledger.View(*entry, entry->owner->account.id, now);
  if (changed || moved) {
    Batch batch;
    batch.revocation = moved && !cycle.active && !changed;
    ledger.Rewrite(&*entry, &batch);
    if (moved) {
      absl::StatusOr<Account> next = ledger.CountedAt(*entry->owner, now);
      if (next.ok()) {
        CountToken(before, -1, &*next);
        CountToken(entry->fields, 1, &*next);
        ledger.RewriteAccount(*entry->owner, *std::move(next), &batch);
      } else if (cycle.active || !absl::IsDataLoss(next.status())) {  // nothing stops a revocation
        return next.status();
      }
    }
    if (absl::Status s = ledger.Apply(std::move(batch)); !s.ok()) return s;
  }
  *result = std::move(view);
  return absl::OkStatus();
}

absl::StatusOr<Token> Authority::Impl::Update(std::uint64_t id, const TokenUpdate& update,
                                              std::string_view owner) {
  if (update.description.has_value()) {
    if (absl::Status s = ValidateDescription(*update.description); !s.ok()) return s;
  }
  if (update.scopes.has_value()) {
    if (absl::StatusOr<PermissionSet> s = scopes_.Grant(*update.scopes); !s.ok()) return s.status();
  }
  const std::uint32_t now = Now();
  Token token;
  absl::Status buried;
  const auto once = [&](const Ledger& ledger) {
    return UpdateOnce(ledger, id, update, owner, now, &token, &buried);
  };
  const bool revokes = !update.active.value_or(true) && !update.description && !update.scopes;
  const absl::Status status = revokes ? Revoke(once) : RetryWrite(once);
  if (!status.ok()) return status;
  if (!buried.ok()) return buried;  // not before: what is done must not be tried again
  return token;
}

absl::Status Authority::Impl::Delete(std::uint64_t id, std::string_view owner,
                                     DeleteReason reason) {
  if (reason < DeleteReason::kUser || reason > DeleteReason::kAdmin) {
    return absl::InvalidArgumentError("the number is no reason to delete a token");
  }
  const std::uint32_t now = Now();
  return Revoke([&](const Ledger& ledger) { return DeleteOnce(ledger, id, owner, reason, now); });
}

absl::Status Authority::Impl::DeleteOnce(const Ledger& ledger, std::uint64_t id,
                                         std::string_view owner, DeleteReason reason,
                                         std::uint32_t now) {
  const absl::StatusOr<TokenEntry> entry = ReadOwned(ledger, id, owner);
  if (!entry.ok()) return entry.status();
  if (entry->deleted()) return absl::OkStatus();
  return BuryOnce(ledger, *entry, reason, now);
}

// ---- Purge

absl::Status Authority::Impl::PurgeRows(const Ledger& ledger, const std::vector<TokenRow>& rows,
                                        std::uint32_t before, std::size_t most,
                                        std::size_t* purged) {
  *purged = 0;
  Batch batch;
  for (const TokenRow& row : rows) {
    if (batch.tokens.size() == most) break;
    const RecordFields claimed = DecodeRecord(row.record);
    if (claimed.state != StoredState::kDeleted || claimed.time_unix_s >= before) continue;
    const absl::StatusOr<TokenEntry> entry = ledger.ReadToken(row.id);
    if (absl::IsNotFound(entry.status())) continue;
    if (!entry.ok()) return entry.status();
    if (!entry->deleted() || entry->fields.time_unix_s >= before) continue;
    batch.token_checks.push_back({row.id, entry->record});
    batch.tokens.push_back({row.id, TokenRecord()});
    if (entry->owner.has_value()) batch.metadata.push_back({entry->owner->number, row.id, {}});
  }
  if (batch.tokens.empty()) return absl::OkStatus();
  *purged = batch.tokens.size();
  return ledger.Apply(std::move(batch));
}

absl::StatusOr<std::size_t> Authority::Impl::Purge(absl::Time time, std::size_t limit,
                                                   const PassCallback& callback) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  const std::uint32_t before = ClampUnixS(absl::ToUnixSeconds(time));
  const absl::StatusOr<StoreStats> stats = store_->Stats();
  if (!stats.ok()) return stats.status();
  PassProgress progress;
  progress.next_token_id = stats->next_token_id;
  for (std::uint64_t first = 1; progress.written < limit;) {
    const absl::StatusOr<std::vector<TokenRow>> rows = store_->Scan(first, kPurgeBatch);
    if (!rows.ok()) return rows.status();
    if (rows->empty()) break;
    std::size_t gone = 0;
    absl::Status status = RetryWrite([&](const Ledger& ledger) {
      return PurgeRows(ledger, *rows, before, limit - progress.written, &gone);
    });
    if (!status.ok()) return status;
    progress.tokens += rows->size();
    progress.written += gone;
    first = rows->back().id + 1;
    if (status = Report(progress, callback); !status.ok()) return status;
  }
  return progress.written;
}

}  // namespace pat
