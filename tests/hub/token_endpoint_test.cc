// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Each request form that real clients send to the token endpoint, and each way to be refused.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/hub/hub_fixture.h"

namespace hub {
namespace {

constexpr char kHint[] =
    "Wrong user name, password or token. If the account has two-factor authentication, use an "
    "access token.";

class TokenEndpointTest : public HubTest {
 protected:
  void ExpectRefused(const Response& response, std::string_view reason) {
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(Body(response)["details"], kHint);
    EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "Basic realm=\"hub\"");
    EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
    EXPECT_EQ(response.note.reason, reason);
  }
};

TEST_F(TokenEndpointTest, SkopeoPodmanAndBuildahLogIn) {
  const Response response = Token("alice", Issue("a-1", "repo:read"));
  ASSERT_EQ(response.status, 200);
  const nlohmann::json body = Body(response);
  EXPECT_EQ(body["token"], body["access_token"]);
  EXPECT_EQ(body["expires_in"], 120);
  EXPECT_EQ(body["issued_at"], "2023-11-14T22:13:20Z");
  EXPECT_FALSE(body.contains("refresh_token"));
  EXPECT_FALSE(body.contains("scope"));
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "application/json");
  EXPECT_EQ(Granted(response), "");
  EXPECT_EQ(response.note.user, "alice");
}

TEST_F(TokenEndpointTest, DockerLogsIn) {
  EXPECT_EQ(
      Token("alice", Issue("a-1", "repo:read"), "&client_id=docker&offline_token=true").status,
      200);
}

TEST_F(TokenEndpointTest, JwtHoldsWhatRegistriesAskFor) {
  const Response response =
      Token("alice", Issue("a-1", "repo:write"), "&scope=repository:alice/app:pull,push");
  const nlohmann::json header = JwtPart(response, 0);
  EXPECT_EQ(header["alg"], "ES256");
  EXPECT_EQ(header["typ"], "JWT");
  EXPECT_EQ(header["kid"].get<std::string>().size(), 59U);
  EXPECT_EQ(header["x5c"].size(), 1U);
  const nlohmann::json claims = JwtPart(response, 1);
  EXPECT_EQ(claims["iss"], "hub-test");
  EXPECT_EQ(claims["aud"], "registry-test");
  EXPECT_EQ(claims["sub"], "alice");
  EXPECT_EQ(claims["iat"], 1'700'000'000);
  EXPECT_EQ(claims["exp"], 1'700'000'120);
  EXPECT_TRUE(claims["exp"].is_number_integer());
  EXPECT_LE(claims["nbf"], 1'700'000'000);
  EXPECT_EQ(claims["jti"].get<std::string>().size(), 22U);
  EXPECT_EQ(claims["access"].dump(),
            R"([{"actions":["pull","push"],"name":"alice/app","type":"repository"}])");
}

TEST_F(TokenEndpointTest, PushNamesAScopeTwiceAndTwoRepositories) {
  const std::string write = Issue("a-1", "repo:write");
  EXPECT_EQ(Granted(Token("alice", write,
                          "&scope=repository:alice/app:pull,push&scope=repository:alice/app:pull")),
            "alice/app:pull,push");
  EXPECT_EQ(Granted(Token("alice", write,
                          "&scope=repository:alice/app:pull&scope=repository:alice/app:push")),
            "alice/app:pull,push");
  EXPECT_EQ(Granted(Token("alice", write,
                          "&scope=repository:alice/app:pull,push&scope=repository:bob/base:pull")),
            "alice/app:pull,push");
  EXPECT_EQ(
      Granted(Token("alice", write,
                    "&scope=repository%3Aalice%2Fapp%3Apull&scope=repository:bob/shared:pull")),
      "alice/app:pull bob/shared:pull");
}

TEST_F(TokenEndpointTest, AnAsteriskIsTheTokensOwnActionsAndNeverEchoed) {
  const std::string scope = "&scope=repository:alice/app:*";
  EXPECT_EQ(Granted(Token("alice", Issue("a-1", "repo:read"), scope)), "alice/app:pull");
  EXPECT_EQ(Granted(Token("alice", Issue("a-1", "repo:write"), scope)), "alice/app:pull,push");
  const std::string admin = Issue("a-1", "repo:admin");
  EXPECT_EQ(Granted(Token("alice", admin, scope)), "alice/app:pull,push,delete");
  EXPECT_EQ(Granted(Token("alice", admin, scope + "&scope=repository:alice/app:delete")),
            "alice/app:pull,push,delete");
}

TEST_F(TokenEndpointTest, DockerManifestAsksInReverseAndAReadTokenGetsPull) {
  EXPECT_EQ(
      Granted(Token("alice", Issue("a-1", "repo:read"), "&scope=repository:alice/app:push,pull")),
      "alice/app:pull");
}

TEST_F(TokenEndpointTest, TheCatalogAndUnknownTypesGetNothing) {
  const std::string admin = Issue("a-1", "repo:admin");
  for (const char* scope :
       {"registry:catalog:*", "registry:catalog:pull", "plugin:alice/app:pull", "repository",
        "repository:alice/app", "::", ":a:pull", "repository::*",
        "repository:alice/app:", "repository:alice/app:fly", "repository:alice%0A/app:pull",
        "repository:alice:pull", "repository:alice/../bob/app:pull", "repository:Alice/app:pull"}) {
    EXPECT_EQ(Granted(Token("alice", admin, std::string("&scope=") + scope)), "") << scope;
  }
  EXPECT_EQ(Granted(Token("alice", admin, "&scope=repository(plugin):alice/app:pull")),
            "alice/app:pull");
}

TEST_F(TokenEndpointTest, ANameWithAPortIsSplitAtTheFirstAndTheLastColon) {
  const auto scope = ParseResourceScope("repository:localhost:5000/alice/app:pull,push");
  ASSERT_TRUE(scope.has_value());
  EXPECT_EQ(scope->name, "localhost:5000/alice/app");
  EXPECT_EQ(scope->actions, (std::vector<std::string>{"pull", "push"}));
  // It is nobody's.
  EXPECT_EQ(Granted(Token("alice", Issue("a-1", "repo:admin"),
                          "&scope=repository:localhost:5000/alice/app:pull")),
            "");
}

TEST_F(TokenEndpointTest, ContainerdPostsAForm) {
  const std::string secret = Issue("a-1", "repo:write");
  const Response response = app_->Handle(Post(
      "grant_type=password&service=registry-test&client_id=containerd-client&username=alice&"
      "password=" +
          secret + "&scope=repository%3Aalice%2Fapp%3Apull%2Cpush+repository%3Aalice%2Fbase%3Apull",
      "application/x-www-form-urlencoded; charset=utf-8"));
  EXPECT_EQ(Granted(response), "alice/app:pull,push alice/base:pull");
  EXPECT_EQ(Body(response)["scope"], "repository:alice/app:pull,push repository:alice/base:pull");
  EXPECT_FALSE(Body(response).contains("refresh_token"));
}

TEST_F(TokenEndpointTest, ARefreshTokenIsRefused) {
  ExpectRefused(app_->Handle(Post("grant_type=refresh_token&service=registry-test&client_id=docker&"
                                  "refresh_token=abc&scope=repository:alice/app:pull")),
                "no_credentials");
}

TEST_F(TokenEndpointTest, PostsThatCannotBeReadAre400) {
  const std::string form = "grant_type=password&service=registry-test&username=alice&password=" +
                           Issue("a-1", "repo:read");
  EXPECT_EQ(app_->Handle(Post(form)).status, 200);
  EXPECT_EQ(app_->Handle(Post(form, "application/json")).status, 400);
  EXPECT_EQ(app_->Handle(Post(form + "&a=%zz")).status, 400);
  EXPECT_EQ(app_->Handle(Post(form + "&a=%0")).status, 400);
  EXPECT_EQ(app_->Handle(Post(form + "&a=%00")).status, 400);
  std::string many = form;
  for (int i = 0; i < 64; ++i) many += "&a=b";
  EXPECT_EQ(app_->Handle(Post(many)).status, 400);
  EXPECT_EQ(app_->Handle(Post(form + "&pad=" + std::string(kMaxBodyBytes, 'a'))).status, 413);
  ExpectRefused(app_->Handle(Post(form + "&username=bob")), "no_credentials");
}

TEST_F(TokenEndpointTest, TooManyScopesAre400) {
  std::string scopes = "&scope=";
  for (int i = 0; i < 33; ++i) scopes += "repository:alice/app:pull+";
  EXPECT_EQ(Token("alice", Issue("a-1", "repo:read"), scopes).status, 400);
}

TEST_F(TokenEndpointTest, OtherMethodsAre405) {
  for (const char* method : {"PUT", "DELETE", "HEAD", "PATCH", "BREW"}) {
    Request request = Get("/token");
    request.method = method;
    const Response response = app_->Handle(request);
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(HeaderOf(response, "Allow"), "GET, POST");
  }
}

TEST_F(TokenEndpointTest, AnUnknownServiceIsRefused) {
  const std::string secret = Issue("a-1", "repo:read");
  for (const char* query :
       {"account=alice", "account=alice&service=", "account=alice&service=other",
        "service=registry-test&service=registry-test"}) {
    ExpectRefused(app_->Handle(Get("/token", query, Basic("alice", secret))), "unknown_service");
  }
}

TEST_F(TokenEndpointTest, AnAccountOtherThanTheBasicUserIsRefused) {
  const std::string secret = Issue("a-1", "repo:read");
  ExpectRefused(
      app_->Handle(Get("/token", "account=bob&service=registry-test", Basic("alice", secret))),
      "other_account");
  EXPECT_EQ(app_->Handle(Get("/token", "service=registry-test", Basic("alice", secret))).status,
            200);
}

TEST_F(TokenEndpointTest, AnonymousAndMalformedCredentialsAreRefused) {
  for (const char* value : {"", "Basic", "Basic ", "Basic !!!!", "Basic YWxpY2U=", "Digest abc",
                            "Bearer abc", "Basic YWxpY2U6AGI="}) {
    ExpectRefused(app_->Handle(Get("/token", "service=registry-test", value)), "no_credentials");
  }
  Request twice = Get("/token", "service=registry-test", Basic("bob", kPassword));
  twice.headers.emplace_back("authorization", Basic("bob", kPassword));
  ExpectRefused(app_->Handle(twice), "no_credentials");
}

TEST_F(TokenEndpointTest, EveryBadTokenGetsTheSameAnswer) {
  std::uint64_t id = 0;
  const std::string good = Issue("a-1", "repo:admin", &id);
  ExpectRefused(Token("alice", Issue("b-2", "repo:admin")), "wrong_account");
  ExpectRefused(Token("nobody", good), "unknown_account");
  ExpectRefused(Token("alice", good.substr(0, good.size() - 1)), "wrong_password");
  ExpectRefused(Token("alice", good + "="), "wrong_password");
  std::string typo = good;
  typo[20] = typo[20] == 'a' ? 'b' : 'a';
  ExpectRefused(Token("alice", typo), "bad_checksum");
  ASSERT_TRUE(authority_->Deactivate(id).ok());
  ExpectRefused(Token("alice", good), "inactive");
  ASSERT_TRUE(authority_->Activate(id).ok());
  EXPECT_EQ(Token("alice", good).status, 200);
  ASSERT_TRUE(authority_->Delete(id).ok());
  ExpectRefused(Token("alice", good), "deleted");
}

TEST_F(TokenEndpointTest, PasswordsCountOnlyWithoutTwoFactorAuthentication) {
  EXPECT_EQ(Granted(Token("bob", kPassword, "&scope=repository:bob/app:*")),
            "bob/app:pull,push,delete");
  ExpectRefused(Token("bob", "wrong"), "wrong_password");
  ExpectRefused(Token("bob", ""), "wrong_password");
  ExpectRefused(Token("alice", kPassword), "password_refused");
  ExpectRefused(Token("nobody", kPassword), "unknown_account");
}

TEST_F(TokenEndpointTest, OnlyPasswordChecksAreSlow) {
  const auto slow = [this](const std::string& secret) {
    return app_->IsSlow(Get("/token", "service=registry-test", Basic("alice", secret)));
  };
  EXPECT_FALSE(slow(Issue("a-1", "repo:read")));
  EXPECT_TRUE(slow("a password"));
  EXPECT_TRUE(app_->IsSlow(Post("grant_type=password&username=a&password=b")));
  EXPECT_FALSE(app_->IsSlow(Get("/token", "service=registry-test")));
  EXPECT_FALSE(app_->IsSlow(Get("/healthz", {}, Basic("alice", "a password"))));
}

TEST_F(TokenEndpointTest, LastUseIsNotedWithAddressAndProgram) {
  std::uint64_t id = 0;
  const std::string secret = Issue("a-1", "repo:read", &id);
  Request request = Get("/token", "service=registry-test", Basic("alice", secret));
  request.headers.emplace_back("User-Agent", "skopeo/1.9");
  EXPECT_EQ(app_->Handle(request).status, 200);
  const absl::StatusOr<pat::Token> token = authority_->Get(id);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->last_used_ip, "192.0.2.1");
  EXPECT_EQ(token->last_used_user_agent, "skopeo/1.9");
}

TEST_F(TokenEndpointTest, FailuresOfAnAddressAreLimitedButGoodTokensComeIn) {
  settings_.limits.address = {3, absl::Seconds(10)};
  Build();
  const std::string good = Issue("a-1", "repo:read");
  const std::string bad = Issue("b-2", "repo:read");
  for (int i = 0; i < 3; ++i) ExpectRefused(Token("alice", bad), "wrong_account");
  const Response response = Token("alice", bad);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "10");
  EXPECT_TRUE(Body(response)["details"].is_string());
  EXPECT_EQ(Token("bob", kPassword).status, 429);  // not even looked at
  EXPECT_EQ(Token("alice", good).status, 200);
  now_ += absl::Seconds(11);
  EXPECT_EQ(Token("bob", kPassword).status, 200);
}

TEST_F(TokenEndpointTest, WrongPasswordsOfAnAccountAreLimitedWhereverTheyComeFrom) {
  settings_.limits.account = {3, absl::Seconds(30)};
  Build();
  const auto attempt = [this](const std::string& user, const std::string& secret, int from) {
    Request request = Get("/token", "service=registry-test", Basic(user, secret));
    request.ip = "192.0.2." + std::to_string(from);
    return app_->Handle(request).status;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(attempt("bob", "wrong", i), 401);
  EXPECT_EQ(attempt("bob", kPassword, 7), 429);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(attempt("nobody", "wrong", i), 401);
  EXPECT_EQ(attempt("nobody", "wrong", 7), 429);  // no oracle for names
  EXPECT_EQ(attempt("bob", Issue("b-2", "repo:read"), 7), 200);
  now_ += absl::Seconds(31);
  EXPECT_EQ(attempt("bob", kPassword, 7), 200);
}

TEST_F(TokenEndpointTest, ASpoiledUsersFileIs503AndLetsNobodyIn) {
  const std::string secret = Issue("a-1", "repo:read");
  EXPECT_EQ(Token("alice", secret).status, 200);
  WriteUsers({"alice:a-1"});
  EXPECT_EQ(Token("alice", secret).status, 503);
  WriteUsers({"bob:b-2:" + Hash() + ":"});
  ExpectRefused(Token("alice", secret), "unknown_account");
}

TEST_F(TokenEndpointTest, UnknownPathsAre404AndNotLogged) {
  const Request request = Get("/tokens/hub_pat_secret");
  EXPECT_EQ(app_->Handle(request).status, 404);
  EXPECT_EQ(app_->RouteName(request), "other");
  EXPECT_EQ(app_->Handle(Get("/healthz")).status, 200);
}

}  // namespace
}  // namespace hub
