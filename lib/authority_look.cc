// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What there is: one token, a page of them, counts.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/authority_impl.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::size_t kMostListed = 1000;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Contains(std::string_view text, std::string_view part) {
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return Lower(a) == Lower(b); }) != text.end();
}

bool Selected(const Token& token, const ListOptions& options) {
  if (options.state.has_value() ? token.state != *options.state : token.state == State::kDeleted) {
    return false;
  }
  if (options.origin.has_value() && token.origin != *options.origin) return false;
  return Contains(token.description, options.text);
}

}  // namespace

absl::Status Authority::Impl::Look(absl::FunctionRef<absl::Status(const Ledger&)> look) {
  return Retry([&](const KeyState& state) {
    absl::Status status = look(LedgerOf(state));
    return keys_->IsCurrent(state) ? status : absl::AbortedError("");
  });
}

absl::StatusOr<Token> Authority::Impl::Get(std::uint64_t id, std::string_view owner) {
  Token token;
  const absl::Status status = Look([&](const Ledger& ledger) -> absl::Status {
    const absl::StatusOr<TokenEntry> entry = ReadOwned(ledger, id, owner);
    if (!entry.ok()) return entry.status();
    std::string account(entry->fields.inline_account());
    if (entry->owner.has_value()) account = entry->owner->account.id;
    token = ledger.View(*entry, account, Now());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return token;
}

absl::StatusOr<TokenPage> Authority::Impl::List(std::string_view account,
                                                const ListOptions& options) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  if (absl::Status s = ValidateAccount(account); !s.ok()) return s;
  if (options.limit < 1 || options.limit > kMostListed) {
    return absl::InvalidArgumentError("a page has 1 to 1000 tokens");
  }
  TokenPage page;
  const absl::Status status = Look([&](const Ledger& ledger) {
    page = TokenPage();
    return ListPage(ledger, account, options, &page);
  });
  if (!status.ok()) return status;
  return page;
}

absl::Status Authority::Impl::ListPage(const Ledger& ledger, std::string_view account,
                                       const ListOptions& options, TokenPage* page) {
  std::uint64_t before = 0;
  if (!options.after.empty() && (before = IdOfPublicId(ledger.keys(), options.after)) == 0) {
    return absl::InvalidArgumentError("not a cursor of this list");
  }
  const absl::StatusOr<AccountRow> row = store_->ReadAccount(account);
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  if (!row.ok()) return row.status();
  // Each row proves itself, so a damaged account row does not hide its tokens.
  AccountEntry owner;
  owner.number = row->number;
  owner.account.id = account;
  const absl::StatusOr<AccountEntry> proved = ledger.ReadAccount(account);
  if (!proved.ok() && !absl::IsDataLoss(proved.status()) && !absl::IsNotFound(proved.status())) {
    return proved.status();
  }
  const bool proves = proved.ok() && proved->number == row->number;
  const std::uint32_t now = Now();
  const std::size_t chunk = options.limit + 1;
  for (;;) {
    const absl::StatusOr<std::vector<TokenRow>> rows = store_->Page(row->number, before, chunk);
    if (!rows.ok()) return rows.status();
    for (const TokenRow& token_row : *rows) {
      const std::optional<TokenEntry> entry = ledger.Judge(token_row, owner);
      if (!entry.has_value()) continue;
      Token token = ledger.View(*entry, account, now);
      token.damaged = token.damaged || !proves;  // as Get says: only deleting is left
      if (!Selected(token, options)) continue;
      if (page->tokens.size() == options.limit) {
        page->next = page->tokens.back().public_id;
        return absl::OkStatus();
      }
      page->tokens.push_back(std::move(token));
    }
    if (rows->size() < chunk) return absl::OkStatus();
    before = rows->back().id;
  }
}

absl::StatusOr<Counts> Authority::Impl::Count(std::string_view account) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  if (absl::Status s = ValidateAccount(account); !s.ok()) return s;
  Counts counts;
  const absl::Status status =
      Look([&](const Ledger& ledger) { return CountOnce(ledger, account, &counts); });
  if (!status.ok()) return status;
  return counts;
}

absl::Status Authority::Impl::CountOnce(const Ledger& ledger, std::string_view account,
                                        Counts* counts) {
  *counts = Counts();
  const absl::StatusOr<AccountEntry> entry = ledger.ReadAccount(account);
  if (absl::IsNotFound(entry.status())) return absl::OkStatus();
  if (!entry.ok()) return entry.status();
  const absl::StatusOr<Account> counted = ledger.CountedAt(*entry, Now());
  if (!counted.ok()) return counted.status();
  if (counted->earliest_expiry_unix_s != entry->account.earliest_expiry_unix_s ||
      counted->expired_through_unix_s != entry->account.expired_through_unix_s) {
    Batch batch;  // kept for the next reader; if it cannot be kept now, the answer is still right
    ledger.RewriteAccount(*entry, *counted, &batch);
    ledger.Apply(std::move(batch)).IgnoreError();
  }
  *counts = {counted->active, counted->inactive};
  return absl::OkStatus();
}

}  // namespace pat
