// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_KEYRING_SOURCE_H_
#define PAT_LIB_KEYRING_SOURCE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lib/key_set.h"
#include "pat/keyring.h"

namespace pat {

/// Reads a Keyring, and makes one together with a new store: the file is staged under a name that
/// holds its realm, then the store's header is committed, then the file gets its name. Cut short in
/// between, the next open finds the staged file of the header's realm and goes on; a keyring file
/// of another store is never taken and never overwritten.
class KeyringSource {
 public:
  /// The keyring of the store with this realm. FailedPrecondition if there is none, it is not a
  /// keyring, or it was made for another store; InvalidArgument for no path, or one with a NUL.
  static absl::StatusOr<KeyringContents> Load(const Keyring& keyring, const Realm& realm);

  /// For a new store: a File is generated and staged, AlreadyExists if the file is there; others
  /// are loaded.
  static absl::StatusOr<KeyringContents> Stage(const Keyring& keyring);

  /// After the header was committed; or after somebody else's was.
  static absl::Status Publish(const Keyring& keyring, const Realm& realm);
  static void Discard(const Keyring& keyring, const Realm& realm);

  /// A keyring text (docs/format.md). Errors name a line, never what stands there.
  static absl::StatusOr<KeyringContents> Parse(std::string_view text);

 private:
  static absl::Status Validate(const Keyring& keyring);
  static absl::StatusOr<KeyringContents> Read(const Keyring& keyring);
};

}  // namespace pat

#endif  // PAT_LIB_KEYRING_SOURCE_H_
