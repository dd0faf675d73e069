// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_KEYRING_H_
#define PAT_KEYRING_H_

#include <functional>
#include <string>
#include <string_view>

#include <cstdint>

#include "absl/status/statusor.h"
#include "pat/keys.h"

namespace pat {

/// Where an Authority gets its master secrets from. Whoever has the keyring and can write the
/// store can make tokens; whoever loses it has lost all tokens. Keep it apart from the store and
/// from the store's backups.
///
/// A keyring is a small text (see docs/format.md): the realm of the store it was made for, and
/// numbered master secrets from which all working keys are derived (HKDF-SHA-256). It is read at
/// Authority::Open, and again when another process has begun to use a key that was not in it; the
/// working keys live on locked pages that core dumps and forked children do not get.
class Keyring {
 public:
  using Loader = std::function<absl::StatusOr<std::string>()>;

  /// A file, mode 0600. Authority::Open writes it (atomically, fsynced) together with a *new*
  /// store, and only then: with an existing store a missing file is FailedPrecondition.
  static Keyring File(std::string path);

  /// The keyring text itself, from a secret manager say. Made once by Generate(). It cannot be read
  /// again: a process that has to know a new key is opened with the new text before that key is
  /// used.
  static Keyring Bytes(std::string_view text);

  /// A function that returns the keyring text; for KMS clients. Called at open, and later by any
  /// thread, one at a time, when the store's header names a key that the text did not have:
  /// verifies wait for it meanwhile, so it must not take long, nor call the authority, nor throw.
  /// Its error is passed on by Open; a verify is then refused for kUnavailable, and asks again a
  /// second later.
  static Keyring Callback(Loader loader);

  /// A new keyring text with a realm of its own, for hosts that keep it themselves. For one store:
  /// two made with the same text would take each other's rows for their own. Internal if
  /// the random number generator fails.
  static absl::StatusOr<std::string> Generate();

  /// `text` with one more key, for hosts that keep it themselves: hand the new text to all
  /// processes first (those with Bytes open again), then call Authority::RotateKey.
  /// FailedPrecondition if the text is none or has 8 of the kind: RemoveKey a retired one.
  static absl::StatusOr<std::string> AddKey(std::string_view text, KeyKind kind);

  /// `text` without a key, after Authority::RetireKey: only this makes retiring final. NotFound if
  /// it has no such key; FailedPrecondition for the newest of its kind.
  static absl::StatusOr<std::string> RemoveKey(std::string_view text, KeyKind kind,
                                               std::uint16_t number);

 private:
  friend class KeyringSource;
  Keyring() = default;

  std::string path_;
  Loader loader_;
  bool fixed_ = false;  // the loader always returns the same
};

}  // namespace pat

#endif  // PAT_KEYRING_H_
