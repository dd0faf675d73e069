// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_LEDGER_H_
#define PAT_LIB_LEDGER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lib/codec.h"
#include "lib/key_set.h"
#include "lib/seal.h"
#include "pat/lifecycle.h"
#include "pat/store.h"
#include "pat/token.h"

namespace pat {

/// An account's row, checked.
struct AccountEntry {
  std::uint32_t number = 0;
  std::string row;  ///< As in the store; empty: not there yet.
  Account account;
};

/// A token's rows, checked as far as they go. Damage is no error here: a damaged token must still
/// be shown and deleted.
struct TokenEntry {
  std::uint64_t id = 0;
  TokenRecord record;
  RecordFields fields;
  std::optional<AccountEntry> owner;  ///< Not there if the account's row does not prove it.
  std::optional<Metadata> metadata;   ///< Not there if lost or spoiled.

  /// The seal fits and the rows belong together: all that `fields` says is true. A deleted token is
  /// sealed also where owner and metadata were lost.
  bool sealed = false;

  bool deleted() const { return sealed && fields.state == StoredState::kDeleted; }
};

/// Reads a store's rows and judges their seals; computes what follows from them, and writes. Holds
/// no state but the keys of one header of the store's.
class Ledger {
 public:
  /// `header`: the row the keys are of. Nothing is written if another stands in the store, so no
  /// row is ever sealed by a key that is not in use any more. Empty: written whatever stands there.
  Ledger(Store* store, const KeySet* keys, std::string_view header)
      : store_(store), keys_(keys), header_(header) {}

  const KeySet& keys() const { return *keys_; }
  bool guarded() const { return !header_.empty(); }

  /// Applies the batch, with the check on the header. Aborted: read all again, keys included.
  absl::Status Apply(Batch batch) const;

  /// NotFound: none such. DataLoss: it does not fit its seal or is not this account's.
  absl::StatusOr<AccountEntry> ReadAccount(std::string_view account) const;

  /// Judges an account's row. DataLoss: it does not fit its seal.
  absl::StatusOr<AccountEntry> ProveAccount(const AccountRow& row) const;

  /// NotFound: an empty slot. Damage: see TokenEntry.
  absl::StatusOr<TokenEntry> ReadToken(std::uint64_t id) const;

  /// Judges a row of the account's page. None if the slot is empty or provably another account's.
  std::optional<TokenEntry> Judge(const TokenRow& row, const AccountEntry& owner) const;

  /// True if `account` may manage the token: it is its own, or it is damaged and lies among its
  /// own. (For a damaged token only deleting is possible.)
  absl::StatusOr<bool> Owns(std::string_view account, const TokenEntry& token) const;

  /// Takes `account`, which Owns the damaged token, for its owner, whatever its record claims: the
  /// rows to clear away and the counts to set right are that account's.
  absl::Status Adopt(std::string_view account, TokenEntry* token) const;

  /// The account's counts and auto tokens as of `now`: as they stand if they still hold, otherwise
  /// counted anew over its tokens. Damaged tokens are in no count.
  absl::StatusOr<Account> CountedAt(const AccountEntry& entry, std::uint32_t now) const;
  absl::StatusOr<Account> Recount(const AccountEntry& entry, std::uint32_t now) const;

  /// Adds the checks and rows to `batch` that make the token deleted, whatever its damage.
  void Bury(const TokenEntry& token, DeleteReason reason, std::uint32_t now, Batch* batch) const;

  /// Adds the token's rows to `batch`, sealed by the newest key, its version one up.
  void Rewrite(TokenEntry* token, Batch* batch) const;

  /// The same for a token that changes in nothing but its seal. False, and nothing is added: its
  /// rows do not prove enough to be sealed anew.
  bool Reseal(TokenEntry* token, Batch* batch) const;

  /// Adds the account's row to `batch`, with a check that the one read still stands.
  void RewriteAccount(const AccountEntry& read, Account account, Batch* batch) const;

  /// What a token looks like to people.
  Token View(const TokenEntry& token, std::string_view account, std::uint32_t now) const;

 private:
  absl::StatusOr<TokenEntry> ReadTokenOnce(std::uint64_t id) const;
  absl::StatusOr<std::optional<AccountEntry>> ReadOwner(const RecordFields& fields) const;
  void JudgeRows(std::string_view metadata_row, TokenEntry* token) const;

  Store* store_;
  const KeySet* keys_;
  std::string_view header_;
};

/// All accounts of a store, in the order of their numbers.
class AccountWalk {
 public:
  explicit AccountWalk(Store* store) : store_(store) {}

  /// None at the end.
  absl::StatusOr<std::optional<AccountRow>> Next();

 private:
  Store* store_;
  std::uint32_t next_ = 1;  // 0: at the end
};

/// Adds (`change` = 1) or takes away (-1) a token from the counts it stands in.
void CountToken(const RecordFields& fields, int change, Account* account);

}  // namespace pat

#endif  // PAT_LIB_LEDGER_H_
