// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Making tokens, and evicting auto tokens for new ones in the same batch.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/crypto.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::size_t kMostIssuedAtOnce = 10000;

}  // namespace

struct Authority::Impl::NewToken {
  TokenEntry entry;  // owner: account id only, until it is written
  std::string account;
  TokenText text;
  std::vector<std::uint64_t> evicted;
};

struct Authority::Impl::AccountInChange {
  AccountEntry read;
  Account next;
  std::vector<std::uint64_t> evicted = {};
};

absl::StatusOr<Authority::Impl::NewToken> Authority::Impl::Prepare(const IssueRequest& request,
                                                                   std::uint32_t now) const {
  if (absl::Status s = ValidateAccount(request.account); !s.ok()) return s;
  if (absl::Status s = ValidateDescription(request.description); !s.ok()) return s;
  if (absl::Status s = ValidateAttributes(request.attributes); !s.ok()) return s;
  if (request.origin != Origin::kManual && request.origin != Origin::kAuto) {
    return absl::InvalidArgumentError("the number is no origin of a token");
  }
  NewToken token;
  token.account = request.account;
  TokenEntry& entry = token.entry;
  Metadata metadata;
  metadata.scopes = request.scopes;
  if (request.origin == Origin::kAuto && request.scopes.empty()) metadata.scopes = policy_.scopes;
  absl::StatusOr<PermissionSet> granted = scopes_.Grant(metadata.scopes);
  if (!granted.ok()) return granted.status();
  metadata.description = request.description;
  metadata.attributes = request.attributes;
  metadata.created_unix_s = now;
  if (request.expires_at.has_value()) {
    const std::int64_t expiry = absl::ToUnixSeconds(*request.expires_at);
    if (expiry <= now) return absl::InvalidArgumentError("an expiry lies in the future");
    if (expiry > kLatestUnixS) {
      return absl::InvalidArgumentError("an expiry is at latest 2106-02-07T06:28:14Z");
    }
    metadata.expires_unix_s = static_cast<std::uint32_t>(expiry);
  }
  entry.fields.permissions = granted->bits();
  entry.fields.time_unix_s = metadata.expires_unix_s;
  entry.fields.state = StoredState::kActive;
  entry.fields.origin = request.origin;
  entry.metadata = std::move(metadata);
  entry.sealed = true;
  return token;
}

// Under the newest selector key of `keys`: if another is in use by the time of the commit, all
// over.
absl::Status Authority::Impl::MakeSecret(const KeySet& keys, NewToken* token) const {
  std::array<char, kSecretLength> secret;
  if (!crypto::RandomText(token_text_internal::kAlphabet, crypto::RandomBytes, secret.data(),
                          secret.size())) {
    return absl::InternalError("the random number generator failed");
  }
  token->text = ComposeTokenText(prefixes_.front(), SelectorOf(keys, token->entry.id),
                                 {secret.data(), secret.size()});
  crypto::Wipe(secret.data(), secret.size());
  const std::string_view body = token->text.Reveal().substr(prefixes_.front().size());
  token->entry.metadata->digest =
      crypto::Sha256Half(body.substr(0, kSelectorLength + kSecretLength));
  token->entry.metadata->selector_key = keys.selector(0).number;
  return absl::OkStatus();
}

absl::StatusOr<Authority::Impl::AccountInChange> Authority::Impl::BeginAccount(
    const Ledger& ledger, const std::string& account, std::uint32_t now) {
  absl::StatusOr<AccountEntry> read = ledger.ReadAccount(account);
  if (absl::IsNotFound(read.status())) {
    AccountInChange fresh;
    fresh.read.account.id = account;
    fresh.next = fresh.read.account;
    return fresh;
  }
  if (!read.ok()) return read.status();
  absl::StatusOr<Account> counted = ledger.CountedAt(*read, now);
  if (!counted.ok()) return counted.status();
  return AccountInChange{*std::move(read), *std::move(counted)};
}

absl::Status Authority::Impl::Evict(const Ledger& ledger, int arriving, std::uint32_t now,
                                    AccountInChange* account, Batch* batch) {
  std::vector<AutoToken> candidates;
  std::map<std::uint64_t, TokenEntry> entries;
  std::size_t good = 0;
  for (const std::uint64_t id : account->next.auto_tokens) {
    absl::StatusOr<TokenEntry> entry = ledger.ReadToken(id);
    if (absl::IsNotFound(entry.status())) continue;
    if (!entry.ok()) return entry.status();
    AutoToken candidate;
    candidate.id = id;
    if (entry->sealed) {  // the record decides, not the list
      if (entry->deleted() || entry->fields.origin != Origin::kAuto ||
          !AccountFits(entry->fields, account->next.id, ledger.keys())) {
        continue;
      }
      const absl::StatusOr<LastUse> use = store_->ReadUse(id);
      if (!use.ok() && !absl::IsNotFound(use.status())) return use.status();
      candidate.created_at = absl::FromUnixSeconds(entry->metadata->created_unix_s);
      if (use.ok() && use->unix_s != 0) {
        candidate.last_used_at = absl::FromUnixSeconds(std::min(use->unix_s, now));
      }
      candidate.expired =
          StateAt(LifecycleOf(entry->fields), absl::FromUnixSeconds(now)) == State::kExpired;
      ++good;
    } else {  // damaged: of no use to anybody, so it goes first
      if (absl::Status s = ledger.Adopt(account->next.id, &*entry); !s.ok()) return s;
      candidate.created_at = absl::InfinitePast();
      candidate.expired = true;
    }
    candidates.push_back(candidate);
    entries.emplace(id, *std::move(entry));
  }
  if (good != account->next.auto_tokens.size()) {  // damage: such tokens are in no count
    absl::StatusOr<Account> counted = ledger.Recount(account->read, now);
    if (!counted.ok()) return counted.status();
    account->next = *std::move(counted);
  }
  account->next.auto_tokens.clear();
  for (const AutoToken& candidate : candidates) account->next.auto_tokens.push_back(candidate.id);
  for (const std::uint64_t id : PickEvictions(candidates, arriving, policy_.max_per_account)) {
    const TokenEntry& entry = entries.at(id);
    ledger.Bury(entry, DeleteReason::kEvicted, now, batch);
    if (entry.sealed) CountToken(entry.fields, -1, &account->next);
    auto& list = account->next.auto_tokens;
    list.erase(std::remove(list.begin(), list.end(), id), list.end());
    account->evicted.push_back(id);
  }
  batch->revocation = false;  // the new token is what it is about
  return absl::OkStatus();
}

absl::Status Authority::Impl::IssueOnce(const Ledger& ledger, std::vector<NewToken>* tokens,
                                        std::uint32_t now,
                                        std::map<std::string, std::uint32_t>* new_numbers) {
  Batch batch;
  std::map<std::string, AccountInChange> accounts;
  std::map<std::string, int> arriving;
  for (const NewToken& token : *tokens) {
    arriving[token.account] += token.entry.fields.origin == Origin::kAuto ? 1 : 0;
  }
  for (const auto& [id, autos] : arriving) {
    absl::StatusOr<AccountInChange> account = BeginAccount(ledger, id, now);
    if (!account.ok()) return account.status();
    if (autos > 0) {
      if (absl::Status s = Evict(ledger, autos, now, &*account, &batch); !s.ok()) return s;
    }
    if (account->read.row.empty()) {
      std::uint32_t& number = (*new_numbers)[id];
      if (number == 0) {
        absl::StatusOr<std::uint32_t> reserved = store_->ReserveAccountNumber();
        if (!reserved.ok()) return reserved.status();
        number = *reserved;
      }
      account->read.number = number;
    }
    accounts.emplace(id, *std::move(account));
  }
  for (NewToken& token : *tokens) {
    AccountInChange& account = accounts.at(token.account);
    if (absl::Status s = MakeSecret(ledger.keys(), &token); !s.ok()) return s;
    token.entry.owner = account.read;
    token.entry.record = TokenRecord();  // what the slot must hold now: nothing
    token.entry.fields.version = 0;
    ledger.Rewrite(&token.entry, &batch);
    CountToken(token.entry.fields, 1, &account.next);
    if (token.entry.fields.origin == Origin::kAuto) {
      account.next.auto_tokens.push_back(token.entry.id);
      token.evicted = std::exchange(account.evicted, {});
    }
  }
  for (const auto& [id, account] : accounts) {
    ledger.RewriteAccount(account.read, account.next, &batch);
  }
  absl::Status status = ledger.Apply(std::move(batch));
  if (!absl::IsAborted(status)) return status;
  for (const NewToken& token : *tokens) {
    TokenRecord record;
    if (store_->Find(token.entry.id, &record) == Store::Lookup::kFound) {
      return absl::DataLossError("a fresh token id is in use: the store's next id was set back");
    }
  }
  return status;
}

// Else they would evict each other.
absl::Status Authority::Impl::CheckAutoTokens(absl::Span<const IssueRequest> requests) const {
  std::map<std::string_view, int> arriving;
  for (const IssueRequest& request : requests) {
    if (request.origin != Origin::kAuto) continue;
    if (++arriving[request.account] > policy_.max_per_account) {
      return absl::InvalidArgumentError("more auto tokens at once than an account may have");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Issued>> Authority::Impl::IssueMany(
    absl::Span<const IssueRequest> requests) {
  const absl::StatusOr<const KeyState*> state = CurrentKeys();
  if (!state.ok()) return state.status();
  if (requests.size() > kMostIssuedAtOnce) {
    return absl::InvalidArgumentError("at most 10000 tokens can be issued at once");
  }
  if (absl::Status s = CheckAutoTokens(requests); !s.ok()) return s;
  std::vector<Issued> issued;
  if (requests.empty()) return issued;
  const std::uint32_t now = Now();
  std::vector<NewToken> tokens;
  tokens.reserve(requests.size());
  for (const IssueRequest& request : requests) {
    absl::StatusOr<NewToken> token = Prepare(request, now);
    if (!token.ok()) return token.status();
    tokens.push_back(*std::move(token));
  }
  const absl::StatusOr<std::uint64_t> first =
      store_->ReserveTokenIds(static_cast<std::uint32_t>(tokens.size()));
  if (!first.ok()) return first.status();
  if (*first == 0 || *first + tokens.size() - 1 > kMaxTokenId) {
    return absl::ResourceExhaustedError("the store has no token ids left");
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i].entry.id = *first + i;
  std::map<std::string, std::uint32_t> new_numbers;
  // What is handed out takes its memory before the change: after it nothing may fail.
  issued.reserve(tokens.size());
  for (const NewToken& token : tokens) {
    issued.push_back({LedgerOf(**state).View(token.entry, token.account, now), TokenText(), {}});
  }
  const absl::Status status = RetryWrite(
      [&](const Ledger& ledger) { return IssueOnce(ledger, &tokens, now, &new_numbers); });
  if (!status.ok()) return status;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    issued[i].text = std::move(tokens[i].text);
    issued[i].evicted = std::move(tokens[i].evicted);
  }
  return issued;
}

}  // namespace pat
