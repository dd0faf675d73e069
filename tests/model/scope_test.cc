// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pat {
namespace {

constexpr Permission kA{"a", 0};
constexpr Permission kB{"b", 1};
constexpr Permission kC{"c", 63};

absl::StatusCode CodeOf(const std::vector<Permission>& permissions, std::vector<Scope> scopes) {
  return ScopeSet::Create(permissions, std::move(scopes)).status().code();
}

ScopeSet Declare(const std::vector<Permission>& permissions, std::vector<Scope> scopes) {
  absl::StatusOr<ScopeSet> set = ScopeSet::Create(permissions, std::move(scopes));
  EXPECT_TRUE(set.ok()) << set.status();
  return set.ok() ? *std::move(set) : ScopeSet();
}

constexpr absl::StatusCode kOk = absl::StatusCode::kOk;
constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

void ExpectSame(const ScopeSet& a, const ScopeSet& b) {
  ASSERT_EQ(a.permissions().size(), b.permissions().size());
  for (std::size_t i = 0; i < a.permissions().size(); ++i) {
    EXPECT_EQ(a.permissions()[i].name, b.permissions()[i].name);
    EXPECT_EQ(a.permissions()[i].bit, b.permissions()[i].bit);
  }
  ASSERT_EQ(a.scopes().size(), b.scopes().size());
  for (std::size_t i = 0; i < a.scopes().size(); ++i) {
    EXPECT_EQ(a.scopes()[i].name, b.scopes()[i].name);
    EXPECT_EQ(a.scopes()[i].permissions, b.scopes()[i].permissions);
  }
}

TEST(DockerHubTest, FourLevelsStack) {
  const ScopeSet hub = ScopeSet::DockerHub();
  const char* levels[] = {"repo:public_read", "repo:read", "repo:write", "repo:admin"};
  const Permission adds[] = {kRepoPublicRead, kRepoRead, kRepoWrite, kRepoDelete};
  ASSERT_EQ(hub.scopes().size(), 4U);
  for (int level = 0; level < 4; ++level) {
    const absl::StatusOr<PermissionSet> granted = hub.Grant({levels[level]});
    ASSERT_TRUE(granted.ok()) << granted.status();
    for (int other = 0; other < 4; ++other) {
      EXPECT_EQ(granted->Contains(adds[other]), other <= level) << levels[level];
      EXPECT_EQ(granted->Contains(*hub.Need(levels[other])), other <= level) << levels[level];
    }
  }
  EXPECT_FALSE(hub.Grant({"repo:write"})->Contains(kRepoDelete));
}

TEST(DockerHubTest, NoScopeReachesTheAccount) {
  const ScopeSet hub = ScopeSet::DockerHub();
  for (const char* name : {"account", "account:admin", "account:write"}) {
    EXPECT_FALSE(hub.Need(name).ok());
    EXPECT_FALSE(hub.Grant({name}).ok());
  }
}

TEST(ScopeSetTest, EmptyDeclarationIsAllowedAndGrantsNothing) {
  EXPECT_TRUE(ScopeSet().empty());
  EXPECT_TRUE(Declare({}, {}).empty());
  EXPECT_TRUE(ScopeSet().all().empty());
  EXPECT_EQ(ScopeSet().FindScope(""), nullptr);
  EXPECT_EQ(ScopeSet().Grant({"a"}).status().code(), kInvalid);
  EXPECT_EQ(ScopeSet().Need("a").status().code(), kInvalid);
}

TEST(ScopeSetTest, OwnsItsNames) {
  ScopeSet set;
  {
    std::string name = "a name on the heap, longer than any inline buffer";
    std::replace(name.begin(), name.end(), ' ', '-');
    name.erase(std::remove(name.begin(), name.end(), ','), name.end());
    const Permission permission{name, 5};
    set = Declare({permission}, {{name, {permission}}});
    name.assign(name.size(), 'x');
  }
  EXPECT_EQ(set.permissions()[0].name, "a-name-on-the-heap-longer-than-any-inline-buffer");
  EXPECT_EQ(set.scopes()[0].name, set.permissions()[0].name);
}

TEST(ScopeSetTest, RefusesBadNames) {
  for (const std::string& name :
       {std::string(), std::string("A"), std::string("a b"), std::string("a\0", 2),
        std::string("\0a", 2), std::string("account"), std::string("account:read"),
        std::string("\xC3\xA9"), std::string("\xFF"), std::string(65, 'a'),
        std::string(1 << 20, 'a'), std::string(":a"), std::string("*")}) {
    EXPECT_EQ(CodeOf({Permission{name, 0}}, {}), kInvalid);
    EXPECT_EQ(CodeOf({kA}, {{name, {kA}}}), kInvalid);
  }
}

TEST(ScopeSetTest, RefusesBitsOutOfRange) {
  for (int bit : {-1, 64, 1 << 30, -(1 << 30)}) EXPECT_EQ(CodeOf({{"a", bit}}, {}), kInvalid);
  EXPECT_EQ(CodeOf({{"a", 0}, {"b", 63}}, {}), kOk);
  EXPECT_EQ(CodeOf({Permission{"a"}}, {}), kInvalid);  // the bit forgotten
}

TEST(ScopeSetTest, RefusesSharedNamesAndBits) {
  EXPECT_EQ(CodeOf({kA, {"a", 1}}, {}), kInvalid);
  EXPECT_EQ(CodeOf({kA, {"b", 0}}, {}), kInvalid);
  EXPECT_EQ(CodeOf({kA, kA}, {}), kInvalid);
  EXPECT_EQ(CodeOf({kA, kB}, {{"s", {kA}}, {"s", {kB}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA, kB}, {{"s", {kA}}, {"s", {kA}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA, kB}, {{"s", {kA}}, {"t", {kA}}}), kOk);
}

TEST(ScopeSetTest, ScopeBundlesDeclaredPermissionsOnly) {
  EXPECT_EQ(CodeOf({kA}, {{"s", {}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA}, {{"s", {kB}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA}, {{"s", {kA, kB}}}), kInvalid);
  EXPECT_EQ(CodeOf({}, {{"s", {kA}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA}, {{"s", {kA, Permission{"x", 64}}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA}, {{"s", PermissionSet::FromBits(~0ULL)}}), kInvalid);
}

// Else Need("b") would ask for less than the permission b.
TEST(ScopeSetTest, ScopeNamedLikeAPermissionIncludesIt) {
  EXPECT_EQ(CodeOf({kA, kB}, {{"b", {kA}}}), kInvalid);
  EXPECT_EQ(CodeOf({kA, kB}, {{"b", {kA, kB}}}), kOk);
  EXPECT_EQ(CodeOf({kA, kB}, {{"b", {kB}}}), kOk);
  const ScopeSet store = Declare({kA, kB}, {{"s", {kA}}});
  const ScopeSet newer = Declare({kA}, {{"b", {kA}}});
  EXPECT_TRUE(absl::IsFailedPrecondition(store.ExtendedBy(newer).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(newer.ExtendedBy(store).status()));
}

TEST(ScopeSetTest, AtMost64OfEach) {
  std::vector<std::string> names;
  for (int i = 0; i < 65; ++i) names.push_back("p" + std::to_string(i));
  std::vector<Permission> permissions;
  std::vector<Scope> scopes;
  for (int i = 0; i < 64; ++i) {
    permissions.push_back({names[static_cast<std::size_t>(i)], i});
    scopes.push_back({"s" + std::to_string(i), {permissions.back()}});
  }
  const ScopeSet full = Declare(permissions, scopes);
  EXPECT_EQ(full.all().bits(), ~std::uint64_t{0});
  EXPECT_EQ(full.permissions().size(), 64U);
  permissions.push_back({names[64], 0});
  EXPECT_EQ(CodeOf(permissions, {}), kInvalid);
  permissions.pop_back();
  scopes.push_back({"s64", {permissions.front()}});
  EXPECT_EQ(CodeOf(permissions, scopes), kInvalid);

  const ScopeSet one_more = Declare({permissions.front()}, {scopes.back()});
  EXPECT_TRUE(absl::IsFailedPrecondition(full.ExtendedBy(one_more).status()));
}

TEST(GrantTest, UnionOfTheScopesNamed) {
  const ScopeSet set = Declare({kA, kB, kC}, {{"s", {kA, kB}}, {"t", {kB, kC}}, {"u", {kC}}});
  EXPECT_EQ(*set.Grant({"s"}), (PermissionSet{kA, kB}));
  EXPECT_EQ(*set.Grant({"s", "t"}), (PermissionSet{kA, kB, kC}));
  EXPECT_EQ(*set.Grant({"u", "s"}), *set.Grant({"s", "u"}));
  EXPECT_EQ(*set.Grant({"u"}), (PermissionSet{kC}));
}

TEST(GrantTest, RefusesNothingUnknownAndTwice) {
  const ScopeSet set = Declare({kA, kB}, {{"s", {kA}}, {"t", {kB}}});
  EXPECT_EQ(set.Grant({}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({"a"}).status().code(), kInvalid);  // a permission is not a scope
  EXPECT_EQ(set.Grant({"s", "x"}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({"s", "t", "s"}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({""}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({"S"}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({"s "}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({std::string("s\0", 2)}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant({std::string(1 << 20, 's')}).status().code(), kInvalid);
  EXPECT_EQ(set.Grant(std::vector<std::string>(1 << 20, "s")).status().code(), kInvalid);
}

TEST(NeedTest, ScopeOrPermission) {
  const ScopeSet set = Declare({kA, kB, kC}, {{"s", {kA, kB}}});
  EXPECT_EQ(*set.Need("s"), (PermissionSet{kA, kB}));
  EXPECT_EQ(*set.Need("a"), PermissionSet{kA});
  EXPECT_EQ(*set.Need("c"), PermissionSet{kC});
  for (std::string_view name : {std::string_view(), std::string_view("x"), std::string_view("A"),
                                std::string_view("a\0", 2)}) {
    EXPECT_EQ(set.Need(name).status().code(), kInvalid);
  }
  EXPECT_EQ(set.Need(std::string(1 << 20, 'a')).status().code(), kInvalid);
}

TEST(ExtendedByTest, AddsWhatIsNew) {
  const ScopeSet store = Declare({kA, kB}, {{"s", {kA}}});
  const ScopeSet newer = Declare({kB, kC}, {{"t", {kB, kC}}});
  const absl::StatusOr<ScopeSet> merged = store.ExtendedBy(newer);
  ASSERT_TRUE(merged.ok()) << merged.status();
  ExpectSame(*merged, Declare({kA, kB, kC}, {{"s", {kA}}, {"t", {kB, kC}}}));
  ExpectSame(store, Declare({kA, kB}, {{"s", {kA}}}));  // unchanged
}

TEST(ExtendedByTest, NothingAndItselfAddNothing) {
  const ScopeSet hub = ScopeSet::DockerHub();
  ExpectSame(*hub.ExtendedBy(ScopeSet()), hub);
  ExpectSame(*hub.ExtendedBy(hub), hub);
  ExpectSame(*ScopeSet().ExtendedBy(hub), hub);
  ExpectSame(*ScopeSet().ExtendedBy(ScopeSet()), ScopeSet());
}

TEST(ExtendedByTest, RefusesAnotherMeaning) {
  const ScopeSet store = Declare({kA, kB}, {{"s", {kA}}});
  const std::vector<ScopeSet> contradictions = {
      Declare({{"a", 2}}, {}),                 // another bit
      Declare({{"z", 0}}, {}),                 // another name
      Declare({{"a", 1}, {"b", 0}}, {}),       // both, swapped
      Declare({kA, kB}, {{"s", {kB}}}),        // another bundle
      Declare({kA, kB}, {{"s", {kA, kB}}}),    // a larger one
      Declare({kC, {"d", 1}}, {{"t", {kC}}}),  // something new beside something wrong
  };
  for (const ScopeSet& newer : contradictions) {
    EXPECT_TRUE(absl::IsFailedPrecondition(store.ExtendedBy(newer).status()));
  }
}

// Random small declarations: an extension keeps every meaning of both sides or is refused, and it
// is refused on one side exactly if it is on the other.
TEST(ExtendedByTest, KeepsEveryMeaning) {
  std::mt19937_64 random(5);
  const auto declaration = [&random] {
    const std::string_view names[] = {"a", "b", "c", "d"};
    std::vector<Permission> permissions;
    std::vector<Scope> scopes;
    for (int i = 0; i < 4; ++i) {
      if (random() % 2 == 0) continue;
      permissions.push_back({names[i], random() % 8 == 0 ? static_cast<int>(random() % 4) : i});
    }
    for (const char* scope : {"s", "t", "b"}) {
      if (permissions.empty() || random() % 2 == 0) continue;
      scopes.push_back({scope, {permissions[random() % permissions.size()]}});
    }
    return ScopeSet::Create(permissions, scopes);
  };
  int extended = 0, refused = 0;
  for (int round = 0; round < 50000; ++round) {
    const absl::StatusOr<ScopeSet> a = declaration(), b = declaration();
    if (!a.ok() || !b.ok()) continue;
    const absl::StatusOr<ScopeSet> ab = a->ExtendedBy(*b), ba = b->ExtendedBy(*a);
    ASSERT_EQ(ab.ok(), ba.ok());
    if (!ab.ok()) {
      ++refused;
      continue;
    }
    ++extended;
    EXPECT_EQ(ab->all(), a->all() | b->all());
    for (const ScopeSet* side : {&*a, &*b}) {
      for (const auto& permission : side->permissions()) {
        const Permission needed{permission.name, permission.bit};
        EXPECT_TRUE(ab->Need(permission.name)->Contains(needed));
      }
      for (const Scope& scope : side->scopes()) {
        EXPECT_EQ(*ab->Grant({scope.name}), scope.permissions);
      }
    }
    EXPECT_TRUE(a->ExtendedBy(*ab).ok() && b->ExtendedBy(*ab).ok());
    // It is a declaration that Create would take.
    std::vector<Permission> permissions;
    for (const auto& p : ab->permissions()) permissions.push_back({p.name, p.bit});
    EXPECT_TRUE(ScopeSet::Create(permissions, ab->scopes()).ok());
  }
  EXPECT_GT(extended, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace pat
