// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/authority.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/keyring_source.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::string_view kHeader = "header";
constexpr std::string_view kScopes = "scopes";
constexpr std::size_t kMostListed = 1000;

absl::Status ValidateOptions(const AuthorityOptions& options) {
  if (options.prefixes.size() > kMaxPrefixes) {
    return absl::InvalidArgumentError("a store has at most 8 token prefixes");
  }
  for (const std::string& prefix : options.prefixes) {
    if (absl::Status s = ValidatePrefix(prefix); !s.ok()) return s;
  }
  const int most = options.auto_tokens.max_per_account;
  if (most < 1 || most > kMaxAutoTokens) {
    return absl::InvalidArgumentError("an account may have 1 to 64 auto tokens");
  }
  return absl::OkStatus();
}

// `given` first, then what `stored` has beyond it.
std::vector<std::string> Merge(const std::vector<std::string>& given,
                               const std::vector<std::string>& stored) {
  std::vector<std::string> merged;
  for (const auto* list : {&given, &stored}) {
    for (const std::string& prefix : *list) {
      if (std::find(merged.begin(), merged.end(), prefix) == merged.end()) merged.push_back(prefix);
    }
  }
  return merged;
}

// The header's value, before its seal can be checked: the keys hang on the realm it names.
absl::StatusOr<Header> PeekHeader(std::string_view row) {
  std::optional<Header> header;
  if (row.size() > kRowSealBytes) header = DecodeHeader(row.substr(kRowSealBytes));
  if (!header.has_value()) return absl::DataLossError("the store's header is damaged");
  return *std::move(header);
}

// The default policy may name a scope that a host does not have: then it has no auto tokens.
absl::Status CheckPolicy(const AuthorityOptions& options, const ScopeSet& scopes) {
  const std::vector<std::string>& names = options.auto_tokens.scopes;
  if (names == AutoTokenPolicy().scopes || scopes.Grant(names).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError("the auto-token policy names scopes that are not declared");
}

std::map<std::uint16_t, crypto::Block> SelectorKeysOf(const KeySet& keys) {
  std::map<std::uint16_t, crypto::Block> checks;
  for (std::size_t i = 0; i < keys.selector_count(); ++i) {
    checks[keys.selector(i).number] = SelectorKeyCheck(keys.selector(i));
  }
  return checks;
}

absl::Status MakeHeader(Store* store, const Keyring& keyring, const AuthorityOptions& options,
                        std::uint32_t now) {
  if (!options.create_if_missing) {
    return absl::FailedPreconditionError("the store is empty: it has to be created first");
  }
  if (options.prefixes.empty()) {
    return absl::InvalidArgumentError("a new store needs a token prefix");
  }
  if (options.scopes.empty()) {
    return absl::InvalidArgumentError("a new store needs scopes");
  }
  if (absl::Status s = CheckPolicy(options, options.scopes); !s.ok()) return s;
  const absl::StatusOr<KeyringContents> contents = KeyringSource::Stage(keyring);
  if (absl::IsAlreadyExists(contents.status()) && store->ReadMeta(kHeader).ok()) {
    return absl::OkStatus();  // somebody else made the store in this moment
  }
  if (absl::IsAlreadyExists(contents.status())) {
    return absl::FailedPreconditionError(contents.status().message());
  }
  if (!contents.ok()) return contents.status();
  const absl::StatusOr<KeySet> keys = KeySet::Derive(*contents);
  if (!keys.ok()) return keys.status();
  const Header header{contents->realm, Merge(options.prefixes, {}), now, SelectorKeysOf(*keys)};
  Batch batch;
  batch.meta_checks.push_back({std::string(kHeader), {}});
  batch.meta.push_back(
      {std::string(kHeader), SealRow(*keys, RowTable::kMeta, kHeader, EncodeHeader(header))});
  batch.meta.push_back({std::string(kScopes),
                        SealRow(*keys, RowTable::kMeta, kScopes, EncodeScopes(options.scopes))});
  absl::Status status = store->Apply(batch);
  if (status.ok()) return KeyringSource::Publish(keyring, contents->realm);
  if (absl::IsUnknown(status)) return status;
  KeyringSource::Discard(keyring, contents->realm);
  return absl::IsAborted(status) ? absl::OkStatus() : status;  // somebody else was first: open that
}

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

// ---- Opening

absl::StatusOr<std::unique_ptr<Authority::Impl>> Authority::Impl::Open(
    std::unique_ptr<Store> store, const Keyring& keyring, const AuthorityOptions& options) {
  if (store == nullptr) return absl::InvalidArgumentError("no store was given");
  if (absl::Status s = ValidateOptions(options); !s.ok()) return s;
  absl::StatusOr<std::string> row = store->ReadMeta(kHeader);
  if (absl::IsNotFound(row.status())) {
    const std::uint32_t now = ClampUnixS(
        options.clock == nullptr ? std::time(nullptr) : absl::ToUnixSeconds(options.clock()));
    if (absl::Status s = MakeHeader(store.get(), keyring, options, now); !s.ok()) return s;
    row = store->ReadMeta(kHeader);
  }
  if (!row.ok()) return row.status();
  const absl::StatusOr<Header> header = PeekHeader(*row);
  if (!header.ok()) return header.status();
  const absl::StatusOr<KeyringContents> contents = KeyringSource::Load(keyring, header->realm);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<KeySet> keys = KeySet::Derive(*contents);
  if (!keys.ok()) return keys.status();
  if (!OpenRow(*keys, RowTable::kMeta, kHeader, *row).has_value()) {
    return absl::FailedPreconditionError(
        "the keyring does not fit this store's header (or the header was edited)");
  }
  if (header->selector_keys != SelectorKeysOf(*keys)) {
    return absl::FailedPreconditionError("the keyring's selector keys are not this store's");
  }
  auto impl = std::unique_ptr<Impl>(new Impl(std::move(store), *std::move(keys), options));
  if (absl::Status s = Retry([&] { return impl->AdoptHeader(options); }); !s.ok()) return s;
  if (absl::Status s = Retry([&] { return impl->AdoptScopes(options); }); !s.ok()) return s;
  if (absl::Status s = CheckPolicy(options, impl->scopes_); !s.ok()) return s;
  return impl;
}

absl::Status Authority::Impl::AdoptHeader(const AuthorityOptions& options) {
  const absl::StatusOr<std::string> row = store_->ReadMeta(kHeader);
  if (!row.ok()) return row.status();
  const auto value = OpenRow(keys_, RowTable::kMeta, kHeader, *row);
  std::optional<Header> header;
  if (value.has_value()) header = DecodeHeader(*value);
  if (!header.has_value()) return absl::DataLossError("the store's header is damaged");
  prefixes_ = Merge(options.prefixes, header->prefixes);
  if (prefixes_.size() > kMaxPrefixes) {
    return absl::FailedPreconditionError("the store would have more than 8 token prefixes");
  }
  if (prefixes_ == header->prefixes) return absl::OkStatus();
  header->prefixes = prefixes_;
  Batch batch;
  batch.meta_checks.push_back({std::string(kHeader), *row});
  batch.meta.push_back(
      {std::string(kHeader), SealRow(keys_, RowTable::kMeta, kHeader, EncodeHeader(*header))});
  return store_->Apply(batch);
}

absl::Status Authority::Impl::AdoptScopes(const AuthorityOptions& options) {
  const absl::StatusOr<std::string> row = store_->ReadMeta(kScopes);
  if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
  std::optional<ScopeSet> stored;
  if (row.ok()) {
    if (const auto value = OpenRow(keys_, RowTable::kMeta, kScopes, *row); value.has_value()) {
      stored = DecodeScopes(*value);
    }
  }
  if (!stored.has_value()) {
    return absl::DataLossError("the store's list of permissions and scopes is damaged");
  }
  absl::StatusOr<ScopeSet> merged = stored->ExtendedBy(options.scopes);
  if (!merged.ok()) return merged.status();
  scopes_ = *std::move(merged);
  if (scopes_.permissions().size() == stored->permissions().size() &&
      scopes_.scopes().size() == stored->scopes().size()) {
    return absl::OkStatus();
  }
  Batch batch;
  batch.meta_checks.push_back({std::string(kScopes), *row});
  batch.meta.push_back(
      {std::string(kScopes), SealRow(keys_, RowTable::kMeta, kScopes, EncodeScopes(scopes_))});
  return store_->Apply(batch);
}

absl::Status Authority::Impl::CheckAlive() const {
  if (keys_.alive()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this process was forked after the authority was opened: open it again here");
}

// ---- Looking

absl::StatusOr<Token> Authority::Impl::Get(std::uint64_t id, std::string_view owner) {
  const absl::StatusOr<TokenEntry> entry = ReadOwned(id, owner);
  if (!entry.ok()) return entry.status();
  std::string account(entry->fields.inline_account());
  if (entry->owner.has_value()) account = entry->owner->account.id;
  return ledger_.View(*entry, account, Now());
}

absl::StatusOr<TokenPage> Authority::Impl::List(std::string_view account,
                                                const ListOptions& options) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  if (absl::Status s = ValidateAccount(account); !s.ok()) return s;
  if (options.limit < 1 || options.limit > kMostListed) {
    return absl::InvalidArgumentError("a page has 1 to 1000 tokens");
  }
  std::uint64_t before = 0;
  if (!options.after.empty() && (before = IdOfPublicId(keys_, options.after)) == 0) {
    return absl::InvalidArgumentError("not a cursor of this list");
  }
  TokenPage page;
  const absl::StatusOr<AccountRow> row = store_->ReadAccount(account);
  if (absl::IsNotFound(row.status())) return page;
  if (!row.ok()) return row.status();
  // Each row proves itself, so a damaged account row does not hide its tokens.
  AccountEntry owner;
  owner.number = row->number;
  owner.account.id = account;
  const absl::StatusOr<AccountEntry> proved = ledger_.ReadAccount(account);
  const bool proves = proved.ok() && proved->number == row->number;
  const std::uint32_t now = Now();
  const std::size_t chunk = options.limit + 1;
  for (;;) {
    const absl::StatusOr<std::vector<TokenRow>> rows = store_->Page(row->number, before, chunk);
    if (!rows.ok()) return rows.status();
    for (const TokenRow& token_row : *rows) {
      const std::optional<TokenEntry> entry = ledger_.Judge(token_row, owner);
      if (!entry.has_value()) continue;
      Token token = ledger_.View(*entry, account, now);
      token.damaged = token.damaged || !proves;  // as Get says: only deleting is left
      if (!Selected(token, options)) continue;
      if (page.tokens.size() == options.limit) {
        page.next = page.tokens.back().public_id;
        return page;
      }
      page.tokens.push_back(std::move(token));
    }
    if (rows->size() < chunk) return page;
    before = rows->back().id;
  }
}

absl::StatusOr<Counts> Authority::Impl::Count(std::string_view account) {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  if (absl::Status s = ValidateAccount(account); !s.ok()) return s;
  const absl::StatusOr<AccountEntry> entry = ledger_.ReadAccount(account);
  if (absl::IsNotFound(entry.status())) return Counts{};
  if (!entry.ok()) return entry.status();
  const absl::StatusOr<Account> counted = ledger_.CountedAt(*entry, Now());
  if (!counted.ok()) return counted.status();
  if (counted->earliest_expiry_unix_s != entry->account.earliest_expiry_unix_s ||
      counted->expired_through_unix_s != entry->account.expired_through_unix_s) {
    Batch batch;  // kept for the next reader; if it cannot be kept now, the answer is still right
    ledger_.RewriteAccount(*entry, *counted, &batch);
    store_->Apply(batch).IgnoreError();
  }
  return Counts{counted->active, counted->inactive};
}

// ---- The public class

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::~Authority() { impl_->store()->Close().IgnoreError(); }

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(std::unique_ptr<Store> store,
                                                           const Keyring& keyring,
                                                           const AuthorityOptions& options) {
  absl::StatusOr<std::unique_ptr<Impl>> impl = Impl::Open(std::move(store), keyring, options);
  if (!impl.ok()) return impl.status();
  return std::unique_ptr<Authority>(new Authority(*std::move(impl)));
}

Decision Authority::Verify(std::string_view text, const Presented& presented) noexcept {
  return impl_->Verify(text, presented);
}

void Authority::VerifyMany(absl::Span<const std::string_view> texts, const Presented& presented,
                           absl::FunctionRef<void(std::size_t, const Decision&)> take) {
  impl_->VerifyMany(texts, presented, take);
}

Decision Authority::Authenticate(std::string_view secret, const Presented& presented,
                                 bool two_factor_enabled, PasswordCheck check) {
  return impl_->Authenticate(secret, presented, two_factor_enabled, check);
}

absl::StatusOr<Issued> Authority::Issue(const IssueRequest& request) {
  absl::StatusOr<std::vector<Issued>> issued = IssueMany({&request, 1});
  if (!issued.ok()) return issued.status();
  return std::move(issued->front());
}

absl::StatusOr<std::vector<Issued>> Authority::IssueMany(absl::Span<const IssueRequest> requests) {
  return impl_->IssueMany(requests);
}

absl::StatusOr<Token> Authority::Get(std::uint64_t id, std::string_view owner) {
  return impl_->Get(id, owner);
}

absl::StatusOr<TokenPage> Authority::List(std::string_view account, const ListOptions& options) {
  return impl_->List(account, options);
}

absl::StatusOr<Counts> Authority::Count(std::string_view account) { return impl_->Count(account); }

absl::StatusOr<std::uint64_t> Authority::IdOf(std::string_view public_id) const {
  if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
  const std::uint64_t id = IdOfPublicId(impl_->keys(), public_id);
  if (id == 0) return absl::InvalidArgumentError("not the public id of a token of this store");
  return id;
}

absl::StatusOr<std::string> Authority::PublicIdOf(std::uint64_t id) const {
  if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
  if (id < 1 || id > kMaxTokenId) return absl::InvalidArgumentError("not the id of a token");
  return pat::PublicIdOf(impl_->keys(), id);
}

absl::StatusOr<Token> Authority::Update(std::uint64_t id, const TokenUpdate& update,
                                        std::string_view owner) {
  return impl_->Update(id, update, owner);
}

absl::Status Authority::Activate(std::uint64_t id, std::string_view owner) {
  TokenUpdate update;
  update.active = true;
  return impl_->Update(id, update, owner).status();
}

absl::Status Authority::Deactivate(std::uint64_t id, std::string_view owner) {
  TokenUpdate update;
  update.active = false;
  return impl_->Update(id, update, owner).status();
}

absl::Status Authority::Delete(std::uint64_t id, std::string_view owner, DeleteReason reason) {
  return impl_->Delete(id, owner, reason);
}

absl::StatusOr<std::size_t> Authority::Purge(absl::Time time, std::size_t limit) {
  return impl_->Purge(time, limit);
}

absl::Status Authority::Flush() {
  if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
  return impl_->store()->Flush();
}

absl::Status Authority::Health() {
  if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
  return impl_->store()->Health();
}

absl::StatusOr<StoreStats> Authority::Stats() {
  if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
  return impl_->store()->Stats();
}

const std::vector<std::string>& Authority::prefixes() const { return impl_->prefixes(); }
const ScopeSet& Authority::scopes() const { return impl_->scopes(); }

}  // namespace pat
