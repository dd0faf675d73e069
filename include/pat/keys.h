// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_KEYS_H_
#define PAT_KEYS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace pat {

// The life of a store's keys: Authority::RotateKey, Reseal, RetireKey, Keys.
//
// A key is *live* from the commit that names it in the store's header until the commit that raises
// the header's limit above its number. The newest of a kind is the one in use. Every process on the
// store sees a change of the header at its next verify, and loads the keyring anew if the header
// names a key that it does not have.

/// Two kinds, rotated apart: a selector key makes the readable id in a token's text, so it lives as
/// long as its tokens; a seal key proves the rows of the store, which Reseal brings under the
/// newest.
enum class KeyKind { kSelector, kSeal };

/// Live keys of a kind at most.
inline constexpr int kMaxLiveKeys = 8;

struct KeyInfo {
  KeyKind kind = KeyKind::kSelector;
  std::uint16_t number = 0;
  absl::Time created_at;
  bool newest = false;

  /// What would be lost with the key. Of a selector key: its tokens that are neither deleted nor
  /// expired, and all damaged ones, whose key nobody can tell. Of a seal key: tokens (whatever
  /// their state) and account rows under its seal.
  std::uint64_t dependents = 0;
};

/// How far a pass over the whole store has come: Reseal, CopyTo, Purge.
struct PassProgress {
  std::uint64_t accounts = 0;       ///< Looked at.
  std::uint64_t tokens = 0;         ///< Looked at.
  std::uint64_t next_token_id = 1;  ///< All ids are below this.
  std::uint64_t written = 0;        ///< Tokens and account rows; of Purge: tokens forgotten.

  /// Tokens and account rows left as they are: their seals do not fit, or a token's metadata is
  /// lost. Such a token can still be deleted.
  std::uint64_t left = 0;
};

}  // namespace pat

#endif  // PAT_KEYS_H_
