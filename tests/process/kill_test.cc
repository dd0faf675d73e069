// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Acknowledged means durable, after kill -9: four processes write, are killed again and again, most
// of them inside a commit, and what any of them was promised must still hold.
//
// PAT_KILLS: how many kills (1,000; a soak is 100,000). PAT_KILLS_PER_CHECK: after how many of
// them everything is looked at (100). PAT_SEED: of the times of the kills.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/process/acks.h"
#include "tests/process/child.h"
#include "tests/process/commit_phase.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using Clock = std::chrono::steady_clock;

class Kill : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(scratch_.Create().ok());
    random_.seed(static_cast<unsigned>(NumberFromEnv("PAT_SEED", 1)));
  }

  void Start(int writer) {
    writers_[writer] = std::make_unique<Child>(std::vector<std::string>{
        "write", scratch_.directory(), table_.fd(), absl::StrCat(writer, early_ ? "e" : "")});
  }

  int Below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }

  CommitPhase PhaseOf(int writer) const {
    return static_cast<CommitPhase>(table_->writers[writer].phase.load());
  }

  // Waits for a moment: four times in five until the writer is inside a commit, and then for a
  // part of the time that one takes; else for any.
  void AwaitMoment(int writer) {
    const auto longest = Clock::now() + std::chrono::milliseconds(200);
    auto wait = std::chrono::microseconds(Below(5000));
    if (Below(5) != 0) {
      const CommitPhase wish = Below(2) == 0 ? CommitPhase::kWriting : CommitPhase::kMeta;
      while (PhaseOf(writer) != wish && Clock::now() < longest) std::this_thread::yield();
      wait = std::chrono::microseconds(Below(400));
    }
    const auto until = Clock::now() + wait;
    while (Clock::now() < until) std::this_thread::yield();
  }

  // Where it stands is read while it stands still.
  void KillAtSomeMoment(int writer) {
    AwaitMoment(writer);
    ASSERT_TRUE(writers_[writer]->Stop()) << "writer " << writer << " has ended by itself";
    ++killed_in_[static_cast<std::size_t>(PhaseOf(writer))];
    writers_[writer]->Kill();
    ++kills_;
    AckedWriter& dead = table_->writers[writer];
    dead.phase = 0;
    if (dead.issuing != 0) ++never_told_[dead.issuing - 1];
  }

  void KillAndCheck(int kills) {
    const int per_check = NumberFromEnv("PAT_KILLS_PER_CHECK", 100);
    for (int i = 0; i < kWriters; ++i) Start(i);
    while (kills_ < kills) {
      const bool last_before_check = (kills_ + kWriters) % per_check < kWriters;
      if (last_before_check || kills_ + kWriters >= kills) {
        for (int i = 0; i < kWriters; ++i) KillAtSomeMoment(i);
        if (HasFatalFailure()) return;
        CheckAll();
        if (HasFailure() || (early_ && table_->complaints != 0)) return;
        for (int i = 0; i < kWriters && kills_ < kills; ++i) Start(i);
      } else {
        const int writer = Below(kWriters);
        KillAtSomeMoment(writer);
        if (HasFatalFailure()) return;
        Start(writer);
      }
    }
  }

  // All writers are dead: what they were promised must be what is there.
  void CheckAll() {
    const absl::StatusOr<std::unique_ptr<pat::Authority>> authority = scratch_.Open();
    ASSERT_TRUE(authority.ok()) << authority.status();
    std::map<std::uint32_t, std::set<std::uint64_t>> told;
    for (const AckedWriter& writer : table_->writers) {
      for (std::uint32_t i = 0; i < writer.tokens; ++i) {
        const AckedToken& token = writer.token[i];
        if (token.promise == 0) continue;
        told[token.account].insert(token.id);
        CheckToken(authority->get(), token);
      }
    }
    for (const auto& [account, count] : never_told_) told[account];
    for (const auto& [account, ids] : told) CheckAccount(authority->get(), account, ids);
    ++checks_;
  }

  void CheckToken(pat::Authority* authority, const AckedToken& token) {
    const Promise promise = Promise::Unpack(token.promise);
    const std::optional<Seen> seen = Look(authority, token, &*table_);
    const std::optional<Seen> presented = Present(authority, token, &*table_);
    if (!seen.has_value() || !presented.has_value()) return;  // complained of
    if (seen->state != presented->state) {
      table_->Complain(absl::StrCat("token ", token.id, " shows another state than it has"));
    }
    if (!promise.Allows(*seen, token.automatic)) {
      table_->Complain(absl::StrCat("token ", token.id, ": promised ", promise.acknowledged.state,
                                    "/", promise.acknowledged.name, ", found ", seen->state, "/",
                                    seen->name, " (1 active, 2 inactive, 3 deleted / name)"));
    }
  }

  static std::vector<pat::Token> ListAll(pat::Authority* authority, const std::string& account,
                                         std::optional<pat::State> state) {
    std::vector<pat::Token> all;
    pat::ListOptions options;
    options.limit = 1000;
    options.state = state;
    for (;;) {
      absl::StatusOr<pat::TokenPage> page = authority->List(account, options);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return all;
      for (pat::Token& token : page->tokens) all.push_back(std::move(token));
      if (page->next.empty()) return all;
      options.after = page->next;
    }
  }

  void CheckAccount(pat::Authority* authority, std::uint32_t account,
                    const std::set<std::uint64_t>& told) {
    const std::string name = AckedAccount(account);
    const std::vector<pat::Token> here = ListAll(authority, name, std::nullopt);
    const std::vector<pat::Token> gone = ListAll(authority, name, pat::State::kDeleted);
    pat::Counts recount;
    int autos = 0;
    for (const pat::Token& token : here) {
      ++(token.state == pat::State::kActive ? recount.active : recount.inactive);
      autos += token.origin == pat::Origin::kAuto ? 1 : 0;
    }
    const absl::StatusOr<pat::Counts> counts = authority->Count(name);
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_EQ(counts->active, recount.active) << "account " << account;
    EXPECT_EQ(counts->inactive, recount.inactive) << "account " << account;
    EXPECT_LE(autos, 5) << "account " << account;

    // Each token that was told of is listed; others only if a writer died while issuing one.
    std::size_t listed = 0;
    for (const auto* list : {&here, &gone}) {
      for (const pat::Token& token : *list) listed += told.count(token.id);
    }
    EXPECT_EQ(listed, told.size()) << "account " << account;
    EXPECT_LE(here.size() + gone.size() - listed, never_told_[account]) << "account " << account;
  }

  void Report(Clock::duration time) {
    std::uint64_t issues = 0;
    std::uint64_t changes = 0;
    std::uint64_t deletions = 0;
    for (const AckedWriter& writer : table_->writers) {
      issues += writer.issues;
      changes += writer.changes;
      deletions += writer.deletions;
    }
    std::cout << kills_ << " kills, " << InsideShare() << " % of them inside a commit (";
    for (int i = 0; i < kCommitPhases; ++i) {
      std::cout << (i == 0 ? "" : ", ") << killed_in_[static_cast<std::size_t>(i)] << " "
                << ToString(static_cast<CommitPhase>(i));
    }
    std::cout << "); acknowledged " << issues << " issues, " << changes << " changes, " << deletions
              << " deletions; " << table_->watched << " verifies beside; " << checks_ << " checks; "
              << std::chrono::duration_cast<std::chrono::seconds>(time).count() << " s\n";
  }

  int InsideShare() const {
    int inside = 0;
    for (int i = 0; i < kCommitPhases; ++i) {
      if (InsideCommit(static_cast<CommitPhase>(i))) {
        inside += killed_in_[static_cast<std::size_t>(i)];
      }
    }
    return kills_ == 0 ? 0 : 100 * inside / kills_;
  }

  const ScratchStore scratch_;
  const SharedMemory<AckTable> table_;
  std::array<std::unique_ptr<Child>, kWriters> writers_;
  std::array<int, kCommitPhases> killed_in_{};
  std::map<std::uint32_t, std::uint32_t> never_told_;  // issues that ended with their writer
  std::mt19937_64 random_;
  bool early_ = false;
  int kills_ = 0;
  int checks_ = 0;
};

TEST_F(Kill, WhatWasAcknowledgedHolds) {
  const auto begin = Clock::now();
  Child watcher({"watch", scratch_.directory(), table_.fd(), ""});
  KillAndCheck(NumberFromEnv("PAT_KILLS", 1000));
  table_->stop_watching = true;
  EXPECT_EQ(watcher.Wait(), 0);
  Report(Clock::now() - begin);
  EXPECT_EQ(table_->complaints, 0U) << table_->complaint.data();
  EXPECT_GE(InsideShare(), 50);
  EXPECT_GT(table_->watched, 0U);
  std::uint32_t unopened = 0;  // killed so early that they had not opened the store yet
  for (const AckedWriter& writer : table_->writers) {
    EXPECT_GT(writer.deletions, 0U);
    unopened += writer.lives - writer.opened;
  }
  std::cout << unopened << " processes died before they had opened the store\n";
}

// A writer that notes what it was promised before it is must be caught.
TEST_F(Kill, ControlAnEarlyAcknowledgementIsNoticed) {
  early_ = true;
  KillAndCheck(400);
  EXPECT_GT(table_->complaints, 0U);
  std::cout << "noticed after " << kills_ << " kills: " << table_->complaint.data() << "\n";
}

}  // namespace
