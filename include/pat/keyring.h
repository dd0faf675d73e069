// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_KEYRING_H_
#define PAT_KEYRING_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace pat {

/// Where an Authority gets its master secrets from. Whoever has the keyring and can write the
/// store can make tokens; whoever loses it has lost all tokens. Keep it apart from the store and
/// from the store's backups.
///
/// A keyring is a small text (see docs/format.md): the realm of the store it was made for, and
/// numbered master secrets from which all working keys are derived (HKDF-SHA-256). It is read at
/// Authority::Open; the working keys then live on locked pages that core dumps and forked children
/// do not get.
class Keyring {
 public:
  using Loader = std::function<absl::StatusOr<std::string>()>;

  /// A file, mode 0600. Authority::Open writes it (atomically, fsynced) together with a *new*
  /// store, and only then: with an existing store a missing file is FailedPrecondition.
  static Keyring File(std::string path);

  /// The keyring text itself, from a secret manager say. Made once by Generate().
  static Keyring Bytes(std::string_view text);

  /// A function that returns the keyring text, called at open, in the opening thread; for KMS
  /// clients. Its error is passed on.
  static Keyring Callback(Loader loader);

  /// A new keyring text with a realm of its own, for hosts that keep it themselves. For one store:
  /// two made with the same text would take each other's rows for their own. Internal if
  /// the random number generator fails.
  static absl::StatusOr<std::string> Generate();

 private:
  friend class KeyringSource;
  Keyring() = default;

  std::string path_;
  Loader loader_;
};

}  // namespace pat

#endif  // PAT_KEYRING_H_
