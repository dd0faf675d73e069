// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Signing in by hand: passwords, codes that are good once, and what people change about themselves.
#include "examples/hub/accounts.h"

#include "examples/hub/totp.h"
#include "tests/hub/hub_fixture.h"

namespace hub {
namespace {

using Outcome = LoginResult::Outcome;
constexpr char kIp[] = "192.0.2.1";

class AccountsTest : public HubTest {
 protected:
  AccountsTest() : throttles_(settings_.limits), accounts_(Make()) {}

  Accounts Make() {
    return {*authority_, users_, throttles_, metrics_, [this] { return now_; }};
  }

  /// alice's code `steps` steps from now.
  std::string Code(int steps = 0) {
    return TotpCode(*FromBase32("GEZDGNBVGY3TQOJQ"), absl::ToUnixSeconds(now_) / 30 + steps);
  }

  Metrics metrics_;
  SignInThrottles throttles_;
  Accounts accounts_;
};

TEST_F(AccountsTest, APasswordIsEnoughWithoutTwoFactorAuthentication) {
  const LoginResult bob = accounts_.CheckPassword("bob", kPassword, kIp);
  EXPECT_EQ(bob.outcome, Outcome::kAccepted);
  EXPECT_EQ(bob.user.account, "b-2");
  const LoginResult alice = accounts_.CheckPassword("alice", kPassword, kIp);
  EXPECT_EQ(alice.outcome, Outcome::kCodeNeeded);
  EXPECT_EQ(alice.user.account, "a-1");
  for (const char* name : {"alice", "bob", "nobody", ""}) {
    const LoginResult refused = accounts_.CheckPassword(name, "wrong", kIp);
    EXPECT_EQ(refused.outcome, Outcome::kRefused);
    EXPECT_EQ(refused.user.account, "");
  }
  EXPECT_EQ(accounts_.CheckPassword("nobody", kPassword, kIp).reason, "unknown_account");
  EXPECT_EQ(accounts_.CheckPassword("bob", Issue("b-2", "repo:admin"), kIp).outcome,
            Outcome::kRefused);
}

TEST_F(AccountsTest, ACodeIsGoodOnceInAllProcesses) {
  WatchedFile<Users> other_users(users_.path(), &Users::Read);
  SignInThrottles other_throttles(settings_.limits);
  Accounts other(*authority_, other_users, other_throttles, metrics_, [this] { return now_; });
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(), kIp).outcome, Outcome::kAccepted);
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(), kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(other.CheckCode("a-1", Code(), kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(other.CheckCode("a-1", Code(-1), kIp).outcome, Outcome::kRefused);  // an older one
  EXPECT_EQ(other.CheckCode("a-1", Code(1), kIp).outcome, Outcome::kAccepted);
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(1), kIp).outcome, Outcome::kRefused);
}

TEST_F(AccountsTest, CodesOfOthersAndOfOtherTimesAreRefused) {
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(2), kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(accounts_.CheckCode("a-1", "", kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(accounts_.CheckCode("b-2", Code(), kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(accounts_.CheckCode("c-3", Code(), kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(), kIp).outcome, Outcome::kAccepted);
}

TEST_F(AccountsTest, GuessesOfCodesAreLimitedRightOnesToo) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(accounts_.CheckCode("a-1", "000000", "192.0.2." + std::to_string(i)).outcome,
              Outcome::kRefused);
  }
  const LoginResult throttled = accounts_.CheckCode("a-1", Code(), "192.0.2.9");
  EXPECT_EQ(throttled.outcome, Outcome::kThrottled);
  EXPECT_EQ(throttled.retry_after, absl::Minutes(3));
  now_ += absl::Minutes(3);
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(), "192.0.2.9").outcome, Outcome::kAccepted);
}

TEST_F(AccountsTest, WrongPasswordsCountWithThoseOfTheTokenEndpoint) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(accounts_.CheckPassword("bob", "wrong", kIp).outcome, Outcome::kRefused);
  }
  const LoginResult throttled = accounts_.CheckPassword("bob", kPassword, kIp);
  EXPECT_EQ(throttled.outcome, Outcome::kThrottled);
  EXPECT_EQ(throttled.retry_after, absl::Seconds(30));
  SignIn sign_in(*authority_, users_, throttles_, metrics_, [this] { return now_; });
  EXPECT_EQ(sign_in.Try(*ParseAuthorization(Basic("bob", kPassword)), Get("/token")).retry_after,
            absl::Seconds(30));
}

TEST_F(AccountsTest, ANewPasswordTakesThePlaceOfTheOld) {
  const User before = *accounts_.Find("b-2");
  ASSERT_TRUE(accounts_.ChangeEmail("b-2", "bob@example.com").ok());
  const auto changed = accounts_.ChangePassword("b-2", kPassword, "another password", kIp);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->outcome, Outcome::kAccepted);
  EXPECT_EQ(accounts_.CheckPassword("bob", kPassword, kIp).outcome, Outcome::kRefused);
  EXPECT_EQ(accounts_.CheckPassword("bob", "another password", kIp).outcome, Outcome::kAccepted);
  const User after = *accounts_.Find("b-2");
  EXPECT_EQ(after.email, "bob@example.com");
  EXPECT_NE(Accounts::Version(after), Accounts::Version(before));
  EXPECT_EQ(CostOf(after.password).log_n, 4U);  // as dear as before
  EXPECT_EQ(accounts_.Find("a-1")->password, before.password);
}

TEST_F(AccountsTest, AnotherPasswordNeedsThePresentOneAndIsOne) {
  const auto refused = accounts_.ChangePassword("b-2", "wrong", "another password", kIp);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->outcome, Outcome::kRefused);
  for (const std::string& next :
       {std::string(7, 'a'), std::string(), std::string(1025, 'a'), Issue("b-2", "repo:read")}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(accounts_.ChangePassword("b-2", kPassword, next, kIp).status()));
  }
  EXPECT_EQ(accounts_.CheckPassword("bob", kPassword, kIp).outcome, Outcome::kAccepted);
}

TEST_F(AccountsTest, EmailAddressesAreKeptIfTheyCanBeOnes) {
  const std::string version = Accounts::Version(*accounts_.Find("a-1"));
  EXPECT_TRUE(accounts_.ChangeEmail("a-1", "alice@example.com").ok());
  EXPECT_EQ(accounts_.Find("a-1")->email, "alice@example.com");
  EXPECT_EQ(Accounts::Version(*accounts_.Find("a-1")), version);
  for (const std::string& email :
       {std::string(), std::string("alice"), std::string("@b"), std::string("a@"),
        std::string("a@b@c"), std::string("a b@c"), std::string("a:b@c"), std::string("a\n@c"),
        std::string(250, 'a') + "@b.cc"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(accounts_.ChangeEmail("a-1", email))) << email;
  }
  EXPECT_TRUE(absl::IsNotFound(accounts_.ChangeEmail("c-3", "c@example.com")));
  EXPECT_EQ(accounts_.Find("a-1")->email, "alice@example.com");
}

TEST_F(AccountsTest, ASpoiledUsersFileLetsNobodyIn) {
  WriteUsers({"bob:b-2"});
  EXPECT_EQ(accounts_.CheckPassword("bob", kPassword, kIp).outcome, Outcome::kUnavailable);
  EXPECT_EQ(accounts_.CheckCode("a-1", Code(), kIp).outcome, Outcome::kUnavailable);
  EXPECT_FALSE(accounts_.ChangeEmail("b-2", "bob@example.com").ok());
  EXPECT_TRUE(absl::IsUnavailable(accounts_.Find("b-2").status()));
}

}  // namespace
}  // namespace hub
