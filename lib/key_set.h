// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_KEY_SET_H_
#define PAT_LIB_KEY_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "lib/crypto.h"
#include "pat/keyring.h"

namespace pat {

/// Live keys of a kind at most, so that three bits of a record tell which.
inline constexpr std::size_t kMaxKeys = kMaxLiveKeys;

using Realm = crypto::Block;

/// A master secret: 32 random bytes and the number it is known by (1..65535, never reused).
struct MasterSecret {
  std::uint16_t number = 0;
  std::array<unsigned char, 32> secret{};
};

/// What a keyring text says. Wiped when destroyed.
struct KeyringContents {
  Realm realm{};
  std::vector<MasterSecret> selectors;  ///< Newest (highest number) first.
  std::vector<MasterSecret> seals;      ///< Likewise.

  std::vector<MasterSecret>& keys(KeyKind kind) {
    return kind == KeyKind::kSelector ? selectors : seals;
  }

  KeyringContents() = default;
  KeyringContents(KeyringContents&&) = default;
  KeyringContents& operator=(KeyringContents&&) = default;
  ~KeyringContents();
};

/// Makes a selector of an id, and an id of a selector.
struct SelectorKey {
  std::uint16_t number;
  crypto::AesKey encrypt;
  crypto::AesKey decrypt;
};

/// Three keys, so that no row can pass for a record of another kind.
struct SealKey {
  std::uint16_t number;
  crypto::CmacKey token;    ///< Token records.
  crypto::CmacKey row;      ///< All other rows.
  crypto::CmacKey account;  ///< Tags of account ids too long to stand in a record.
};

/// The working keys: derived from a keyring, on pages of their own which are locked in memory (best
/// effort), kept out of core dumps, and zero in a forked child.
class KeySet {
 public:
  KeySet() = default;  ///< Holds nothing: only to be assigned to.
  static absl::StatusOr<KeySet> Derive(const KeyringContents& keyring);

  /// A set of its own with those keys of this one that `wanted` wants. FailedPrecondition if that
  /// leaves none of a kind.
  using Wanted = absl::FunctionRef<bool(KeyKind kind, std::uint16_t number)>;
  absl::StatusOr<KeySet> Only(Wanted wanted) const;

  /// False in a forked child: there are no keys.
  bool alive() const { return pages_->alive == kAlive; }

  std::size_t selector_count() const { return pages_->selector_count; }
  const SelectorKey& selector(std::size_t i) const { return pages_->selectors[i]; }  ///< 0: newest

  std::size_t seal_count() const { return pages_->seal_count; }
  const SealKey& seal(std::size_t i) const { return pages_->seals[i]; }  ///< Likewise.
  const SealKey& newest_seal() const { return pages_->seals[0]; }

  /// The numbers of its keys, newest first.
  std::vector<std::uint16_t> Numbers(KeyKind kind) const;

  /// The live seal key whose number is `number` (or has these lowest three bits); or nullptr.
  const SealKey* SealByNumber(std::uint16_t number) const;
  const SealKey* SealBySlot(unsigned slot) const;

  /// For public ids: derived from the realm alone, never rotated.
  const crypto::AesKey& public_id_encrypt() const { return pages_->public_id_encrypt; }
  const crypto::AesKey& public_id_decrypt() const { return pages_->public_id_decrypt; }

 private:
  static constexpr std::uint32_t kAlive = 0x6b657973;
  struct Pages {
    std::uint32_t alive;
    std::size_t selector_count;
    std::size_t seal_count;
    std::array<SelectorKey, kMaxKeys> selectors;
    std::array<SealKey, kMaxKeys> seals;
    crypto::AesKey public_id_encrypt;
    crypto::AesKey public_id_decrypt;
  };
  struct Unmap {
    void operator()(Pages* pages) const;
  };

  static absl::StatusOr<std::unique_ptr<Pages, Unmap>> MapPages();

  explicit KeySet(std::unique_ptr<Pages, Unmap> pages) : pages_(std::move(pages)) {}
  std::unique_ptr<Pages, Unmap> pages_;
};

}  // namespace pat

#endif  // PAT_LIB_KEY_SET_H_
