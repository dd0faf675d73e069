// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/live_keys.h"

#include <algorithm>

#include "lib/keyring_source.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr KeyKind kKinds[] = {KeyKind::kSelector, KeyKind::kSeal};

constexpr std::uint64_t kNoVersion = UINT64_MAX;

std::size_t IndexOf(KeyKind kind) { return kind == KeyKind::kSelector ? 0 : 1; }

std::optional<crypto::Block> CheckOf(const KeySet& keys, KeyKind kind, std::uint16_t number) {
  if (kind == KeyKind::kSeal) {
    const SealKey* key = keys.SealByNumber(number);
    return key == nullptr ? std::nullopt : std::optional(KeyCheck(*key));
  }
  for (std::size_t i = 0; i < keys.selector_count(); ++i) {
    if (keys.selector(i).number == number) return KeyCheck(keys.selector(i));
  }
  return std::nullopt;
}

bool Lacks(const KeySet& all, const Header& header) {
  return std::any_of(std::begin(kKinds), std::end(kKinds), [&](KeyKind kind) {
    const HeaderKeys& keys = header.keys(kind);
    return std::any_of(keys.begin(), keys.end(),
                       [&](const auto& key) { return !CheckOf(all, kind, key.first).has_value(); });
  });
}

const char* NameOf(KeyKind kind) { return kind == KeyKind::kSelector ? "selector" : "seal"; }

}  // namespace

absl::StatusOr<Header> PeekHeader(std::string_view row) {
  std::optional<Header> header;
  if (row.size() > kRowSealBytes) header = DecodeHeader(row.substr(kRowSealBytes));
  if (!header.has_value()) return absl::DataLossError("the store's header is damaged");
  return *std::move(header);
}

absl::StatusOr<KeySet> LiveKeys::Named(const KeySet& all, const Header& header) {
  for (const KeyKind kind : kKinds) {
    for (const auto& [number, key] : header.keys(kind)) {
      const auto check = CheckOf(all, kind, number);
      if (check.has_value() && *check == key.check) continue;
      return absl::FailedPreconditionError(
          std::string(check.has_value() ? "the keyring has another " : "the keyring lacks the ") +
          NameOf(kind) + " key " + std::to_string(number) + " that the store's header names");
    }
  }
  return all.Only(
      [&](KeyKind kind, std::uint16_t number) { return header.keys(kind).count(number) != 0; });
}

absl::StatusOr<std::unique_ptr<LiveKeys>> LiveKeys::Open(Store* store, const Keyring& keyring) {
  std::optional<Keyring> kept;
  if (KeyringSource::CanChange(keyring)) kept = keyring;
  std::unique_ptr<LiveKeys> live(new LiveKeys(store, std::move(kept)));
  const absl::StatusOr<std::string> row = store->ReadMeta(kHeaderRow);
  if (!row.ok()) return row.status();
  const absl::StatusOr<Header> header = PeekHeader(*row);
  if (!header.ok()) return header.status();
  const absl::StatusOr<KeyringContents> contents = KeyringSource::Load(keyring, header->realm);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<KeySet> all = KeySet::Derive(*contents);
  if (!all.ok()) return all.status();
  live->all_ = *std::move(all);
  bool keys_failed = false;
  if (absl::Status s = live->Load(&keys_failed); !s.ok()) return s;
  return live;
}

absl::StatusOr<const LiveKeys::State*> LiveKeys::Current(std::uint32_t now_unix_s) {
  if (const State& loaded = Loaded(); IsCurrent(loaded)) return &loaded;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const State& loaded = Loaded(); IsCurrent(loaded)) return &loaded;
  const std::uint64_t version = store_->MetaVersion();
  if (failure_.has_value() && failure_->meta_version == version && failure_->unix_s == now_unix_s) {
    return failure_->status;
  }
  failure_.reset();
  bool keys_failed = false;
  absl::Status status = Load(&keys_failed);
  if (status.ok()) return &Loaded();
  if (absl::IsResourceExhausted(status)) return status;  // says nothing of the keys
  status = absl::UnavailableError("the store's keys have changed and cannot be loaded: " +
                                  std::string(status.message()));
  if (keys_failed) failure_ = Failure{status, version, now_unix_s};
  return status;
}

const LiveKeys::State* LiveKeys::CurrentOrNull(std::uint32_t now_unix_s) noexcept {
  try {
    const absl::StatusOr<const State*> state = Current(now_unix_s);
    return state.ok() ? *state : nullptr;
  } catch (...) {  // no memory: the next verify tries again
    return nullptr;
  }
}

void LiveKeys::Recheck(const State& state) {
  const absl::StatusOr<std::string> row = store_->ReadMeta(kHeaderRow);
  if (absl::IsNotFound(row.status()) || (row.ok() && *row != state.row)) {
    state.meta_version.store(kNoVersion, std::memory_order_relaxed);
  }
}

absl::Status LiveKeys::Load(bool* keys_failed) {
  for (;;) {
    const std::uint64_t version = store_->MetaVersion();
    absl::StatusOr<std::string> row = store_->ReadMeta(kHeaderRow);
    if (!row.ok()) return row.status();
    if (store_->MetaVersion() != version) continue;  // maybe of two moments
    absl::Status status = Adopt(*std::move(row), version);
    *keys_failed = !status.ok();
    return status;
  }
}

absl::Status LiveKeys::Adopt(std::string row, std::uint64_t version) {
  for (const std::unique_ptr<State>& state : states_) {
    if (state->row != row || state->keys.Numbers(KeyKind::kSelector).back() < limits_[0] ||
        state->keys.Numbers(KeyKind::kSeal).back() < limits_[1]) {
      continue;
    }
    state->meta_version.store(version, std::memory_order_relaxed);
    loaded_.store(state.get(), std::memory_order_release);
    return absl::OkStatus();
  }
  absl::StatusOr<Header> header = PeekHeader(row);
  if (!header.ok()) return header.status();
  absl::StatusOr<KeySet> keys = KeysFor(*header);
  if (!keys.ok()) return keys.status();
  if (!OpenRow(*keys, RowTable::kMeta, kHeaderRow, row).has_value()) {
    return absl::FailedPreconditionError(
        "the keyring does not fit this store's header (or the header was edited)");
  }
  for (const KeyKind kind : kKinds) {
    std::uint16_t& limit = limits_[IndexOf(kind)];
    limit = std::max(limit, header->keys(kind).begin()->first);
  }
  auto state = std::make_unique<State>(*std::move(keys), *std::move(header), std::move(row));
  state->meta_version.store(version, std::memory_order_relaxed);
  states_.push_back(std::move(state));
  loaded_.store(states_.back().get(), std::memory_order_release);
  return absl::OkStatus();
}

// The keys the header names, but none below this process's limits: an older header that somebody
// put back brings nothing back with it.
absl::StatusOr<KeySet> LiveKeys::KeysFor(const Header& header) {
  if (keyring_.has_value() && Lacks(*all_, header)) {
    if (absl::Status s = ReadKeyring(header.realm); !s.ok()) return s;
  }
  absl::StatusOr<KeySet> named = Named(*all_, header);
  if (!named.ok()) return named;
  return named->Only(
      [this](KeyKind kind, std::uint16_t number) { return number >= limits_[IndexOf(kind)]; });
}

absl::Status LiveKeys::ReadKeyring(const Realm& realm) {
  const absl::StatusOr<KeyringContents> contents = KeyringSource::Load(*keyring_, realm);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<KeySet> all = KeySet::Derive(*contents);
  if (!all.ok()) return all.status();
  all_ = *std::move(all);
  return absl::OkStatus();
}

absl::StatusOr<LiveKeys::Next> LiveKeys::Rotated(const State& state, KeyKind kind,
                                                 std::uint32_t now_unix_s) {
  Next next{state.header, KeySet()};
  HeaderKeys& keys = next.header.keys(kind);
  if (keys.size() >= kMaxKeys) {
    return absl::FailedPreconditionError("8 keys of the kind are live: retire one first");
  }
  const std::uint16_t newest = keys.rbegin()->first;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (keyring_.has_value() && !KeyringSource::HostKeeps(*keyring_)) {
    const auto change = [&](KeyringContents* contents) -> absl::StatusOr<bool> {
      if (contents->keys(kind).front().number > newest) return false;  // somebody's who stopped
      KeyringSource::DropBelow(state.header.selector_keys.begin()->first,
                               state.header.seal_keys.begin()->first, contents);
      if (absl::Status s = KeyringSource::AddKey(kind, contents); !s.ok()) return s;
      return true;
    };
    absl::Status s = KeyringSource::Rewrite(*keyring_, state.header.realm, change);
    if (!s.ok()) return s;
  }
  if (keyring_.has_value()) {
    if (absl::Status s = ReadKeyring(state.header.realm); !s.ok()) return s;
  }
  const std::vector<std::uint16_t> numbers = all_->Numbers(kind);
  const auto number = std::find_if(numbers.rbegin(), numbers.rend(),
                                   [newest](std::uint16_t n) { return n > newest; });
  if (number == numbers.rend()) {
    return absl::FailedPreconditionError(
        "the keyring has no key that is not in use yet: add one with Keyring::AddKey");
  }
  keys[*number] = {*CheckOf(*all_, kind, *number), now_unix_s};
  absl::StatusOr<KeySet> named = Named(*all_, next.header);
  if (!named.ok()) return named.status();
  next.keys = *std::move(named);
  return next;
}

absl::Status LiveKeys::RemoveRetired(const Header& header) {
  if (!keyring_.has_value() || KeyringSource::HostKeeps(*keyring_)) return absl::OkStatus();
  return KeyringSource::Rewrite(*keyring_, header.realm, [&](KeyringContents* contents) {
    return absl::StatusOr<bool>(KeyringSource::DropBelow(
        header.selector_keys.begin()->first, header.seal_keys.begin()->first, contents));
  });
}

}  // namespace pat
