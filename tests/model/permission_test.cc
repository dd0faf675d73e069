// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/permission.h"

#include <gtest/gtest.h>

#include <climits>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <type_traits>

namespace pat {
namespace {

constexpr Permission kFirst{"first", 0};
constexpr Permission kLast{"last", 63};
constexpr Permission kUndeclared{"undeclared"};

// A set is usable in constant expressions.
static_assert(PermissionSet().empty());
static_assert(PermissionSet{kFirst, kLast}.bits() == 0x8000000000000001U);
static_assert(PermissionSet{kFirst, kLast}.Contains(kLast));
static_assert(!PermissionSet{kFirst}.Contains(kLast));
static_assert(!PermissionSet::FromBits(~std::uint64_t{0}).Contains(kUndeclared));
static_assert(std::is_trivially_copyable_v<PermissionSet>);
static_assert(!std::is_convertible_v<PermissionSet, bool>);
static_assert(!std::is_convertible_v<std::uint64_t, PermissionSet>);

PermissionSet All() { return PermissionSet::FromBits(~std::uint64_t{0}); }

TEST(PermissionSetTest, EveryBitIsItsOwnPermission) {
  for (int a = 0; a < kMaxPermissions; ++a) {
    const PermissionSet set{Permission{"a", a}};
    EXPECT_EQ(set.bits(), std::uint64_t{1} << a);
    EXPECT_TRUE(set.satisfiable());
    EXPECT_FALSE(set.empty());
    EXPECT_TRUE(All().Contains(set));
    EXPECT_FALSE(PermissionSet().Contains(set));
    for (int b = 0; b < kMaxPermissions; ++b) {
      EXPECT_EQ(set.Contains(Permission{"b", b}), a == b) << a << ' ' << b;
    }
  }
}

TEST(PermissionSetTest, BitOutOfRangeIsNeverContained) {
  for (int bit : {INT_MIN, INT_MIN + 1, -65, -64, -2, -1, 64, 65, 127, 128, 255, 256, INT_MAX}) {
    const Permission outside{"outside", bit};
    const PermissionSet needed{kFirst, outside, kLast};
    EXPECT_EQ(needed.bits(), 0x8000000000000001U) << bit;
    EXPECT_FALSE(needed.satisfiable());
    EXPECT_FALSE(needed.empty());
    EXPECT_FALSE(PermissionSet{outside}.empty());
    for (PermissionSet held : {All(), PermissionSet(), needed, PermissionSet{outside}}) {
      EXPECT_FALSE(held.Contains(outside)) << bit;
      EXPECT_FALSE(held.Contains(needed)) << bit;
      EXPECT_FALSE(held.Contains(needed | PermissionSet{kFirst})) << bit;
    }
    EXPECT_NE(needed, (PermissionSet{kFirst, kLast}));
  }
}

TEST(PermissionSetTest, MistakeStaysAMistakeInUnions) {
  const PermissionSet bad{kUndeclared};
  for (PermissionSet other : {PermissionSet(), All(), bad, PermissionSet{kFirst}}) {
    EXPECT_FALSE((bad | other).satisfiable());
    EXPECT_FALSE((other | bad).satisfiable());
    EXPECT_FALSE(All().Contains(bad | other));
  }
}

TEST(PermissionSetTest, NothingIsContainedInEverything) {
  EXPECT_TRUE(PermissionSet().Contains(PermissionSet()));
  EXPECT_TRUE(PermissionSet{kFirst}.Contains(PermissionSet()));
  EXPECT_FALSE(PermissionSet().Contains(PermissionSet{kFirst}));
}

TEST(PermissionSetTest, AgreesWithSetsOfNumbers) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::set<int> a, b;
    PermissionSet x, y;
    for (int n = static_cast<int>(random() % 8); n > 0; --n) {
      const int bit = static_cast<int>(random() % 64);
      a.insert(bit);
      x = x | PermissionSet{Permission{"x", bit}};
    }
    for (int n = static_cast<int>(random() % 4); n > 0; --n) {
      const int bit =
          random() % 2 == 0 && !a.empty() ? *a.begin() : static_cast<int>(random() % 64);
      b.insert(bit);
      y = y | PermissionSet{Permission{"y", bit}};
    }
    bool subset = true;
    for (int bit : b) subset = subset && a.count(bit) != 0;
    EXPECT_EQ(x.Contains(y), subset);
    EXPECT_EQ(x == y, a == b);
    EXPECT_EQ(x != y, a != b);
    EXPECT_EQ(x.empty(), a.empty());
    EXPECT_TRUE((x | y).Contains(x) && (x | y).Contains(y));
    EXPECT_EQ(PermissionSet::FromBits(x.bits()), x);
  }
}

bool IsValid(const std::string& name) {
  const absl::Status status = ValidatePermissionName(name);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return status.ok();
}

TEST(PermissionNameTest, EveryByteAtEveryPlace) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const bool letter = letters.find(c) != std::string::npos;
    const bool inside = letter || std::string(":._-").find(c) != std::string::npos;
    EXPECT_EQ(IsValid({c}), letter) << value;
    EXPECT_EQ(IsValid({c, 'a'}), letter) << value;
    EXPECT_EQ(IsValid({'a', c}), inside) << value;
    EXPECT_EQ(IsValid({'a', c, 'a'}), inside) << value;
  }
}

TEST(PermissionNameTest, OneTo64Characters) {
  EXPECT_FALSE(IsValid(""));
  for (std::size_t n = 1; n <= 200; ++n) EXPECT_EQ(IsValid(std::string(n, 'a')), n <= 64) << n;
  EXPECT_FALSE(IsValid(std::string(1 << 20, 'a')));
  EXPECT_FALSE(IsValid(std::string(1 << 20, '\0')));
}

TEST(PermissionNameTest, AccountIsReserved) {
  for (const char* name : {"account", "account:", "account:a", "account:admin", "account:*",
                           "account::", "account:repo:read"}) {
    EXPECT_FALSE(IsValid(name)) << name;
  }
  for (const char* name : {"Account:admin", "ACCOUNT", " account", "account ", ":account"}) {
    EXPECT_FALSE(IsValid(name)) << name;
  }
  EXPECT_FALSE(IsValid(std::string("account\0:admin", 14)));
  for (const char* name : {"accounts", "accounts:read", "account.read", "account_read", "acc",
                           "accoun", "accoun:t", "my:account", "repo:account:read"}) {
    EXPECT_TRUE(IsValid(name)) << name;
  }
}

}  // namespace
}  // namespace pat
