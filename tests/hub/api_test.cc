// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What the API does as time passes and where things are damaged; api_test.py has the rest, over
// HTTP.
#include "examples/hub/bearer.h"
#include "examples/hub/issuing.h"
#include "examples/hub/totp.h"
#include "tests/hub/hub_fixture.h"

namespace hub {
namespace {

class ApiTest : public HubTest {
 protected:
  Response Call(std::string method, std::string path, std::string body = {},
                const std::string& bearer = {}) {
    Request request = Get(std::move(path));
    request.method = std::move(method);
    request.body = std::move(body);
    if (!bearer.empty()) request.headers.emplace_back("Authorization", "Bearer " + bearer);
    return app_->Handle(request);
  }

  Response Login(const std::string& user) {
    return Call("POST", "/v2/users/login",
                R"({"username":")" + user + R"(","password":")" + kPassword + R"("})");
  }

  std::string BearerOf(const std::string& user) {
    const Response response = Login(user);
    EXPECT_EQ(response.status, 200) << response.body;
    std::string bearer = Body(response)["token"];
    RecordIssuedSecret(bearer);
    return bearer;
  }

  /// The uuid of a new token of bob's.
  std::string Make(const std::string& bearer, const std::string& more = {}) {
    const Response response =
        Call("POST", "/v2/access-tokens",
             R"({"token_label":"a","scopes":["repo:read"])" + more + "}", bearer);
    EXPECT_EQ(response.status, 201) << response.body;
    RecordIssuedSecret(Body(response)["token"].get<std::string>());
    return Body(response)["uuid"];
  }

  nlohmann::json List(const std::string& bearer) {
    const Response response = Call("GET", "/v2/access-tokens", {}, bearer);
    EXPECT_EQ(response.status, 200);
    return Body(response);
  }
};

TEST_F(ApiTest, CountKeepsExpiredTokensActiveCountDoesNotAndActivatingRevivesNone) {
  std::string bearer = BearerOf("bob");
  const std::string lasting = Make(bearer);
  const std::string brief = Make(bearer, R"(,"expires_at":"2023-11-14T22:20:00.75Z")");
  EXPECT_EQ(List(bearer)["active_count"], 2);
  now_ += absl::Minutes(10);
  nlohmann::json page = List(bearer);
  EXPECT_EQ(page["active_count"], 1);
  EXPECT_EQ(page["count"], 2);
  EXPECT_EQ(page["results"][0]["uuid"], brief);
  EXPECT_EQ(page["results"][0]["is_active"], false);
  EXPECT_EQ(page["results"][0]["expires_at"], "2023-11-14T22:20:00.75Z");
  const Response patched =
      Call("PATCH", "/v2/access-tokens/" + brief, R"({"is_active":true})", bearer);
  EXPECT_EQ(patched.status, 200);
  EXPECT_EQ(Body(patched)["is_active"], false);
  EXPECT_EQ(List(bearer)["active_count"], 1);
  EXPECT_EQ(Call("DELETE", "/v2/access-tokens/" + brief, {}, bearer).status, 202);
  EXPECT_EQ(List(bearer)["count"], 1);
}

TEST_F(ApiTest, BearersEnd) {
  const std::string bearer = BearerOf("bob");
  now_ += absl::Minutes(59);
  EXPECT_EQ(Call("GET", "/v2/access-tokens", {}, bearer).status, 200);
  now_ += absl::Minutes(1);
  EXPECT_EQ(Call("GET", "/v2/access-tokens", {}, bearer).status, 401);
}

TEST_F(ApiTest, TheSecondStepOfALoginFollowsTheFirstInFiveMinutes) {
  const std::string step = Body(Login("alice"))["login_2fa_token"];
  const auto second = [&] {
    const std::string code =
        TotpCode(*FromBase32("GEZDGNBVGY3TQOJQ"), absl::ToUnixSeconds(now_) / 30);
    return Call("POST", "/v2/users/2fa-login",
                R"({"code":")" + code + R"(","login_2fa_token":")" + step + R"("})");
  };
  now_ += absl::Seconds(299);
  const Response good = second();
  ASSERT_EQ(good.status, 200);
  const std::string refresh = Body(good)["refresh_token"];
  now_ += absl::Seconds(31);
  EXPECT_EQ(second().status, 401);
  const auto renew = [&] {
    return Call("POST", "/v2/users/refresh", R"({"refresh_token":")" + refresh + R"("})").status;
  };
  now_ += absl::Hours(23);
  EXPECT_EQ(renew(), 200);
  now_ += absl::Hours(1);
  EXPECT_EQ(renew(), 401);
}

TEST_F(ApiTest, WhoLeftTheUsersFileIsOutAtOnce) {
  const std::string bearer = BearerOf("bob");
  WriteUsers({"alice:a-1:" + Hash() + ":GEZDGNBVGY3TQOJQ"});
  EXPECT_EQ(Call("GET", "/v2/access-tokens", {}, bearer).status, 401);
  WriteUsers({"alice:a-1"});
  EXPECT_EQ(Call("GET", "/v2/access-tokens", {}, bearer).status, 503);
  EXPECT_EQ(Login("alice").status, 503);
}

TEST_F(ApiTest, TooManyNewTokensWaitTheirTime) {
  settings_.new_tokens = {2, absl::Seconds(7)};
  Build();
  const std::string bearer = BearerOf("bob");
  Make(bearer);
  Make(bearer);
  const Response response =
      Call("POST", "/v2/access-tokens", R"({"token_label":"a","scopes":["repo:read"]})", bearer);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "7");
  EXPECT_EQ(List(bearer)["count"], 2);
  now_ += absl::Seconds(7);
  Make(bearer);
}

TEST_F(ApiTest, TokensOfOtherToolsAreShownToo) {
  Issue("b-2", "repo:write");
  const nlohmann::json token = List(BearerOf("bob"))["results"][0];
  EXPECT_EQ(token["token"], "***");
  EXPECT_EQ(token["client_id"], "");
  EXPECT_EQ(token["creator_ip"], "");
  EXPECT_EQ(token["creator_ua"], "");
  EXPECT_EQ(token["expires_at"], nullptr);
}

TEST(BearerTest, OnlyWhatWasSignedIsRead) {
  const BearerSigner signer(std::string(32, 'k'), "hub");
  const BearerSigner other(std::string(32, 'l'), "hub");
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string jwt =
      signer.Sign({Bearer::Use::kAccess, "a-1", "alice", "v", "t"}, now, absl::Hours(1));
  const auto read = signer.Read(jwt, now);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->account, "a-1");
  EXPECT_EQ(read->user, "alice");
  EXPECT_EQ(read->version, "v");
  EXPECT_TRUE(read->by_token());
  EXPECT_FALSE(other.Read(jwt, now).has_value());
  EXPECT_FALSE(signer.Read(jwt, now + absl::Hours(1)).has_value());
  for (std::size_t i = 0; i < jwt.size(); ++i) {
    std::string changed = jwt;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(signer.Read(changed, now).has_value()) << i;
    EXPECT_FALSE(signer.Read(jwt.substr(0, i), now).has_value()) << i;
  }
  EXPECT_EQ(BearerSigner({}, "hub").Sign({}, now, absl::Hours(1)), "");
}

TEST(BearerTest, TheKeyBelongsToTheSigningKeyAndThePurpose) {
  const SigningKey key = *SigningKey::Generate();
  const SigningKey again = *SigningKey::FromPem(key.KeyPem(), key.CertificatePem());
  EXPECT_EQ(key.DeriveKey("a").size(), 32U);
  EXPECT_EQ(key.DeriveKey("a"), again.DeriveKey("a"));
  EXPECT_NE(key.DeriveKey("a"), key.DeriveKey("b"));
  EXPECT_NE(key.DeriveKey("a"), SigningKey::Generate()->DeriveKey("a"));
}

TEST(ApiTimeTest, IsReadAsItIsWritten) {
  const auto time = ParseApiTime("2024-02-29T23:59:59.999999Z");
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(ApiTime(*time), "2024-02-29T23:59:59Z");
  EXPECT_FALSE(ParseApiTime("2023-02-29T00:00:00Z").has_value());
  EXPECT_FALSE(ParseApiTime("").has_value());
}

}  // namespace
}  // namespace hub
