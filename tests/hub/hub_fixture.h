// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HUB_HUB_FIXTURE_H_
#define TESTS_HUB_HUB_FIXTURE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "examples/hub/app.h"
#include "examples/hub/base64.h"
#include "examples/hub/password.h"
#include "examples/hub/signing_key.h"
#include "pat/pat.h"
#include "tests/issued_secrets.h"

namespace hub {

constexpr char kPassword[] = "correct horse battery staple";

/// The app over a store in memory, without a transport: alice has two-factor authentication, bob
/// has not. The clock stands until a test moves it.
class HubTest : public testing::Test {
 protected:
  HubTest()
      : folder_(MakeFolder()),
        users_(folder_ + "/users", &Users::Read),
        repositories_(folder_ + "/public", &Repositories::Read),
        signer_(*SigningKey::Generate()) {
    WriteUsers({"alice:a-1:" + Hash() + ":GEZDGNBVGY3TQOJQ", "bob:b-2:" + Hash() + ":"});
    EXPECT_TRUE(WriteFile(folder_ + "/public", "bob/shared\n", 0644).ok());
    pat::AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"hub_pat_"};
    options.clock = [this] { return now_; };
    keyring_ = *pat::Keyring::Generate();
    authority_ =
        *pat::Authority::Open(pat::NewMemoryStore(), pat::Keyring::Bytes(keyring_), options);
    settings_.issuer = "hub-test";
    settings_.service = "registry-test";
    Build();
  }
  ~HubTest() override { std::filesystem::remove_all(folder_); }

  /// Makes the app anew, with settings_.
  void Build() {
    app_ = std::make_unique<App>(settings_, Foundations{*authority_, users_, repositories_, signer_,
                                                        [this] { return now_; }});
  }

  static std::string Hash() {
    static const std::string hash = *HashPassword(kPassword, {4, 1, 1});
    return hash;
  }

  void WriteUsers(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    EXPECT_TRUE(WriteFile(folder_ + "/users", text, 0600).ok());
  }

  std::string Issue(std::string account, std::string scope, std::uint64_t* id = nullptr) {
    pat::IssueRequest request;
    request.account = std::move(account);
    request.description = "test";
    request.scopes = {std::move(scope)};
    const absl::StatusOr<pat::Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (id != nullptr) *id = issued->token.id;
    std::string text(issued->text.Reveal());
    RecordIssuedSecret(text);
    return text;
  }

  static std::string Basic(std::string_view user, std::string_view secret) {
    return "Basic " + Base64(std::string(user) + ":" + std::string(secret));
  }

  static Request Get(std::string path, std::string query = {}, std::string authorization = {}) {
    Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    request.ip = "192.0.2.1";
    return request;
  }

  static Request Post(std::string body, std::string type = "application/x-www-form-urlencoded") {
    Request request = Get("/token");
    request.method = "POST";
    request.body = std::move(body);
    request.headers.emplace_back("Content-Type", type);
    return request;
  }

  /// GET /token as `user`, for these parameters beside the service and the account.
  Response Token(const std::string& user, const std::string& secret, const std::string& more = {}) {
    return app_->Handle(
        Get("/token", "account=" + user + "&service=registry-test" + more, Basic(user, secret)));
  }

  static nlohmann::json Body(const Response& response) {
    nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
    EXPECT_TRUE(body.is_object());
    return body;
  }

  static std::string HeaderOf(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "(none)";
  }

  /// A part of the JWT in an answer: 0 the header, 1 the claims.
  static nlohmann::json JwtPart(const Response& response, int part) {
    EXPECT_EQ(response.status, 200);
    std::string jwt = Body(response).value("token", "..");
    for (int i = 0; i < part; ++i) jwt = jwt.substr(jwt.find('.') + 1);
    return nlohmann::json::parse(FromBase64Url(jwt.substr(0, jwt.find('.'))).value_or(""), nullptr,
                                 false);
  }

  /// What the JWT grants, as "name:action,action name:...".
  static std::string Granted(const Response& response) {
    std::string text;
    const nlohmann::json claims = JwtPart(response, 1);
    for (const auto& entry : claims["access"]) {
      EXPECT_EQ(entry["type"], "repository");
      if (!text.empty()) text += " ";
      text += entry["name"].get<std::string>() + ":";
      for (const auto& action : entry["actions"]) {
        if (text.back() != ':') text += ",";
        text += action.get<std::string>();
      }
    }
    return text;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::string folder_;
  WatchedFile<Users> users_;
  WatchedFile<Repositories> repositories_;
  JwtSigner signer_;
  std::string keyring_;
  std::unique_ptr<pat::Authority> authority_;
  Settings settings_;
  std::unique_ptr<App> app_;

 private:
  static std::string MakeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hub_test_XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }
};

}  // namespace hub

#endif  // TESTS_HUB_HUB_FIXTURE_H_
