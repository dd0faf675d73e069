// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/hub/request_fuzz.h"

#include <stdlib.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "examples/hub/app.h"
#include "examples/hub/base64.h"
#include "examples/hub/password.h"
#include "examples/hub/text.h"
#include "pat/pat.h"
#include "tests/issued_secrets.h"

namespace hub {
namespace {

void Check(bool condition) {
  if (!condition) ::abort();
}

/// An app over a store in memory, made once.
class World {
 public:
  World() : signer_(*SigningKey::Generate()) {
    const std::string hash = *HashPassword("password", {1, 1, 1});
    const std::string text = "alice:a-1:" + hash + ":GEZDGNBV\nbob:b-2:" + hash + ":\n";
    users_ = std::make_unique<WatchedFile<Users>>(
        "/dev/null/users", [text](const std::string&) { return Users::Parse(text); });
    repositories_ = std::make_unique<WatchedFile<Repositories>>(
        "/none", [](const std::string&) { return Repositories::Parse("bob/shared"); });
    pat::AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"hub_pat_"};
    authority_ = *pat::Authority::Open(pat::NewMemoryStore(),
                                       pat::Keyring::Bytes(*pat::Keyring::Generate()), options);
    Issue("{read}", "a-1", "repo:read");
    Issue("{write}", "a-1", "repo:write");
    Issue("{bob}", "b-2", "repo:admin");
    Settings settings;
    settings.limits.address.failures = 1 << 30;
    settings.limits.account.failures = 1 << 30;
    app_ = std::make_unique<App>(settings, Foundations{*authority_, *users_, *repositories_,
                                                       signer_, [] { return absl::Now(); }});
    AddBearer();
  }

  App& app() { return *app_; }
  const std::vector<std::pair<std::string, std::string>>& words() const { return words_; }

 private:
  void Issue(const std::string& word, const std::string& account, const std::string& scope) {
    pat::IssueRequest request;
    request.account = account;
    request.description = "fuzz";
    request.scopes = {scope};
    const auto issued = authority_->Issue(request);
    const std::string text(issued->text.Reveal());
    RecordIssuedSecret(text);
    words_.emplace_back(word, text);
    words_.emplace_back("{basic " + word.substr(1), Base64("alice:" + text));
  }

  /// bob's, who needs no second factor.
  void AddBearer() {
    Request login;
    login.method = "POST";
    login.path = "/v2/users/login";
    login.body = R"({"username":"bob","password":"password"})";
    const std::string bearer = nlohmann::json::parse(app_->Handle(login).body)["token"];
    RecordIssuedSecret(bearer);
    words_.emplace_back("{bearer}", bearer);
  }

  JwtSigner signer_;
  std::unique_ptr<WatchedFile<Users>> users_;
  std::unique_ptr<WatchedFile<Repositories>> repositories_;
  std::unique_ptr<pat::Authority> authority_;
  std::unique_ptr<App> app_;
  std::vector<std::pair<std::string, std::string>> words_;
};

std::string WithTokens(std::string text, const World& world) {
  for (const auto& [word, token] : world.words()) {
    std::size_t at = 0;
    for (int times = 0; times < 8 && (at = text.find(word, at)) != std::string::npos; ++times) {
      text.replace(at, word.size(), token);
      at += token.size();
    }
  }
  return text;
}

void ReadRequest(std::string_view text, Request* request) {
  const std::size_t end = text.find("\n\n");
  if (end != std::string_view::npos) request->body = text.substr(end + 2);
  const std::vector<std::string_view> lines = SplitFields(text.substr(0, end), '\n');
  const std::size_t blank = std::min(lines[0].find(' '), lines[0].size());
  request->method = lines[0].substr(0, blank);
  const std::string_view target = lines[0].substr(std::min(blank + 1, lines[0].size()));
  const std::size_t question = std::min(target.find('?'), target.size());
  request->path = target.substr(0, question);
  request->query = target.substr(std::min(question + 1, target.size()));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = std::min(lines[i].find(": "), lines[i].size());
    request->headers.emplace_back(lines[i].substr(0, colon),
                                  lines[i].substr(std::min(colon + 2, lines[i].size())));
  }
  request->ip = "192.0.2.1";
}

/// Whether it is for people: HTML, or what goes with it.
bool IsPage(const Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Type" && value != "application/json") return true;
  }
  return false;
}

/// What can be said of every answer.
void CheckAnswer(const Response& response, const World& world) {
  constexpr int kStatuses[] = {200, 201, 202, 303, 400, 401, 403, 404, 405, 409, 413, 429, 503};
  Check(std::find(std::begin(kStatuses), std::end(kStatuses), response.status) !=
        std::end(kStatuses));
  for (const auto& [name, value] : response.headers) {
    Check(value.find_first_of("\r\n") == std::string::npos);
  }
  Check(response.body.empty() || IsPage(response) || nlohmann::json::accept(response.body));
  for (const auto& [word, token] : world.words()) {
    Check(response.body.find(token) == std::string::npos);
  }
}

/// What the JWT may grant at most: alice's tokens write, bob's repository is public.
void CheckGrants(const Response& response) {
  const nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
  if (response.status != 200 || !body.contains("token")) return;
  std::string jwt = body["token"];
  jwt = jwt.substr(jwt.find('.') + 1);
  jwt = jwt.substr(0, jwt.find('.'));
  std::replace(jwt.begin(), jwt.end(), '-', '+');
  std::replace(jwt.begin(), jwt.end(), '_', '/');
  const nlohmann::json claims = nlohmann::json::parse(FromBase64(jwt).value_or(""), nullptr, false);
  Check(claims.is_object());
  const bool alice = claims["sub"] == "alice";
  for (const auto& entry : claims["access"]) {
    Check(entry["type"] == "repository" && !entry["actions"].empty());
    const std::string name = entry["name"];
    const bool own = StartsWith(name, alice ? "alice/" : "bob/");
    Check(own || name == "bob/shared");
    for (const auto& action : entry["actions"]) {
      Check(action == "pull" || (own && (action == "push" || (!alice && action == "delete"))));
    }
  }
}

}  // namespace

void HandleFuzzed(std::string_view input) {
  static World* const world = new World();
  if (input.size() > kMaxBodyBytes * 2) return;
  Request request;
  ReadRequest(WithTokens(std::string(input), *world), &request);
  [[maybe_unused]] const bool slow = world->app().IsSlow(request);
  const Response response = world->app().Handle(request);
  CheckAnswer(response, *world);
  if (request.path == "/token") CheckGrants(response);
}

}  // namespace hub

#ifdef PAT_FUZZER
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  hub::HandleFuzzed({reinterpret_cast<const char*>(data), size});
  return 0;
}
#endif
