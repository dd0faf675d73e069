// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl init, issue and verify, through the real program.
#include <gmock/gmock.h>

#include <algorithm>
#include <regex>
#include <set>
#include <thread>

#include "tests/patctl_run.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(PatctlTest, InitMakesAStoreOnce) {
  const Outcome made = Patctl({"init", "--prefix", "acme_pat_"});
  EXPECT_EQ(made.status, 0);
  EXPECT_THAT(made.err, IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(keyring_));
  const std::string keyring = Read(keyring_);
  RecordKeys(keyring);
  const Outcome again = Patctl({"init", "--prefix", "acme_pat_"});
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("is a store already"));
  EXPECT_TRUE(keyring == Read(keyring_));
}

TEST_F(PatctlTest, InitTakesAnExistingEmptyDirectory) {
  std::filesystem::create_directory(store_);
  Init();
  EXPECT_EQ(Issue()["id"], "1");
}

TEST_F(PatctlTest, InitWarnsOfAKeyringBesideTheStore) {
  const Outcome run = Bare({"init", "--store", store_, "--prefix", "acme_pat_", "--json"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("WARNING"));
  EXPECT_THAT(run.err, HasSubstr("--keyring"));
  EXPECT_EQ(run.json()["keyring"], store_ + "/keyring");
  EXPECT_TRUE(std::filesystem::exists(store_ + "/keyring"));
  EXPECT_EQ(Bare({"stats", "--store", store_}).status, 0);
}

TEST_F(PatctlTest, InitRefusesABadPrefixAndMakesNothing) {
  for (const char* prefix : {"", "_", "acme", "ac-me_", "seventeen_letters_and_more_"}) {
    EXPECT_EQ(Patctl({"init", std::string("--prefix=") + prefix}).status, 2) << prefix;
  }
  EXPECT_FALSE(std::filesystem::exists(store_));
  EXPECT_FALSE(std::filesystem::exists(keyring_));
}

TEST_F(PatctlTest, InitTakesSeveralPrefixesAndTheFirstIssues) {
  ASSERT_EQ(Patctl({"init", "--prefix", "new_pat_", "--prefix", "old_pat_"}).status, 0);
  EXPECT_EQ(Issue()["token"].get<std::string>().substr(0, 8), "new_pat_");
  EXPECT_EQ(Json({"stats"})["prefixes"], json({"new_pat_", "old_pat_"}));
}

TEST_F(PatctlTest, NothingWorksWithoutInitAndNothingIsMade) {
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"issue", "--account", "a", "--description", "d", "--scope", "repo:read"},
           {"verify"},
           {"list", "--account", "a"},
           {"show", "1"},
           {"rename", "1", "x"},
           {"set-scopes", "1", "repo:read"},
           {"activate", "1"},
           {"deactivate", "1"},
           {"delete", "1"},
           {"purge", "--before", "1d"},
           {"stats"}}) {
    for (const bool with_directory : {false, true}) {
      if (with_directory) std::filesystem::create_directory(store_);
      const Outcome run = Patctl(line);
      EXPECT_EQ(run.status, 2) << line[0];
      EXPECT_THAT(run.err, HasSubstr("patctl init")) << line[0];
      EXPECT_THAT(run.out, IsEmpty()) << line[0];
      EXPECT_FALSE(std::filesystem::exists(keyring_)) << line[0];
      EXPECT_EQ(std::filesystem::exists(store_), with_directory) << line[0];
      EXPECT_TRUE(!with_directory || std::filesystem::is_empty(store_)) << line[0];
      std::filesystem::remove_all(store_);
    }
  }
}

TEST_F(PatctlTest, AWrongOrMissingKeyringIsAClearError) {
  Init();
  const std::string other = dir_ + "/other";
  ASSERT_EQ(Bare({"init", "--store", other, "--prefix", "acme_pat_"}).status, 0);
  const Outcome wrong = Bare({"stats", "--store", store_, "--keyring", other + "/keyring"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("keyring"));
  const Outcome missing = Bare({"stats", "--store", store_});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("keyring"));
  EXPECT_FALSE(std::filesystem::exists(store_ + "/keyring"));
  const Outcome reused =
      Bare({"init", "--store", dir_ + "/third", "--keyring", keyring_, "--prefix", "acme_pat_"});
  EXPECT_EQ(reused.status, 2);
  EXPECT_THAT(reused.err, HasSubstr("exists already"));
  EXPECT_EQ(Bare({"init", "--store", dir_ + "/third", "--prefix", "acme_pat_"}).status, 0)
      << "the first attempt is no hindrance";
}

TEST_F(PatctlTest, IssueShowsTheTokenOnce) {
  Init();
  const json token = Issue({"--attr", "ip=192.0.2.1", "agent=a=b", "--expires", "30d"});
  EXPECT_EQ(Keys(token),
            (std::set<std::string>{"id", "uuid", "account", "description", "scopes", "state",
                                   "origin", "created_at", "expires_at", "last_used_at",
                                   "last_used_ip", "attributes", "token"}));
  EXPECT_EQ(token["id"], "1");
  EXPECT_TRUE(std::regex_match(token["uuid"].get<std::string>(),
                               std::regex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")));
  EXPECT_EQ(token["account"], "alice");
  EXPECT_EQ(token["description"], "ci");
  EXPECT_EQ(token["scopes"], json({"repo:read", "repo:write"}));
  EXPECT_EQ(token["state"], "active");
  EXPECT_EQ(token["origin"], "manual");
  EXPECT_TRUE(IsTime(token["created_at"]));
  EXPECT_TRUE(IsTime(token["expires_at"]));
  EXPECT_TRUE(token["last_used_at"].is_null());
  EXPECT_TRUE(token["last_used_ip"].is_null());
  EXPECT_EQ(token["attributes"], json({{"ip", "192.0.2.1"}, {"agent", "a=b"}}));
  EXPECT_TRUE(
      std::regex_match(token["token"].get<std::string>(), std::regex("acme_pat_[0-9A-Za-z]{55}")));
  EXPECT_EQ(Json({"show", "1"}), Public(token));
  EXPECT_EQ(Json({"show", token["uuid"]}), Public(token));
  const Outcome shown = Patctl({"show", "1"});
  EXPECT_THAT(TokensIn(shown.out), IsEmpty());
  EXPECT_NE(shown.out.find("***"), std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_)) {
    if (!entry.is_regular_file()) continue;
    const std::string secret = token["token"].get<std::string>().substr(9 + 22, 27);
    EXPECT_EQ(Read(entry.path().string()).find(secret), std::string::npos) << entry.path();
  }
}

TEST_F(PatctlTest, IssueForPeopleShowsTheTokenOnALine) {
  Init();
  const Outcome run =
      Patctl({"issue", "--account", "alice", "--description", "ci", "--scope", "repo:read"});
  EXPECT_EQ(run.status, 0);
  ASSERT_EQ(TokensIn(run.out).size(), 1U);
  EXPECT_EQ(Patctl({"verify"}, TokensIn(run.out)[0]).status, 0);
}

TEST_F(PatctlTest, IssueRefusesWhatTheLibraryRefuses) {
  Init();
  const auto issue = [this](const std::string& account, const std::string& description,
                            const std::vector<std::string>& more) {
    std::vector<std::string> line = {"issue", "--account=" + account,
                                     "--description=" + description};
    line.insert(line.end(), more.begin(), more.end());
    return Patctl(line).status;
  };
  const std::string umlaut = "\xC3\xBC";
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += umlaut;
  EXPECT_EQ(issue("a", hundred, {"--scope", "repo:read"}), 0);
  EXPECT_EQ(issue("a", hundred + "x", {"--scope", "repo:read"}), 2);
  EXPECT_EQ(issue("a", "", {"--scope", "repo:read"}), 2);
  EXPECT_EQ(issue("a", "\xFF", {"--scope", "repo:read"}), 2);
  EXPECT_EQ(issue("", "d", {"--scope", "repo:read"}), 2);
  EXPECT_EQ(issue(std::string(128, 'a'), "d", {"--scope", "repo:read"}), 0);
  EXPECT_EQ(issue(std::string(129, 'a'), "d", {"--scope", "repo:read"}), 2);
  EXPECT_EQ(issue("a", "d", {}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:everything"}), 2);
  EXPECT_EQ(issue("a", "d", {"--auto", "--scope", "repo:everything"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "account:admin"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "repo:read"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "--scope", "repo:write"}), 0);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "--attr", "none"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "--attr", "a=1", "a=2"}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "--attr", "a=" + std::string(1024, 'x')}), 2);
  EXPECT_EQ(issue("a", "d", {"--scope", "repo:read", "--attr", "a=" + std::string(1023, 'x')}), 0);
  EXPECT_EQ(Json({"stats"})["accounts"], 2);
}

TEST_F(PatctlTest, ExpiryIsATimeOrADistance) {
  Init();
  const auto expires = [this](const std::string& text) { return Issue({"--expires", text}); };
  EXPECT_EQ(expires("2100-01-02T03:04:05Z")["expires_at"], "2100-01-02T03:04:05Z");
  EXPECT_EQ(expires("2100-01-02t03:04:05.999z")["expires_at"], "2100-01-02T03:04:05Z");
  EXPECT_EQ(expires("2100-01-02T03:04:05+01:30")["expires_at"], "2100-01-02T01:34:05Z");
  for (const char* text : {"30d", "12h", "90m", "2w", "60s"}) {
    EXPECT_GT(expires(text)["expires_at"], expires(text)["created_at"]) << text;
  }
  for (const char* text : {"2001-01-01T00:00:00Z",
                           "0d",
                           "-1d",
                           "+1d",
                           "1",
                           "d",
                           "1.5d",
                           "1y",
                           " 30d",
                           "30d ",
                           "99999999999999999999d",
                           "9000000000w",
                           "tomorrow",
                           "",
                           "2100-01-01",
                           "2100-01-01 00:00:00Z",
                           "2100-01-01T00:00:00",
                           "2100-02-30T00:00:00Z",
                           "2100-13-01T00:00:00Z",
                           "2100-01-01T25:00:00Z",
                           "2100-01-01T00:60:00Z",
                           "2100-01-01T00:00:00.Z",
                           "2100-01-01T00:00:00+0100",
                           "2100-01-01T00:00:00+25:00",
                           "2100-01-01T00:00:00+01:99",
                           "infinite-future",
                           "9999-01-01T00:00:00Z"}) {
    const Outcome run = Patctl({"issue", "--account", "a", "--description", "d", "--scope",
                                "repo:read", std::string("--expires=") + text});
    EXPECT_EQ(run.status, 2) << text;
  }
}

TEST_F(PatctlTest, AnExpiredTokenIsRefusedAndCountedNowhere) {
  Init();
  const json token = Issue({"--expires", "2s"});
  for (int i = 0; i < 100 && Verify(token) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  const Outcome run = Patctl({"verify", "--why", "--json"}, token["token"].get<std::string>());
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.json()["reason"], "expired");
  const json list = Json({"list", "--account", "alice"});
  EXPECT_EQ(list["active"], 0);
  EXPECT_EQ(list["inactive"], 0);
  EXPECT_EQ(list["tokens"][0]["state"], "expired");
  EXPECT_EQ(Json({"list", "--account", "alice", "--state", "expired"})["tokens"].size(), 1U);
  EXPECT_EQ(Json({"activate", Id(token)})["state"], "expired");
}

TEST_F(PatctlTest, VerifySaysWhoOrWhyNot) {
  Init();
  const json token = Issue();
  const std::string text = token["token"];
  const Outcome good = Patctl({"verify", "--json"}, text + "\n");
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(Keys(good.json()), (std::set<std::string>{"accepted", "token"}));
  EXPECT_EQ(good.json()["accepted"], true);
  EXPECT_EQ(good.json()["token"]["id"], "1");
  EXPECT_FALSE(good.json()["token"].contains("token"));
  EXPECT_TRUE(Patctl({"verify", "--json", "--why"}, text).json()["reason"].is_null());

  const auto refused = [this](const std::string& input, std::vector<std::string> more) {
    more.insert(more.begin(), {"verify", "--json"});
    const Outcome quiet = Patctl(more, input);
    EXPECT_EQ(quiet.status, 1);
    EXPECT_EQ(quiet.json(), json({{"accepted", false}, {"token", nullptr}}));
    more.emplace_back("--why");
    return Patctl(more, input).json()["reason"];
  };
  EXPECT_EQ(refused("", {}), "not_token");
  EXPECT_EQ(refused("password", {}), "not_token");
  EXPECT_EQ(refused(text + "\r\n", {}), "not_token");
  EXPECT_EQ(refused(text + "\n\n", {}), "not_token");
  EXPECT_EQ(refused(" " + text, {}), "not_token");
  EXPECT_EQ(refused("\n" + text, {}), "not_token");
  EXPECT_EQ(refused(text + std::string(1, '\0'), {}), "not_token");
  EXPECT_EQ(refused(text + std::string(3 << 20, '\n'), {}), "not_token");
  EXPECT_EQ(refused(text.substr(0, text.size() - 1) + (text.back() == '0' ? "1" : "0"), {}),
            "bad_checksum");
  EXPECT_EQ(refused(text, {"--account", "bob"}), "wrong_account");
  EXPECT_EQ(refused(text, {"--need", "repo:admin"}), "missing_permission");
  EXPECT_EQ(refused(text, {"--need=repo:delete"}), "missing_permission");
  EXPECT_EQ(Patctl({"verify", "--need", "repo:write", "--account", "alice"}, text).status, 0);
  EXPECT_EQ(Patctl({"verify", "--need", "repo:nothing"}, text).status, 2);
  EXPECT_EQ(Patctl({"verify", "--account="}, text).status, 2);
}

TEST_F(PatctlTest, VerifyForPeople) {
  Init();
  const std::string text = Issue()["token"];
  const Outcome good = Patctl({"verify"}, text);
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.out.substr(0, 9), "accepted\n");
  EXPECT_NE(good.out.find("alice"), std::string::npos);
  EXPECT_THAT(TokensIn(good.out), IsEmpty());
  EXPECT_EQ(Patctl({"verify"}, "x").out, "refused\n");
  EXPECT_EQ(Patctl({"verify", "--why"}, "x").out, "refused: not_token\n");
}

}  // namespace
