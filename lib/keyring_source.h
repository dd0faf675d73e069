// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_KEYRING_SOURCE_H_
#define PAT_LIB_KEYRING_SOURCE_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
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

  struct Staged {
    KeyringContents contents;
    std::string path;  ///< Where it is; empty: the host keeps it.
  };

  /// For a new store: a File is generated and staged, AlreadyExists if the file is there; others
  /// are loaded.
  static absl::StatusOr<Staged> Stage(const Keyring& keyring);

  /// After the header was committed; or after somebody else's was, or none.
  static absl::Status Publish(const Keyring& keyring, const Realm& realm);
  static void Discard(const Staged& staged) noexcept;

  /// True if the host keeps the text: only a File can be rewritten.
  static bool HostKeeps(const Keyring& keyring) { return keyring.loader_ != nullptr; }

  /// False if reading it again brings nothing new.
  static bool CanChange(const Keyring& keyring) { return !keyring.fixed_; }

  /// Changes a File's contents: whole and durable, or not at all; one process at a time. `change`
  /// says whether there is anything to write.
  using Change = absl::FunctionRef<absl::StatusOr<bool>(KeyringContents*)>;
  static absl::Status Rewrite(const Keyring& keyring, const Realm& realm, Change change);

  /// A keyring text (docs/format.md). Errors name a line, never what stands there.
  static absl::StatusOr<KeyringContents> Parse(std::string_view text);
  static void Format(const KeyringContents& contents, std::string* text);

  /// Adds a key of the next number.
  static absl::Status AddKey(KeyKind kind, KeyringContents* contents);

  /// Drops, and wipes, keys of lower numbers than these; true if there were any. Never the newest.
  static bool DropBelow(std::uint16_t selector, std::uint16_t seal, KeyringContents* contents);

 private:
  static absl::Status Validate(const Keyring& keyring);
  static absl::StatusOr<KeyringContents> Read(const Keyring& keyring);
};

}  // namespace pat

#endif  // PAT_LIB_KEYRING_SOURCE_H_
