// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What threads of several processes do at the same time to the tokens of one account has answers
// as if they had done it one after the other, each at some moment of its call.
//
// PAT_HISTORIES: how many are recorded and judged (60).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/issued_secrets.h"
#include "tests/process/child.h"
#include "tests/process/history.h"
#include "tests/process/recorder.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"
#include "tests/process/verifier.h"

namespace {

using Verb = Call::Verb;

class Histories : public testing::Test {
 protected:
  void SetUp() override {
    pat::AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {kTestPrefix};
    options.clock = HistoryTime;
    auto made = OpenScratch(
        scratch_.directory(),
        [](std::unique_ptr<pat::Store> base) {
          return std::make_unique<YieldingStore>(std::move(base));
        },
        options);
    ASSERT_TRUE(made.ok()) << made.status();
    authority_ = *std::move(made);
  }

  void TearDown() override {
    board_->stop = true;
    for (std::thread& thread : threads_) thread.join();
    for (Child& child : children_) EXPECT_EQ(child.Wait(), 0);
  }

  // Two threads of another process, or of this one. Those of controls but verify.
  void AddProcess(const std::string& store = "plain", const std::string& directory_flaw = {}) {
    children_.emplace_back(
        std::vector<std::string>{"record", scratch_.directory(), board_.fd(), store},
        directory_flaw);
    recorders_ += 2;
  }
  void AddThreads(pat::Authority* authority) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back(RecordCalls, authority, &*board_, Draws::kAll);
    }
    recorders_ += 2;
  }

  void Put(const pat::Issued& issued) {
    const std::string_view text = issued.text.Reveal();
    RecordIssuedSecret(text);
    HistoryBoard::Slot& slot = board_->slots[static_cast<std::size_t>(board_->taken++)];
    ASSERT_LT(text.size(), slot.text.size());
    std::memcpy(slot.text.data(), text.data(), text.size());
    slot.id = issued.token.id;
    const bool is_auto = issued.token.origin == pat::Origin::kAuto;
    begin_.push_back({issued.token.id, issued.token.permissions.bits(), 0, is_auto});
  }

  // An account of its own with two manual and four auto tokens.
  void Prepare(std::uint64_t round) {
    const std::string account = absl::StrCat(round % 2 == 0 ? "r" : "account of round ", round);
    ASSERT_LT(account.size(), board_->account.size());
    board_->account.fill('\0');
    std::memcpy(board_->account.data(), account.data(), account.size());
    for (HistoryBoard::Slot& slot : board_->slots) slot.id = 0;
    board_->taken = 0;
    begin_.clear();
    std::vector<pat::IssueRequest> requests(6);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].account = account;
      requests[i].description = "0";
      requests[i].origin = i < 2 ? pat::Origin::kManual : pat::Origin::kAuto;
      if (i < 2) requests[i].scopes = {"repo:read"};
    }
    const absl::StatusOr<std::vector<pat::Issued>> issued = authority_->IssueMany(requests);
    ASSERT_TRUE(issued.ok()) << issued.status();
    for (const pat::Issued& one : *issued) ASSERT_NO_FATAL_FAILURE(Put(one));
  }

  // What has no explanation; "" if all has one.
  std::string Round(std::uint64_t round) {
    Prepare(round);
    board_->through = 0;
    board_->round = round;
    const auto begin = std::chrono::steady_clock::now();
    while (board_->through.load() < recorders_) {
      if (std::chrono::steady_clock::now() - begin > std::chrono::minutes(2)) return "nobody calls";
      std::this_thread::yield();
    }
    std::vector<std::vector<Call>> calls;
    for (std::size_t i = 0; i < static_cast<std::size_t>(recorders_); ++i) {
      calls.emplace_back(board_->calls[i].begin(), board_->calls[i].end());
    }
    Tally(calls);
    const std::string none = Explain(calls, ModelAccount(begin_));
    return none.empty() ? "" : absl::StrCat("round ", round, ", ", none);
  }

  void Tally(const std::vector<std::vector<Call>>& threads) {
    for (std::size_t t = 0; t < threads.size(); ++t) {
      for (const Call& call : threads[t]) {
        ++calls_[static_cast<std::size_t>(call.verb)];
        (call.ok ? ok_ : refused_) += 1;
        for (std::size_t other = 0; other < threads.size(); ++other) {
          if (other == t) continue;
          const auto& calls = threads[other];
          overlapping_ +=
              std::any_of(calls.begin(), calls.end(),
                          [&](const Call& its) {
                            return its.began < call.returned && its.returned > call.began;
                          })
                  ? 1
                  : 0;
        }
      }
    }
  }

  std::string Record(std::uint64_t rounds) {
    std::string unexplained;
    for (std::uint64_t round = 1; round <= rounds && unexplained.empty() && !HasFailure();) {
      unexplained = Round(round++);
    }
    return unexplained;
  }

  void ExpectAllExplained() {
    const auto rounds = static_cast<std::uint64_t>(NumberFromEnv("PAT_HISTORIES", 60));
    EXPECT_EQ(Record(rounds), "");
    for (const std::uint64_t n : calls_) EXPECT_GT(n, 0U) << "a verb is never drawn";
    EXPECT_GT(refused_, 0U);
    EXPECT_GT(overlapping_, 0U) << "nothing happens at the same time";
    std::cout << rounds << " histories of " << recorders_ << " threads: " << ok_ + refused_
              << " calls, " << refused_ << " refused, " << overlapping_
              << " times one overlapped those of another thread\n";
  }

  void ExpectUnexplained() {
    const std::string unexplained = Record(5000);
    EXPECT_NE(unexplained, "");
    EXPECT_NE(unexplained, "nobody calls");
    std::cout << unexplained << "\n";
  }

  const ScratchStore scratch_;  // on a disk: others get their turn while one commits
  const SharedMemory<HistoryBoard> board_;
  std::unique_ptr<pat::Authority> authority_;
  std::vector<ModelToken> begin_;
  std::vector<Child> children_;
  std::vector<std::thread> threads_;
  int recorders_ = 0;
  std::array<std::uint64_t, Call::kVerbs> calls_{};
  std::uint64_t ok_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t overlapping_ = 0;
};

TEST_F(Histories, OfThreads) {
  AddThreads(authority_.get());
  AddThreads(authority_.get());
  ExpectAllExplained();
}

TEST_F(Histories, OfThreadsOfProcesses) {
  AddThreads(authority_.get());
  AddProcess();
  AddProcess();
  ExpectAllExplained();
}

// ---- Controls

TEST_F(Histories, ControlACachedRecordHasNoExplanation) {
  AddThreads(authority_.get());
  AddProcess("stale");
  ExpectUnexplained();
}

class HistoriesOfFlawed : public Histories, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Control, HistoriesOfFlawed,
                         testing::Values("no_guard", "guard_by_env_info", "not_caught_up"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(HistoriesOfFlawed, DirectoryHasNoExplanation) {
  AddThreads(authority_.get());
  AddProcess("verify", GetParam());
  ExpectUnexplained();
}

// ---- The judge itself

Call At(std::uint64_t began, std::uint64_t returned, Verb verb, std::uint64_t token = 1,
        std::uint64_t answer = 0) {
  Call call;
  call.verb = verb;
  call.began = began;
  call.returned = returned;
  call.token = token;
  call.ok = true;
  call.answer = answer;
  return call;
}

Call Refused(Call call, pat::RefusalReason reason) {
  call.ok = false;
  call.answer = static_cast<std::uint64_t>(reason);
  return call;
}

bool Explained(const std::vector<std::vector<Call>>& threads) {
  std::vector<ModelToken> tokens(6);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = {i + 1, 3, 0, /*is_auto=*/i > 0};
  return Explain(threads, ModelAccount(tokens)).empty();
}

TEST(HistoryJudge, AnAnswerIsOfSomeMomentOfItsCall) {
  const Call off = At(10, 20, Verb::kDeactivate);
  const auto accepted = [](std::uint64_t began, std::uint64_t returned) {
    return At(began, returned, Verb::kVerify, 1, 3);
  };
  const auto refused = [&](std::uint64_t began, std::uint64_t returned) {
    return Refused(accepted(began, returned), pat::RefusalReason::kInactive);
  };
  EXPECT_TRUE(Explained({{off}, {accepted(1, 2), accepted(11, 12), refused(13, 14)}}));
  EXPECT_TRUE(Explained({{off}, {accepted(5, 30)}})) << "it may have been before";
  EXPECT_TRUE(Explained({{off}, {refused(5, 30)}}));
  EXPECT_FALSE(Explained({{off}, {accepted(21, 22)}})) << "after the revocation had returned";
  EXPECT_FALSE(Explained({{off}, {refused(8, 9)}})) << "before it was called";
  EXPECT_FALSE(Explained({{off}, {refused(11, 12), accepted(13, 14)}})) << "back again";
  EXPECT_FALSE(Explained({{off}, {refused(11, 12)}, {accepted(13, 14)}})) << "for another thread";
}

TEST(HistoryJudge, CountsAndListsAreOfOneMoment) {
  const Call off = At(10, 20, Verb::kDeactivate);
  EXPECT_TRUE(
      Explained({{off}, {At(11, 12, Verb::kCount, 0, 6000), At(30, 31, Verb::kCount, 0, 5001)}}));
  EXPECT_FALSE(Explained({{off}, {At(30, 31, Verb::kCount, 0, 6000)}}));
  EXPECT_FALSE(Explained({{off}, {At(11, 12, Verb::kCount, 0, 5000)}}));
  EXPECT_FALSE(Explained({{off}, {At(1, 2, Verb::kList, 0, 7)}}));
}

TEST(HistoryJudge, AnAutoTokenComesWithTheRightEviction) {
  const auto gone = [](std::uint64_t id) {
    std::vector<ModelToken> tokens(1);
    tokens[0].id = id;
    return ListSum(tokens);
  };
  EXPECT_TRUE(Explained({{At(1, 2, Verb::kIssueAuto, 9, gone(2))}}));
  EXPECT_FALSE(Explained({{At(1, 2, Verb::kIssueAuto, 9, gone(3))}}));
  EXPECT_FALSE(Explained({{At(1, 2, Verb::kIssueAuto, 9, ListSum({}))}})) << "a sixth";
  EXPECT_TRUE(Explained(
      {{At(1, 9, Verb::kIssueAuto, 9, gone(3))}, {At(2, 8, Verb::kIssueAuto, 8, gone(2))}}));
  EXPECT_FALSE(Explained(
      {{At(1, 9, Verb::kIssueAuto, 9, gone(2))}, {At(2, 8, Verb::kIssueAuto, 8, gone(2))}}));
  EXPECT_TRUE(
      Explained({{At(1, 2, Verb::kDelete, 4), At(3, 4, Verb::kIssueAuto, 9, ListSum({}))}}));
}

}  // namespace
