// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Passwords, one-time codes, users, throttle, and the readers of what clients send.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "examples/hub/address.h"
#include "examples/hub/base64.h"
#include "examples/hub/form.h"
#include "examples/hub/password.h"
#include "examples/hub/repositories.h"
#include "examples/hub/request_log.h"
#include "examples/hub/throttle.h"
#include "examples/hub/totp.h"
#include "examples/hub/users.h"
#include "examples/hub/watched_file.h"

namespace hub {
namespace {

constexpr PasswordCost kCheap{4, 1, 1};

TEST(PasswordTest, OnlyTheSamePasswordFits) {
  const std::string hash = *HashPassword("open sesame", kCheap);
  EXPECT_EQ(hash.substr(0, 21), "$scrypt$ln=4,r=1,p=1$");
  EXPECT_TRUE(PasswordFits("open sesame", hash));
  EXPECT_FALSE(PasswordFits("open sesame ", hash));
  EXPECT_FALSE(PasswordFits("", hash));
  EXPECT_NE(*HashPassword("open sesame", kCheap), hash);  // salted
  EXPECT_FALSE(HashPassword("", kCheap).ok());
  EXPECT_FALSE(HashPassword(std::string(kMaxPasswordBytes + 1, 'a'), kCheap).ok());
}

TEST(PasswordTest, ScryptIsRfc7914s) {
  // Section 12, second vector, its first 32 bytes: "password", "NaCl", N = 1024, r = 8, p = 16.
  EXPECT_TRUE(PasswordFits("password",
                           "$scrypt$ln=10,r=8,p=16$TmFDbA$"
                           "/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"));
}

TEST(PasswordTest, SpoiledHashesFitNothing) {
  for (const char* hash :
       {"", "$", "x", "$scrypt$ln=4,r=1,p=1$aaaa$", "$scrypt$ln=60,r=1,p=1$aaaa$aaaa",
        "$scrypt$ln=4,r=1$aaaa$aaaa", "$scrypt$ln=4,r=9999,p=1$aaaa$aaaa", "$2y$10$abc",
        "$scrypt$ln=-4,r=1,p=1$aaaa$aaaa"}) {
    EXPECT_FALSE(IsPasswordHash(hash)) << hash;
    EXPECT_FALSE(PasswordFits("a", hash)) << hash;
  }
}

TEST(PasswordTest, TheUnfittingHashCostsTheSame) {
  const std::string hash = UnfittingHash(*HashPassword("a", kCheap));
  EXPECT_TRUE(IsPasswordHash(hash));
  EXPECT_EQ(hash.substr(0, 21), "$scrypt$ln=4,r=1,p=1$");
  EXPECT_FALSE(PasswordFits("a", hash));
  EXPECT_EQ(UnfittingHash("").substr(0, 22), "$scrypt$ln=15,r=8,p=3$");
}

TEST(TotpTest, CodesAreRfc6238s) {
  const std::string key = "12345678901234567890";  // appendix B, SHA-1, the last six digits
  EXPECT_EQ(TotpCode(key, 59 / 30), "287082");
  EXPECT_EQ(TotpCode(key, 1111111109 / 30), "081804");
  EXPECT_EQ(TotpCode(key, 1111111111 / 30), "050471");
  EXPECT_EQ(TotpCode(key, 1234567890 / 30), "005924");
  EXPECT_EQ(TotpCode(key, 2000000000 / 30), "279037");
  EXPECT_EQ(TotpCode(key, 20000000000 / 30), "353130");
}

TEST(TotpTest, ACodeIsGoodOnceAndNotFarFromItsTime) {
  const std::string key = "12345678901234567890";
  const absl::Time now = absl::FromUnixSeconds(1234567890);
  const std::int64_t step = 1234567890 / 30;
  EXPECT_EQ(MatchTotp(key, "005924", now), step);
  EXPECT_EQ(MatchTotp(key, "005924", now + absl::Seconds(30)), step);
  EXPECT_EQ(MatchTotp(key, "005924", now - absl::Seconds(30)), step);
  EXPECT_FALSE(MatchTotp(key, "005924", now + absl::Seconds(90)).has_value());
  EXPECT_FALSE(MatchTotp(key, "005924", now, step).has_value());
  EXPECT_FALSE(MatchTotp(key, "05924", now).has_value());
  EXPECT_FALSE(MatchTotp(key, "", now).has_value());
  EXPECT_FALSE(MatchTotp(key, "0059240", now).has_value());
}

TEST(TotpTest, UriIsWhatAuthenticatorsRead) {
  EXPECT_EQ(
      TotpUri("12345678901234567890", "alice", "my hub"),
      "otpauth://totp/my%20hub:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=my%20hub");
  EXPECT_EQ(NewTotpKey()->size(), 20U);
}

TEST(UsersTest, AFileComesBackAsItWas) {
  const std::string hash = *HashPassword("a", kCheap);
  Users users = *Users::Parse("# comment\n\nbob:b-2:" + hash + ":\n");
  ASSERT_TRUE(users.Add({"alice", "a-1", hash, "GEZDGNBV"}).ok());
  const Users again = *Users::Parse(users.ToText());
  ASSERT_NE(again.Find("alice"), nullptr);
  EXPECT_TRUE(again.Find("alice")->two_factor());
  EXPECT_FALSE(again.Find("bob")->two_factor());
  EXPECT_EQ(again.FindAccount("b-2")->name, "bob");
  EXPECT_EQ(again.Find("carol"), nullptr);
  EXPECT_TRUE(absl::IsAlreadyExists(users.Add({"alice", "a-9", hash, ""})));
  EXPECT_TRUE(absl::IsAlreadyExists(users.Add({"dave", "a-1", hash, ""})));
}

TEST(UsersTest, SpoiledLinesAreErrorsThatShowNothing) {
  const std::string hash = *HashPassword("a", kCheap);
  for (const std::string& line : std::vector<std::string>{
           "alice", "alice:a-1:" + hash, "alice:a-1:plain:", "al ice:a-1:" + hash + ":",
           "Alice:a-1:" + hash + ":", "alice::" + hash + ":", "alice:a-1:" + hash + ":0",
           "alice/x:a-1:" + hash + ":", "-a:a-1:" + hash + ":", "a:a-1:" + hash + ":"}) {
    const absl::StatusOr<Users> users = Users::Parse("\n" + line);
    EXPECT_TRUE(absl::IsInvalidArgument(users.status())) << line;
    EXPECT_NE(users.status().message().find("line 2"), absl::string_view::npos);
    EXPECT_EQ(users.status().message().find("plain"), absl::string_view::npos);
  }
}

TEST(ThrottleTest, CountsFailuresAndForgetsThem) {
  Throttle throttle({3, absl::Seconds(10), 100});
  absl::Time now = absl::FromUnixSeconds(1000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(throttle.Wait("a", now), absl::ZeroDuration());
    throttle.Fail("a", now);
  }
  EXPECT_EQ(throttle.Wait("a", now), absl::Seconds(10));
  EXPECT_EQ(throttle.Wait("b", now), absl::ZeroDuration());
  throttle.Fail("a", now);  // does not pile up
  now += absl::Seconds(10);
  EXPECT_EQ(throttle.Wait("a", now), absl::ZeroDuration());
  throttle.Fail("a", now);
  EXPECT_EQ(throttle.Wait("a", now), absl::Seconds(10));
  now += absl::Seconds(1000);
  throttle.Fail("a", now);
  EXPECT_EQ(throttle.Wait("a", now), absl::ZeroDuration());
}

TEST(ThrottleTest, MemoryIsBounded) {
  Throttle throttle({1, absl::Seconds(10), 100});
  const absl::Time now = absl::FromUnixSeconds(1000);
  for (int i = 0; i < 10000; ++i) throttle.Fail(std::to_string(i), now);
  int held = 0;
  for (int i = 0; i < 10000; ++i)
    held += throttle.Wait(std::to_string(i), now) > absl::ZeroDuration();
  EXPECT_LE(held, 100);
  EXPECT_GE(held, 50);
}

TEST(ThrottleTest, AnIpv6SubscriberIsOneAddress) {
  EXPECT_EQ(AddressKey("2001:db8:1:2:3:4:5:6"), AddressKey("2001:db8:1:2::1"));
  EXPECT_NE(AddressKey("2001:db8:1:2::1"), AddressKey("2001:db8:1:3::1"));
  EXPECT_EQ(AddressKey("192.0.2.1"), "192.0.2.1");
}

TEST(AddressTest, ListensWhereItIsTold) {
  EXPECT_TRUE(ListenAddress::Parse("127.0.0.1:0")->is_loopback());
  EXPECT_TRUE(ListenAddress::Parse("[::1]:8080")->is_loopback());
  EXPECT_FALSE(ListenAddress::Parse("0.0.0.0:80")->is_loopback());
  EXPECT_FALSE(ListenAddress::Parse("[::]:80")->is_loopback());
  for (const char* text :
       {"", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80"}) {
    EXPECT_FALSE(ListenAddress::Parse(text).ok()) << text;
  }
}

TEST(AddressTest, OnlyTrustedProxiesAreBelieved) {
  const std::vector<std::string> trusted = {"127.0.0.1", "10.0.0.9"};
  EXPECT_EQ(ClientIp("203.0.113.1", "198.51.100.1", trusted), "203.0.113.1");
  EXPECT_EQ(ClientIp("127.0.0.1", "198.51.100.1", trusted), "198.51.100.1");
  EXPECT_EQ(ClientIp("127.0.0.1", "1.1.1.1, 198.51.100.1 , 10.0.0.9", trusted), "198.51.100.1");
  EXPECT_EQ(ClientIp("127.0.0.1", "", trusted), "127.0.0.1");
  EXPECT_EQ(ClientIp("127.0.0.1", "198.51.100.1, junk", trusted), "127.0.0.1");
  EXPECT_EQ(ClientIp("127.0.0.1", "2001:db8::1", trusted), "2001:db8::1");
}

TEST(Base64Test, ReadsWhatItWritesAndNothingElse) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(FromBase64(Base64(text)), text);
    EXPECT_EQ(FromBase32(Base32(text)), text);
  }
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(Base64Url("\xfb\xff"), "-_8");
  for (const char* text : {"Zm9v\n", "Zm9vYmE==", "Z", "Zm9vYmF=", "Zm=v", "Z m9v", "===="}) {
    EXPECT_FALSE(FromBase64(text).has_value()) << text;
  }
}

TEST(FormTest, ReadsFieldsInOrder) {
  const std::optional<Form> form = Form::Parse("a=1&b=%41+%2b&a=2&&c&=d");
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(form->All("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(form->First("b"), "A +");
  EXPECT_EQ(form->Count("c"), 1U);
  EXPECT_EQ(form->First("none"), "");
  for (const char* text : {"a=%", "a=%4", "%zz=1", "a=%00"}) {
    EXPECT_FALSE(Form::Parse(text).has_value()) << text;
  }
}

TEST(RepositoriesTest, NamesAreDistributions) {
  for (const char* name : {"alice/app", "a", "alice/a.b_c-d/e", "0/1"}) {
    EXPECT_TRUE(IsRepositoryName(name)) << name;
  }
  for (const char* name : {"", "/", "alice/", "/app", "alice//app", "alice/../bob", "alice/.a",
                           "A/b", "alice/app:1", "alice/a b", "alice/a%"}) {
    EXPECT_FALSE(IsRepositoryName(name)) << name;
  }
}

TEST(RequestLogTest, HoldsNothingOfTheClientsOwn) {
  Request request;
  request.method = "SECRET1";
  request.path = "/SECRET2";
  request.query = "SECRET3";
  request.headers.emplace_back("Authorization", "SECRET4");
  request.body = "SECRET5";
  request.ip = "192.0.2.1";
  Response response;
  response.status = 401;
  response.note.reason = "forged";
  EXPECT_EQ(LogLine(request, response, "other", absl::FromUnixSeconds(0), absl::Microseconds(5)),
            R"({"time":"1970-01-01T00:00:00.000Z","event":"request","ip":"192.0.2.1",)"
            R"("method":"OTHER","route":"other","status":401,"reason":"forged","us":5})");
}

}  // namespace
}  // namespace hub
