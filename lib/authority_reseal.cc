// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Passes over the whole store: all rows under the newest seal key, or copied to a store of another
// realm. Each batch stands for itself, so a pass that is cut short leaves a good store.
#include <algorithm>
#include <optional>
#include <utility>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::size_t kAtOnce = 250;  // what one commit writes: others' changes wait for it

}  // namespace

// ---- Resealing

absl::Status Authority::Impl::ResealAccounts(const Ledger& ledger, AccountWalk* walk, bool* end,
                                             PassProgress* progress) {
  AccountWalk ahead = *walk;
  PassProgress done = *progress;
  Batch batch;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    const absl::StatusOr<std::optional<AccountRow>> row = ahead.Next();
    if (!row.ok()) return row.status();
    *end = !row->has_value();
    if (*end) break;
    ++done.accounts;
    if (SealNumberOfRow((*row)->view()) == ledger.keys().newest_seal().number) continue;
    absl::StatusOr<AccountEntry> entry = ledger.ProveAccount(**row);
    if (entry.ok()) entry = ledger.ReadAccount(entry->account.id);  // as the batch will find it
    if (!entry.ok() && !absl::IsDataLoss(entry.status()) && !absl::IsNotFound(entry.status())) {
      return entry.status();
    }
    if (!entry.ok() || entry->number != (*row)->number) {
      ++done.left;
      continue;
    }
    ledger.RewriteAccount(*entry, entry->account, &batch);
    ++done.written;
  }
  if (!batch.accounts.empty()) {
    if (absl::Status s = ledger.Apply(std::move(batch)); !s.ok()) return s;
  }
  *walk = ahead;
  *progress = done;
  return absl::OkStatus();
}

absl::Status Authority::Impl::ResealTokens(const Ledger& ledger, std::uint64_t first,
                                           std::uint64_t* next, PassProgress* progress) {
  const auto rows = store_->Scan(first, kAtOnce);
  if (!rows.ok()) return rows.status();
  const unsigned newest = ledger.keys().newest_seal().number % kMaxKeys;
  PassProgress done = *progress;
  Batch batch;
  for (const TokenRow& row : *rows) {
    ++done.tokens;
    if (DecodeRecord(row.record).key_slot == newest) continue;
    absl::StatusOr<TokenEntry> entry = ledger.ReadToken(row.id);
    if (absl::IsNotFound(entry.status())) continue;  // purged in this moment
    if (!entry.ok()) return entry.status();
    if (entry->fields.key_slot == newest) continue;
    ledger.Reseal(&*entry, &batch) ? ++done.written : ++done.left;
  }
  if (!batch.tokens.empty()) {
    if (absl::Status s = ledger.Apply(std::move(batch)); !s.ok()) return s;
  }
  *next = rows->size() < kAtOnce ? 0 : rows->back().id + 1;
  *progress = done;
  return absl::OkStatus();
}

absl::StatusOr<PassProgress> Authority::Impl::Reseal(const PassCallback& callback) {
  PassProgress progress;
  const auto begin = store_->Stats();
  if (!begin.ok()) return begin.status();
  progress.next_token_id = begin->next_token_id;
  AccountWalk walk(store_.get());
  for (bool end = false; !end;) {
    const absl::Status status = RetryWrite(
        [&](const Ledger& ledger) { return ResealAccounts(ledger, &walk, &end, &progress); });
    if (!status.ok()) return status;
    if (absl::Status s = Report(progress, callback); !s.ok()) return s;
  }
  for (std::uint64_t first = 1; first != 0;) {
    const absl::StatusOr<StoreStats> stats = store_->Stats();
    if (!stats.ok()) return stats.status();
    progress.next_token_id = stats->next_token_id;
    const absl::Status status = RetryWrite(
        [&](const Ledger& ledger) { return ResealTokens(ledger, first, &first, &progress); });
    if (!status.ok()) return status;
    if (absl::Status s = Report(progress, callback); !s.ok()) return s;
  }
  return progress;
}

// ---- Copying

// What of the account's tokens goes into one batch: the rows as they are, under the target's keys.
absl::Status Authority::Impl::CopyPage(const Ledger& from, const Ledger& to,
                                       const AccountEntry& source, const AccountEntry& copy,
                                       std::uint64_t* before, PassProgress* progress) {
  const auto rows = store_->Page(source.number, *before, kAtOnce);
  if (!rows.ok()) return rows.status();
  Batch batch;
  for (const TokenRow& row : *rows) {
    std::optional<TokenEntry> token = from.Judge(row, source);
    ++progress->tokens;
    if (!token.has_value() || !token->sealed || !token->metadata.has_value() ||
        token->fields.unknown_flags != 0) {
      ++progress->left;
      continue;
    }
    token->owner = copy;
    token->record = TokenRecord();  // what the slot must hold: nothing
    token->metadata->selector_key = 0;
    to.Rewrite(&*token, &batch);
    ++progress->written;
  }
  if (!batch.tokens.empty()) {
    if (absl::Status s = to.Apply(std::move(batch)); !s.ok()) return s;
  }
  *before = rows->size() < kAtOnce ? 0 : rows->back().id;
  return absl::OkStatus();
}

absl::Status Authority::Impl::CopyUses(const AccountEntry& source, Impl* target) {
  for (std::uint64_t before = 0;;) {
    const auto rows = store_->Page(source.number, before, kAtOnce);
    if (!rows.ok()) return rows.status();
    for (const TokenRow& row : *rows) {
      const absl::StatusOr<LastUse> use = store_->ReadUse(row.id);
      if (!use.ok()) return use.status();
      if (use->unix_s == 0) continue;
      target->store_->RecordUse(row.id, use->unix_s, use->ip, use->user_agent);
    }
    if (absl::Status s = target->store_->Flush(); !s.ok()) return s;
    if (rows->size() < kAtOnce) return absl::OkStatus();
    before = rows->back().id;
  }
}

absl::Status Authority::Impl::CopyAccount(const Ledger& from, const AccountRow& row, Impl* target,
                                          PassProgress* progress, const PassCallback& callback) {
  ++progress->accounts;
  const absl::StatusOr<AccountEntry> source = from.ProveAccount(row);
  if (absl::IsDataLoss(source.status())) {
    ++progress->left;
    return Report(*progress, callback);
  }
  if (!source.ok()) return source.status();
  const absl::StatusOr<std::uint32_t> number = target->store_->ReserveAccountNumber();
  if (!number.ok()) return number.status();
  const absl::StatusOr<const KeyState*> state = target->CurrentKeys();
  if (!state.ok()) return state.status();
  const Ledger to = target->LedgerOf(**state);
  AccountEntry copy;
  copy.number = *number;
  copy.account.id = source->account.id;
  Batch batch;
  to.RewriteAccount(copy, source->account, &batch);
  if (absl::Status s = to.Apply(std::move(batch)); !s.ok()) return s;
  ++progress->written;
  std::uint64_t before = 0;
  do {
    absl::Status s = CopyPage(from, to, *source, copy, &before, progress);
    if (s.ok()) s = Report(*progress, callback);
    if (!s.ok()) return s;
  } while (before != 0);
  return CopyUses(*source, target);
}

absl::StatusOr<PassProgress> Authority::Impl::CopyTo(Impl* target, const PassCallback& callback) {
  const absl::StatusOr<const KeyState*> state = CurrentKeys();
  if (!state.ok()) return state.status();
  const absl::StatusOr<StoreStats> there = target->store_->Stats();
  if (!there.ok()) return there.status();
  const absl::StatusOr<const KeyState*> target_state = target->CurrentKeys();
  if (!target_state.ok()) return target_state.status();
  if (target == this || (*target_state)->header.realm == (*state)->header.realm) {
    return absl::FailedPreconditionError("the target has the same realm: it is a copy already");
  }
  if (there->next_token_id != 1 || there->accounts != 0) {
    return absl::FailedPreconditionError("the target holds tokens already");
  }
  const absl::StatusOr<StoreStats> stats = store_->Stats();
  if (!stats.ok()) return stats.status();
  PassProgress progress;
  progress.next_token_id = stats->next_token_id;
  constexpr std::uint64_t kMostIds = 65536;
  for (std::uint64_t next = 1; next < stats->next_token_id;) {  // ids are not given again
    const auto n = static_cast<std::uint32_t>(std::min(kMostIds, stats->next_token_id - next));
    const absl::StatusOr<std::uint64_t> first = target->store_->ReserveTokenIds(n);
    if (!first.ok()) return first.status();
    next = *first + n;
  }
  const Ledger from = LedgerOf(**state);
  for (AccountWalk walk(store_.get());;) {
    const absl::StatusOr<std::optional<AccountRow>> row = walk.Next();
    if (!row.ok()) return row.status();
    if (!row->has_value()) break;
    absl::Status s = CopyAccount(from, **row, target, &progress, callback);
    if (!s.ok()) return s;
  }
  if (!keys_->IsCurrent(**state)) {
    return absl::AbortedError("the store was changed while it was copied: throw the copy away");
  }
  return progress;
}

}  // namespace pat
