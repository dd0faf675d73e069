// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The deciding calls. On good arguments they allocate nothing.
#include <algorithm>
#include <array>
#include <cstring>

#include "capi/call.h"
#include "capi/handles.h"
#include "capi/names.h"

namespace pat::capi {
namespace {

constexpr Presented kNothingPresented;

// A decision has room at least for whether it accepts, and why not.
constexpr std::size_t kSmallestDecision = sizeof(std::size_t) + 2 * sizeof(int32_t);

bool DecisionFits(const pat_decision* decision) {
  return decision != nullptr && SizeFits(decision->size) && decision->size >= kSmallestDecision;
}

// What is rarely needed stays out of the way of what is.
[[gnu::noinline]] int32_t Refuse(RefusalReason reason, pat_decision* out) {
  pat_decision made{};
  made.size = out->size;
  made.refusal = ToC(reason);
  if (made.size == sizeof made) {
    *out = made;
  } else {
    Give(made, out);
  }
  if (reason == RefusalReason::kUnavailable) return PAT_UNAVAILABLE;
  return reason == RefusalReason::kMissingPermission ? PAT_PERMISSION_DENIED : PAT_UNAUTHENTICATED;
}

int32_t Misuse(pat_decision* out) {
  Refuse(RefusalReason::kUnavailable, out);
  return PAT_INVALID_ARGUMENT;
}

// Writes every field but the size.
void Accept(const Principal& who, pat_decision* out) {
  const auto& account = who.padded_account();
  static_assert(sizeof out->account > sizeof account);
  out->accepted = 1;
  out->refusal = 0;
  out->method = ToC(who.method());
  out->origin = who.method() == Principal::Method::kToken ? ToC(who.origin()) : 0;
  out->token_id = who.token_id();
  out->permissions = who.permissions().bits();
  out->account_len = who.account().size();
  std::memcpy(out->account, account.data(), sizeof account);
  std::memset(out->account + sizeof account, 0, sizeof out->account - sizeof account);
}

[[gnu::noinline]] void AcceptOther(const Principal& who, pat_decision* out) {
  pat_decision made;
  Accept(who, &made);
  Give(made, out);
}

inline int32_t Decide(const Decision& decision, pat_decision* out) {
  const Principal* const who = decision.principal();
  if (who == nullptr) return Refuse(decision.refusal()->reason(), out);
  if (out->size != sizeof *out) {  // another version's
    AcceptOther(*who, out);
  } else {
    Accept(*who, out);
  }
  return PAT_OK;
}

bool IsText(const char* text, std::size_t len) { return text != nullptr || len == 0; }

// False: a misuse.
inline bool TakeOurs(const pat_presented& given, Presented* presented) {
  if (!IsText(given.account, given.account_len) || !IsText(given.ip, given.ip_len) ||
      !IsText(given.user_agent, given.user_agent_len) || given.reserved != 0) {
    return false;
  }
  presented->need = PermissionSet::FromBits(given.need);
  presented->ip = {given.ip, given.ip_len};
  presented->user_agent = {given.user_agent, given.user_agent_len};
  switch (given.claim) {
    case PAT_CLAIM_NONE:
      return given.account_len == 0;  // without its claim it would be none at all
    case PAT_CLAIM_ACCOUNT:
      presented->claim = Claim::Account({given.account, given.account_len});
      return true;
    case PAT_CLAIM_UNKNOWN: presented->claim = Claim::Unknown(); return true;
    default: return false;
  }
}

[[gnu::noinline]] bool TakeOther(const pat_presented* given, Presented* presented) {
  pat_presented taken;
  return Take(given, &taken).ok() && TakeOurs(taken, presented);
}

// Allocates on misuse only.
inline bool TakePresented(const pat_presented* given, Presented* presented) {
  if (given == nullptr) return true;
  return given->size == sizeof *given ? TakeOurs(*given, presented) : TakeOther(given, presented);
}

// Runs `decide`, which may throw on misuse and out of callbacks: that is a refusal.
template <typename Body>
int32_t Deciding(pat_decision* decision, Body decide) noexcept {
  if (!DecisionFits(decision)) return PAT_INVALID_ARGUMENT;
  try {
    return decide();
  } catch (...) {
    const int32_t code = ReportException(nullptr);
    Refuse(RefusalReason::kUnavailable, decision);
    return code;
  }
}

// pat_verify with structs of our size, of which TakeOurs makes nothing that can throw.
[[gnu::noinline]] int32_t VerifyPresented(Authority* authority, std::string_view text,
                                          const pat_presented& presented,
                                          pat_decision* decision) noexcept {
  Presented how;
  if (!TakeOurs(presented, &how)) return Misuse(decision);
  return Decide(authority->Verify(text, how), decision);
}

// With any.
[[gnu::noinline]] int32_t VerifyOther(pat_authority* authority, const char* text,
                                      std::size_t text_len, const pat_presented* presented,
                                      pat_decision* decision) noexcept {
  return Deciding(decision, [&] {
    Presented how;
    if (authority == nullptr || !IsText(text, text_len) || !TakePresented(presented, &how)) {
      return Misuse(decision);
    }
    return Decide(authority->authority->Verify({text, text_len}, how), decision);
  });
}

}  // namespace
}  // namespace pat::capi

using namespace pat::capi;  // NOLINT(google-build-using-namespace): the bodies of the interface

int32_t pat_verify(pat_authority* authority, const char* text, size_t text_len,
                   const pat_presented* presented, pat_decision* decision) {
  if (authority == nullptr || text == nullptr || decision == nullptr ||
      decision->size != sizeof *decision) {
    return VerifyOther(authority, text, text_len, presented, decision);
  }
  pat::Authority* const ours = authority->authority.get();
  if (presented == nullptr) {
    return Decide(ours->Verify({text, text_len}, kNothingPresented), decision);
  }
  return presented->size == sizeof *presented
             ? VerifyPresented(ours, {text, text_len}, *presented, decision)
             : VerifyOther(authority, text, text_len, presented, decision);
}

int32_t pat_verify_many(pat_authority* authority, const char* texts, const size_t* text_lens,
                        size_t n, const pat_presented* presented, pat_decision* decisions) {
  if (n == 0) return authority == nullptr ? PAT_INVALID_ARGUMENT : PAT_OK;
  return Deciding(decisions, [&] {
    const std::size_t stride = decisions->size;
    const auto at = [&](std::size_t i) {
      auto* const decision =
          reinterpret_cast<pat_decision*>(reinterpret_cast<char*>(decisions) + i * stride);
      decision->size = stride;
      return decision;
    };
    pat::Presented how;
    bool good = authority != nullptr && text_lens != nullptr && TakePresented(presented, &how);
    std::size_t total = 0;
    for (std::size_t i = 0; good && i < n; ++i) {
      good = text_lens[i] <= SIZE_MAX - total;
      total += text_lens[i];
    }
    if (!good || (texts == nullptr && total != 0)) {
      for (std::size_t i = 0; i < n; ++i) Misuse(at(i));
      return static_cast<int32_t>(PAT_INVALID_ARGUMENT);
    }
    const char* text = texts == nullptr ? "" : texts;
    std::array<std::string_view, 64> some;
    for (std::size_t done = 0; done < n;) {
      const std::size_t count = std::min(some.size(), n - done);
      for (std::size_t i = 0; i < count; ++i) {
        some[i] = {text, text_lens[done + i]};
        text += text_lens[done + i];
      }
      authority->authority->VerifyMany(
          {some.data(), count}, how,
          [&](std::size_t i, const pat::Decision& made) { Decide(made, at(done + i)); });
      done += count;
    }
    return static_cast<int32_t>(PAT_OK);
  });
}

int32_t pat_authenticate(pat_authority* authority, const char* secret, size_t secret_len,
                         const pat_presented* presented, int32_t two_factor_enabled,
                         int32_t (*check)(void* context, const char* password, size_t password_len),
                         void* context, pat_decision* decision) {
  return Deciding(decision, [&] {
    std::string_view text;
    pat::Presented how;
    if (authority == nullptr || check == nullptr || !TakeText(secret, secret_len, &text).ok() ||
        !TakePresented(presented, &how)) {
      return Misuse(decision);
    }
    const auto fits = [&](std::string_view password) {
      return check(context, password.data(), password.size()) == 1;
    };
    return Decide(authority->authority->Authenticate(text, how, two_factor_enabled != 0, fits),
                  decision);
  });
}

int32_t pat_require(const pat_decision* decision, uint64_t permissions) {
  pat_decision taken;
  if (!DecisionFits(decision)) return PAT_INVALID_ARGUMENT;
  std::memset(&taken, 0, sizeof taken);
  std::memcpy(&taken, decision, decision->size < sizeof taken ? decision->size : sizeof taken);
  if (taken.accepted != 1 || taken.refusal != 0 || taken.account_len == 0) {
    return PAT_PERMISSION_DENIED;
  }
  return (permissions & ~taken.permissions) == 0 ? PAT_OK : PAT_PERMISSION_DENIED;
}

int32_t pat_require_account_admin(const pat_decision* decision) {
  const int32_t accepted = pat_require(decision, 0);
  if (accepted != PAT_OK) return accepted;
  return decision->method == PAT_METHOD_PASSWORD ? PAT_OK : PAT_PERMISSION_DENIED;
}
