// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/history.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "pat/auto_token.h"
#include "pat/principal.h"

namespace {

constexpr std::uint64_t kNotFound = static_cast<std::uint64_t>(absl::StatusCode::kNotFound);
constexpr std::uint64_t kUnavailable = static_cast<std::uint64_t>(absl::StatusCode::kUnavailable);
constexpr std::uint64_t kAdmin = 15;  // what an auto token grants

std::uint64_t Mix(std::uint64_t sum, std::uint64_t value) {
  return (sum ^ value) * 0x9E3779B97F4A7C15U + (sum >> 29U);
}

class Search {
 public:
  explicit Search(const std::vector<std::vector<Call>>& threads) : threads_(threads) {}

  bool Ends(std::vector<std::size_t> done, const ModelAccount& account) {
    std::uint64_t first_return = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t t = 0; t < threads_.size(); ++t) {
      if (done[t] < threads_[t].size()) {
        first_return = std::min(first_return, threads_[t][done[t]].returned);
      }
    }
    if (first_return == std::numeric_limits<std::uint64_t>::max()) return true;
    std::string seen = account.State();
    for (const std::size_t n : done) absl::StrAppend(&seen, ",", n);
    if (!seen_.insert(std::move(seen)).second) return false;
    Note(done, account);
    for (std::size_t t = 0; t < threads_.size(); ++t) {
      if (done[t] == threads_[t].size()) continue;
      const Call& call = threads_[t][done[t]];
      if (call.began > first_return) continue;  // another one was over before it began
      ModelAccount next = account;
      if (!next.Do(call)) continue;
      ++done[t];
      if (Ends(done, next)) return true;
      --done[t];
    }
    return false;
  }

  const std::string& farthest() const { return farthest_; }

 private:
  void Note(const std::vector<std::size_t>& done, const ModelAccount& account) {
    std::size_t sum = 0;
    for (const std::size_t n : done) sum += n;
    if (sum < most_) return;
    most_ = sum;
    farthest_ = absl::StrCat("after ", sum, " calls, with ", account.State(), ":");
    for (std::size_t t = 0; t < threads_.size(); ++t) {
      if (done[t] == threads_[t].size()) continue;
      const Call& c = threads_[t][done[t]];
      absl::StrAppend(&farthest_, "\n  thread ", t, ", ", c.began, " to ", c.returned, ": verb ",
                      static_cast<int>(c.verb), " token ", c.token, " wish ", c.wish, ": ",
                      c.ok ? "ok " : "not ", c.answer);
    }
  }

  const std::vector<std::vector<Call>>& threads_;
  std::set<std::string> seen_;
  std::size_t most_ = 0;
  std::string farthest_;
};

}  // namespace

std::uint64_t TokenSum(const ModelToken& token) {
  std::uint64_t sum = Mix(1, token.id);
  if (token.deleted) return sum;
  sum = Mix(sum, token.permissions);
  sum = Mix(sum, token.description);
  return Mix(sum, token.active ? 1 : 2);
}

std::uint64_t ListSum(absl::Span<const ModelToken> tokens) {
  std::uint64_t sum = tokens.size();
  for (const ModelToken& token : tokens) sum = Mix(sum, TokenSum(token));
  return sum;
}

ModelToken* ModelAccount::Find(std::uint64_t id) {
  const auto it = std::find_if(tokens_.begin(), tokens_.end(),
                               [id](const ModelToken& token) { return token.id == id; });
  return it == tokens_.end() ? nullptr : &*it;
}

std::uint64_t ModelAccount::List() const {
  std::vector<ModelToken> listed;
  for (const ModelToken& token : tokens_) {
    if (!token.deleted) listed.push_back(token);
  }
  return ListSum(listed);
}

bool ModelAccount::IssueAuto(const Call& call) {
  if (!call.ok || Find(call.token) != nullptr) return false;
  std::vector<pat::AutoToken> autos;  // all created and used in the same second
  for (const ModelToken& token : tokens_) {
    if (token.is_auto && !token.deleted) autos.push_back({token.id, {}, {}, false});
  }
  std::vector<ModelToken> gone;
  for (const std::uint64_t id : pat::PickEvictions(autos, 1, 5)) {
    Find(id)->deleted = true;
    gone.emplace_back().id = id;
  }
  if (call.answer != ListSum(gone)) return false;
  const auto place = std::find_if(tokens_.begin(), tokens_.end(), [&call](const ModelToken& token) {
    return token.id > call.token;
  });
  tokens_.insert(place, ModelToken{call.token, kAdmin, 0, /*is_auto=*/true});
  return true;
}

bool ModelAccount::Do(const Call& call) {
  using Verb = Call::Verb;
  // A writer that stood still, on a machine that is too busy say: then nothing was changed.
  if (call.verb != Verb::kVerify && !call.ok && call.answer == kUnavailable) return true;
  if (call.verb == Verb::kIssueAuto) return IssueAuto(call);
  if (call.verb == Verb::kList) return call.ok && call.answer == List();
  if (call.verb == Verb::kCount) {
    std::uint64_t sum = 0;
    for (const ModelToken& token : tokens_) sum += token.deleted ? 0 : token.active ? 1000 : 1;
    return call.ok && call.answer == sum;
  }
  ModelToken* const token = Find(call.token);
  if (token == nullptr) return false;  // its issue comes first
  if (call.verb == Verb::kVerify) {
    if (!token->deleted && token->active) return call.ok && call.answer == token->permissions;
    const auto reason =
        token->deleted ? pat::RefusalReason::kDeleted : pat::RefusalReason::kInactive;
    return !call.ok && call.answer == static_cast<std::uint64_t>(reason);
  }
  if (call.verb == Verb::kGet) return call.ok && call.answer == TokenSum(*token);
  if (call.verb == Verb::kDelete) {
    token->deleted = true;
    return call.ok;
  }
  if (token->deleted) return !call.ok && call.answer == kNotFound;
  if (call.verb == Verb::kActivate) token->active = true;
  if (call.verb == Verb::kDeactivate) token->active = false;
  if (call.verb == Verb::kRescope) token->permissions = call.wish;
  if (call.verb == Verb::kRename) token->description = call.wish;
  return call.ok;
}

std::string ModelAccount::State() const {
  std::string state;
  for (const ModelToken& token : tokens_) {
    absl::StrAppend(&state, token.id,
                    token.deleted  ? "d"
                    : token.active ? "a"
                                   : "i",
                    token.permissions, ".", token.description, " ");
  }
  return state;
}

std::string Explain(const std::vector<std::vector<Call>>& threads, const ModelAccount& account) {
  Search search(threads);
  const std::vector<std::size_t> none(threads.size(), 0);
  return search.Ends(none, account) ? "" : search.farthest();
}
