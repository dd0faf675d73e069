// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The pages without a browser: who gets in, what is refused, what the answers say to browsers.
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "examples/hub/page_assets.h"
#include "examples/hub/totp.h"
#include "tests/hub/hub_fixture.h"

namespace hub {
namespace {

constexpr char kUuid[] = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

class PageTest : public HubTest {
 protected:
  PageTest() {
    settings_.public_url = "https://hub.example.com";
    Build();
  }

  Request Ask(std::string method, const std::string& path, std::string body = {}) {
    const std::size_t question = path.find('?');
    Request request = Get(path.substr(0, question),
                          question == std::string::npos ? "" : path.substr(question + 1));
    request.method = std::move(method);
    request.body = std::move(body);
    if (!cookie_.empty()) request.headers.emplace_back("Cookie", "theme=dark; " + cookie_);
    if (request.method == "POST") request.headers.emplace_back("Origin", origin_);
    return request;
  }

  /// As a browser would: keeps the cookie that comes back.
  Response Send(const Request& request) {
    Response response = app_->Handle(request);
    const std::string set = HeaderOf(response, "Set-Cookie");
    if (set.find("hub_session=") != std::string::npos) cookie_ = set.substr(0, set.find(';'));
    return response;
  }

  Response Visit(const std::string& path) { return Send(Ask("GET", path)); }

  /// A POST with the token that the session's forms have.
  Response Submit(const std::string& path, const std::string& fields) {
    return Send(Ask("POST", path, "form_token=" + form_token_ + "&" + fields));
  }

  void SignIn(const std::string& name = "bob") {
    const Response response =
        Send(Ask("POST", "/sign-in", "name=" + name + "&password=correct+horse+battery+staple"));
    EXPECT_EQ(response.status, 303);
    ReadFormToken(Visit(HeaderOf(response, "Location")));
  }

  void ReadFormToken(const Response& response) {
    form_token_ = Found(response.body, "name=\"form_token\" value=\"([^\"]+)\"");
    EXPECT_EQ(form_token_.size(), 43U);
  }

  static std::string Found(const std::string& text, const std::string& pattern) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? match[match.size() > 1 ? 1 : 0]
                                                               : std::string();
  }

  static bool Has(const Response& response, std::string_view text) {
    return response.body.find(text) != std::string::npos;
  }

  /// Makes a token by the page; its public id and text.
  std::pair<std::string, std::string> Generate(const std::string& description) {
    const Response posted = Submit(
        "/settings/tokens/new", "description=" + description + "&access=repo%3Aread&expires=never");
    EXPECT_EQ(HeaderOf(posted, "Location"), "/settings/tokens/created");
    EXPECT_EQ(posted.body.find("hub_pat_"), std::string::npos);
    const std::string text = Found(Visit("/settings/tokens/created").body, "hub_pat_[0-9A-Za-z]+");
    RecordIssuedSecret(text);
    return {Found(Visit("/settings/tokens").body, std::string("value=\"(") + kUuid + ")\""), text};
  }

  std::string cookie_;
  std::string form_token_;
  std::string origin_ = "https://hub.example.com";
};

TEST_F(PageTest, TheSessionsCookieIsKeptFromScriptsAndOtherSites) {
  const Response response =
      Send(Ask("POST", "/sign-in", "name=bob&password=correct+horse+battery+staple"));
  const std::string set = HeaderOf(response, "Set-Cookie");
  EXPECT_TRUE(std::regex_match(
      set, std::regex("__Host-hub_session=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; "
                      "Secure")))
      << set.substr(0, 20);
  settings_.public_url = "http://127.0.0.1:8080";
  Build();
  origin_ = "http://127.0.0.1:8080";
  cookie_.clear();
  const Response plain =
      Send(Ask("POST", "/sign-in", "name=bob&password=correct+horse+battery+staple"));
  const std::string plain_set = HeaderOf(plain, "Set-Cookie");
  EXPECT_EQ(plain_set.substr(0, 12), "hub_session=");
  EXPECT_EQ(plain_set.find("Secure"), std::string::npos);
}

TEST_F(PageTest, EveryPageForbidsInlineScriptsFramesAndKeeping) {
  SignIn();
  for (const char* path : {"/sign-in", "/settings/tokens", "/settings/tokens/new",
                           "/settings/password", "/settings/email", "/settings/tokens/none/edit"}) {
    const Response response = Visit(path);
    if (response.status == 303) continue;  // the way in, for those who are
    EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store") << path;
    const std::string policy = HeaderOf(response, "Content-Security-Policy");
    EXPECT_EQ(policy.find("default-src 'none'"), 0U) << path;
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << path;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << path;
    EXPECT_EQ(HeaderOf(response, "X-Content-Type-Options"), "nosniff") << path;
    EXPECT_FALSE(std::regex_search(response.body, std::regex("<script(?! defer src=\")|<style|"
                                                             " style=| on[a-z]+=\"")))
        << path;
  }
}

TEST_F(PageTest, WhoIsNotSignedInIsSentToSignIn) {
  for (const char* path : {"/", "/settings", "/settings/tokens", "/settings/tokens/new",
                           "/settings/password", "/settings/email"}) {
    const Response response = app_->Handle(Ask("GET", path));
    EXPECT_EQ(response.status, 303) << path;
    EXPECT_EQ(HeaderOf(response, "Location"), "/sign-in") << path;
  }
  EXPECT_EQ(Submit("/settings/tokens/new", "description=x&access=repo:read").status, 303);
  EXPECT_EQ(authority_->Count("b-2")->active, 0U);
}

TEST_F(PageTest, AnAuthorizationHeaderIsNoSession) {
  Request request = Ask("GET", "/settings/tokens");
  request.headers.emplace_back("Authorization", Basic("bob", Issue("b-2", "repo:admin")));
  EXPECT_EQ(app_->Handle(request).status, 303);
}

TEST_F(PageTest, AWrongPasswordIsRefusedAndNamesNobody) {
  const Response wrong = Send(Ask("POST", "/sign-in", "name=bob&password=no"));
  const Response nobody = Send(Ask("POST", "/sign-in", "name=nobody&password=no"));
  EXPECT_EQ(wrong.status, 403);
  EXPECT_EQ(wrong.body, nobody.body);
  EXPECT_EQ(HeaderOf(wrong, "Set-Cookie"), "(none)");
  for (int i = 0; i < 20; ++i) Send(Ask("POST", "/sign-in", "name=bob&password=no"));
  const Response late =
      Send(Ask("POST", "/sign-in", "name=bob&password=correct+horse+battery+staple"));
  EXPECT_EQ(late.status, 429);
  EXPECT_NE(HeaderOf(late, "Retry-After"), "(none)");
}

TEST_F(PageTest, ATokenDoesNotSignInToThePage) {
  const std::string token = Issue("b-2", "repo:admin");
  EXPECT_EQ(Send(Ask("POST", "/sign-in", "name=bob&password=" + token)).status, 403);
}

TEST_F(PageTest, TheSecondStepComesBetween) {
  const Response first =
      Send(Ask("POST", "/sign-in", "name=alice&password=correct+horse+battery+staple"));
  EXPECT_EQ(HeaderOf(first, "Location"), "/sign-in/code");
  const std::string before = cookie_;
  EXPECT_EQ(Visit("/settings/tokens").status, 303) << "half-way is not in";
  cookie_ = before;
  ReadFormToken(Visit("/sign-in/code"));
  EXPECT_EQ(Submit("/sign-in/code", "code=000000").status, 403);
  const std::string code =
      TotpCode(*FromBase32("GEZDGNBVGY3TQOJQ"), absl::ToUnixSeconds(now_) / 30);
  EXPECT_EQ(Send(Ask("POST", "/sign-in/code", "code=" + code)).status, 403) << "no form token";
  const Response second =
      Submit("/sign-in/code", "code=" + code.substr(0, 3) + "+" + code.substr(3));
  EXPECT_EQ(HeaderOf(second, "Location"), "/settings/tokens");
  EXPECT_NE(cookie_, before) << "an id known before the second step must not become good";
  EXPECT_EQ(Visit("/settings/tokens").status, 200);
  cookie_ = before;
  EXPECT_EQ(Visit("/settings/tokens").status, 303);
}

TEST_F(PageTest, AFormFromElsewhereChangesNothing) {
  SignIn();
  const auto [uuid, text] = Generate("mine");
  const std::string deactivate = "/settings/tokens/" + uuid + "/deactivate";
  origin_ = "https://evil.example";
  EXPECT_EQ(Submit(deactivate, "").status, 403);
  EXPECT_EQ(Submit("/sign-in", "name=bob&password=correct+horse+battery+staple").status, 403);
  origin_ = "null";
  EXPECT_EQ(Submit(deactivate, "").status, 403);
  origin_ = "https://hub.example.com";
  EXPECT_EQ(Send(Ask("POST", deactivate)).status, 403) << "without the form's token";
  form_token_[0] = form_token_[0] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Submit(deactivate, "").status, 403) << "with another";
  EXPECT_EQ(authority_->Count("b-2")->active, 1U);
  EXPECT_EQ(Visit(deactivate).status, 303) << "a link does nothing";
  EXPECT_EQ(authority_->Count("b-2")->active, 1U);
}

TEST_F(PageTest, ANewTokenIsShownOnce) {
  SignIn();
  const auto [uuid, text] = Generate("once");
  EXPECT_EQ(text.size(), std::string("hub_pat_").size() + pat::kTokenBodyLength);
  EXPECT_EQ(Token("bob", text).status, 200);
  EXPECT_EQ(HeaderOf(Visit("/settings/tokens/created"), "Location"), "/settings/tokens");
  for (const std::string& path :
       {std::string("/settings/tokens"), "/settings/tokens/" + uuid + "/edit"}) {
    EXPECT_FALSE(Has(Visit(path), text.substr(8, 8))) << path;
  }
}

TEST_F(PageTest, SomebodyElsesTokenIsNotThere) {
  SignIn();
  std::uint64_t id = 0;
  Issue("a-1", "repo:read", &id);
  const std::string uuid = *authority_->PublicIdOf(id);
  for (const char* what : {"edit", "delete"}) {
    EXPECT_EQ(Visit("/settings/tokens/" + uuid + "/" + what).status, 404);
  }
  for (const char* what : {"edit", "activate", "deactivate", "delete"}) {
    EXPECT_EQ(
        Submit("/settings/tokens/" + uuid + "/" + what, "description=x&access=repo:read").status,
        404);
  }
  Submit("/settings/tokens/selected", "what=delete&confirmed=yes&id=" + uuid);
  EXPECT_EQ(authority_->Count("a-1")->active, 1U);
}

TEST_F(PageTest, HostileTextIsShownAsText) {
  SignIn();
  const std::string hostile = "\"'><script>alert(1)</script>&lt;\xE2\x80\xAE";
  pat::IssueRequest request;
  request.account = "b-2";
  request.description = hostile;
  request.scopes = {"repo:read"};
  request.attributes = {{"ip", "<ip>"}, {"user_agent", hostile}};
  const auto issued = authority_->Issue(request);
  ASSERT_TRUE(issued.ok()) << issued.status();
  RecordIssuedSecret(std::string(issued->text.Reveal()));
  pat::Presented presented;
  presented.ip = "<ip>";
  presented.user_agent = "<img src=x onerror=alert(1)>\xFF";
  EXPECT_NE(authority_->Verify(issued->text.Reveal(), presented).principal(), nullptr);
  ASSERT_TRUE(authority_->Flush().ok());
  const std::string uuid = issued->token.public_id;
  for (const std::string& path :
       {std::string("/settings/tokens"), "/settings/tokens/" + uuid + "/edit",
        "/settings/tokens/" + uuid + "/delete",
        std::string("/settings/tokens?text=%22%3E%3Cscript%3Ealert(1)")}) {
    const Response response = Visit(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_TRUE(Has(response, "&lt;script&gt;")) << path;
    EXPECT_FALSE(std::regex_search(response.body, std::regex("<script>|<img src=x|<ip>|\xFF")))
        << path;
  }
  const Response wrong = Submit("/settings/email", "email=%22%3E%3Cscript%3E");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(Has(wrong, "&quot;&gt;&lt;script&gt;"));
}

TEST_F(PageTest, CountsFollowEachStep) {
  SignIn();
  const auto [uuid, text] = Generate("counted");
  const std::string one = "/settings/tokens/" + uuid;
  const auto counts = [&] {
    const std::string body = Visit("/settings/tokens").body;
    return Found(body, "id=\"active-count\">([0-9]+)") + " " +
           Found(body, "id=\"inactive-count\">([0-9]+)");
  };
  EXPECT_EQ(counts(), "1 0");
  EXPECT_EQ(Submit(one + "/deactivate", "").status, 303);
  EXPECT_EQ(counts(), "0 1");
  EXPECT_EQ(Token("bob", text).status, 401);
  EXPECT_EQ(Submit(one + "/activate", "").status, 303);
  EXPECT_EQ(counts(), "1 0");
  EXPECT_EQ(Token("bob", text).status, 200);
  const Response question = Submit("/settings/tokens/selected", "what=delete&id=" + uuid);
  EXPECT_EQ(question.status, 200) << "it asks first";
  EXPECT_EQ(counts(), "1 0");
  EXPECT_EQ(Submit("/settings/tokens/selected", "what=delete&confirmed=yes&id=" + uuid).status,
            303);
  EXPECT_EQ(counts(), "0 0");
  EXPECT_EQ(Visit(one + "/edit").status, 404);
}

TEST_F(PageTest, ANewPasswordEndsEveryOtherSession) {
  SignIn();
  const std::string elsewhere = cookie_;
  cookie_.clear();
  SignIn();
  const std::string here = cookie_;
  EXPECT_EQ(Submit("/settings/password", "current=wrong&next=long+enough&again=long+enough").status,
            403);
  EXPECT_EQ(Submit("/settings/password",
                   "current=correct+horse+battery+staple&next=long+enough&again=other")
                .status,
            400);
  const Response changed =
      Submit("/settings/password",
             "current=correct+horse+battery+staple&next=long+enough&again=long+enough");
  EXPECT_EQ(changed.status, 303);
  EXPECT_NE(cookie_, here);
  EXPECT_TRUE(Has(Visit("/settings/password"), "Your password is changed."));
  for (const std::string& old : {elsewhere, here}) {
    cookie_ = old;
    EXPECT_EQ(HeaderOf(Visit("/settings/tokens"), "Location"), "/sign-in?ended");
  }
}

TEST_F(PageTest, SigningOutEndsTheSession) {
  SignIn();
  const std::string before = cookie_;
  EXPECT_EQ(Visit("/sign-out").status, 303);
  EXPECT_EQ(Visit("/settings/tokens").status, 200) << "a link does not sign out";
  EXPECT_EQ(HeaderOf(Submit("/sign-out", ""), "Location"), "/sign-in?out");
  cookie_ = before;
  EXPECT_EQ(Visit("/settings/tokens").status, 303);
}

TEST_F(PageTest, TokensThatExpireSoonAreMarked) {
  SignIn();
  const auto issue = [&](const char* description, absl::Duration lifetime) {
    pat::IssueRequest request;
    request.account = "b-2";
    request.description = description;
    request.scopes = {"repo:read"};
    request.expires_at = now_ + lifetime;
    const auto issued = authority_->Issue(request);
    ASSERT_TRUE(issued.ok());
    RecordIssuedSecret(std::string(issued->text.Reveal()));
  };
  issue("late", absl::Hours(24 * 7) + absl::Seconds(1));
  EXPECT_FALSE(Has(Visit("/settings/tokens"), "Expires in"));
  issue("soon", absl::Hours(24 * 7));
  EXPECT_TRUE(Has(Visit("/settings/tokens"), "Expires in 7 days"));
  now_ += absl::Hours(24 * 7 - 2);
  SignIn();
  EXPECT_TRUE(Has(Visit("/settings/tokens"), "Expires in 2 hours"));
  now_ += absl::Hours(3);
  SignIn();
  EXPECT_FALSE(Has(Visit("/settings/tokens"), "Expires in"));
  EXPECT_TRUE(Has(Visit("/settings/tokens"), "badge expired"));
}

TEST_F(PageTest, SeveralScopesStayUntilOneIsChosen) {
  SignIn();
  pat::IssueRequest request;
  request.account = "b-2";
  request.description = "by the API";
  request.scopes = {"repo:read", "repo:write"};
  const auto issued = authority_->Issue(request);
  ASSERT_TRUE(issued.ok());
  RecordIssuedSecret(std::string(issued->text.Reveal()));
  const std::string edit = "/settings/tokens/" + issued->token.public_id + "/edit";
  EXPECT_TRUE(Has(Visit(edit), "repo:read, repo:write"));
  EXPECT_EQ(Submit(edit, "description=renamed&access=keep").status, 303);
  EXPECT_EQ(authority_->Get(issued->token.id)->scopes, request.scopes);
  EXPECT_EQ(authority_->Get(issued->token.id)->description, "renamed");
  EXPECT_EQ(Submit(edit, "description=renamed&access=repo:public_read").status, 303);
  EXPECT_EQ(authority_->Get(issued->token.id)->scopes,
            std::vector<std::string>{"repo:public_read"});
  EXPECT_EQ(Submit(edit, "description=+&access=repo:read").status, 400);
  EXPECT_EQ(Submit(edit, "description=x&access=account:admin").status, 400);
}

TEST_F(PageTest, ALongListHasPagesAndFilters) {
  SignIn();
  for (int i = 0; i < 30; ++i) Issue("b-2", "repo:read");
  const std::regex rows("data-ask=");
  const auto count = [&](const std::string& text) {
    return std::distance(std::sregex_iterator(text.begin(), text.end(), rows),
                         std::sregex_iterator());
  };
  const std::string first = Visit("/settings/tokens").body;
  EXPECT_EQ(count(first), 25);
  const std::string older = Found(first, "rel=\"next\" href=\"([^\"]+)\"");
  EXPECT_EQ(count(Visit(older).body), 5);
  EXPECT_EQ(count(Visit("/settings/tokens?state=inactive").body), 0);
  EXPECT_EQ(count(Visit("/settings/tokens?source=manual&text=TES").body), 25);
  EXPECT_EQ(count(Visit("/settings/tokens?source=auto").body), 0);
  EXPECT_EQ(Visit("/settings/tokens?after=junk").status, 303);
}

TEST_F(PageTest, AssetsAreServedUnderTheirVersion) {
  ASSERT_GE(Assets().size(), 3U);
  for (const Asset& asset : Assets()) {
    const Response response = Visit(AssetUrl(asset.path));
    EXPECT_EQ(response.status, 200) << asset.path;
    EXPECT_EQ(response.body, asset.contents);
    EXPECT_EQ(HeaderOf(response, "Content-Type"), asset.type);
  }
}

}  // namespace
}  // namespace hub
