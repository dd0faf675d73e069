// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "sessions.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <utility>

#include "base64.h"

namespace hub {
namespace {

constexpr absl::Duration kTokenWait = absl::Minutes(1);

std::string RandomText() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
  return Base64Url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Digest(std::string_view id) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(id.data()), id.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

Sessions::Sessions(const SessionLimits& limits, std::function<absl::Time()> clock)
    : limits_(limits), clock_(std::move(clock)) {}

bool Sessions::HasEnded(const Kept& kept, absl::Time now) const {
  if (!kept.session.signed_in) return now >= kept.begun + limits_.code_wait;
  return now >= kept.seen + limits_.idle || now >= kept.begun + limits_.lifetime;
}

void Sessions::MakeRoom(std::string_view account, absl::Time now) {
  std::size_t of_account = 0;
  auto oldest = by_digest_.end();
  auto oldest_of_account = by_digest_.end();
  const auto older = [&](Map::iterator a, Map::iterator b) {
    return b == by_digest_.end() || a->second.seen < b->second.seen;
  };
  for (auto it = by_digest_.begin(); it != by_digest_.end();) {
    if (HasEnded(it->second, now)) {
      it = by_digest_.erase(it);
      continue;
    }
    if (older(it, oldest)) oldest = it;
    if (it->second.session.account == account) {
      ++of_account;
      if (older(it, oldest_of_account)) oldest_of_account = it;
    }
    ++it;
  }
  if (of_account >= limits_.account) {
    by_digest_.erase(oldest_of_account);
  } else if (by_digest_.size() >= limits_.all) {
    by_digest_.erase(oldest);
  }
}

std::string Sessions::Begin(std::string_view account, std::string_view version, bool signed_in) {
  std::string id = RandomText();
  std::string form_token = RandomText();
  if (id.empty() || form_token.empty()) return {};
  const absl::Time now = clock_();
  Kept kept;
  kept.session = {std::string(account), std::string(version), std::move(form_token), signed_in};
  kept.begun = kept.seen = now;
  const std::lock_guard<std::mutex> lock(mutex_);
  MakeRoom(account, now);
  by_digest_.emplace(Digest(id), std::move(kept));
  return id;
}

Sessions::Kept* Sessions::Look(std::string_view id, absl::Time now) {
  const auto found = by_digest_.find(Digest(id));
  if (found == by_digest_.end()) return nullptr;
  if (HasEnded(found->second, now)) {
    by_digest_.erase(found);
    return nullptr;
  }
  if (now >= found->second.token_left + kTokenWait) found->second.token.reset();
  return &found->second;
}

std::optional<Session> Sessions::Find(std::string_view id) {
  const absl::Time now = clock_();
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept* const kept = Look(id, now);
  if (kept == nullptr) return std::nullopt;
  kept->seen = now;
  return kept->session;
}

void Sessions::End(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  by_digest_.erase(Digest(id));
}

void Sessions::Leave(std::string_view id, Message message) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (Kept* const kept = Look(id, clock_())) kept->message = std::move(message);
}

void Sessions::Leave(std::string_view id, NewToken token) {
  const absl::Time now = clock_();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (Kept* const kept = Look(id, now)) {
    kept->token = std::move(token);
    kept->token_left = now;
  }
}

std::optional<Message> Sessions::TakeMessage(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept* const kept = Look(id, clock_());
  return kept == nullptr ? std::nullopt : std::exchange(kept->message, std::nullopt);
}

std::optional<NewToken> Sessions::TakeNewToken(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept* const kept = Look(id, clock_());
  if (kept == nullptr || !kept->token) return std::nullopt;
  kept->token_shown = true;
  return std::exchange(kept->token, std::nullopt);
}

bool Sessions::TakeTokenWasShown(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept* const kept = Look(id, clock_());
  return kept != nullptr && std::exchange(kept->token_shown, false);
}

bool SameFormToken(std::string_view sent, std::string_view expected) {
  return !expected.empty() && sent.size() == expected.size() &&
         CRYPTO_memcmp(sent.data(), expected.data(), sent.size()) == 0;
}

}  // namespace hub
