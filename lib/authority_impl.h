// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_AUTHORITY_IMPL_H_
#define PAT_LIB_AUTHORITY_IMPL_H_

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lib/ledger.h"
#include "lib/live_keys.h"
#include "pat/authority.h"

namespace pat {

/// The latest time a token can expire, in Unix seconds: 2106-02-07.
inline constexpr std::uint32_t kLatestUnixS = UINT32_MAX - 1;

/// What an Authority is made of. authority.cc opens it, authority_look.cc looks,
/// authority_verify.cc decides, authority_issue.cc makes tokens, authority_write.cc changes them,
/// authority_keys.cc and authority_reseal.cc look after the keys.
class Authority::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(std::unique_ptr<Store> store,
                                                    const Keyring& keyring,
                                                    const AuthorityOptions& options);

  /// Hot: accepting, which comes after ten refusals, would pass for rare and be compiled for size.
  ABSL_ATTRIBUTE_HOT Decision Verify(std::string_view text, const Presented& presented) noexcept;
  void VerifyMany(absl::Span<const std::string_view> texts, const Presented& presented,
                  absl::FunctionRef<void(std::size_t, const Decision&)> take);
  Decision Authenticate(std::string_view secret, const Presented& presented,
                        bool two_factor_enabled, PasswordCheck check);

  absl::StatusOr<std::vector<Issued>> IssueMany(absl::Span<const IssueRequest> requests);

  absl::StatusOr<Token> Get(std::uint64_t id, std::string_view owner);
  absl::StatusOr<TokenPage> List(std::string_view account, const ListOptions& options);
  absl::StatusOr<Counts> Count(std::string_view account);

  absl::StatusOr<Token> Update(std::uint64_t id, const TokenUpdate& update, std::string_view owner);
  absl::Status Delete(std::uint64_t id, std::string_view owner, DeleteReason reason);
  absl::StatusOr<std::size_t> Purge(absl::Time time, std::size_t limit,
                                    const PassCallback& callback);

  absl::StatusOr<std::vector<KeyInfo>> Keys();
  absl::StatusOr<KeyInfo> RotateKey(KeyKind kind);
  absl::Status RetireKey(KeyKind kind, std::uint16_t number, bool force);
  absl::StatusOr<PassProgress> Reseal(const PassCallback& progress);
  absl::StatusOr<PassProgress> CopyTo(Impl* target, const PassCallback& progress);

  /// FailedPrecondition in a forked child, which has no keys.
  absl::Status CheckAlive() const;

  std::uint32_t Now() const {
    return clock_ == nullptr ? ClampUnixS(std::time(nullptr))
                             : ClampUnixS(absl::ToUnixSeconds(clock_()));
  }

  Store* store() { return store_.get(); }
  const KeySet& keys() const { return keys_->Loaded().keys; }
  const std::vector<std::string>& prefixes() const { return prefixes_; }
  const ScopeSet& scopes() const { return scopes_; }

 private:
  struct Candidate {       // a text being verified
    std::uint64_t id = 0;  // 0: refused already
    RefusalReason why = RefusalReason::kNotToken;
    std::string_view secret_input;
    std::string_view text;
    const LiveKeys::State* keys = nullptr;  // that the id was found with
  };
  struct NewToken;         // a token being issued
  struct AccountInChange;  // an account and its tokens within one batch
  struct Dependents;       // what depends on which key
  using KeyState = LiveKeys::State;

  Impl(std::unique_ptr<Store> store, std::unique_ptr<LiveKeys> keys,
       const AuthorityOptions& options)
      : store_(std::move(store)),
        keys_(std::move(keys)),
        policy_(options.auto_tokens),
        clock_(options.clock) {}

  static std::uint32_t ClampUnixS(std::int64_t unix_s) {
    if (unix_s < 0) return 0;
    return unix_s > kLatestUnixS ? kLatestUnixS : static_cast<std::uint32_t>(unix_s);
  }

  Candidate Begin(std::string_view text, const KeyState& state) noexcept;
  ABSL_ATTRIBUTE_HOT Decision Decide(const Candidate& candidate,
                                     const Presented& presented) noexcept;

  /// Decides by the candidate's keys; nothing, and sets `*outdated`, if they are not the store's
  /// any more. Then Anew has to do it.
  Decision Judge(const Candidate& candidate, const Presented& presented, bool* outdated) noexcept;
  Decision Anew(std::string_view text, const Presented& presented) noexcept;

  absl::Status AdoptHeader(const KeyState& state, const AuthorityOptions& options);
  absl::Status AdoptScopes(const KeyState& state, const AuthorityOptions& options);

  /// The keys as of the store now; FailedPrecondition in a forked child.
  absl::StatusOr<const KeyState*> CurrentKeys();
  Ledger LedgerOf(const KeyState& state) const { return {store_.get(), &state.keys, state.row}; }

  /// Runs `attempt` with the keys of the store's header until it returns something else than
  /// Aborted, for half a minute at most. An error may come of keys that were changed meanwhile:
  /// then it is tried again too.
  absl::Status Retry(absl::FunctionRef<absl::Status(const KeyState&)> attempt);
  absl::Status RetryWrite(absl::FunctionRef<absl::Status(const Ledger&)> attempt);
  absl::Status Revoke(absl::FunctionRef<absl::Status(const Ledger&)> attempt);

  /// The same for what only looks: nothing it saw counts if the keys were changed meanwhile.
  absl::Status Look(absl::FunctionRef<absl::Status(const Ledger&)> look);

  static absl::StatusOr<TokenEntry> ReadOwned(const Ledger& ledger, std::uint64_t id,
                                              std::string_view owner);
  absl::Status ListPage(const Ledger& ledger, std::string_view account, const ListOptions& options,
                        TokenPage* page);
  absl::Status CountOnce(const Ledger& ledger, std::string_view account, Counts* counts);

  absl::StatusOr<NewToken> Prepare(const IssueRequest& request, std::uint32_t now) const;
  absl::Status CheckAutoTokens(absl::Span<const IssueRequest> requests) const;
  absl::Status MakeSecret(const KeySet& keys, NewToken* token) const;
  static absl::StatusOr<AccountInChange> BeginAccount(const Ledger& ledger,
                                                      const std::string& account,
                                                      std::uint32_t now);
  absl::Status Evict(const Ledger& ledger, int arriving, std::uint32_t now,
                     AccountInChange* account, Batch* batch);
  absl::Status IssueOnce(const Ledger& ledger, std::vector<NewToken>* tokens, std::uint32_t now,
                         std::map<std::string, std::uint32_t>* new_numbers);
  absl::Status UpdateOnce(const Ledger& ledger, std::uint64_t id, const TokenUpdate& update,
                          std::string_view owner, std::uint32_t now, Token* result,
                          absl::Status* buried);
  static absl::Status DeleteOnce(const Ledger& ledger, std::uint64_t id, std::string_view owner,
                                 DeleteReason reason, std::uint32_t now);
  static absl::Status BuryOnce(const Ledger& ledger, const TokenEntry& token, DeleteReason reason,
                               std::uint32_t now);
  static absl::Status PurgeRows(const Ledger& ledger, const std::vector<TokenRow>& rows,
                                std::uint32_t before, std::size_t most, std::size_t* purged);

  /// Cancelled if the caller wants no more.
  static absl::Status Report(const PassProgress& progress, const PassCallback& callback) {
    if (callback == nullptr || callback(progress)) return absl::OkStatus();
    return absl::CancelledError("the pass was stopped");
  }

  absl::Status CountAccounts(const Ledger& ledger, Dependents* dependents);
  absl::Status CountTokens(const Ledger& ledger, std::uint32_t now, Dependents* dependents);
  absl::StatusOr<std::vector<KeyInfo>> KeysOnce(const KeyState& state);
  absl::Status WriteHeader(const KeyState& state, const Header& header, const KeySet& keys);
  absl::Status RetireOnce(const KeyState& state, KeyKind kind, std::uint16_t number, bool force);

  absl::Status ResealAccounts(const Ledger& ledger, AccountWalk* walk, bool* end,
                              PassProgress* progress);
  absl::Status ResealTokens(const Ledger& ledger, std::uint64_t first, std::uint64_t* next,
                            PassProgress* progress);
  absl::Status CopyPage(const Ledger& from, const Ledger& to, const AccountEntry& source,
                        const AccountEntry& copy, std::uint64_t* before, PassProgress* progress);
  absl::Status CopyUses(const AccountEntry& source, Impl* target);
  absl::Status CopyAccount(const Ledger& from, const AccountRow& row, Impl* target,
                           PassProgress* progress, const PassCallback& callback);

  std::unique_ptr<Store> store_;
  std::unique_ptr<LiveKeys> keys_;
  AutoTokenPolicy policy_;
  std::function<absl::Time()> clock_;
  ScopeSet scopes_;
  std::vector<std::string> prefixes_;
};

}  // namespace pat

#endif  // PAT_LIB_AUTHORITY_IMPL_H_
