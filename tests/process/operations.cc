// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/operations.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace {

const std::vector<std::string>& Accounts() {
  static const std::vector<std::string> accounts = {
      "a",
      "bob",
      "carol",
      "0123456789abcdef",  // the longest one held inline
      "eve",
      "frank",
      "0123456789abcdefg",
      std::string(128, 'x'),
      "hub/org with spaces",
      "\xC3\xBC\xFF\x01",
      "k",
      "l"};
  return accounts;
}

constexpr std::size_t kManyTokens = 1200;

}  // namespace

std::string Operations::Account() { return Accounts()[Draw(Accounts().size())]; }

std::string Operations::SomeToken() {
  if (tokens_.empty() || OneIn(50)) return absl::StrCat("#", Draw(1000));
  const std::size_t back =
      OneIn(4) ? Draw(tokens_.size()) : Draw(std::min<std::size_t>(tokens_.size(), 60));
  return absl::StrCat("#", tokens_[tokens_.size() - 1 - back].id);
}

std::string Operations::SomeText() {
  if (texts_ == 0 || OneIn(100)) return OneIn(2) ? "" : "acme";
  std::size_t text = texts_ - 1 - Draw(std::min<std::size_t>(texts_, 60));
  if (OneIn(3) && !tokens_.empty()) text = tokens_[Draw(tokens_.size())].text;
  if (OneIn(200)) text = Draw(texts_);
  if (!OneIn(20)) return absl::StrCat("$", text);
  if (OneIn(3)) return absl::StrCat("$", text, "c");
  if (OneIn(2)) return absl::StrCat("$", text, "w");
  return absl::StrCat("$", text, "s", texts_ - 1 - Draw(std::min<std::size_t>(texts_, 60)));
}

std::string Operations::Owner() { return OneIn(2) ? "" : Account(); }

std::string Operations::Scopes() {
  static const std::vector<std::string> scopes = {"repo:public_read", "repo:read", "repo:write",
                                                  "repo:admin", "repo:read,repo:write"};
  return OneIn(50) ? "repo:nothing" : scopes[Draw(scopes.size())];
}

std::string Operations::Description() {
  if (OneIn(50)) return std::string(101, 'd');
  return absl::StrCat(OneIn(3) ? "Laptop " : "\xC3\xBCn\xC3\xAF ", Draw(40));
}

Operations::Fields Operations::Request(std::int64_t now_unix_s) {
  const bool is_auto = OneIn(3);
  std::int64_t expires = 0;
  if (OneIn(3)) expires = now_unix_s + static_cast<std::int64_t>(Draw(5000));  // 0: too early
  return {Account(),
          is_auto ? "auto" : "manual",
          Description(),
          absl::StrCat(expires),
          is_auto && !OneIn(4) ? "" : Scopes(),
          OneIn(3) ? absl::StrCat("note ", Draw(1000)) : ""};
}

Operations::Fields Operations::Present() {
  const std::string claim = OneIn(3) ? Account() : OneIn(20) ? "?" : "";
  const std::string need = OneIn(3) ? absl::StrCat(Draw(16)) : "0";
  if (OneIn(40)) {
    static const std::vector<std::string> passwords = {"good", "bad"};
    const std::string secret = OneIn(2) ? SomeText() : passwords[Draw(2)];
    return {"authenticate", secret, claim, OneIn(2) ? "1" : "0"};
  }
  if (OneIn(20)) {
    Fields told = {"verify_many", claim, need};
    for (std::size_t n = Draw(20); n > 0; --n) told.push_back(SomeText());
    return told;
  }
  const bool placed = OneIn(2);
  return {"verify",
          SomeText(),
          claim,
          need,
          placed ? absl::StrCat("192.0.2.", Draw(250)) : "",
          placed && OneIn(2) ? absl::StrCat("docker/", Draw(30)) : ""};
}

Operations::Fields Operations::Look(std::int64_t) {
  static const std::vector<std::string> states = {"", "active", "inactive", "expired", "deleted"};
  static const std::vector<std::string> origins = {"", "", "manual", "auto"};
  switch (Draw(3)) {
    case 0: return {"get", SomeToken(), Owner()};
    case 1: return {"count", OneIn(50) ? "nobody" : Account()};
    default:
      return {"list",
              Account(),
              states[Draw(states.size())],
              origins[Draw(origins.size())],
              OneIn(3) ? "LAP" : "",
              OneIn(100) ? "0" : absl::StrCat(1 + Draw(25)),
              OneIn(2) ? "" : SomeToken()};
  }
}

Operations::Fields Operations::Change(std::int64_t now_unix_s) {
  // Where there are many, they are deleted rather than made.
  const bool many = tokens_.size() > kManyTokens;
  std::size_t what = Draw(20);
  if (what < 6 && many && !OneIn(8)) what = 19;
  if (what < 6) {
    Fields told = {"issue"};
    const std::size_t n = OneIn(12) ? 2 + Draw(20) : 1;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::string& field : Request(now_unix_s)) told.push_back(std::move(field));
    }
    return told;
  }
  if (what < 10) {
    return {"update",
            SomeToken(),
            Owner(),
            OneIn(2) ? Description() : "",
            OneIn(2) ? Scopes() : "",
            OneIn(3) ? absl::StrCat(Draw(2)) : ""};
  }
  if (what < 13) return {"activate", SomeToken(), Owner()};
  if (what < 17) return {"deactivate", SomeToken(), Owner()};
  std::string token = SomeToken();
  if (many) token = absl::StrCat("#", tokens_[Draw(tokens_.size())].id);
  return {"delete", std::move(token), Owner(), absl::StrCat(Draw(OneIn(50) ? 9 : 6))};
}

Operations::Fields Operations::Maintain(std::int64_t now_unix_s) {
  const std::size_t kind = Draw(2);
  const std::string name = kind == 0 ? "selector" : "seal";
  const std::size_t what = Draw(1000);
  if (what < 500) {
    return {"advance", absl::StrCat(OneIn(30) ? Draw(20'000) : Draw(90))};
  }
  if (what < 600) return {"flush"};
  if (what < 700) return {"stats"};
  if (what < 720) return {"health"};
  if (what < 790) {
    return {"purge", absl::StrCat(now_unix_s - static_cast<std::int64_t>(Draw(3) * 1000)),
            absl::StrCat(OneIn(2) ? Draw(40) : 10'000)};
  }
  if (what < 840) return {"rotate", name};
  if (what < 880) return {"reseal"};
  if (what < 960) {
    const std::size_t newest = newest_key_[kind];
    const std::size_t number = newest + 1 - std::min(newest + 1, Draw(10));
    // By force a selector key ends tokens; a seal key makes accounts unreadable, for good.
    const bool force = kind == 0 ? OneIn(60) : OneIn(2000);
    return {"retire", name, absl::StrCat(number), force ? "1" : "0"};
  }
  if (what < 975) return {"keys"};
  static const std::vector<std::string> handles = {"a", "b", "both"};
  if (what < 997) return {"reopen", handles[Draw(handles.size())]};
  return {"restart"};
}

Operations::Fields Operations::Next(std::int64_t now_unix_s) {
  const std::size_t what = Draw(100);
  if (what < 40) return Present();
  if (what < 55) return Look(now_unix_s);
  if (what < 88) return Change(now_unix_s);
  return Maintain(now_unix_s);
}

void Operations::Learn(const Fields& told, const Fields& answer) {
  if (answer[0] != "ok" && answer[0] != "NOT_FOUND") return;
  if (told[0] == "issue") {
    for (std::size_t i = 0; i + 1 < answer.size(); ++i) {
      if (answer[i + 1] == "TEXT") tokens_.push_back({std::stoull(answer[i].substr(1)), texts_++});
    }
  } else if (told[0] == "rotate") {
    newest_key_[told[1] == "selector" ? 0 : 1] = std::stoull(answer[1]);
  } else if (told[0] == "get" && told[2].empty() && answer[0] == "NOT_FOUND") {
    const auto gone = [&](const Token& token) { return absl::StrCat("#", token.id) == told[1]; };
    tokens_.erase(std::remove_if(tokens_.begin(), tokens_.end(), gone), tokens_.end());
  }
}

std::vector<Operations::Fields> Operations::Everything() const {
  std::vector<Fields> all = {{"keys"}, {"stats"}, {"health"}};
  for (const std::string& account : Accounts()) {
    all.push_back({"count", account});
    all.push_back({"list", account, "", "", "", "1000", ""});
    all.push_back({"list", account, "deleted", "", "", "1000", ""});
  }
  for (const Token& token : tokens_) {
    all.push_back({"get", absl::StrCat("#", token.id), ""});
    all.push_back({"verify", absl::StrCat("$", token.text), "", "0", "", ""});
  }
  return all;
}
