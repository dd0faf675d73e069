// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Revoked means revoked: while two threads verify a token without pause, in another process or in
// this one, none is accepted whose Verify began after Deactivate or Delete had returned.
//
// PAT_ROUNDS: rounds of Deactivate and Activate between two processes (10,000); the other tests do
// a fifth of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/issued_secrets.h"
#include "tests/process/child.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"
#include "tests/process/verifier.h"

namespace {

int Rounds() { return NumberFromEnv("PAT_ROUNDS", 10'000); }

class Revocation : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<pat::Authority>> made = scratch_.Create();
    ASSERT_TRUE(made.ok()) << made.status();
    authority_ = *std::move(made);
  }

  // Issues `n` tokens and puts their texts on the board.
  void IssueTokens(std::size_t n) {
    ASSERT_LE(n, kMostRevocationTokens);
    pat::IssueRequest request;
    request.account = "alice";
    request.description = "revoked while in use";
    request.scopes = {"repo:read"};
    while (ids_.size() < n) {
      const std::size_t some = std::min<std::size_t>(n - ids_.size(), 1000);
      const absl::StatusOr<std::vector<pat::Issued>> issued =
          authority_->IssueMany(std::vector<pat::IssueRequest>(some, request));
      ASSERT_TRUE(issued.ok()) << issued.status();
      for (const pat::Issued& one : *issued) {
        const std::string_view text = one.text.Reveal();
        RecordIssuedSecret(text);
        ASSERT_LT(text.size(), sizeof(RevocationBoard::Text));
        std::memcpy(board_->texts[ids_.size()].data(), text.data(), text.size());
        ids_.push_back(one.token.id);
      }
    }
  }

  void StartProcess(const std::string& store, const std::string& directory_flaw = {}) {
    child_ = std::make_unique<Child>(
        std::vector<std::string>{"verify", scratch_.directory(), board_.fd(), store},
        directory_flaw);
  }

  void StartThreads() {
    for (RevocationBoard::Verifier& counts : board_->verifiers) {
      threads_.emplace_back(
          [this, &counts] { VerifyWithoutPause(authority_.get(), &*board_, &counts); });
    }
  }

  void TearDown() override {
    board_->stop = true;
    for (std::thread& thread : threads_) thread.join();
    if (child_ != nullptr) {
      EXPECT_EQ(child_->Wait(), 0);
    }
  }

  std::uint64_t Moment() { return board_->sequence.fetch_add(1) + 1; }

  // Waits until a verifier has returned from a Verify that began within the window opened at
  // `moment`, and has judged the answer by it. In the first round each of them; later either will
  // do, since on a busy machine the other may have no processor for a while.
  testing::AssertionResult VerifiedSince(std::uint64_t moment) {
    const std::ptrdiff_t wanted = rounds_ == 0 ? kVerifiers : 1;
    const auto begin = std::chrono::steady_clock::now();
    const auto has_judged = [moment](const RevocationBoard::Verifier& verifier) {
      return verifier.judged_by.load() == moment;
    };
    const auto& all = board_->verifiers;
    while (std::count_if(all.begin(), all.end(), has_judged) < wanted) {
      // At first without giving up the processor: it comes back late.
      const auto waited = std::chrono::steady_clock::now() - begin;
      if (waited > std::chrono::minutes(1)) return testing::AssertionFailure() << "nobody verifies";
      if (waited > std::chrono::milliseconds(2)) std::this_thread::yield();
    }
    return testing::AssertionSuccess();
  }

  void DeactivateAndActivate(int rounds) {
    board_->good_since = Moment();
    for (int round = 0; round < rounds; ++round) {
      ASSERT_TRUE(VerifiedSince(board_->good_since));
      board_->good_since = 0;
      ASSERT_TRUE(authority_->Deactivate(ids_[0]).ok());
      board_->revoked_since = Moment();
      ASSERT_TRUE(VerifiedSince(board_->revoked_since));
      ++rounds_;
      board_->revoked_since = 0;
      ASSERT_TRUE(authority_->Activate(ids_[0]).ok());
      board_->good_since = Moment();
    }
  }

  // A token for each round, since deleting is final.
  void DeleteAll() {
    for (std::uint32_t round = 0; round < ids_.size(); ++round) {
      board_->revoked_since = 0;
      board_->token = round;
      board_->good_since = Moment();
      ASSERT_TRUE(VerifiedSince(board_->good_since));
      board_->good_since = 0;
      ASSERT_TRUE(authority_->Delete(ids_[round]).ok());
      board_->revoked_since = Moment();
      ASSERT_TRUE(VerifiedSince(board_->revoked_since));
      ++rounds_;
    }
  }

  std::uint64_t Sum(std::atomic<std::uint64_t> RevocationBoard::Verifier::*count) {
    std::uint64_t sum = 0;
    for (RevocationBoard::Verifier& verifier : board_->verifiers) sum += verifier.*count;
    return sum;
  }

  void ExpectNoneTooLate() {
    using Verifier = RevocationBoard::Verifier;
    EXPECT_EQ(Sum(&Verifier::accepted_too_late), 0U);
    EXPECT_EQ(Sum(&Verifier::refused_too_late), 0U);
    EXPECT_EQ(Sum(&Verifier::other), 0U);
    for (RevocationBoard::Verifier& verifier : board_->verifiers) {
      EXPECT_GT(verifier.accepted, 0U);
      EXPECT_GT(verifier.refused, 0U);
      EXPECT_GT(verifier.after_revocation, 0U);
    }
    EXPECT_GE(Sum(&Verifier::after_revocation), rounds_);
    std::cout << rounds_ << " rounds, " << Sum(&Verifier::after_revocation)
              << " verifies between a revocation's return and its end; " << Sum(&Verifier::accepted)
              << " accepted, " << Sum(&Verifier::refused) << " refused\n";
  }

  const ScratchStore scratch_{ScratchStore::Where::kMemory};
  const SharedMemory<RevocationBoard> board_;
  std::unique_ptr<pat::Authority> authority_;
  std::vector<std::uint64_t> ids_;
  std::unique_ptr<Child> child_;
  std::vector<std::thread> threads_;
  std::uint64_t rounds_ = 0;
};

TEST_F(Revocation, DeactivateHoldsAtOnceInAnotherProcess) {
  IssueTokens(1);
  StartProcess("plain");
  DeactivateAndActivate(Rounds());
  ExpectNoneTooLate();
}

TEST_F(Revocation, DeleteHoldsAtOnceInAnotherProcess) {
  IssueTokens(static_cast<std::size_t>(Rounds()) / 5);
  StartProcess("plain");
  DeleteAll();
  ExpectNoneTooLate();
  for (const std::uint64_t id : ids_) ASSERT_TRUE(absl::IsNotFound(authority_->Activate(id)));
}

TEST_F(Revocation, DeactivateHoldsAtOnceInThisProcess) {
  IssueTokens(1);
  StartThreads();
  DeactivateAndActivate(Rounds() / 5);
  ExpectNoneTooLate();
}

TEST_F(Revocation, DeleteHoldsAtOnceInThisProcess) {
  IssueTokens(static_cast<std::size_t>(Rounds()) / 5);
  StartThreads();
  DeleteAll();
  ExpectNoneTooLate();
}

// The test must notice a verifier that remembers records, if only for a millisecond.
TEST_F(Revocation, ControlACachedRecordIsNoticed) {
  IssueTokens(200);
  StartProcess("stale");
  DeactivateAndActivate(200);
  EXPECT_GE(Sum(&RevocationBoard::Verifier::accepted_too_late), 1U);
  const std::uint64_t before = Sum(&RevocationBoard::Verifier::accepted_too_late);
  DeleteAll();
  EXPECT_GE(Sum(&RevocationBoard::Verifier::accepted_too_late), before + 1);
}

// What is noticed below is the flaw, not the program that has it.
TEST_F(Revocation, ControlAFlawlessDirectoryIsGood) {
  IssueTokens(1);
  StartProcess("plain", "none");
  DeactivateAndActivate(500);
  ExpectNoneTooLate();
}

// Nor may a page directory go unnoticed that trusts what it must not.
class FlawedDirectory : public Revocation, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Control, FlawedDirectory,
                         testing::Values("no_guard", "guard_by_env_info", "not_caught_up"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(FlawedDirectory, IsNoticed) {
  IssueTokens(1);
  StartProcess("plain", GetParam());
  const auto wrong = [this] {
    using Verifier = RevocationBoard::Verifier;
    return Sum(&Verifier::accepted_too_late) + Sum(&Verifier::refused_too_late) +
           Sum(&Verifier::other);
  };
  constexpr int kMostRounds = 20'000;
  while (rounds_ < kMostRounds && wrong() == 0) ASSERT_NO_FATAL_FAILURE(DeactivateAndActivate(100));
  EXPECT_GE(wrong(), 1U);
  std::cout << "noticed within " << rounds_
            << " rounds: " << Sum(&RevocationBoard::Verifier::accepted_too_late)
            << " accepted too late\n";
}

}  // namespace
