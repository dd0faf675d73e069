// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "lib/live_keys.h"
#include "pat/auto_token.h"

namespace pat {
namespace {

constexpr std::size_t kPageRows = 1000;

std::string_view Key(const std::array<char, 4>& key) { return {key.data(), key.size()}; }
std::string_view Key(const std::array<char, 12>& key) { return {key.data(), key.size()}; }

// Absent or structurally broken rows are damage, to be judged; other errors end the call.
bool IsDamage(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsDataLoss(status);
}

absl::Status Unavailable(Store* store) {
  const absl::Status health = store->Health();
  return health.ok() ? absl::UnavailableError("the store could not be read; try again") : health;
}

absl::Status AccountDamaged() {
  return absl::DataLossError("the account's row is damaged: its seal does not fit");
}

std::optional<absl::Time> TimeOrNone(std::uint32_t unix_s) {
  if (unix_s == 0) return std::nullopt;
  return absl::FromUnixSeconds(unix_s);
}

}  // namespace

void CountToken(const RecordFields& fields, int change, Account* account) {
  const bool active = fields.state == StoredState::kActive;
  if (!active && fields.state != StoredState::kInactive) return;
  const std::uint32_t expiry = fields.time_unix_s;
  if (expiry != 0 && expiry <= account->expired_through_unix_s) return;
  std::uint32_t& count = active ? account->active : account->inactive;
  if (change > 0) {
    ++count;
    if (expiry != 0) {
      account->earliest_expiry_unix_s = std::min(account->earliest_expiry_unix_s, expiry);
    }
  } else if (count > 0) {  // an edited store must not make it wrap
    --count;
  }
}

absl::StatusOr<std::optional<AccountRow>> AccountWalk::Next() {
  if (next_ == 0) return std::optional<AccountRow>();
  const absl::StatusOr<AccountRow> row = store_->NextAccount(next_);
  if (absl::IsNotFound(row.status())) return std::optional<AccountRow>();
  if (!row.ok()) return row.status();
  next_ = row->number + 1;
  return std::optional<AccountRow>(*row);
}

absl::Status Ledger::Apply(Batch batch) const {
  if (!header_.empty()) {
    batch.meta_checks.push_back({std::string(kHeaderRow), std::string(header_)});
  }
  return store_->Apply(batch);
}

absl::StatusOr<AccountEntry> Ledger::ProveAccount(const AccountRow& row) const {
  const auto value =
      OpenRow(*keys_, RowTable::kAccount, Key(AccountRowKey(row.number)), row.view());
  std::optional<Account> decoded;
  if (value.has_value()) decoded = DecodeAccount(*value);
  if (!decoded.has_value()) return AccountDamaged();
  return AccountEntry{row.number, std::string(row.view()), *std::move(decoded)};
}

absl::StatusOr<AccountEntry> Ledger::ReadAccount(std::string_view account) const {
  const absl::StatusOr<AccountRow> row = store_->ReadAccount(account);
  if (!row.ok()) return row.status();
  absl::StatusOr<AccountEntry> entry = ProveAccount(*row);
  if (entry.ok() && entry->account.id != account) return AccountDamaged();
  return entry;
}

absl::StatusOr<std::optional<AccountEntry>> Ledger::ReadOwner(const RecordFields& fields) const {
  std::string id(fields.inline_account());
  if (fields.long_account) {
    AccountRow row;
    const Store::Lookup found = store_->FindAccount(fields.account_number(), &row);
    if (found == Store::Lookup::kUnavailable) return Unavailable(store_);
    if (found == Store::Lookup::kAbsent) return std::optional<AccountEntry>();
    const auto value = OpenRow(*keys_, RowTable::kAccount,
                               Key(AccountRowKey(fields.account_number())), row.view());
    const auto bytes = value.has_value() ? AccountIdIn(*value) : std::nullopt;
    if (!bytes.has_value()) return std::optional<AccountEntry>();
    id = *bytes;
  }
  absl::StatusOr<AccountEntry> entry = ReadAccount(id);
  if (entry.ok() && AccountFits(fields, id, *keys_) &&
      (!fields.long_account || entry->number == fields.account_number())) {
    return std::optional<AccountEntry>(*std::move(entry));
  }
  if (!entry.ok() && !IsDamage(entry.status())) return entry.status();
  return std::optional<AccountEntry>();
}

void Ledger::JudgeRows(std::string_view metadata_row, TokenEntry* token) const {
  if (token->owner.has_value()) {
    const auto key = MetadataRowKey(token->owner->number, token->id);
    const auto value = OpenRow(*keys_, RowTable::kMetadata, Key(key), metadata_row);
    if (value.has_value()) token->metadata = DecodeMetadata(*value);
  }
  if (token->metadata.has_value()) {
    token->sealed = token->metadata->version == token->fields.version &&
                    RecordSealFits(*keys_, token->id, token->metadata->digest, token->record);
  }
  if (!token->sealed && token->fields.state == StoredState::kDeleted) {
    token->sealed = RecordSealFits(*keys_, token->id, Digest{}, token->record);
  }
}

absl::StatusOr<TokenEntry> Ledger::ReadTokenOnce(std::uint64_t id) const {
  TokenEntry token;
  token.id = id;
  const Store::Lookup found = store_->Find(id, &token.record);
  if (found == Store::Lookup::kUnavailable) return Unavailable(store_);
  if (found == Store::Lookup::kAbsent) return absl::NotFoundError("no such token");
  token.fields = DecodeRecord(token.record);
  absl::StatusOr<std::optional<AccountEntry>> owner = ReadOwner(token.fields);
  if (!owner.ok()) return owner.status();
  token.owner = *std::move(owner);
  absl::StatusOr<std::string> row = std::string();
  if (token.owner.has_value()) row = store_->ReadMetadata(token.owner->number, id);
  if (!row.ok() && !IsDamage(row.status())) return row.status();
  JudgeRows(row.ok() ? std::string_view(*row) : std::string_view(), &token);
  return token;
}

absl::StatusOr<TokenEntry> Ledger::ReadToken(std::uint64_t id) const {
  if (id == 0 || id > kMaxTokenId) return absl::NotFoundError("no such token");
  // Rows read one after the other may be of two moments. They are taken for damaged only if the
  // record did not change meanwhile; every change of a token changes its record.
  for (;;) {
    absl::StatusOr<TokenEntry> token = ReadTokenOnce(id);
    if (!token.ok() || token->sealed) return token;
    TokenRecord again;
    const Store::Lookup found = store_->Find(id, &again);
    if (found == Store::Lookup::kUnavailable) return Unavailable(store_);
    if (found == Store::Lookup::kFound && again == token->record) return token;
  }
}

std::optional<TokenEntry> Ledger::Judge(const TokenRow& row, const AccountEntry& owner) const {
  if (row.record.empty()) return std::nullopt;
  TokenEntry token;
  token.id = row.id;
  token.record = row.record;
  token.fields = DecodeRecord(row.record);
  token.owner = owner;
  JudgeRows(row.metadata, &token);
  const bool mine = AccountFits(token.fields, owner.account.id, *keys_);
  if (token.sealed && !mine) return std::nullopt;
  return token;
}

absl::StatusOr<bool> Ledger::Owns(std::string_view account, const TokenEntry& token) const {
  if (token.owner.has_value() && token.owner->account.id == account) return true;
  if (AccountFits(token.fields, account, *keys_)) return true;
  if (token.sealed) return false;
  absl::StatusOr<AccountRow> row = store_->ReadAccount(account);
  if (!row.ok()) return IsDamage(row.status()) ? absl::StatusOr<bool>(false) : row.status();
  const auto value =
      OpenRow(*keys_, RowTable::kAccount, Key(AccountRowKey(row->number)), row->view());
  if (value.has_value() && AccountIdIn(*value) != account) return false;  // the name was remapped
  const absl::StatusOr<std::string> metadata = store_->ReadMetadata(row->number, token.id);
  if (!metadata.ok() && !IsDamage(metadata.status())) return metadata.status();
  return metadata.ok();
}

absl::Status Ledger::Adopt(std::string_view account, TokenEntry* token) const {
  if (token->sealed) return absl::OkStatus();
  if (token->owner.has_value() && token->owner->account.id == account) return absl::OkStatus();
  token->owner.reset();
  token->metadata.reset();
  absl::StatusOr<AccountEntry> entry = ReadAccount(account);
  if (!entry.ok()) return IsDamage(entry.status()) ? absl::OkStatus() : entry.status();
  const auto key = MetadataRowKey(entry->number, token->id);
  token->owner = *std::move(entry);
  const absl::StatusOr<std::string> row = store_->ReadMetadata(token->owner->number, token->id);
  if (!row.ok()) return IsDamage(row.status()) ? absl::OkStatus() : row.status();
  const auto value = OpenRow(*keys_, RowTable::kMetadata, Key(key), *row);
  if (value.has_value()) token->metadata = DecodeMetadata(*value);
  return absl::OkStatus();
}

absl::StatusOr<Account> Ledger::CountedAt(const AccountEntry& entry, std::uint32_t now) const {
  if (entry.account.expired_through_unix_s <= now && now < entry.account.earliest_expiry_unix_s) {
    return entry.account;
  }
  return Recount(entry, now);
}

absl::StatusOr<Account> Ledger::Recount(const AccountEntry& entry, std::uint32_t now) const {
  Account counted;
  counted.id = entry.account.id;
  counted.version = entry.account.version;
  std::vector<RecordFields> all;
  for (std::uint64_t before = 0;;) {
    absl::StatusOr<std::vector<TokenRow>> page = store_->Page(entry.number, before, kPageRows);
    if (!page.ok()) return page.status();
    for (const TokenRow& row : *page) {
      const std::optional<TokenEntry> token = Judge(row, entry);
      if (!token.has_value() || !token->sealed || token->deleted()) continue;
      const std::uint32_t expiry = token->fields.time_unix_s;
      if (expiry != 0 && expiry <= now) {
        counted.expired_through_unix_s = std::max(counted.expired_through_unix_s, expiry);
      } else {
        CountToken(token->fields, 1, &counted);
      }
      if (token->fields.origin == Origin::kAuto && counted.auto_tokens.size() < kMaxAutoTokens) {
        counted.auto_tokens.push_back(row.id);
      }
    }
    if (page->size() < kPageRows) break;
    before = page->back().id;
  }
  return counted;
}

void Ledger::Bury(const TokenEntry& token, DeleteReason reason, std::uint32_t now,
                  Batch* batch) const {
  RecordFields fields;  // of a damaged record nothing is worth keeping but whose it may have been
  if (token.sealed) {
    fields = token.fields;
  } else if (!token.fields.long_account) {
    fields.account_size = token.fields.account_size;
    fields.account = token.fields.account;
  } else {
    fields.account_size = 1;
  }
  if (token.owner.has_value()) {
    SetAccount(token.owner->account.id, token.owner->number, keys_->newest_seal(), &fields);
  }
  fields.version = static_cast<std::uint16_t>(token.fields.version + 1U);
  fields.state = StoredState::kDeleted;
  fields.reason = reason;
  fields.time_unix_s = now;
  const Digest digest = token.metadata.has_value() ? token.metadata->digest : Digest{};
  batch->revocation = true;
  batch->token_checks.push_back({token.id, token.record});
  batch->tokens.push_back({token.id, SealRecord(*keys_, token.id, digest, fields)});
  if (!token.owner.has_value()) return;
  std::string row;
  if (token.metadata.has_value()) {
    Metadata metadata = *token.metadata;
    metadata.version = fields.version;
    row = SealRow(*keys_, RowTable::kMetadata, Key(MetadataRowKey(token.owner->number, token.id)),
                  EncodeMetadata(metadata));
  }
  batch->metadata.push_back({token.owner->number, token.id, std::move(row)});
}

void Ledger::Rewrite(TokenEntry* token, Batch* batch) const {
  batch->token_checks.push_back({token->id, token->record});
  token->fields.version = static_cast<std::uint16_t>(token->fields.version + 1U);
  token->metadata->version = token->fields.version;
  SetAccount(token->owner->account.id, token->owner->number, keys_->newest_seal(), &token->fields);
  token->record = SealRecord(*keys_, token->id, token->metadata->digest, token->fields);
  batch->tokens.push_back({token->id, token->record});
  batch->metadata.push_back(
      {token->owner->number, token->id,
       SealRow(*keys_, RowTable::kMetadata, Key(MetadataRowKey(token->owner->number, token->id)),
               EncodeMetadata(*token->metadata))});
}

bool Ledger::Reseal(TokenEntry* token, Batch* batch) const {
  if (!token->sealed || token->fields.unknown_flags != 0) return false;
  if (token->owner.has_value() && token->metadata.has_value()) {
    Rewrite(token, batch);
    return true;
  }
  // Deleted, and its digest lost: then its seal is over none.
  batch->token_checks.push_back({token->id, token->record});
  token->fields.version = static_cast<std::uint16_t>(token->fields.version + 1U);
  token->record = SealRecord(*keys_, token->id, Digest{}, token->fields);
  batch->tokens.push_back({token->id, token->record});
  return true;
}

void Ledger::RewriteAccount(const AccountEntry& read, Account account, Batch* batch) const {
  batch->account_checks.push_back({account.id, read.row});
  account.version = read.account.version + 1;
  std::string row =
      SealRow(*keys_, RowTable::kAccount, Key(AccountRowKey(read.number)), EncodeAccount(account));
  batch->accounts.push_back({account.id, read.number, std::move(row)});
}

Token Ledger::View(const TokenEntry& entry, std::string_view account, std::uint32_t now) const {
  Token token;
  token.id = entry.id;
  token.public_id = PublicIdOf(*keys_, entry.id);
  token.account = account;
  token.permissions = PermissionSet::FromBits(entry.fields.permissions);
  token.state = StateAt(LifecycleOf(entry.fields), absl::FromUnixSeconds(now));
  token.origin = entry.fields.origin;
  token.damaged = !entry.sealed;
  token.created_at = absl::UnixEpoch();
  if (entry.metadata.has_value()) {
    token.description = entry.metadata->description;
    token.scopes = entry.metadata->scopes;
    token.created_at = absl::FromUnixSeconds(entry.metadata->created_unix_s);
    token.expires_at = TimeOrNone(entry.metadata->expires_unix_s);
    token.attributes = entry.metadata->attributes;
  }
  if (entry.fields.state == StoredState::kDeleted) {
    token.deleted_at = TimeOrNone(entry.fields.time_unix_s);
    token.delete_reason = entry.fields.reason;
  } else {
    token.expires_at = TimeOrNone(entry.fields.time_unix_s);
  }
  if (absl::StatusOr<LastUse> use = store_->ReadUse(entry.id); use.ok()) {
    token.last_used_at = TimeOrNone(std::min(use->unix_s, now));
    token.last_used_ip = std::move(use->ip);
    token.last_used_user_agent = std::move(use->user_agent);
  }
  return token;
}

}  // namespace pat
