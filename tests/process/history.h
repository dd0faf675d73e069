// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_HISTORY_H_
#define TESTS_PROCESS_HISTORY_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

/// One call on an account or one of its tokens: when it began and returned, by one clock of all
/// threads, and what it answered. Plain, so that it can lie in shared memory.
struct Call {
  enum class Verb : std::uint8_t {
    kVerify,
    kActivate,
    kDeactivate,
    kDelete,
    kRescope,  ///< Update of the scopes to those that grant `wish`.
    kRename,   ///< Update of the description to number `wish`.
    kGet,
    kCount,
    kList,
    kIssueAuto,
  };
  static constexpr int kVerbs = 10;

  Verb verb = Verb::kVerify;
  std::uint64_t began = 0;
  std::uint64_t returned = 0;
  std::uint64_t token = 0;  ///< Of kIssueAuto: the new one.
  std::uint64_t wish = 0;

  /// OK, or accepted. Otherwise `answer` is the code, or the RefusalReason.
  bool ok = false;

  /// kVerify: permission bits; kGet: TokenSum; kCount: active * 1000 + inactive; kList: ListSum;
  /// kIssueAuto: ListSum of no state but the ids that went.
  std::uint64_t answer = 0;
};

/// What is known of a token in a sequential world.
struct ModelToken {
  std::uint64_t id = 0;
  std::uint64_t permissions = 0;
  std::uint64_t description = 0;
  bool is_auto = false;
  bool active = true;
  bool deleted = false;
};

/// One account, by the rules and nothing else: tokens in the order of their ids.
class ModelAccount {
 public:
  explicit ModelAccount(std::vector<ModelToken> tokens) : tokens_(std::move(tokens)) {}

  /// True if the call could have answered so now; it is then done.
  bool Do(const Call& call);

  /// The same for the same state.
  std::string State() const;

 private:
  ModelToken* Find(std::uint64_t id);
  bool IssueAuto(const Call& call);
  std::uint64_t List() const;

  std::vector<ModelToken> tokens_;
};

/// Numbers that stand for what a view shows, the same in model and record.
std::uint64_t TokenSum(const ModelToken& token);
std::uint64_t ListSum(absl::Span<const ModelToken> tokens);

/// Whether there is an order of all calls, each at some moment between its beginning and its
/// return, in which the account gives these answers (Herlihy and Wing's linearisability, searched
/// as Wing and Gong do, with states seen before left out). One list of calls for each thread. If
/// there is none: how far it went, and what could not come next.
std::string Explain(const std::vector<std::vector<Call>>& threads, const ModelAccount& account);

#endif  // TESTS_PROCESS_HISTORY_H_
