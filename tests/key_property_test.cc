// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Random interleavings of everything that touches keys and tokens, by several authorities on one
// store, against what a list of tokens in this test says.
#include <random>
#include <vector>

#include "tests/key_life_fixture.h"

namespace pat {
namespace {

struct Known {
  Issued issued;
  std::uint16_t selector;
  State state;
};

class KeyPropertyTest : public KeyLifeTest {
 protected:
  // Everything drawn from one seed, told if a check fails.
  void Run(unsigned seed, int steps) {
    random_.seed(seed);
    b_ = Open();
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      Step();
    }
    Reopen();
    for (const Known& token : tokens_) Check(*a_, token);
  }

  void Step() {
    Authority& who = Draw(2) == 0 ? *a_ : *b_;
    switch (Draw(16)) {
      case 0: RotateOne(who, KeyKind::kSelector); break;
      case 1: RotateOne(who, KeyKind::kSeal); break;
      case 2: ASSERT_TRUE(who.Reseal().ok()); break;
      case 3: RetireOne(who, KeyKind::kSelector); break;
      case 4:
      case 5: RetireOne(who, KeyKind::kSeal); break;
      case 6: Reopen(); break;
      case 7:
      case 8:
      case 9: {
        const std::string account = Draw(2) == 0 ? "alice" : kLongName;
        tokens_.push_back({Issue(who, account), newest_[0], State::kActive});
        break;
      }
      case 10:
      case 11: Change(who); break;
      default:
        if (!tokens_.empty()) Check(who, tokens_[Draw(tokens_.size())]);
    }
  }

  void RotateOne(Authority& who, KeyKind kind) {
    std::uint16_t& newest = newest_[kind == KeyKind::kSelector ? 0 : 1];
    std::uint16_t& lowest = lowest_[kind == KeyKind::kSelector ? 0 : 1];
    const absl::StatusOr<KeyInfo> info = who.RotateKey(kind);
    RecordKeys(KeyringText());
    ASSERT_EQ(info.ok(), newest - lowest < 7) << info.status();
    if (!info.ok()) return;
    ASSERT_EQ(info->number, newest + 1);
    newest = info->number;
  }

  void RetireOne(Authority& who, KeyKind kind) {
    const bool selector = kind == KeyKind::kSelector;
    std::uint16_t& lowest = lowest_[selector ? 0 : 1];
    const std::uint16_t newest = newest_[selector ? 0 : 1];
    const auto number = static_cast<std::uint16_t>(lowest + Draw(newest - lowest + 1U));
    if (!selector && Draw(2) == 0) {
      ASSERT_TRUE(who.Reseal().ok());
    }
    std::uint64_t dependents = 0;
    const auto infos = who.Keys();
    ASSERT_TRUE(infos.ok()) << infos.status();
    for (const KeyInfo& info : *infos) {
      if (info.kind == kind && info.number <= number) dependents += info.dependents;
    }
    const bool force = selector && Draw(3) == 0;
    const absl::Status status = who.RetireKey(kind, number, force);
    ASSERT_EQ(status.ok(), number < newest && (force || dependents == 0)) << status;
    if (status.ok()) lowest = static_cast<std::uint16_t>(number + 1);
  }

  void Change(Authority& who) {
    if (tokens_.empty()) return;
    Known& token = tokens_[Draw(tokens_.size())];
    const std::uint64_t id = token.issued.token.id;
    absl::Status status;
    const std::size_t what = Draw(5);
    if (what == 0) {
      status = who.Delete(id);
      token.state = State::kDeleted;
    } else if (what < 3) {
      status = who.Deactivate(id);
      if (token.state == State::kActive) token.state = State::kInactive;
    } else {
      status = who.Activate(id);
      if (token.state == State::kInactive) token.state = State::kActive;
    }
    ASSERT_EQ(status.ok(), what == 0 || token.state != State::kDeleted) << status;
  }

  void Check(Authority& who, const Known& token) {
    const std::string expected = token.selector < lowest_[0]       ? "forged"
                                 : token.state == State::kDeleted  ? "deleted"
                                 : token.state == State::kInactive ? "inactive"
                                                                   : "";
    ASSERT_EQ(Reason(who, token.issued), expected);
    const auto seen = who.Get(token.issued.token.id, token.issued.token.account);
    ASSERT_TRUE(seen.ok()) << seen.status();
    ASSERT_FALSE(seen->damaged);
    ASSERT_EQ(seen->state, token.state);
  }

  void Reopen() { (Draw(2) == 0 ? a_ : b_) = Open(); }

  std::size_t Draw(std::size_t below) { return random_() % below; }

  std::mt19937 random_;
  std::unique_ptr<Authority> b_;
  std::vector<Known> tokens_;
  std::uint16_t newest_[2] = {1, 1};  // selector, seal
  std::uint16_t lowest_[2] = {1, 1};
};

INSTANTIATE_TEST_SUITE_P(Stores, KeyPropertyTest,
                         testing::Values(StoreKind::kMemory, StoreKind::kLmdb), NameOf);

TEST_P(KeyPropertyTest, GoodTokensAreAcceptedAndRetiredOnesAreNot) {
  Run(1, GetParam() == StoreKind::kMemory ? 4000 : 500);
}

}  // namespace
}  // namespace pat
