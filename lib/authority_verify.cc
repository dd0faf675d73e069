// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The verify path. The order of judgement matters: the seal, which proves that the presenter holds
// the secret, comes before everything that only the token's holder may learn. The record is copied
// out of the store once; that copy is judged.
#include <array>
#include <optional>

#include "absl/base/attributes.h"
#include "lib/authority_impl.h"
#include "lib/codec.h"
#include "lib/crypto.h"
#include "lib/seal.h"

namespace pat {
namespace {

// How often a verify starts over if the store's keys are changed while it runs.
constexpr int kMostTries = 100;

Decision Refuse(RefusalReason reason) { return Refusal(reason); }

std::optional<RefusalReason> RefusalOf(State state) {
  switch (state) {
    case State::kActive: return std::nullopt;
    case State::kInactive: return RefusalReason::kInactive;
    case State::kExpired: return RefusalReason::kExpired;
    case State::kDeleted: return RefusalReason::kDeleted;
  }
  return RefusalReason::kUnavailable;
}

// The account of a record whose seal fits, if it stands in the account's row, `*row`. That proves
// nothing by itself: the record's tag must fit what is found there.
std::optional<std::string_view> LongAccountOf(const TokenRecord& record, const KeySet& keys,
                                              Store* store, AccountRow* row, RefusalReason* why) {
  const RecordFields fields = DecodeRecord(record);
  const std::uint32_t number = fields.account_number();
  const Store::Lookup found = store->FindAccount(number, row);
  *why = found == Store::Lookup::kUnavailable ? RefusalReason::kUnavailable
                                              : RefusalReason::kWrongSecret;
  if (found != Store::Lookup::kFound) return std::nullopt;
  const auto key = AccountRowKey(number);
  const auto value = OpenRow(keys, RowTable::kAccount, {key.data(), key.size()}, row->view());
  const auto account = value.has_value() ? AccountIdIn(*value) : std::nullopt;
  if (!account.has_value() || !AccountFits(fields, *account, keys)) return std::nullopt;
  return account;
}

}  // namespace

// All that can be said without the record, which the store meanwhile brings closer.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Authority::Impl::Candidate Authority::Impl::Begin(
    std::string_view text, const KeyState& state) noexcept {
  namespace internal = token_text_internal;
  Candidate candidate;
  candidate.text = text;
  candidate.keys = &state;
  const std::string_view body = internal::BodyOf(text, prefixes_);
  const internal::TokenBody read =
      body.empty() ? internal::TokenBody() : internal::ReadTokenBody(body);
  if (!read.base62) {
    candidate.why = RefusalReason::kNotToken;
    return candidate;
  }
  if (!state.keys.alive()) {
    candidate.why = RefusalReason::kUnavailable;
    return candidate;
  }
  candidate.id = read.selector_fits ? IdOfSelector(state.keys, read.selector) : 0;
  if (candidate.id != 0) store_->Prefetch(candidate.id);
  candidate.why = RefusalReason::kForged;
  if (read.selector_fits && !internal::ChecksumFits(text, read)) {
    candidate.why = RefusalReason::kBadChecksum;
    candidate.id = 0;
  }
  candidate.secret_input = body.substr(0, kSelectorLength + kSecretLength);
  return candidate;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline Decision Authority::Impl::Judge(const Candidate& candidate,
                                                                    const Presented& presented,
                                                                    bool* outdated) noexcept {
  const KeySet& keys = candidate.keys->keys;
  const std::uint64_t id = candidate.id;
  if (id == 0) {  // a selector that fits no key may be under one this process does not know yet
    *outdated = candidate.why == RefusalReason::kForged && !keys_->IsCurrent(*candidate.keys);
    return Refuse(candidate.why);
  }
  const std::uint32_t now = Now();
  const SealCheck seal(keys, id, crypto::Sha256Half(candidate.secret_input));
  TokenRecord record;
  std::uint64_t version = 0;
  const Store::Lookup found = store_->Find(id, &record, &version);
  if (found == Store::Lookup::kUnavailable) return Refuse(RefusalReason::kUnavailable);
  *outdated = version != candidate.keys->meta_version.load(std::memory_order_relaxed);
  if (*outdated) return Refuse(RefusalReason::kUnavailable);
  if (found == Store::Lookup::kAbsent) return Refuse(RefusalReason::kUnknownToken);
  if (!seal.Fits(record)) return Refuse(RefusalReason::kWrongSecret);

  const RecordFields fields = DecodeRecord(record);
  if (fields.unknown_flags != 0) return Refuse(RefusalReason::kUnavailable);
  // Most tokens are active without a date: no need to make times of it.
  if (fields.state != StoredState::kActive || fields.time_unix_s != 0) {
    const State state = StateAt(LifecycleOf(fields), absl::FromUnixSeconds(now));
    if (const auto reason = RefusalOf(state)) return Refuse(*reason);
  }

  AccountRow row;
  RefusalReason why = RefusalReason::kWrongSecret;
  std::optional<std::string_view> account = InlineAccountIn(record, fields);
  if (fields.long_account) account = LongAccountOf(record, keys, store_.get(), &row, &why);
  if (!account.has_value()) {  // perhaps sealed anew since the record was read
    *outdated = !keys_->IsCurrent(*candidate.keys);
    return Refuse(why);
  }
  if (presented.claim.is_unknown()) return Refuse(RefusalReason::kUnknownAccount);
  if (!presented.claim.is_none() && presented.claim.account() != *account) {
    return Refuse(RefusalReason::kWrongAccount);
  }

  store_->RecordUse(id, now, presented.ip, presented.user_agent);
  const PermissionSet granted = PermissionSet::FromBits(fields.permissions);
  if (!granted.Contains(presented.need)) return Refuse(RefusalReason::kMissingPermission);
  return Decision(*account, id, granted, fields.origin);
}

Decision Authority::Impl::Verify(std::string_view text, const Presented& presented) noexcept {
  bool outdated = false;
  Decision decision = Judge(Begin(text, keys_->Loaded()), presented, &outdated);
  if (outdated) decision = Anew(text, presented);
  return decision;
}

void Authority::Impl::VerifyMany(absl::Span<const std::string_view> texts,
                                 const Presented& presented,
                                 absl::FunctionRef<void(std::size_t, const Decision&)> take) {
  constexpr std::size_t kAhead = 8;  // records on their way at a time
  std::array<Candidate, kAhead> begun;
  for (std::size_t i = 0; i < texts.size() + kAhead; ++i) {
    Candidate& slot = begun[i % kAhead];
    if (i >= kAhead) take(i - kAhead, Decide(slot, presented));
    if (i < texts.size()) slot = Begin(texts[i], keys_->Loaded());
  }
}

Decision Authority::Impl::Decide(const Candidate& candidate, const Presented& presented) noexcept {
  bool outdated = false;
  Decision decision = Judge(candidate, presented, &outdated);
  if (outdated) decision = Anew(candidate.text, presented);
  return decision;
}

// With the keys of the store's header as it is now.
Decision Authority::Impl::Anew(std::string_view text, const Presented& presented) noexcept {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const KeyState* state = keys_->CurrentOrNull(Now());
    if (state == nullptr) break;
    bool outdated = false;
    Decision decision = Judge(Begin(text, *state), presented, &outdated);
    if (!outdated) return decision;
  }
  return Refuse(RefusalReason::kUnavailable);
}

Decision Authority::Impl::Authenticate(std::string_view secret, const Presented& presented,
                                       bool two_factor_enabled, PasswordCheck check) {
  if (LooksLikeToken(secret, prefixes_)) return Verify(secret, presented);
  const bool fits = check(secret);  // always, so that time tells nothing
  if (presented.claim.is_unknown()) return Refuse(RefusalReason::kUnknownAccount);
  if (!fits || !IsAccount(presented.claim.account())) {
    return Refuse(RefusalReason::kWrongPassword);
  }
  if (two_factor_enabled) return Refuse(RefusalReason::kPasswordRefused);
  const Principal principal = Principal::ByPassword(presented.claim.account(), scopes_.all());
  if (const Permit permit = principal.Require(presented.need); !permit.allowed()) {
    return permit.refusal();
  }
  return principal;
}

}  // namespace pat
