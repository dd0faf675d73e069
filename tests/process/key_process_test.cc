// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Keys of one store in several processes: what one does holds in the others at their next verify,
// and wherever a process is killed in it, every good token stays good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
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

class KeyProcesses : public testing::Test {
 protected:
  void SetUp() override {
    board_->now_unix_s = 1'800'000'000;
    a_ = Start("create");
  }

  std::unique_ptr<Child> Start(const std::string& how) const {
    auto child = std::make_unique<Child>(Fields{"puppet", scratch_.directory(), board_.fd(), how});
    EXPECT_THAT(child->Receive(), ElementsAre("ok"));
    return child;
  }

  static Fields Issue(Child& process, const std::string& account) {
    Fields issued = process.Ask({"issue", account, "manual", "laptop", "0"});
    EXPECT_EQ(issued.size(), 3U) << issued[0];
    issued.resize(3);
    return issued;
  }
  static Fields Verify(Child& process, const Fields& issued) {
    return process.Ask({"verify", issued[2], "", ""});
  }
  static std::string Accepted(Child& process, const Fields& issued) {
    const Fields answer = Verify(process, issued);
    return answer[0] == "accepted" ? "accepted" : absl::StrCat(answer[0], " ", answer.back());
  }

  const ScratchStore scratch_;
  const SharedMemory<PuppetBoard> board_;
  std::unique_ptr<Child> a_;
};

TEST_F(KeyProcesses, ATokenUnderANewKeyIsGoodInAnIdleProcessAtItsFirstVerify) {
  for (const char* kind : {"selector", "seal"}) {
    const auto idle = Start("open");
    const auto frozen = Start("frozen");
    const Fields old = Issue(*a_, "alice");
    ASSERT_EQ(Accepted(*idle, old), "accepted");
    ASSERT_EQ(Accepted(*frozen, old), "accepted");
    ASSERT_EQ(a_->Ask({"rotate", kind})[0], "ok");
    const Fields fresh = Issue(*a_, "alice");
    EXPECT_EQ(Accepted(*idle, fresh), "accepted") << kind;
    EXPECT_EQ(Accepted(*idle, old), "accepted") << kind;
    EXPECT_EQ(Verify(*frozen, fresh)[0], "refused") << kind;  // the control: it does not reload
  }
}

TEST_F(KeyProcesses, ARetiredKeyIsRefusedByAllAtTheNextVerify) {
  const Fields old = Issue(*a_, "alice");
  const auto other = Start("open");
  const auto frozen = Start("frozen");
  ASSERT_EQ(Accepted(*other, old), "accepted");
  ASSERT_EQ(Accepted(*frozen, old), "accepted");
  ASSERT_EQ(a_->Ask({"rotate", "selector"})[0], "ok");
  EXPECT_THAT(a_->Ask({"retire", "selector", "1"}), ElementsAre("FAILED_PRECONDITION"));
  ASSERT_THAT(a_->Ask({"delete", old[1]}), ElementsAre("ok"));
  ASSERT_THAT(a_->Ask({"retire", "selector", "1"}), ElementsAre("ok"));
  EXPECT_THAT(Verify(*other, old), ElementsAre("refused", "forged"));
  EXPECT_THAT(Verify(*frozen, old), ElementsAre("refused", "deleted"));  // the control: no limit
}

TEST_F(KeyProcesses, BothMayTurnKeysWhileAThirdVerifies) {
  const auto b = Start("open");
  const auto c = Start("open");
  std::vector<Fields> tokens;
  for (int i = 0; i < 4; ++i) tokens.push_back(Issue(*a_, absl::StrCat("account ", i)));
  for (int i = 0; i < 10; ++i) {
    a_->Send({"rotate", "seal"});
    b->Send({"rotate", "seal"});
    for (const Fields& token : tokens) ASSERT_EQ(Accepted(*c, token), "accepted");
    ASSERT_EQ(a_->Receive()[0], "ok");
    const Fields newest = b->Receive();
    ASSERT_EQ(newest[0], "ok");
    a_->Send({"reseal"});
    b->Send({"reseal"});
    for (const Fields& token : tokens) ASSERT_EQ(Accepted(*c, token), "accepted");
    ASSERT_THAT(a_->Receive(), ElementsAre("ok"));
    ASSERT_THAT(b->Receive(), ElementsAre("ok"));
    // b's key may be the older of the two.
    const std::string older = absl::StrCat(std::stoi(newest[1]) - 1);
    ASSERT_THAT(b->Ask({"retire", "seal", older}), ElementsAre("ok"));
    for (const Fields& token : tokens) ASSERT_EQ(Accepted(*c, token), "accepted");
  }
}

// The operation is begun again and again by new processes, each killed one system call later than
// the one before, until one comes through.
class KilledAtEachSystemCall : public KeyProcesses,
                               public testing::WithParamInterface<const char*> {
 protected:
  // Every good token is accepted by a process that was there all along and by a new one, and both
  // accept what the new one issues: then "", else what is wrong.
  std::string Wrong(Child& idle) {
    Child later(Fields{"puppet", scratch_.directory(), board_.fd(), "open"});
    const Fields opened = later.Receive();
    if (opened[0] != "ok") return "a new process: " + opened[0];
    tokens_.push_back(Issue(later, "carol"));
    std::string wrong;
    for (Child* process : {&idle, &later}) {
      for (const Fields& token : tokens_) {
        const std::string answer = Accepted(*process, token);
        if (answer != "accepted") wrong = answer;
      }
    }
    if (later.Ask({"delete", tokens_.back()[1]})[0] != "ok") wrong = "cannot be deleted";
    tokens_.pop_back();
    return wrong;
  }

  // To a state in which the operation has something to do, whatever the one before left.
  void Prepare(const std::string& operation, const std::string& kind) {
    const Fields newest = a_->Ask({"rotate", kind});
    ASSERT_EQ(newest[0], "ok");
    if (kind == "selector") {  // older tokens would hold their keys
      for (Fields& token : tokens_) {
        ASSERT_THAT(a_->Ask({"delete", token[1]}), ElementsAre("ok"));
        token = Issue(*a_, "alice");
      }
    } else {
      ASSERT_THAT(a_->Ask({"reseal"}), ElementsAre("ok"));
    }
    number_ = absl::StrCat(std::stoi(newest[1]) - 1);
    const int spared = operation == "retire" ? 2 : 1;
    const int retired = std::stoi(newest[1]) - spared;
    if (retired > 0) {
      ASSERT_THAT(a_->Ask({"retire", kind, absl::StrCat(retired)}), ElementsAre("ok"));
    }
    if (operation == "reseal") {
      ASSERT_EQ(a_->Ask({"rotate", kind})[0], "ok");
    }
  }

  std::vector<Fields> tokens_;
  std::string number_;
};

TEST_P(KilledAtEachSystemCall, LeavesEveryGoodTokenGood) {
  const std::string operation = std::string(GetParam()).substr(0, 6);
  const std::string kind = std::string(GetParam()).substr(7);
  for (int i = 0; i < 3; ++i) tokens_.push_back(Issue(*a_, i == 0 ? "alice" : "bob"));
  const auto idle = Start("open");
  bool killed = true;
  int n = 0;
  while (killed) {
    ASSERT_NO_FATAL_FAILURE(Prepare(operation, kind));
    const auto victim = Start("open");
    victim->Send({operation, kind, number_});
    killed = victim->KillAtSystemCall(++n);
    if (!killed) {
      ASSERT_EQ(victim->Receive()[0], "ok");
    }
    SCOPED_TRACE(absl::StrCat("killed at system call ", n));
    ASSERT_EQ(Wrong(*idle), "");
  }
  EXPECT_GT(n, 15);  // a commit alone is several
}

// "retire seal" as "retire_seal"
std::string NameOfStep(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  name[6] = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Keys, KilledAtEachSystemCall,
                         testing::Values("rotate seal", "rotate selector", "reseal seal",
                                         "retire seal", "retire selector"),
                         NameOfStep);

// What one killed in between would leave if the header named a key before the keyring has it, or
// still when the keyring has it no longer.
class KeyringInTheOtherOrder : public KilledAtEachSystemCall {};

TEST_P(KeyringInTheOtherOrder, IsNoticed) {
  const std::string operation = std::string(GetParam()).substr(0, 6);
  const std::string kind = std::string(GetParam()).substr(7);
  tokens_.push_back(Issue(*a_, "alice"));
  ASSERT_NO_FATAL_FAILURE(Prepare(operation, kind));
  ASSERT_EQ(Wrong(*a_), "");
  const std::string path = scratch_.directory() + "/keyring";
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (operation == "rotate") {
    ASSERT_EQ(a_->Ask({operation, kind})[0], "ok");
  } else {
    const auto removed = pat::Keyring::RemoveKey(
        text, kind == "seal" ? pat::KeyKind::kSeal : pat::KeyKind::kSelector,
        static_cast<std::uint16_t>(std::stoi(number_)));
    ASSERT_TRUE(removed.ok()) << removed.status();
    text = *removed;
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  EXPECT_EQ(Wrong(*a_), "a new process: FAILED_PRECONDITION");
}

INSTANTIATE_TEST_SUITE_P(Control, KeyringInTheOtherOrder,
                         testing::Values("rotate seal", "rotate selector", "retire seal",
                                         "retire selector"),
                         NameOfStep);

}  // namespace
