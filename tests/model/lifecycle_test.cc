// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/lifecycle.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pat {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

struct Expiry {
  std::optional<absl::Time> at;
  bool passed;  // at kNow
};

std::vector<Expiry> Expiries() {
  return {{std::nullopt, false},
          {absl::InfiniteFuture(), false},
          {kNow + absl::Hours(1), false},
          {kNow + absl::Seconds(1), false},
          {kNow + absl::Nanoseconds(1), false},
          {kNow, true},  // expired from the very moment on
          {kNow - absl::Nanoseconds(1), true},
          {kNow - absl::Seconds(1), true},
          {absl::UnixEpoch(), true},
          {absl::FromUnixSeconds(-1), true},
          {absl::InfinitePast(), true}};
}

std::vector<Lifecycle> All() {
  std::vector<Lifecycle> all;
  for (const Expiry& expiry : Expiries()) {
    for (bool deleted : {false, true}) {
      for (bool active : {false, true}) all.push_back({deleted, active, expiry.at});
    }
  }
  return all;
}

TEST(LifecycleTest, NewTokenIsActive) { EXPECT_EQ(StateAt({}, kNow), State::kActive); }

TEST(LifecycleTest, FirstOfDeletedExpiredInactiveActiveApplies) {
  for (const Expiry& expiry : Expiries()) {
    for (bool active : {false, true}) {
      EXPECT_EQ(StateAt({true, active, expiry.at}, kNow), State::kDeleted);
      const State alive = active ? State::kActive : State::kInactive;
      EXPECT_EQ(StateAt({false, active, expiry.at}, kNow), expiry.passed ? State::kExpired : alive)
          << (expiry.at.has_value() ? absl::FormatTime(*expiry.at) : "never");
    }
  }
}

TEST(LifecycleTest, ExpiryAtTheEndsOfTime) {
  for (absl::Time now : {absl::InfinitePast(), kNow, absl::InfiniteFuture()}) {
    EXPECT_EQ(StateAt({false, true, std::nullopt}, now), State::kActive);
    EXPECT_EQ(StateAt({false, true, absl::InfinitePast()}, now), State::kExpired);
    EXPECT_EQ(StateAt({false, true, absl::InfiniteFuture()}, now),
              now == absl::InfiniteFuture() ? State::kExpired : State::kActive);
  }
}

TEST(LifecycleTest, TableOfMoves) {
  for (const Lifecycle& before : All()) {
    const MoveResult activate = before.deleted  ? MoveResult::kRefused
                                : before.active ? MoveResult::kUnchanged
                                                : MoveResult::kChanged;
    const MoveResult deactivate = before.deleted  ? MoveResult::kRefused
                                  : before.active ? MoveResult::kChanged
                                                  : MoveResult::kUnchanged;
    Lifecycle token = before;
    EXPECT_EQ(Apply(Move::kActivate, token), activate);
    EXPECT_EQ(token.active, before.deleted ? before.active : true);
    EXPECT_EQ(token.deleted, before.deleted);
    EXPECT_EQ(token.expires_at, before.expires_at);

    token = before;
    EXPECT_EQ(Apply(Move::kDeactivate, token), deactivate);
    EXPECT_EQ(token.active, before.deleted ? before.active : false);
    EXPECT_EQ(token.deleted, before.deleted);
    EXPECT_EQ(token.expires_at, before.expires_at);

    token = before;
    EXPECT_EQ(Apply(Move::kDelete, token),
              before.deleted ? MoveResult::kUnchanged : MoveResult::kChanged);
    EXPECT_TRUE(token.deleted);
    EXPECT_EQ(token.active, before.active);
    EXPECT_EQ(token.expires_at, before.expires_at);
  }
}

TEST(LifecycleTest, EveryMoveTwiceChangesNothingMore) {
  for (const Lifecycle& before : All()) {
    for (Move move : {Move::kActivate, Move::kDeactivate, Move::kDelete}) {
      Lifecycle once = before;
      const MoveResult first = Apply(move, once);
      Lifecycle twice = once;
      EXPECT_EQ(Apply(move, twice),
                first == MoveResult::kRefused ? MoveResult::kRefused : MoveResult::kUnchanged);
      EXPECT_EQ(StateAt(twice, kNow), StateAt(once, kNow));
    }
  }
}

// Deleted is final, and no move revives an expired token: every sequence of four moves.
TEST(LifecycleTest, NothingBringsATokenBack) {
  const Move moves[] = {Move::kActivate, Move::kDeactivate, Move::kDelete};
  for (const Lifecycle& start : All()) {
    for (int sequence = 0; sequence < 81; ++sequence) {
      Lifecycle token = start;
      for (int step = 0, rest = sequence; step < 4; ++step, rest /= 3) {
        const State before = StateAt(token, kNow);
        const MoveResult result = Apply(moves[rest % 3], token);
        const State after = StateAt(token, kNow);
        if (before == State::kDeleted) {
          EXPECT_EQ(after, State::kDeleted);
          EXPECT_NE(result, MoveResult::kChanged);
        }
        if (before == State::kExpired) {
          EXPECT_TRUE(after == State::kExpired || after == State::kDeleted);
        }
      }
    }
  }
}

TEST(LifecycleTest, SwitchOfAnExpiredTokenIsKept) {
  Lifecycle token{false, true, kNow};
  EXPECT_EQ(Apply(Move::kDeactivate, token), MoveResult::kChanged);
  EXPECT_EQ(StateAt(token, kNow), State::kExpired);
  EXPECT_EQ(StateAt(token, kNow - absl::Seconds(1)), State::kInactive);
}

TEST(LifecycleTest, NumberThatIsNoMoveIsRefused) {
  for (const Lifecycle& before : All()) {
    for (int number : {-1, 3, 255, 1 << 30}) {
      Lifecycle token = before;
      EXPECT_EQ(Apply(static_cast<Move>(number), token), MoveResult::kRefused);
      EXPECT_EQ(token.active, before.active);
      EXPECT_EQ(token.deleted, before.deleted);
    }
  }
}

TEST(LifecycleTest, Names) {
  EXPECT_EQ(ToString(State::kActive), "active");
  EXPECT_EQ(ToString(State::kInactive), "inactive");
  EXPECT_EQ(ToString(State::kExpired), "expired");
  EXPECT_EQ(ToString(State::kDeleted), "deleted");
  EXPECT_EQ(ToString(Origin::kManual), "manual");
  EXPECT_EQ(ToString(Origin::kAuto), "auto");
  const char* reasons[] = {"user", "evicted", "rotated", "leaked", "idle", "admin"};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(ToString(static_cast<DeleteReason>(i)), reasons[i]);
  for (int number : {-1, 6, 1 << 30}) {
    EXPECT_EQ(ToString(static_cast<State>(number)), "unknown");
    EXPECT_EQ(ToString(static_cast<Origin>(number)), "unknown");
    EXPECT_EQ(ToString(static_cast<DeleteReason>(number)), "unknown");
  }
}

}  // namespace
}  // namespace pat
