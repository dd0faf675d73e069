// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LIVE_KEYS_H_
#define PAT_LIB_LIVE_KEYS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/codec.h"
#include "lib/key_set.h"
#include "pat/keyring.h"
#include "pat/store.h"

namespace pat {

/// Names of the store's meta rows.
inline constexpr std::string_view kHeaderRow = "header";
inline constexpr std::string_view kScopesRow = "scopes";

/// The header of a row, before its seal can be checked: the keys hang on the realm it names.
absl::StatusOr<Header> PeekHeader(std::string_view row);

/// The keys that the store's header names: exactly those, and none below the highest limit that
/// this process has seen, whatever header is put back. The store's MetaVersion tells when the
/// header has to be read again; the keyring is loaded again only if the header names a key that it
/// did not have. All functions may be called from any thread.
class LiveKeys {
 public:
  /// Keys as of one header. Kept until LiveKeys goes, since a verify may be using it: one for each
  /// header there ever was while the process runs, so a few.
  struct State {
    State(KeySet k, Header h, std::string r)
        : keys(std::move(k)), header(std::move(h)), row(std::move(r)) {}

    const KeySet keys;
    const Header header;
    const std::string row;  ///< The header's, as it stands in the store.
    mutable std::atomic<std::uint64_t> meta_version{0};
  };

  /// FailedPrecondition if the keyring does not fit the store's header, NotFound if there is none.
  static absl::StatusOr<std::unique_ptr<LiveKeys>> Open(Store* store, const Keyring& keyring);

  /// The latest state that this process loaded, in one load: it may be behind the store.
  const State& Loaded() const noexcept { return *loaded_.load(std::memory_order_acquire); }

  /// False if the store has moved on.
  bool IsCurrent(const State& state) const noexcept {
    return state.meta_version.load(std::memory_order_relaxed) == store_->MetaVersion();
  }

  /// The state as of the store now. If it could not be loaded, that is tried again in the next
  /// second of the caller's clock, or when the store has moved on again.
  absl::StatusOr<const State*> Current(std::uint32_t now_unix_s);

  /// The same for verify: null instead of an error, also if memory runs out.
  const State* CurrentOrNull(std::uint32_t now_unix_s) noexcept;

  /// After a batch failed: has the header read anew if another stands in the store, whatever
  /// MetaVersion says. (An editor of the store's files moves none.)
  void Recheck(const State& state);

  /// The header that names one more key, and the keys it names: the next of the keyring that the
  /// store's header does not name yet. If there is none, a File gets one.
  struct Next {
    Header header;
    KeySet keys;
  };
  absl::StatusOr<Next> Rotated(const State& state, KeyKind kind, std::uint32_t now_unix_s);

  /// Takes keys below the header's limits out of a File.
  absl::Status RemoveRetired(const Header& header);

  /// The keys of `all` that the header names; FailedPrecondition if some are not there or others.
  static absl::StatusOr<KeySet> Named(const KeySet& all, const Header& header);

 private:
  struct Failure {
    absl::Status status;
    std::uint64_t meta_version;
    std::uint32_t unix_s;
  };

  LiveKeys(Store* store, std::optional<Keyring> keyring)
      : store_(store), keyring_(std::move(keyring)) {}

  absl::Status Load(bool* keys_failed);
  absl::Status Adopt(std::string row, std::uint64_t version);
  absl::StatusOr<KeySet> KeysFor(const Header& header);
  absl::Status ReadKeyring(const Realm& realm);

  Store* const store_;
  const std::optional<Keyring> keyring_;  // none: it cannot be read again
  std::mutex mutex_;                      // guards all below; loaded_ is read without
  std::optional<KeySet> all_;             // all that the keyring had when it was last read
  std::uint16_t limits_[2] = {0, 0};      // by KeyKind: no lower number is accepted any more
  std::vector<std::unique_ptr<State>> states_;
  std::optional<Failure> failure_;
  std::atomic<const State*> loaded_{nullptr};
};

}  // namespace pat

#endif  // PAT_LIB_LIVE_KEYS_H_
