// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Two processes on one store: what one does holds at once in the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/process/child.h"
#include "tests/process/puppet.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using testing::ElementsAre;
using Fields = std::vector<std::string>;

constexpr std::int64_t kStart = 1'800'000'000;

class TwoProcesses : public testing::Test {
 protected:
  void SetUp() override {
    board_->now_unix_s = kStart;
    a_ = std::make_unique<Child>(Args("create"));
    ASSERT_THAT(a_->Receive(), ElementsAre("ok"));
    b_ = std::make_unique<Child>(Args("open"));
    ASSERT_THAT(b_->Receive(), ElementsAre("ok"));
    const Fields issued = a_->Ask({"issue", "alice", "manual", "laptop", "0"});
    ASSERT_EQ(issued.size(), 3U) << issued[0];
    id_ = issued[1];
    text_ = issued[2];
  }

  Fields Args(const std::string& how) const {
    return {"puppet", scratch_.directory(), board_.fd(), how};
  }

  Fields Verify(Child& process) { return process.Ask({"verify", text_, "192.0.2.7", "docker/27"}); }

  const ScratchStore scratch_;
  const SharedMemory<PuppetBoard> board_;
  std::unique_ptr<Child> a_;
  std::unique_ptr<Child> b_;
  std::string id_;
  std::string text_;
};

TEST_F(TwoProcesses, ATokenOfOneIsAcceptedInTheOther) {
  EXPECT_THAT(Verify(*b_), ElementsAre("accepted", id_, "alice"));
  EXPECT_THAT(b_->Ask({"list", "alice"}), ElementsAre("ok", id_, "active", "manual"));
  EXPECT_THAT(b_->Ask({"count", "alice"}), ElementsAre("ok", "1", "0"));
}

TEST_F(TwoProcesses, EachChangeHoldsAtOnceInTheOther) {
  ASSERT_THAT(Verify(*a_), ElementsAre("accepted", id_, "alice"));

  EXPECT_THAT(b_->Ask({"rename", id_, "work laptop"}), ElementsAre("ok"));
  EXPECT_EQ(a_->Ask({"get", id_})[3], "work laptop");

  EXPECT_THAT(b_->Ask({"deactivate", id_}), ElementsAre("ok"));
  EXPECT_THAT(Verify(*a_), ElementsAre("refused", "inactive"));
  EXPECT_THAT(a_->Ask({"count", "alice"}), ElementsAre("ok", "0", "1"));
  EXPECT_THAT(a_->Ask({"list", "alice"}), ElementsAre("ok", id_, "inactive", "manual"));

  EXPECT_THAT(b_->Ask({"activate", id_}), ElementsAre("ok"));
  EXPECT_THAT(Verify(*a_), ElementsAre("accepted", id_, "alice"));

  EXPECT_THAT(b_->Ask({"delete", id_}), ElementsAre("ok"));
  EXPECT_THAT(Verify(*a_), ElementsAre("refused", "deleted"));
  EXPECT_THAT(a_->Ask({"activate", id_}), ElementsAre("NOT_FOUND"));
  EXPECT_THAT(a_->Ask({"list", "alice"}), ElementsAre("ok"));
  EXPECT_THAT(a_->Ask({"count", "alice"}), ElementsAre("ok", "0", "0"));
}

TEST_F(TwoProcesses, ChangesFromBothSidesTakeTurns) {
  for (int round = 0; round < 20; ++round) {
    Child& one = round % 2 == 0 ? *a_ : *b_;
    Child& other = round % 2 == 0 ? *b_ : *a_;
    const std::string name = absl::StrCat("name ", round);
    ASSERT_THAT(one.Ask({"rename", id_, name}), ElementsAre("ok"));
    ASSERT_EQ(other.Ask({"get", id_})[3], name);
    ASSERT_THAT(other.Ask({"deactivate", id_}), ElementsAre("ok"));
    ASSERT_THAT(Verify(one), ElementsAre("refused", "inactive"));
    ASSERT_THAT(one.Ask({"activate", id_}), ElementsAre("ok"));
    ASSERT_THAT(Verify(other), ElementsAre("accepted", id_, "alice"));
  }
}

TEST_F(TwoProcesses, LastUseShowsItsTimeAtOnceAndItsPlaceAfterFlush) {
  EXPECT_EQ(a_->Ask({"get", id_})[5], "0");
  board_->now_unix_s = kStart + 1000;
  ASSERT_THAT(Verify(*b_), ElementsAre("accepted", id_, "alice"));
  EXPECT_EQ(a_->Ask({"get", id_})[5], absl::StrCat(kStart + 1000));

  ASSERT_THAT(b_->Ask({"flush"}), ElementsAre("ok"));
  const Fields seen = a_->Ask({"get", id_});
  EXPECT_EQ(seen[6], "192.0.2.7");
  EXPECT_EQ(seen[7], "docker/27");
}

TEST_F(TwoProcesses, LastUseOutlivesAKilledProcess) {
  board_->now_unix_s = kStart + 1000;
  ASSERT_THAT(Verify(*b_), ElementsAre("accepted", id_, "alice"));
  b_->Kill();
  EXPECT_EQ(a_->Ask({"get", id_})[5], absl::StrCat(kStart + 1000));
}

TEST_F(TwoProcesses, OneThatDeclaresNothingAdoptsPrefixesAndScopes) {
  Child c(Args("adopt"));
  ASSERT_THAT(c.Receive(), ElementsAre("ok"));
  const std::string scopes = "repo:public_read,repo:read,repo:write,repo:admin";
  EXPECT_THAT(c.Ask({"declared"}), ElementsAre("ok", kTestPrefix, scopes));
  EXPECT_THAT(b_->Ask({"declared"}), ElementsAre("ok", kTestPrefix, scopes));
  EXPECT_THAT(Verify(c), ElementsAre("accepted", id_, "alice"));
  EXPECT_THAT(c.Ask({"scope", id_, "repo:write"}), ElementsAre("ok"));
  const Fields issued = c.Ask({"issue", "bob", "manual", "phone", "0"});
  ASSERT_EQ(issued.size(), 3U) << issued[0];
  EXPECT_THAT(a_->Ask({"verify", issued[2]}), ElementsAre("accepted", issued[1], "bob"));
}

TEST_F(TwoProcesses, SomebodyElsesTokenCannotBeMintedByGuessing) {
  std::string other = text_;
  char& digit = other[other.size() - 20];
  digit = digit == '7' ? '8' : '7';
  EXPECT_EQ(b_->Ask({"verify", other})[0], "refused");
}

// Starts a process that verifies without pause and kills it in the middle of a read.
void KillAReader(const Fields& args, const std::string& text, PuppetBoard* board) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  for (;;) {
    board->inside_find = 0;
    Child reader(args);
    ASSERT_THAT(reader.Receive(), ElementsAre("ok"));
    reader.Send({"verify_forever", text});
    while (board->inside_find == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
    ASSERT_TRUE(reader.Stop());
    const bool reading = board->inside_find != 0;
    reader.Kill();
    if (reading) return;
  }
}

// The store has 40 reader slots and each process takes 8: those of the dead must be found.
TEST_F(TwoProcesses, KilledReadersUseUpNoSlots) {
  for (int i = 0; i < 12; ++i) KillAReader(Args("open"), text_, &*board_);
  EXPECT_THAT(Verify(*a_), ElementsAre("accepted", id_, "alice"));
  Child late(Args("open"));
  ASSERT_THAT(late.Receive(), ElementsAre("ok"));
  EXPECT_THAT(Verify(late), ElementsAre("accepted", id_, "alice"));
}

// A killed reader pins the pages it saw, until somebody notices that it is dead: then the file no
// longer grows with each change.
TEST_F(TwoProcesses, KilledReadersDoNotLetTheFileGrow) {
  const std::string kChanges = "100";
  for (int i = 0; i < 4; ++i) KillAReader(Args("open"), text_, &*board_);
  Child late(Args("open"));
  ASSERT_THAT(late.Receive(), ElementsAre("ok"));
  const Fields before = late.Ask({"rename_often", id_, kChanges});
  ASSERT_EQ(before.size(), 2U) << before[0];
  const Fields after = late.Ask({"rename_often", id_, kChanges});
  ASSERT_EQ(after.size(), 2U) << after[0];
  EXPECT_LE(std::stoull(after[1]), std::stoull(before[1]) + (64U << 10));
}

}  // namespace
