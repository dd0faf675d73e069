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

absl::Status Damaged() {
  return absl::DataLossError(
      "the token's rows do not fit their seals: edited or damaged; it can only be deleted");
}

}  // namespace

absl::Status Authority::Impl::Retry(absl::FunctionRef<absl::Status()> attempt) {
  const auto deadline = std::chrono::steady_clock::now() + kRetryFor;
  for (;;) {
    absl::Status status = attempt();
    if (!absl::IsAborted(status)) return status;
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError("too many changes at the same time; try again");
    }
  }
}

// ---- Update and delete

absl::StatusOr<TokenEntry> Authority::Impl::ReadOwned(std::uint64_t id,
                                                      std::string_view owner) const {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  absl::StatusOr<TokenEntry> entry = ledger_.ReadToken(id);
  if (!entry.ok() || owner.empty()) return entry;
  const absl::StatusOr<bool> owns = ledger_.Owns(owner, *entry);
  if (!owns.ok()) return owns.status();
  if (!*owns) return absl::NotFoundError("no such token");
  if (absl::Status s = ledger_.Adopt(owner, &*entry); !s.ok()) return s;
  return entry;
}

absl::Status Authority::Impl::BuryOnce(const TokenEntry& token, DeleteReason reason,
                                       std::uint32_t now) {
  Batch batch;
  ledger_.Bury(token, reason, now, &batch);
  if (token.owner.has_value()) {
    const AccountEntry& read = *token.owner;
    // A damaged token's part in the counts is unknown: count anew, which leaves it out.
    absl::StatusOr<Account> next =
        token.sealed ? ledger_.CountedAt(read, now) : ledger_.Recount(read, now);
    if (absl::IsDataLoss(next.status())) return store_->Apply(batch);  // nothing stops a revocation
    if (!next.ok()) return next.status();
    if (token.sealed) CountToken(token.fields, -1, &*next);
    auto& list = next->auto_tokens;
    list.erase(std::remove(list.begin(), list.end(), token.id), list.end());
    ledger_.RewriteAccount(read, *std::move(next), &batch);
  }
  return store_->Apply(batch);
}

absl::Status Authority::Impl::UpdateOnce(std::uint64_t id, const TokenUpdate& update,
                                         std::string_view owner, std::uint32_t now, Token* result) {
  absl::StatusOr<TokenEntry> entry = ReadOwned(id, owner);
  if (!entry.ok()) return entry.status();
  if (entry->deleted()) return absl::NotFoundError("no such token: it is deleted, for good");
  if (!entry->sealed || entry->fields.unknown_flags != 0) {
    if (update.active.value_or(true)) return Damaged();
    const absl::Status buried = BuryOnce(*entry, DeleteReason::kAdmin, now);
    return buried.ok() ? Damaged() : buried;
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
  Token view = ledger_.View(*entry, entry->owner->account.id, now);
  if (changed || moved) {
    Batch batch;
    batch.revocation = moved && !cycle.active && !changed;
    ledger_.Rewrite(&*entry, &batch);
    if (moved) {
      absl::StatusOr<Account> next = ledger_.CountedAt(*entry->owner, now);
      if (next.ok()) {
        CountToken(before, -1, &*next);
        CountToken(entry->fields, 1, &*next);
        ledger_.RewriteAccount(*entry->owner, *std::move(next), &batch);
      } else if (cycle.active || !absl::IsDataLoss(next.status())) {  // nothing stops a revocation
        return next.status();
      }
    }
    if (absl::Status s = store_->Apply(batch); !s.ok()) return s;
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
  const absl::Status status = Retry([&] { return UpdateOnce(id, update, owner, now, &token); });
  if (!status.ok()) return status;
  return token;
}

absl::Status Authority::Impl::Delete(std::uint64_t id, std::string_view owner,
                                     DeleteReason reason) {
  if (reason < DeleteReason::kUser || reason > DeleteReason::kAdmin) {
    return absl::InvalidArgumentError("the number is no reason to delete a token");
  }
  const std::uint32_t now = Now();
  return Retry([&]() -> absl::Status {
    const absl::StatusOr<TokenEntry> entry = ReadOwned(id, owner);
    if (!entry.ok()) return entry.status();
    if (entry->deleted()) return absl::OkStatus();
    return BuryOnce(*entry, reason, now);
  });
}

// ---- Purge

absl::StatusOr<std::size_t> Authority::Impl::PurgeRows(const std::vector<TokenRow>& rows,
                                                       std::uint32_t before) {
  Batch batch;
  for (const TokenRow& row : rows) {
    const RecordFields claimed = DecodeRecord(row.record);
    if (claimed.state != StoredState::kDeleted || claimed.time_unix_s >= before) continue;
    const absl::StatusOr<TokenEntry> entry = ledger_.ReadToken(row.id);
    if (absl::IsNotFound(entry.status())) continue;
    if (!entry.ok()) return entry.status();
    if (!entry->deleted() || entry->fields.time_unix_s >= before) continue;
    batch.token_checks.push_back({row.id, entry->record});
    batch.tokens.push_back({row.id, TokenRecord()});
    if (entry->owner.has_value()) batch.metadata.push_back({entry->owner->number, row.id, {}});
  }
  if (batch.tokens.empty()) return 0;
  if (absl::Status s = store_->Apply(batch); !s.ok()) return s;
  return batch.tokens.size();
}

absl::StatusOr<std::size_t> Authority::Impl::Purge(absl::Time time, std::size_t limit) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  const std::uint32_t before = ClampUnixS(absl::ToUnixSeconds(time));
  std::size_t purged = 0;
  for (std::uint64_t first = 1; purged < limit;) {
    const std::size_t most = std::min(kPurgeBatch, limit - purged);
    const absl::StatusOr<std::vector<TokenRow>> rows = store_->Scan(first, most);
    if (!rows.ok()) return rows.status();
    if (rows->empty()) break;
    std::size_t gone = 0;
    const absl::Status status = Retry([&] {
      absl::StatusOr<std::size_t> count = PurgeRows(*rows, before);
      if (count.ok()) gone = *count;
      return count.status();
    });
    if (!status.ok()) return status;
    purged += gone;
    first = rows->back().id + 1;
  }
  return purged;
}

}  // namespace pat
