// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/authority.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/keyring_source.h"
#include "lib/out_of_memory.h"
#include "lib/seal.h"

namespace pat {
namespace {

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

// The default policy may name a scope that a host does not have: then it has no auto tokens.
absl::Status CheckPolicy(const AuthorityOptions& options, const ScopeSet& scopes) {
  const std::vector<std::string>& names = options.auto_tokens.scopes;
  if (names == AutoTokenPolicy().scopes || scopes.Grant(names).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError("the auto-token policy names scopes that are not declared");
}

void NameKeys(const KeySet& keys, std::uint32_t now, Header* header) {
  for (std::size_t i = 0; i < keys.selector_count(); ++i) {
    header->selector_keys[keys.selector(i).number] = {KeyCheck(keys.selector(i)), now};
  }
  for (std::size_t i = 0; i < keys.seal_count(); ++i) {
    header->seal_keys[keys.seal(i).number] = {KeyCheck(keys.seal(i)), now};
  }
}

absl::Status CommitHeader(Store* store, const KeyringContents& contents,
                          const AuthorityOptions& options, std::uint32_t now) {
  const absl::StatusOr<KeySet> keys = KeySet::Derive(contents);
  if (!keys.ok()) return keys.status();
  Header header;
  header.realm = contents.realm;
  header.prefixes = Merge(options.prefixes, {});
  header.created_unix_s = now;
  NameKeys(*keys, now, &header);
  Batch batch;
  batch.meta_checks.push_back({std::string(kHeaderRow), {}});
  batch.meta.push_back(
      {std::string(kHeaderRow), SealRow(*keys, RowTable::kMeta, kHeaderRow, EncodeHeader(header))});
  batch.meta.push_back({std::string(kScopesRow),
                        SealRow(*keys, RowTable::kMeta, kScopesRow, EncodeScopes(options.scopes))});
  return store->Apply(batch);
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
  const absl::StatusOr<KeyringSource::Staged> staged = KeyringSource::Stage(keyring);
  if (absl::IsAlreadyExists(staged.status()) && store->ReadMeta(kHeaderRow).ok()) {
    return absl::OkStatus();  // somebody else made the store in this moment
  }
  if (absl::IsAlreadyExists(staged.status())) {
    return absl::FailedPreconditionError(staged.status().message());
  }
  if (!staged.ok()) return staged.status();
  absl::Status status =
      CatchOutOfMemory([&] { return CommitHeader(store, staged->contents, options, now); });
  if (status.ok()) return KeyringSource::Publish(keyring, staged->contents.realm);
  if (absl::IsUnknown(status)) return status;
  KeyringSource::Discard(*staged);
  return absl::IsAborted(status) ? absl::OkStatus() : status;  // somebody else was first: open that
}

}  // namespace

// ---- Opening

absl::StatusOr<std::unique_ptr<Authority::Impl>> Authority::Impl::Open(
    std::unique_ptr<Store> store, const Keyring& keyring, const AuthorityOptions& options) {
  if (store == nullptr) return absl::InvalidArgumentError("no store was given");
  if (absl::Status s = ValidateOptions(options); !s.ok()) return s;
  if (const absl::Status s = store->ReadMeta(kHeaderRow).status(); absl::IsNotFound(s)) {
    const std::uint32_t now = ClampUnixS(
        options.clock == nullptr ? std::time(nullptr) : absl::ToUnixSeconds(options.clock()));
    if (absl::Status made = MakeHeader(store.get(), keyring, options, now); !made.ok()) return made;
  } else if (!s.ok()) {
    return s;
  }
  absl::StatusOr<std::unique_ptr<LiveKeys>> keys = LiveKeys::Open(store.get(), keyring);
  if (!keys.ok()) return keys.status();
  auto impl = std::unique_ptr<Impl>(new Impl(std::move(store), *std::move(keys), options));
  absl::Status adopted =
      impl->Retry([&](const KeyState& state) { return impl->AdoptHeader(state, options); });
  if (!adopted.ok()) return adopted;
  adopted = impl->Retry([&](const KeyState& state) { return impl->AdoptScopes(state, options); });
  if (!adopted.ok()) return adopted;
  if (absl::Status s = CheckPolicy(options, impl->scopes_); !s.ok()) return s;
  return impl;
}

absl::Status Authority::Impl::AdoptHeader(const KeyState& state, const AuthorityOptions& options) {
  prefixes_ = Merge(options.prefixes, state.header.prefixes);
  if (prefixes_.size() > kMaxPrefixes) {
    return absl::FailedPreconditionError("the store would have more than 8 token prefixes");
  }
  if (prefixes_ == state.header.prefixes) return absl::OkStatus();
  Header header = state.header;
  header.prefixes = prefixes_;
  Batch batch;
  batch.meta.push_back({std::string(kHeaderRow),
                        SealRow(state.keys, RowTable::kMeta, kHeaderRow, EncodeHeader(header))});
  return LedgerOf(state).Apply(std::move(batch));
}

absl::Status Authority::Impl::AdoptScopes(const KeyState& state, const AuthorityOptions& options) {
  const absl::StatusOr<std::string> row = store_->ReadMeta(kScopesRow);
  if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
  std::optional<ScopeSet> stored;
  if (row.ok()) {
    const auto value = OpenRow(state.keys, RowTable::kMeta, kScopesRow, *row);
    if (value.has_value()) stored = DecodeScopes(*value);
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
  batch.meta_checks.push_back({std::string(kScopesRow), *row});
  batch.meta.push_back({std::string(kScopesRow),
                        SealRow(state.keys, RowTable::kMeta, kScopesRow, EncodeScopes(scopes_))});
  return LedgerOf(state).Apply(std::move(batch));
}

absl::Status Authority::Impl::CheckAlive() const {
  if (keys().alive()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this process was forked after the authority was opened: open it again here");
}

absl::StatusOr<const LiveKeys::State*> Authority::Impl::CurrentKeys() {
  if (absl::Status s = CheckAlive(); !s.ok()) return s;
  return keys_->Current(Now());
}

// ---- The public class. No exception gets out of it

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::~Authority() {
  CatchOutOfMemory([this] { return impl_->store()->Close(); }).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(std::unique_ptr<Store> store,
                                                           const Keyring& keyring,
                                                           const AuthorityOptions& options) {
  return CatchOutOfMemory([&]() -> absl::StatusOr<std::unique_ptr<Authority>> {
    absl::StatusOr<std::unique_ptr<Impl>> impl = Impl::Open(std::move(store), keyring, options);
    if (!impl.ok()) return impl.status();
    return std::unique_ptr<Authority>(new Authority(*std::move(impl)));
  });
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
  return CatchOutOfMemory([&] { return impl_->IssueMany(requests); });
}

absl::StatusOr<Token> Authority::Get(std::uint64_t id, std::string_view owner) {
  return CatchOutOfMemory([&] { return impl_->Get(id, owner); });
}

absl::StatusOr<TokenPage> Authority::List(std::string_view account, const ListOptions& options) {
  return CatchOutOfMemory([&] { return impl_->List(account, options); });
}

absl::StatusOr<Counts> Authority::Count(std::string_view account) {
  return CatchOutOfMemory([&] { return impl_->Count(account); });
}

absl::StatusOr<std::uint64_t> Authority::IdOf(std::string_view public_id) const {
  return CatchOutOfMemory([&]() -> absl::StatusOr<std::uint64_t> {
    if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
    const std::uint64_t id = IdOfPublicId(impl_->keys(), public_id);
    if (id == 0) return absl::InvalidArgumentError("not the public id of a token of this store");
    return id;
  });
}

absl::StatusOr<std::string> Authority::PublicIdOf(std::uint64_t id) const {
  return CatchOutOfMemory([&]() -> absl::StatusOr<std::string> {
    if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
    if (id < 1 || id > kMaxTokenId) return absl::InvalidArgumentError("not the id of a token");
    return pat::PublicIdOf(impl_->keys(), id);
  });
}

absl::StatusOr<Token> Authority::Update(std::uint64_t id, const TokenUpdate& update,
                                        std::string_view owner) {
  return CatchOutOfMemory([&] { return impl_->Update(id, update, owner); });
}

absl::Status Authority::Activate(std::uint64_t id, std::string_view owner) {
  TokenUpdate update;
  update.active = true;
  return Update(id, update, owner).status();
}

absl::Status Authority::Deactivate(std::uint64_t id, std::string_view owner) {
  TokenUpdate update;
  update.active = false;
  return Update(id, update, owner).status();
}

absl::Status Authority::Delete(std::uint64_t id, std::string_view owner, DeleteReason reason) {
  return CatchOutOfMemory([&] { return impl_->Delete(id, owner, reason); });
}

absl::StatusOr<std::size_t> Authority::Purge(absl::Time time, std::size_t limit,
                                             const PassCallback& progress) {
  return CatchOutOfMemory([&] { return impl_->Purge(time, limit, progress); });
}

absl::StatusOr<std::vector<KeyInfo>> Authority::Keys() {
  return CatchOutOfMemory([&] { return impl_->Keys(); });
}

absl::StatusOr<KeyInfo> Authority::RotateKey(KeyKind kind) {
  return CatchOutOfMemory([&] { return impl_->RotateKey(kind); });
}

absl::Status Authority::RetireKey(KeyKind kind, std::uint16_t number, bool force) {
  return CatchOutOfMemory([&] { return impl_->RetireKey(kind, number, force); });
}

absl::StatusOr<PassProgress> Authority::Reseal(const PassCallback& progress) {
  return CatchOutOfMemory([&] { return impl_->Reseal(progress); });
}

absl::StatusOr<PassProgress> Authority::CopyTo(Authority* target, const PassCallback& progress) {
  return CatchOutOfMemory([&]() -> absl::StatusOr<PassProgress> {
    if (target == nullptr) return absl::InvalidArgumentError("no target was given");
    return impl_->CopyTo(target->impl_.get(), progress);
  });
}

absl::Status Authority::Flush() {
  return CatchOutOfMemory([&]() -> absl::Status {
    if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
    return impl_->store()->Flush();
  });
}

absl::Status Authority::Health() {
  return CatchOutOfMemory([&]() -> absl::Status {
    if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
    return impl_->store()->Health();
  });
}

absl::StatusOr<StoreStats> Authority::Stats() {
  return CatchOutOfMemory([&]() -> absl::StatusOr<StoreStats> {
    if (absl::Status s = impl_->CheckAlive(); !s.ok()) return s;
    return impl_->store()->Stats();
  });
}

const std::vector<std::string>& Authority::prefixes() const { return impl_->prefixes(); }
const ScopeSet& Authority::scopes() const { return impl_->scopes(); }

}  // namespace pat
