// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/principal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "pat/scope.h"

namespace pat {
namespace {

// An answer cannot be taken for a yes by accident, and costs no memory to hand around.
static_assert(!std::is_convertible_v<Permit, bool> && !std::is_constructible_v<bool, Permit>);
static_assert(!std::is_convertible_v<Decision, bool> && !std::is_constructible_v<bool, Decision>);
static_assert(!std::is_constructible_v<bool, Refusal>);
static_assert(!std::is_default_constructible_v<Permit>);
static_assert(!std::is_default_constructible_v<Decision>);
static_assert(!std::is_default_constructible_v<Principal>);
static_assert(std::is_trivially_copyable_v<Principal>);
static_assert(std::is_trivially_copyable_v<Decision>);
static_assert(std::is_trivially_destructible_v<Decision>);
static_assert(sizeof(Decision) <= 192);

constexpr int kReasons = static_cast<int>(RefusalReason::kUnavailable) + 1;

PermissionSet Everything() { return PermissionSet::FromBits(~std::uint64_t{0}); }

Principal ByToken(std::string_view account, PermissionSet permissions) {
  return Principal::ByToken(account, 7, permissions, Origin::kAuto);
}

TEST(ClaimTest, ThreeKinds) {
  EXPECT_TRUE(Claim::None().is_none());
  EXPECT_FALSE(Claim::None().is_unknown());
  EXPECT_EQ(Claim::None().account(), "");
  EXPECT_TRUE(Claim::Unknown().is_unknown());
  EXPECT_FALSE(Claim::Unknown().is_none());
  EXPECT_EQ(Claim::Unknown().account(), "");
  for (std::string_view id : {std::string_view("alice"), std::string_view("a\0b", 3),
                              std::string_view()}) {  // an empty id is still a claim
    const Claim claim = Claim::Account(id);
    EXPECT_FALSE(claim.is_none() || claim.is_unknown());
    EXPECT_EQ(claim.account(), id);
  }
}

TEST(PrincipalTest, SaysWhoAndHow) {
  const Principal token =
      Principal::ByToken("alice", UINT64_MAX, PermissionSet{kRepoRead}, Origin::kAuto);
  EXPECT_EQ(token.account(), "alice");
  EXPECT_EQ(token.method(), Principal::Method::kToken);
  EXPECT_EQ(token.token_id(), UINT64_MAX);
  EXPECT_EQ(token.origin(), Origin::kAuto);
  EXPECT_EQ(token.permissions(), PermissionSet{kRepoRead});
  const Principal password = Principal::ByPassword("bob", Everything());
  EXPECT_EQ(password.account(), "bob");
  EXPECT_EQ(password.method(), Principal::Method::kPassword);
  EXPECT_EQ(password.token_id(), 0U);
  EXPECT_EQ(password.permissions(), Everything());
}

TEST(PrincipalTest, AccountIsACopyOfAnyBytes) {
  for (std::size_t n = 1; n <= kMaxAccountBytes; ++n) {
    std::string account(n, '\0');
    for (std::size_t i = 0; i < n; ++i) account[i] = static_cast<char>(i * 37 + n);
    const std::string kept = account;
    const Principal who = ByToken(account, {});
    account.assign(n, 'x');
    const Principal copy = who;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(who.account(), kept);
    const auto& padded = who.padded_account();
    EXPECT_EQ(std::count(padded.begin() + static_cast<std::ptrdiff_t>(n), padded.end(), '\0'),
              static_cast<std::ptrdiff_t>(kMaxAccountBytes - n));
    EXPECT_EQ(copy.account(), kept);
    EXPECT_NE(copy.account().data(), who.account().data());
  }
}

TEST(PrincipalTest, NoAccountIdIsNobody) {
  for (const std::string& account :
       {std::string(), std::string(129, 'a'), std::string(1 << 20, 'a'), std::string(129, '\0')}) {
    for (const Principal& who :
         {ByToken(account, Everything()), Principal::ByPassword(account, Everything())}) {
      EXPECT_EQ(who.account(), "");  // never another account's id, as a cut one would be
      EXPECT_TRUE(who.permissions().empty());
      EXPECT_FALSE(who.Require(kRepoPublicRead).allowed());
      EXPECT_FALSE(who.RequireAccountAdmin().allowed());
    }
  }
  EXPECT_EQ(ByToken({}, Everything()).account(), "");
}

TEST(PrincipalTest, RequireFollowsTheBits) {
  for (int held = 0; held < kMaxPermissions; ++held) {
    const Principal who = ByToken("a", PermissionSet{Permission{"held", held}});
    for (int needed = -2; needed < kMaxPermissions + 2; ++needed) {
      const Permit permit = who.Require(Permission{"needed", needed});
      EXPECT_EQ(permit.allowed(), needed == held);
      if (!permit.allowed()) {
        EXPECT_EQ(permit.refusal().reason(), RefusalReason::kMissingPermission);
        EXPECT_EQ(permit.refusal().http_status(), 403);
      }
    }
  }
}

TEST(PrincipalTest, RequireAllOfASet) {
  const Principal who = ByToken("a", {kRepoPublicRead, kRepoRead, kRepoWrite});
  EXPECT_TRUE(who.Require({kRepoRead, kRepoWrite}).allowed());
  EXPECT_FALSE(who.Require({kRepoWrite, kRepoDelete}).allowed());
  EXPECT_TRUE(who.Require(PermissionSet()).allowed());
  EXPECT_FALSE(who.Require(kRepoDelete).allowed());  // a write token cannot delete
  EXPECT_FALSE(ByToken("a", Everything()).Require({kRepoRead, Permission{"x", 64}}).allowed());
}

TEST(PrincipalTest, TokenNeverAdministersTheAccount) {
  for (Origin origin : {Origin::kManual, Origin::kAuto}) {
    for (std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
      const Permit permit = Principal::ByToken("a", id, Everything(), origin).RequireAccountAdmin();
      EXPECT_FALSE(permit.allowed());
      EXPECT_EQ(permit.refusal().reason(), RefusalReason::kMissingPermission);
    }
  }
  EXPECT_TRUE(Principal::ByPassword("a", {}).RequireAccountAdmin().allowed());
}

TEST(DecisionTest, PrincipalOrRefusalNeverBoth) {
  const Decision accepted = ByToken("alice", PermissionSet{kRepoRead});
  ASSERT_NE(accepted.principal(), nullptr);
  EXPECT_EQ(accepted.refusal(), nullptr);
  EXPECT_EQ(accepted.principal()->account(), "alice");
  for (int i = 0; i < kReasons; ++i) {
    const Decision refused = Refusal(static_cast<RefusalReason>(i));
    EXPECT_EQ(refused.principal(), nullptr);
    ASSERT_NE(refused.refusal(), nullptr);
    EXPECT_EQ(refused.refusal()->reason(), static_cast<RefusalReason>(i));
  }
}

TEST(DecisionTest, CopiesAndAssignments) {
  Decision decision = Refusal(RefusalReason::kExpired);
  const Decision accepted = ByToken(std::string(kMaxAccountBytes, 'a'), {});
  decision = accepted;
  ASSERT_NE(decision.principal(), nullptr);
  EXPECT_EQ(decision.principal()->account(), std::string(kMaxAccountBytes, 'a'));
  decision = Refusal(RefusalReason::kDeleted);
  EXPECT_EQ(decision.principal(), nullptr);
  EXPECT_EQ(decision.refusal()->reason(), RefusalReason::kDeleted);
}

TEST(PermitTest, AllowedOrRefused) {
  EXPECT_TRUE(Permit::Allowed().allowed());
  for (int i = 0; i < kReasons; ++i) {
    const Permit refused = Permit::Refused(static_cast<RefusalReason>(i));
    EXPECT_FALSE(refused.allowed());
    EXPECT_EQ(refused.refusal().reason(), static_cast<RefusalReason>(i));
  }
}

TEST(RefusalTest, StatusAndErrorOnTheOutside) {
  for (int i = 0; i < kReasons; ++i) {
    const Refusal refusal(static_cast<RefusalReason>(i));
    int status = 401;
    std::string_view error = "invalid_token";
    if (refusal.reason() == RefusalReason::kMissingPermission) {
      status = 403, error = "insufficient_scope";
    } else if (refusal.reason() == RefusalReason::kUnavailable) {
      status = 503, error = "temporarily_unavailable";
    }
    EXPECT_EQ(refusal.http_status(), status) << ToString(refusal.reason());
    EXPECT_EQ(refusal.oauth_error(), error) << ToString(refusal.reason());
  }
}

TEST(RefusalTest, OneSentenceForAll) {
  EXPECT_EQ(Refusal::public_message(),
            "Wrong user name, password or token. If the account has two-factor authentication, "
            "use an access token.");
}

TEST(RefusalTest, ReasonsHaveNamesOfTheirOwn) {
  const std::vector<std::string_view> names = {
      "not_token",        "bad_checksum",       "forged",
      "unknown_token",    "wrong_secret",       "deleted",
      "expired",          "inactive",           "wrong_account",
      "unknown_account",  "missing_permission", "wrong_password",
      "password_refused", "unavailable"};
  ASSERT_EQ(names.size(), static_cast<std::size_t>(kReasons));
  for (int i = 0; i < kReasons; ++i) {
    EXPECT_EQ(ToString(static_cast<RefusalReason>(i)), names[static_cast<std::size_t>(i)]);
  }
  for (int i : {-1, kReasons, 1 << 30}) {
    EXPECT_EQ(ToString(static_cast<RefusalReason>(i)), "unknown");
  }
}

}  // namespace
}  // namespace pat
