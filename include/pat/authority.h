// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_AUTHORITY_H_
#define PAT_AUTHORITY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "pat/auto_token.h"
#include "pat/keyring.h"
#include "pat/keys.h"
#include "pat/principal.h"
#include "pat/scope.h"
#include "pat/store.h"
#include "pat/token.h"
#include "pat/token_text.h"

namespace pat {

struct AuthorityOptions {
  /// If the store is empty, make it: a new realm and, for Keyring::File, a new keyring.
  bool create_if_missing = false;

  /// Token prefixes, at most 8: the first issues, all are accepted. The store remembers them, and
  /// all it ever had stay accepted; empty: as the store has them. A new store needs one.
  std::vector<std::string> prefixes;

  /// The host's permissions and scopes. The store remembers them: see ScopeSet. An empty set
  /// adopts what the store holds.
  ScopeSet scopes = ScopeSet::DockerHub();

  AutoTokenPolicy auto_tokens;

  /// The time, for tests. Must be callable from any thread and neither block nor throw. Empty:
  /// the system's clock.
  std::function<absl::Time()> clock;
};

struct IssueRequest {
  std::string account;
  std::string description;
  std::vector<std::string> scopes;       ///< At least one; none for an auto token: the policy's.
  std::optional<absl::Time> expires_at;  ///< In the future; cut to whole seconds. None: never.
  Origin origin = Origin::kManual;
  Attributes attributes;
};

/// A new token and its text, which nothing can show again.
struct Issued {
  Token token;
  TokenText text;
  /// The ids of the auto tokens that went to make room. Where several auto tokens of an account are
  /// issued at once, the first of them has the ids for all.
  std::vector<std::uint64_t> evicted = {};
};

/// How a secret is presented. Borrows its strings for the call.
struct Presented {
  Claim claim = Claim::None();
  PermissionSet need;        ///< Refuse unless all of these are granted. Empty: none.
  std::string_view ip = {};  ///< Where from, for "last used"; empty if unknown.
  std::string_view user_agent = {};
};

/// A change to a token; what is not set stays. All of it happens or nothing.
struct TokenUpdate {
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> scopes;
  std::optional<bool> active;
};

struct ListOptions {
  std::optional<State> state;  ///< None: all but the deleted ones.
  std::optional<Origin> origin;
  std::string text;        ///< In the description; ASCII letters match in either case.
  std::size_t limit = 20;  ///< 1..1000.
  std::string after;       ///< TokenPage::next of the page before; empty: the first page.
};

struct TokenPage {
  std::vector<Token> tokens;  ///< Newest first.
  std::string next;           ///< Opaque; empty at the end. Stable while tokens come and go.
};

/// Tokens of an account by state; expired and deleted ones are in neither number.
struct Counts {
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
};

/// The one object a program talks to: issues tokens, decides about presented ones, lets their
/// owners manage them. Every method may be called from any thread at any time. What a method that
/// changes something returned OK for is durable and binds every process on the store at once.
///
/// Common errors: InvalidArgument (says what is wrong; nothing changed), NotFound (no such token,
/// or not `owner`'s; for a change also: it is deleted), DataLoss (rows do not fit their seals:
/// edited or damaged), ResourceExhausted (also: out of memory; nothing changed, but for calls that
/// work in steps), and the Store's. No message contains a secret or a description, and no exception
/// gets out but a callback's.
///
/// `owner`: methods on one token take the account that must own it; the empty string asks for no
/// check, for operators' tools only. A web handler always passes the signed-in account.
class Authority {
 public:
  /// Opens a store with its keyring. FailedPrecondition: the store is empty and may not be made,
  /// the keyring is missing or not this store's, or the declared scopes contradict the store's. If
  /// making a new store fails half-way, the next Open goes on.
  static absl::StatusOr<std::unique_ptr<Authority>> Open(std::unique_ptr<Store> store,
                                                         const Keyring& keyring,
                                                         const AuthorityOptions& options = {});
  ~Authority();  ///< Closes.
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // ---- Deciding

  /// Judges a presented token. Costs about one cache miss, one hash and five AES blocks: no
  /// allocation, lock, system call or storage write. An accepted token's last use is noted; so is
  /// that of one refused for kMissingPermission. `text` is judged as it is: strip line ends first.
  Decision Verify(std::string_view text, const Presented& presented = {}) noexcept;

  /// Verify for each text, presented in the same way, in order; `take` gets its index and the
  /// decision. Faster by texts than Verify, since their records are fetched ahead.
  void VerifyMany(absl::Span<const std::string_view> texts, const Presented& presented,
                  absl::FunctionRef<void(std::size_t index, const Decision&)> take);

  /// Checks a password; called at most once, in the calling thread. For an unknown account it must
  /// take as long as for a known one and return false.
  using PasswordCheck = absl::FunctionRef<bool(std::string_view password)>;

  /// Judges what came in a password field. Text that looks like a token is judged as one and never
  /// handed to the password check; for any other text the check runs, even if its answer cannot
  /// matter, so neither time nor text tells whether an account exists or has two-factor
  /// authentication. A good password is accepted only without two-factor authentication and for
  /// Claim::Account; it grants every declared permission.
  Decision Authenticate(std::string_view secret, const Presented& presented,
                        bool two_factor_enabled, PasswordCheck check);

  // ---- Creating

  /// Makes a token. An auto token first evicts, in the same transaction, what the policy says.
  absl::StatusOr<Issued> Issue(const IssueRequest& request);

  /// Makes up to 10,000 tokens in one transaction: all or none. For more call again: each answer
  /// is a step that is done.
  absl::StatusOr<std::vector<Issued>> IssueMany(absl::Span<const IssueRequest> requests);

  // ---- Looking

  absl::StatusOr<Token> Get(std::uint64_t id, std::string_view owner = {});

  /// A page of the account's tokens; an account that never had one has an empty page.
  absl::StatusOr<TokenPage> List(std::string_view account, const ListOptions& options = {});

  /// Constant time, except after a token's expiry has passed: the next call counts anew.
  absl::StatusOr<Counts> Count(std::string_view account);

  /// The id behind a Token::public_id. InvalidArgument if the text is none.
  absl::StatusOr<std::uint64_t> IdOf(std::string_view public_id) const;

  /// The Token::public_id of an id. InvalidArgument if it can be no token's.
  absl::StatusOr<std::string> PublicIdOf(std::uint64_t id) const;

  // ---- Changing. A change that already holds is OK and writes nothing.

  absl::StatusOr<Token> Update(std::uint64_t id, const TokenUpdate& update,
                               std::string_view owner = {});
  absl::Status Activate(std::uint64_t id, std::string_view owner = {});

  /// A token whose rows are damaged is deleted instead, and DataLoss returned.
  absl::Status Deactivate(std::uint64_t id, std::string_view owner = {});

  /// Final. Works on damaged tokens too. OK if it is deleted already.
  absl::Status Delete(std::uint64_t id, std::string_view owner = {},
                      DeleteReason reason = DeleteReason::kUser);

  /// Called after each step of what goes over the whole store; Cancelled if it returns false. The
  /// steps before an error, that one too, stay done.
  using PassCallback = std::function<bool(const PassProgress&)>;

  /// Forgets tokens that were deleted before `time`, at most `limit` of them; returns how many.
  /// Call again until it returns less than `limit`. Works in steps of up to 1,000 tokens.
  absl::StatusOr<std::size_t> Purge(absl::Time time, std::size_t limit = 10000,
                                    const PassCallback& progress = nullptr);

  // ---- Keys: see pat/keys.h

  /// The live keys with what depends on each: reads the whole store.
  absl::StatusOr<std::vector<KeyInfo>> Keys();

  /// Begins to use a new key. A File keyring gets one; a text that the host keeps must have one
  /// (Keyring::AddKey), else FailedPrecondition; so is it with 8 live keys of the kind. After an
  /// error a File may hold a key that is not in use yet: the next call uses it.
  absl::StatusOr<KeyInfo> RotateKey(KeyKind kind);

  /// Rewrites every row that an older key seals under the newest, in short batches: needs no
  /// token's text and disturbs nobody. Rows whose seals do not fit are left. Cut short, call it
  /// again.
  absl::StatusOr<PassProgress> Reseal(const PassCallback& progress = nullptr);

  /// Ends a key and all older ones of its kind, for every process. FailedPrecondition, with the
  /// count, while something depends on them, unless forced; for the newest key always. NotFound: no
  /// such live key; one retired before is OK, and call it again after an error. Final once the
  /// secret is out of the keyring: of a File it is taken out here; where the host keeps the text,
  /// with Keyring::RemoveKey. An older record that somebody puts back into the store is then
  /// refused.
  absl::Status RetireKey(KeyKind kind, std::uint16_t number, bool force = false);

  /// Copies accounts, tokens and last uses into `target`, a new store of the same scopes with a
  /// keyring, hence a realm, of its own. What is copied can be listed and deleted there, but no
  /// token of this store is accepted there, nor the reverse. Nobody may change this store
  /// meanwhile; cut short, the target is to be thrown away.
  absl::StatusOr<PassProgress> CopyTo(Authority* target, const PassCallback& progress = nullptr);

  // ---- Operating

  /// Writes the noted places of use ("last used from").
  absl::Status Flush();
  /// OK if tokens can be verified now.
  absl::Status Health();
  absl::StatusOr<StoreStats> Stats();

  const std::vector<std::string>& prefixes() const;
  const ScopeSet& scopes() const;

 private:
  class Impl;
  explicit Authority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pat

#endif  // PAT_AUTHORITY_H_
