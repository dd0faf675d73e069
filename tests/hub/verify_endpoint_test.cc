// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "examples/hub/registry_call.h"
#include "tests/hub/hub_fixture.h"

namespace hub {
namespace {

class VerifyEndpointTest : public HubTest {
 protected:
  /// As nginx asks, for the call of `method` and `uri`.
  int Nginx(const std::string& secret, std::string method, std::string uri) {
    Request request = Get("/verify", {}, Basic("alice", secret));
    request.headers.emplace_back("X-Original-Method", std::move(method));
    request.headers.emplace_back("X-Original-URI", std::move(uri));
    return app_->Handle(request).status;
  }
  /// As Envoy asks.
  int Envoy(const std::string& secret, std::string method, const std::string& path,
            std::string query = {}) {
    Request request = Get("/verify" + path, std::move(query), Basic("alice", secret));
    request.method = std::move(method);
    // Whatever a client says here is not the proxy's word.
    request.headers.emplace_back("X-Original-Method", "GET");
    request.headers.emplace_back("X-Original-URI", "/v2/");
    return app_->Handle(request).status;
  }
};

TEST_F(VerifyEndpointTest, ScopesDecideWhatACallMay) {
  const std::string read = Issue("a-1", "repo:read");
  const std::string write = Issue("a-1", "repo:write");
  const std::string admin = Issue("a-1", "repo:admin");
  struct Case {
    const char* method;
    const char* uri;
    int of_read, of_write, of_admin;
  };
  const Case cases[] = {
      {"GET", "/v2/", 200, 200, 200},
      {"GET", "/v2", 200, 200, 200},
      {"HEAD", "/v2/alice/app/manifests/1", 200, 200, 200},
      {"GET", "/v2/alice/app/blobs/sha256:ab", 200, 200, 200},
      {"GET", "/v2/alice/app/tags/list?n=10", 200, 200, 200},
      {"GET", "/v2/alice/app/referrers/sha256:ab", 200, 200, 200},
      {"PUT", "/v2/alice/app/manifests/1", 403, 200, 200},
      {"POST", "/v2/alice/app/blobs/uploads/", 403, 200, 200},
      {"POST", "/v2/alice/app/blobs/uploads/?mount=sha256:ab&from=alice/base", 403, 200, 200},
      {"POST", "/v2/alice/app/blobs/uploads/?mount=sha256:ab&from=bob/base", 403, 403, 403},
      {"POST", "/v2/alice/app/blobs/uploads/?mount=sha256:ab&from=bob/shared", 403, 200, 200},
      {"POST", "/v2/alice/app/blobs/uploads/?from=alice/base&from=bob/base", 403, 403, 403},
      {"PATCH", "/v2/alice/app/blobs/uploads/1-2", 403, 200, 200},
      {"GET", "/v2/alice/app/blobs/uploads/1-2", 403, 200, 200},
      {"DELETE", "/v2/alice/app/blobs/uploads/1-2", 403, 200, 200},
      {"DELETE", "/v2/alice/app/manifests/sha256:ab", 403, 403, 200},
      {"DELETE", "/v2/alice/app/blobs/sha256:ab", 403, 403, 200},
      {"GET", "/v2/bob/app/manifests/1", 403, 403, 403},
      {"GET", "/v2/bob/shared/manifests/1", 200, 200, 200},
      {"PUT", "/v2/bob/shared/manifests/1", 403, 403, 403},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.method) + " " + c.uri);
    EXPECT_EQ(Nginx(read, c.method, c.uri), c.of_read);
    EXPECT_EQ(Nginx(write, c.method, c.uri), c.of_write);
    EXPECT_EQ(Nginx(admin, c.method, c.uri), c.of_admin);
    const std::string uri = c.uri;
    const std::size_t question = std::min(uri.find('?'), uri.size());
    const std::string query = question < uri.size() ? uri.substr(question + 1) : "";
    EXPECT_EQ(Envoy(write, c.method, uri.substr(0, question), query), c.of_write);
  }
}

TEST_F(VerifyEndpointTest, WhatIsNotSurelyARegistrysCallIsDenied) {
  const std::string admin = Issue("a-1", "repo:admin");
  for (const char* uri :
       {"/v2/_catalog", "/", "", "/v1/alice/app", "/v2/alice/app/manifests/",
        "/v2//alice/app/tags/list", "/v2/alice/../bob/app/manifests/1",
        "/v2/alice/./app/manifests/1", "/v2/alice%2Fapp/manifests/1", "/v2/alice/app/manifests/1/2",
        "/v2/alice/app/blobs/uploads/a/b", "/v2/ALICE/app/manifests/1", "/v2/manifests/1",
        "v2/alice/app/manifests/1", "/v2/alice/app/manifests/a\\b", "/v2x/alice/app/manifests/1",
        "/v2/alice/app/manifests/..", "/v2/alice/app"}) {
    EXPECT_EQ(Nginx(admin, "GET", uri), 403) << uri;
  }
  EXPECT_EQ(Nginx(admin, "BREW", "/v2/alice/app/manifests/1"), 403);
  EXPECT_EQ(Nginx(admin, "POST", "/v2/"), 403);
  EXPECT_EQ(Nginx(admin, "POST", "/v2/alice/app/tags/list"), 403);
}

TEST_F(VerifyEndpointTest, AProxyThatDoesNotSayWhatIsWantedIsDenied) {
  const std::string admin = Issue("a-1", "repo:admin");
  Request bare = Get("/verify", {}, Basic("alice", admin));
  EXPECT_EQ(app_->Handle(bare).status, 403);
  bare.headers.emplace_back("X-Original-URI", "/v2/");
  EXPECT_EQ(app_->Handle(bare).status, 403);
  bare.headers.emplace_back("X-Original-Method", "GET");
  EXPECT_EQ(app_->Handle(bare).status, 200);
  bare.headers.emplace_back("X-Original-Method", "GET");
  EXPECT_EQ(app_->Handle(bare).status, 403);
}

TEST_F(VerifyEndpointTest, ANeedCanBeWrittenIntoTheConfiguration) {
  const std::string read = Issue("a-1", "repo:read");
  const auto ask = [&](const std::string& query) {
    return app_->Handle(Get("/verify", query, "Bearer " + read)).status;
  };
  EXPECT_EQ(ask("need=repo:read"), 200);
  EXPECT_EQ(ask("need=repo%3Aread"), 200);
  EXPECT_EQ(ask("need=repo:write"), 403);
  EXPECT_EQ(ask("need=repo:delete"), 403);
  EXPECT_EQ(ask("need=nothing:such"), 403);
  EXPECT_EQ(ask("need=repo:read&need=repo:write"), 403);
  EXPECT_EQ(ask("need="), 403);
}

TEST_F(VerifyEndpointTest, TellsWhoItIs) {
  const Response response =
      app_->Handle(Get("/verify", "need=repo:read", "bearer " + Issue("a-1", "repo:read")));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "X-Auth-User"), "alice");
  EXPECT_EQ(HeaderOf(response, "X-Auth-Account"), "a-1");
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
}

TEST_F(VerifyEndpointTest, BadCredentialsAre401WithAChallenge) {
  Response response = app_->Handle(Get("/verify", "need=repo:read"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "Basic realm=\"hub\"");
  response = app_->Handle(Get("/verify", "need=repo:read", Basic("alice", kPassword)));
  EXPECT_EQ(response.status, 401);
  response = app_->Handle(Get("/verify", "need=repo:read", "Bearer abc"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"),
            "Bearer realm=\"hub\", error=\"invalid_token\"");
  // A token of an account that is nobody's any more.
  response = app_->Handle(Get("/verify", "need=repo:read", "Bearer " + Issue("c-3", "repo:read")));
  EXPECT_EQ(response.status, 401);
}

TEST_F(VerifyEndpointTest, APasswordIsSlowATokenIsNot) {
  EXPECT_TRUE(app_->IsSlow(Get("/verify/v2/", {}, Basic("bob", kPassword))));
  EXPECT_FALSE(app_->IsSlow(Get("/verify/v2/", {}, "Bearer " + std::string("abc"))));
  EXPECT_EQ(app_->Handle(Get("/verify/v2/", {}, Basic("bob", kPassword))).status, 200);
}

}  // namespace
}  // namespace hub
