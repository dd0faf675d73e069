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

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lib/key_set.h"
#include "lib/ledger.h"
#include "pat/authority.h"

namespace pat {

/// The latest time a token can expire, in Unix seconds: 2106-02-07.
inline constexpr std::uint32_t kLatestUnixS = UINT32_MAX - 1;

/// What an Authority is made of. authority.cc opens it and looks, authority_verify.cc decides,
/// authority_issue.cc makes tokens, authority_write.cc changes them.
class Authority::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(std::unique_ptr<Store> store,
                                                    const Keyring& keyring,
                                                    const AuthorityOptions& options);

  Decision Verify(std::string_view text, const Presented& presented) noexcept;
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
  absl::StatusOr<std::size_t> Purge(absl::Time time, std::size_t limit);

  /// FailedPrecondition in a forked child, which has no keys.
  absl::Status CheckAlive() const;

  std::uint32_t Now() const {
    return clock_ == nullptr ? ClampUnixS(std::time(nullptr))
                             : ClampUnixS(absl::ToUnixSeconds(clock_()));
  }

  Store* store() { return store_.get(); }
  const KeySet& keys() const { return keys_; }
  const std::vector<std::string>& prefixes() const { return prefixes_; }
  const ScopeSet& scopes() const { return scopes_; }

 private:
  struct Candidate {       // a text being verified
    std::uint64_t id = 0;  // 0: refused already
    RefusalReason why = RefusalReason::kNotToken;
    std::string_view secret_input;
  };
  struct NewToken;         // a token being issued
  struct AccountInChange;  // an account and its tokens within one batch

  Impl(std::unique_ptr<Store> store, KeySet keys, const AuthorityOptions& options)
      : store_(std::move(store)),
        keys_(std::move(keys)),
        ledger_(store_.get(), &keys_),
        policy_(options.auto_tokens),
        clock_(options.clock) {}

  static std::uint32_t ClampUnixS(std::int64_t unix_s) {
    if (unix_s < 0) return 0;
    return unix_s > kLatestUnixS ? kLatestUnixS : static_cast<std::uint32_t>(unix_s);
  }

  absl::Status AdoptHeader(const AuthorityOptions& options);
  absl::Status AdoptScopes(const AuthorityOptions& options);

  /// Runs `attempt` until it returns something else than Aborted, for half a minute at most.
  static absl::Status Retry(absl::FunctionRef<absl::Status()> attempt);

  Candidate Begin(std::string_view text) noexcept;
  Decision Decide(const Candidate& candidate, const Presented& presented) noexcept;

  absl::StatusOr<TokenEntry> ReadOwned(std::uint64_t id, std::string_view owner) const;

  absl::StatusOr<NewToken> Prepare(const IssueRequest& request, std::uint32_t now) const;
  absl::Status CheckAutoTokens(absl::Span<const IssueRequest> requests) const;
  absl::Status MakeSecret(std::uint64_t id, NewToken* token) const;
  absl::StatusOr<AccountInChange> BeginAccount(const std::string& account, std::uint32_t now);
  absl::Status Evict(int arriving, std::uint32_t now, AccountInChange* account, Batch* batch);
  absl::Status IssueOnce(std::vector<NewToken>* tokens, std::uint32_t now,
                         std::map<std::string, std::uint32_t>* new_numbers);
  absl::Status UpdateOnce(std::uint64_t id, const TokenUpdate& update, std::string_view owner,
                          std::uint32_t now, Token* result);
  absl::Status BuryOnce(const TokenEntry& token, DeleteReason reason, std::uint32_t now);
  absl::StatusOr<std::size_t> PurgeRows(const std::vector<TokenRow>& rows, std::uint32_t before);

  std::unique_ptr<Store> store_;
  KeySet keys_;
  Ledger ledger_;
  AutoTokenPolicy policy_;
  std::function<absl::Time()> clock_;
  ScopeSet scopes_;
  std::vector<std::string> prefixes_;
};

}  // namespace pat

#endif  // PAT_LIB_AUTHORITY_IMPL_H_
