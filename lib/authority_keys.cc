// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Keys: what there is, the next, the end of old ones. The keyring changes first where a key comes,
// last where one goes, so a process killed in between leaves a keyring with a key too many; the
// next call goes on from there.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/seal.h"

namespace pat {
namespace {

constexpr std::size_t kAtOnce = 1000;
constexpr KeyKind kKinds[] = {KeyKind::kSelector, KeyKind::kSeal};

// The number of the live seal key a row or record says it is under; 0: of none.
std::uint16_t SealNumberOf(const KeySet& keys, unsigned slot) {
  const SealKey* key = keys.SealBySlot(slot);
  return key == nullptr ? std::uint16_t{0} : key->number;
}

}  // namespace

// ---- What depends on a key

struct Authority::Impl::Dependents {
  std::map<std::uint16_t, std::uint64_t> of_selector;
  std::map<std::uint16_t, std::uint64_t> of_seal;
  std::uint64_t damaged = 0;  // maybe of any selector key
};

absl::Status Authority::Impl::CountAccounts(const Ledger& ledger, Dependents* dependents) {
  for (AccountWalk walk(store_.get());;) {
    const absl::StatusOr<std::optional<AccountRow>> row = walk.Next();
    if (!row.ok()) return row.status();
    if (!row->has_value()) return absl::OkStatus();
    const SealKey* key = ledger.keys().SealByNumber(SealNumberOfRow((*row)->view()));
    if (key != nullptr) ++dependents->of_seal[key->number];
  }
}

absl::Status Authority::Impl::CountTokens(const Ledger& ledger, std::uint32_t now,
                                          Dependents* dependents) {
  for (std::uint64_t first = 1;;) {
    const auto rows = store_->Scan(first, kAtOnce);
    if (!rows.ok()) return rows.status();
    for (const TokenRow& row : *rows) {
      const absl::StatusOr<TokenEntry> entry = ledger.ReadToken(row.id);
      if (absl::IsNotFound(entry.status())) continue;  // purged in this moment
      if (!entry.ok()) return entry.status();
      const RecordFields& fields = entry->fields;
      if (const auto number = SealNumberOf(ledger.keys(), fields.key_slot); number != 0) {
        ++dependents->of_seal[number];
      }
      const State state = StateAt(LifecycleOf(fields), absl::FromUnixSeconds(now));
      if (state == State::kDeleted || state == State::kExpired) continue;
      if (entry->sealed) {
        ++dependents->of_selector[entry->metadata->selector_key];
      } else {
        ++dependents->damaged;
      }
    }
    if (rows->size() < kAtOnce) return absl::OkStatus();
    first = rows->back().id + 1;
  }
}

absl::StatusOr<std::vector<KeyInfo>> Authority::Impl::KeysOnce(const KeyState& state) {
  const Ledger ledger = LedgerOf(state);
  Dependents dependents;
  if (absl::Status s = CountAccounts(ledger, &dependents); !s.ok()) return s;
  if (absl::Status s = CountTokens(ledger, Now(), &dependents); !s.ok()) return s;
  std::vector<KeyInfo> infos;
  for (const KeyKind kind : kKinds) {
    const HeaderKeys& keys = state.header.keys(kind);
    for (const auto& [number, key] : keys) {
      KeyInfo info;
      info.kind = kind;
      info.number = number;
      info.created_at = absl::FromUnixSeconds(key.created_unix_s);
      info.newest = number == keys.rbegin()->first;
      info.dependents = kind == KeyKind::kSeal
                            ? dependents.of_seal[number]
                            : dependents.of_selector[number] + dependents.damaged;
      infos.push_back(info);
    }
  }
  return infos;
}

absl::StatusOr<std::vector<KeyInfo>> Authority::Impl::Keys() {
  std::vector<KeyInfo> infos;
  const absl::Status status = Retry([&](const KeyState& state) -> absl::Status {
    absl::StatusOr<std::vector<KeyInfo>> counted = KeysOnce(state);
    if (!counted.ok()) return counted.status();
    if (!keys_->IsCurrent(state)) return absl::AbortedError("");
    infos = *std::move(counted);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return infos;
}

// ---- Changing the header

// The header with the scopes' row, both under the newest of `keys`, in one commit.
absl::Status Authority::Impl::WriteHeader(const KeyState& state, const Header& header,
                                          const KeySet& keys) {
  const absl::StatusOr<std::string> scopes = store_->ReadMeta(kScopesRow);
  if (!scopes.ok()) return scopes.status();
  const auto value = OpenRow(state.keys, RowTable::kMeta, kScopesRow, *scopes);
  if (!value.has_value()) {
    return absl::DataLossError("the store's list of permissions and scopes is damaged");
  }
  Batch batch;
  batch.meta_checks.push_back({std::string(kScopesRow), *scopes});
  batch.meta.push_back(
      {std::string(kHeaderRow), SealRow(keys, RowTable::kMeta, kHeaderRow, EncodeHeader(header))});
  batch.meta.push_back(
      {std::string(kScopesRow), SealRow(keys, RowTable::kMeta, kScopesRow, *value)});
  return LedgerOf(state).Apply(std::move(batch));
}

absl::StatusOr<KeyInfo> Authority::Impl::RotateKey(KeyKind kind) {
  if (kind != KeyKind::kSelector && kind != KeyKind::kSeal) {
    return absl::InvalidArgumentError("the number is no kind of key");
  }
  KeyInfo info;
  const absl::Status status = Retry([&](const KeyState& state) -> absl::Status {
    const std::uint16_t newest = state.header.keys(kind).rbegin()->first;
    if (info.number == 0 || info.number > newest) {
      const absl::StatusOr<LiveKeys::Next> next = keys_->Rotated(state, kind, Now());
      if (!next.ok()) return next.status();
      info.number = next->header.keys(kind).rbegin()->first;
      if (absl::Status s = WriteHeader(state, next->header, next->keys); !s.ok()) return s;
      info.created_at =
          absl::FromUnixSeconds(next->header.keys(kind).rbegin()->second.created_unix_s);
      return absl::OkStatus();
    }
    // Another process has begun to use the key that this one had put into the keyring.
    info.created_at = absl::FromUnixSeconds(state.header.keys(kind).at(info.number).created_unix_s);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  info.kind = kind;
  info.newest = true;
  keys_->CurrentOrNull(Now());  // the key is in use, whether or not this process has it yet
  return info;
}

absl::Status Authority::Impl::RetireOnce(const KeyState& state, KeyKind kind, std::uint16_t number,
                                         bool force) {
  Header header = state.header;
  HeaderKeys& keys = header.keys(kind);
  if (number < keys.begin()->first) return absl::OkStatus();
  if (keys.count(number) == 0) return absl::NotFoundError("no such live key");
  if (number == keys.rbegin()->first) {
    return absl::FailedPreconditionError(
        "the newest key of its kind is the one in use: rotate first");
  }
  if (!force) {
    const absl::StatusOr<std::vector<KeyInfo>> infos = KeysOnce(state);
    if (!infos.ok()) return infos.status();
    std::uint64_t dependents = 0;
    for (const KeyInfo& info : *infos) {
      if (info.kind == kind && info.number <= number) dependents += info.dependents;
    }
    if (dependents != 0) {
      return absl::FailedPreconditionError(std::to_string(dependents) +
                                           (kind == KeyKind::kSeal
                                                ? " rows are still under such a seal: reseal first"
                                                : " tokens still in use have such a selector"));
    }
  }
  keys.erase(keys.begin(), keys.upper_bound(number));
  const absl::StatusOr<KeySet> named = LiveKeys::Named(state.keys, header);
  if (!named.ok()) return named.status();
  return WriteHeader(state, header, *named);
}

absl::Status Authority::Impl::RetireKey(KeyKind kind, std::uint16_t number, bool force) {
  if ((kind != KeyKind::kSelector && kind != KeyKind::kSeal) || number == 0) {
    return absl::InvalidArgumentError("the numbers are no kind and no number of a key");
  }
  absl::Status status =
      Retry([&](const KeyState& state) { return RetireOnce(state, kind, number, force); });
  if (!status.ok()) return status;
  const absl::StatusOr<const KeyState*> state = CurrentKeys();
  if (!state.ok()) return state.status();
  return keys_->RemoveRetired((*state)->header);
}

}  // namespace pat
