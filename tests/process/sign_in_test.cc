// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Sign-ins from several processes: never more than five auto tokens of an account, always the least
// recently used goes, whichever process used it, and manual tokens never do.
//
// PAT_SIGN_IN_ROUNDS: rounds of sixteen sign-ins at once (20).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pat/auto_token.h"
#include "tests/process/child.h"
#include "tests/process/puppet.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using testing::ElementsAre;
using Fields = std::vector<std::string>;

constexpr std::int64_t kStart = 1'800'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::size_t kMost = 5;

struct Login {
  std::uint64_t id = 0;
  std::string text;
  std::int64_t rank = 0;  // when it was made or last used
};

class SignIn : public testing::Test {
 protected:
  void SetUp() override {
    board_->now_unix_s = kStart;
    Start("create");
    // The account's oldest tokens, never used; but these are its own.
    for (int i = 0; i < 3; ++i) {
      const Fields issued = puppets_[0]->Ask({"issue", "alice", "manual", "kept", "0"});
      ASSERT_EQ(issued.size(), 3U) << issued[0];
      manual_.insert(std::stoull(issued[1]));
    }
  }

  void Start(const std::string& how) {
    puppets_.push_back(
        std::make_unique<Child>(Fields{"puppet", scratch_.directory(), board_.fd(), how}));
    ASSERT_THAT(puppets_.back()->Receive(), ElementsAre("ok"));
  }

  void Later() { board_->now_unix_s += kHour; }

  // Signs in once; the token is then among logins_.
  std::uint64_t SignInBy(std::size_t process, std::int64_t expires = 0) {
    const Fields issued =
        puppets_[process]->Ask({"issue", "alice", "auto", "sign-in", absl::StrCat(expires)});
    EXPECT_EQ(issued.size(), 3U) << issued[0];
    if (issued.size() != 3) return 0;
    const std::uint64_t id = std::stoull(issued[1]);
    logins_[id] = {id, issued[2], board_->now_unix_s};
    return id;
  }

  // Deletes all but `n` of the auto tokens.
  void DeleteBut(std::size_t n) {
    for (std::size_t process = 0; logins_.size() > n; ++process) {
      const auto login = logins_.begin();
      ASSERT_THAT(puppets_[process % puppets_.size()]->Ask({"delete", absl::StrCat(login->first)}),
                  ElementsAre("ok"));
      logins_.erase(login);
    }
  }

  void UseBy(std::size_t process, std::uint64_t id) {
    ASSERT_EQ(puppets_[process]->Ask({"verify", logins_[id].text})[0], "accepted") << id;
    logins_[id].rank = board_->now_unix_s;
  }

  // The account's tokens that are not deleted, as a process sees them.
  std::set<std::uint64_t> Autos(std::size_t process) {
    const Fields listed = puppets_[process]->Ask({"list", "alice"});
    EXPECT_EQ(listed[0], "ok");
    std::set<std::uint64_t> autos;
    std::set<std::uint64_t> manual;
    for (std::size_t i = 1; i + 2 < listed.size(); i += 3) {
      (listed[i + 2] == "auto" ? autos : manual).insert(std::stoull(listed[i]));
    }
    EXPECT_EQ(manual, manual_);
    return autos;
  }

  // All processes see the same, and the evicted ones are refused everywhere.
  void ExpectAutos(const std::set<std::uint64_t>& expected) {
    for (std::size_t process = 0; process < puppets_.size(); ++process) {
      ASSERT_EQ(Autos(process), expected) << "process " << process;
      for (const auto& [id, login] : logins_) {
        const Fields answer = puppets_[process]->Ask({"verify", login.text});
        // (At the moment of the last change, or an hour later: to be used now is to be newest.)
        ASSERT_EQ(answer[0], expected.count(id) != 0 ? "accepted" : "refused") << id;
        if (answer[0] == "refused") {
          ASSERT_EQ(answer[1], "deleted") << id;
        }
      }
    }
    Forget(expected);
    for (auto& [id, login] : logins_) login.rank = board_->now_unix_s;
  }

  // Keeps only these among logins_.
  void Forget(const std::set<std::uint64_t>& expected) {
    for (auto it = logins_.begin(); it != logins_.end();) {
      it = expected.count(it->first) != 0 ? std::next(it) : logins_.erase(it);
    }
  }

  // The `n` that go last by the rule: the newest by rank, then the highest ids.
  std::set<std::uint64_t> Newest(std::size_t n) const {
    std::vector<std::pair<std::int64_t, std::uint64_t>> order;
    for (const auto& [id, login] : logins_) order.emplace_back(login.rank, id);
    std::sort(order.rbegin(), order.rend());
    std::set<std::uint64_t> newest;
    for (std::size_t i = 0; i < std::min(n, order.size()); ++i) newest.insert(order[i].second);
    return newest;
  }

  void Burst(const std::vector<int>& threads_of_process, const std::string& account = "alice");
  void BurstsAndUses(const std::vector<int>& few, const std::vector<int>& many);

  const ScratchStore scratch_;  // on a disk: commits are slow, so that sign-ins do overlap
  const SharedMemory<PuppetBoard> board_;
  std::vector<std::unique_ptr<Child>> puppets_;
  std::set<std::uint64_t> manual_;
  std::map<std::uint64_t, Login> logins_;
};

// Sign-ins at the same moment, as many threads of each process as told, while this test looks on:
// it never sees more than five.
void SignIn::Burst(const std::vector<int>& threads_of_process, const std::string& account) {
  const absl::StatusOr<std::unique_ptr<pat::Authority>> observer = scratch_.Open();
  ASSERT_TRUE(observer.ok()) << observer.status();
  board_->open = false;
  board_->waiting = 0;
  int threads = 0;
  for (std::size_t i = 0; i < threads_of_process.size(); ++i) {
    threads += threads_of_process[i];
    puppets_[i]->Send({"burst", account, absl::StrCat(threads_of_process[i])});
  }
  while (board_->waiting < threads) std::this_thread::yield();

  std::atomic<bool> over{false};
  std::atomic<std::size_t> most{0};
  std::thread looking([&] {
    pat::ListOptions options;
    options.origin = pat::Origin::kAuto;
    options.limit = 1000;
    while (!over) {
      const absl::StatusOr<pat::TokenPage> page = (*observer)->List(account, options);
      ASSERT_TRUE(page.ok()) << page.status();
      most = std::max(most.load(), page->tokens.size());
    }
  });
  board_->open = true;
  for (std::size_t i = 0; i < threads_of_process.size(); ++i) {
    const Fields answer = puppets_[i]->Receive();
    EXPECT_EQ(answer[0], "ok");
    for (std::size_t k = 1; k + 1 < answer.size(); k += 2) {
      const std::uint64_t id = std::stoull(answer[k]);
      logins_[id] = {id, answer[k + 1], board_->now_unix_s};
    }
  }
  over = true;
  looking.join();
  EXPECT_LE(most, kMost);
}

// With three sign-ins on tokens of known ranks, all is determined: the least recently used go. With
// sixteen, the order of their commits is not known, but whatever it was, who survives are the
// four newest of all but the last one in, and the last one in. Every other time the account does
// not have its five tokens to begin with: then nothing but the account's own check stops a sixth.
void SignIn::BurstsAndUses(const std::vector<int>& few, const std::vector<int>& many) {
  for (std::size_t i = 0; i < kMost; ++i) SignInBy(i % puppets_.size());
  const int rounds = NumberFromEnv("PAT_SIGN_IN_ROUNDS", 20);
  for (int round = 0; round < rounds; ++round) {
    // Each survivor is used at a time of its own, by some process, in an order that changes.
    std::vector<std::uint64_t> order;
    for (const auto& [id, login] : logins_) order.push_back(id);
    std::rotate(order.begin(), order.begin() + round % static_cast<int>(order.size()), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) {
      Later();
      UseBy((i + static_cast<std::size_t>(round)) % puppets_.size(), order[i]);
    }
    Later();
    if (round % 4 >= 2) DeleteBut(round % 4 == 2 ? 3 : 0);
    Burst(round % 2 == 0 ? few : many);
    const std::set<std::uint64_t> here = Autos(0);
    ASSERT_EQ(here.size(), kMost);
    if (round % 2 == 0) {
      ASSERT_EQ(here, Newest(kMost));
    } else {
      const std::set<std::uint64_t> sure = Newest(kMost - 1);
      ASSERT_TRUE(std::includes(here.begin(), here.end(), sure.begin(), sure.end()));
      for (const std::uint64_t id : here) ASSERT_EQ(logins_[id].rank, board_->now_unix_s) << id;
    }
    ExpectAutos(here);
    if (HasFatalFailure()) return;
  }
}

TEST_F(SignIn, SixteenAtOnceInOneProcess) { BurstsAndUses({3}, {16}); }

TEST_F(SignIn, FourAtOnceInEachOfFourProcesses) {
  for (int i = 0; i < 3; ++i) Start("open");
  BurstsAndUses({1, 1, 0, 1}, {4, 4, 4, 4});
}

// The account's row is not there yet: one of the sixteen makes it.
TEST_F(SignIn, AtOnceOnAnAccountThatIsNewToTheStore) {
  for (int i = 0; i < 3; ++i) Start("open");
  const int rounds = NumberFromEnv("PAT_SIGN_IN_ROUNDS", 20);
  for (int round = 0; round < rounds; ++round) {
    // Every other id is too long to stand in a record.
    const std::string account =
        absl::StrCat(round % 2 == 0 ? "new " : "new, with a long id ", round);
    Burst({4, 4, 4, 4}, account);
    for (const auto& puppet : puppets_) {
      ASSERT_THAT(puppet->Ask({"count", account}), ElementsAre("ok", "5", "0"));
      ASSERT_EQ(puppet->Ask({"list", account}).size(), 1 + 3 * kMost);
    }
  }
}

TEST_F(SignIn, TheLeastRecentlyUsedGoesWhicheverProcessUsedIt) {
  Start("open");
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < kMost; ++i) {
    Later();
    ids.push_back(SignInBy(i % 2));
  }
  Later();
  UseBy(1, ids[0]);  // the oldest, but used last
  Later();
  const std::uint64_t sixth = SignInBy(0);
  EXPECT_THAT(Autos(1), testing::UnorderedElementsAre(ids[0], ids[2], ids[3], ids[4], sixth));
  Later();
  UseBy(0, ids[2]);
  Later();
  const std::uint64_t seventh = SignInBy(1);
  EXPECT_THAT(Autos(0), testing::UnorderedElementsAre(ids[0], ids[2], ids[4], sixth, seventh));
  const Fields evicted = puppets_[0]->Ask({"get", absl::StrCat(ids[3])});
  EXPECT_EQ(evicted[1], "deleted");
  EXPECT_EQ(evicted[4], "evicted");
  ExpectAutos({ids[0], ids[2], ids[4], sixth, seventh});
}

TEST_F(SignIn, OneNotUsedYetIsNotTheFirstToGo) {
  Start("open");
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < kMost; ++i) {
    ids.push_back(SignInBy(0));
    if (i + 1 < kMost) {
      Later();
      UseBy(1, ids.back());
      Later();
    }
  }
  Later();
  const std::uint64_t sixth = SignInBy(1);
  EXPECT_THAT(Autos(0), testing::UnorderedElementsAre(ids[1], ids[2], ids[3], ids[4], sixth));
}

TEST_F(SignIn, AmongEqualsTheSmallestIdGoes) {
  Start("open");
  std::set<std::uint64_t> ids;
  for (std::size_t i = 0; i < kMost; ++i) ids.insert(SignInBy(i % 2));
  for (int i = 0; i < 3; ++i) {
    Later();  // the five stay equal
    ids.erase(ids.begin());
    const std::set<std::uint64_t> left = ids;
    std::set<std::uint64_t> expected = Autos(0);
    expected.erase(*std::min_element(expected.begin(), expected.end(), [&](auto a, auto b) {
      return std::make_pair(logins_[a].rank, a) < std::make_pair(logins_[b].rank, b);
    }));
    expected.insert(SignInBy(static_cast<std::size_t>(i) % 2));
    ASSERT_EQ(Autos(1), expected);
    ASSERT_TRUE(std::includes(expected.begin(), expected.end(), left.begin(), left.end()));
  }
}

TEST_F(SignIn, AnExpiredOneGoesFirstAndInactiveOnesCount) {
  Start("open");
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i + 1 < kMost; ++i) {
    Later();
    ids.push_back(SignInBy(0));
  }
  ids.push_back(SignInBy(0, board_->now_unix_s + kHour + 60));
  ASSERT_THAT(puppets_[1]->Ask({"deactivate", absl::StrCat(ids[0])}), ElementsAre("ok"));
  Later();
  UseBy(1, ids.back());  // the newest of all; but then it expires
  Later();
  const std::uint64_t sixth = SignInBy(1);
  EXPECT_THAT(Autos(0), testing::UnorderedElementsAre(ids[0], ids[1], ids[2], ids[3], sixth));
  const std::uint64_t seventh = SignInBy(0);
  EXPECT_THAT(Autos(1), testing::UnorderedElementsAre(ids[1], ids[2], ids[3], sixth, seventh));
}

}  // namespace
