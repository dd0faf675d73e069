// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl's looking and changing verbs, through the real program.
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

TEST_F(PatctlTest, AnAcceptedTokenWasUsedAndARefusedOneWasNot) {
  Init();
  const json token = Issue();
  EXPECT_EQ(Verify(token, {"--account", "bob"}), 1);
  EXPECT_TRUE(Json({"show", "1"})["last_used_at"].is_null());
  EXPECT_EQ(Verify(token, {"--need", "repo:admin"}), 1);  // a good token: used
  EXPECT_TRUE(IsTime(Json({"show", "1"})["last_used_at"]));
  const json second = Issue();
  EXPECT_EQ(Verify(second), 0);
  EXPECT_TRUE(IsTime(Json({"show", "2"})["last_used_at"]));
  EXPECT_TRUE(Json({"show", "2"})["last_used_ip"].is_null());
}

TEST_F(PatctlTest, ChangesAnswerWithTheTokenAfterIt) {
  Init();
  const json token = Issue();
  EXPECT_EQ(Json({"rename", "1", "deploy \xE2\x9C\x93"})["description"], "deploy \xE2\x9C\x93");
  EXPECT_EQ(Json({"set-scopes", "1", "repo:admin"})["scopes"], json({"repo:admin"}));
  EXPECT_EQ(Verify(token, {"--need", "repo:delete"}), 0);
  EXPECT_EQ(Json({"set-scopes", "1", "repo:public_read", "repo:read"})["scopes"].size(), 2U);
  EXPECT_EQ(Verify(token, {"--need", "repo:write"}), 1);
  EXPECT_EQ(Json({"deactivate", "1"})["state"], "inactive");
  EXPECT_EQ(Json({"deactivate", "1"})["state"], "inactive");
  EXPECT_EQ(Verify(token), 1);
  EXPECT_EQ(Json({"activate", token["uuid"]})["state"], "active");
  EXPECT_EQ(Verify(token), 0);
  const json deleted = Json({"delete", "1"});
  EXPECT_EQ(deleted["state"], "deleted");
  EXPECT_EQ(deleted["delete_reason"], "admin");
  EXPECT_EQ(Verify(token), 1);
  EXPECT_EQ(Json({"delete", "1"})["state"], "deleted");
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"activate", "1"},
                                             {"deactivate", "1"},
                                             {"rename", "1", "x"},
                                             {"set-scopes", "1", "repo:read"}}) {
    EXPECT_EQ(Patctl(line).status, 1) << line[0];
  }
}

TEST_F(PatctlTest, ABadChangeChangesNothing) {
  Init();
  const json token = Issue();
  EXPECT_EQ(Patctl({"rename", "1", std::string(100, 'x')}).status, 0);
  EXPECT_EQ(Patctl({"rename", "1", std::string(101, 'x')}).status, 2);
  EXPECT_EQ(Patctl({"rename", "1", ""}).status, 2);
  EXPECT_EQ(Patctl({"set-scopes", "1", "repo:nothing"}).status, 2);
  EXPECT_EQ(Json({"show", "1"})["description"], std::string(100, 'x'));
  EXPECT_EQ(Json({"show", "1"})["scopes"], token["scopes"]);
}

TEST_F(PatctlTest, AnIdIsANumberOrAUuid) {
  Init();
  std::string upper = Issue()["uuid"];
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_EQ(Json({"show", upper})["id"], "1");
  for (const char* absent : {"2", "0", "281474976710656", "18446744073709551615",
                             "99999999999999999999999", "00000000-0000-0000-0000-000000000000"}) {
    for (const char* verb : {"show", "activate", "deactivate", "delete"}) {
      const Outcome run = Patctl({verb, absent, "--json"});
      EXPECT_EQ(run.status, 1) << verb << " " << absent;
      EXPECT_THAT(run.out, IsEmpty());
      EXPECT_THAT(run.err, HasSubstr("patctl: "));
    }
  }
  for (const char* nonsense : {"", "x", "1x", " 1", "1 ", "0x1", "1.0", "+1"}) {
    EXPECT_EQ(Patctl({"show", nonsense}).status, 2) << nonsense;
  }
}

TEST_F(PatctlTest, ListIsNewestFirstAndPaged) {
  Init();
  for (int i = 0; i < 7; ++i) Issue();
  Json({"deactivate", "3"});
  Json({"delete", "5"});
  std::vector<std::string> seen;
  std::vector<std::string> line = {"list", "--account", "alice", "--limit", "2"};
  for (int pages = 1;; ++pages) {
    const json page = Json(line);
    EXPECT_EQ(Keys(page), (std::set<std::string>{"active", "inactive", "tokens", "next"}));
    EXPECT_EQ(page["active"], 5);
    EXPECT_EQ(page["inactive"], 1);
    for (const json& token : page["tokens"]) seen.push_back(Id(token));
    if (page["next"].is_null()) {
      EXPECT_EQ(pages, 3);
      break;
    }
    ASSERT_LT(pages, 10);
    line.resize(5);
    line.insert(line.end(), {"--after", page["next"]});
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"7", "6", "4", "3", "2", "1"}));
}

TEST_F(PatctlTest, ListFilters) {
  Init();
  Issue();
  Issue();
  Json({"issue", "--account", "alice", "--description", "Sign-In", "--auto"});
  Json({"deactivate", "1"});
  Json({"delete", "2"});
  const auto ids = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"list", "--account", "alice"});
    std::string text;
    const json page = Json(more);
    for (const json& token : page["tokens"]) text += Id(token) + " ";
    return text;
  };
  EXPECT_EQ(ids({}), "3 1 ");
  EXPECT_EQ(ids({"--state", "active"}), "3 ");
  EXPECT_EQ(ids({"--state", "inactive"}), "1 ");
  EXPECT_EQ(ids({"--state", "expired"}), "");
  EXPECT_EQ(ids({"--state", "deleted"}), "2 ");
  EXPECT_EQ(ids({"--origin", "auto"}), "3 ");
  EXPECT_EQ(ids({"--origin", "manual"}), "1 ");
  EXPECT_EQ(ids({"--text", "sign"}), "3 ");
  const json nobody = Json({"list", "--account", "bob"});
  EXPECT_EQ(nobody,
            json({{"active", 0}, {"inactive", 0}, {"tokens", json::array()}, {"next", nullptr}}));
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{"--state", "gone"},
                                             {"--origin", "magic"},
                                             {"--limit", "0"},
                                             {"--limit", "1001"},
                                             {"--limit", "x"},
                                             {"--limit", "-1"},
                                             {"--after", "nonsense"}}) {
    std::vector<std::string> line = {"list", "--account", "alice"};
    line.insert(line.end(), bad.begin(), bad.end());
    EXPECT_EQ(Patctl(line).status, 2) << bad[0] << " " << bad[1];
  }
  EXPECT_EQ(Patctl({"list", "--account="}).status, 2);
}

TEST_F(PatctlTest, TheSixthAutoTokenPushesOutTheLeastRecentlyUsed) {
  Init();
  std::vector<json> tokens;
  for (int i = 0; i < 6; ++i) {
    tokens.push_back(Json({"issue", "--account", "alice", "--description", "pc", "--auto"}));
    EXPECT_EQ(tokens.back()["origin"], "auto");
    EXPECT_EQ(tokens.back()["scopes"], json({"repo:admin"}));
  }
  EXPECT_EQ(Verify(tokens[0]), 1);
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(Verify(tokens[i]), 0) << i;
  EXPECT_EQ(Json({"show", "1"})["delete_reason"], "evicted");
  const Outcome more = Patctl(
      {"--json", "issue", "--account", "alice", "--description", "pc", "--auto", "--count", "7"});
  EXPECT_EQ(more.json_lines().size(), 7U);
  EXPECT_EQ(Json({"list", "--account", "alice"})["active"], 5);
}

TEST_F(PatctlTest, CountIssuesManyInOneLineEach) {
  Init();
  const Outcome run = Patctl({"issue", "--account", "alice", "--description", "many", "--scope",
                              "repo:read", "--count", "2500", "--json"});
  EXPECT_EQ(run.status, 0);
  std::set<std::string> ids;
  std::set<std::string> texts;
  for (const json& token : run.json_lines()) {
    ids.insert(Id(token));
    texts.insert(token["token"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), 2500U);
  EXPECT_EQ(texts.size(), 2500U);
  EXPECT_EQ(Json({"list", "--account", "alice"})["active"], 2500);
  EXPECT_EQ(Patctl({"verify"}, *texts.rbegin()).status, 0);
  const Outcome plain = Patctl({"issue", "--account", "alice", "--description", "many", "--scope",
                                "repo:read", "--count=3"});
  EXPECT_EQ(std::count(plain.out.begin(), plain.out.end(), '\n'), 3);
  for (const char* bad : {"0", "-1", "x", "1.5", "", "18446744073709551616"}) {
    EXPECT_EQ(Patctl({"issue", "--account", "alice", "--description", "many", "--scope",
                      "repo:read", std::string("--count=") + bad})
                  .status,
              2)
        << bad;
  }
}

TEST_F(PatctlTest, PurgeForgetsWhatWasDeletedBefore) {
  Init();
  for (int i = 0; i < 3; ++i) Issue();
  Json({"delete", "1"});
  Json({"delete", "2"});
  EXPECT_EQ(Json({"purge", "--before", "1h"})["purged"], 0);
  EXPECT_EQ(Json({"purge", "--before", "2001-01-01T00:00:00Z"})["purged"], 0);
  EXPECT_EQ(Json({"list", "--account", "alice", "--state", "deleted"})["tokens"].size(), 2U);
  EXPECT_EQ(Json({"purge", "--before", "2100-01-01T00:00:00Z"}), json({{"purged", 2}}));
  EXPECT_EQ(Json({"list", "--account", "alice", "--state", "deleted"})["tokens"].size(), 0U);
  EXPECT_EQ(Patctl({"show", "1"}).status, 1);
  EXPECT_EQ(Json({"show", "3"})["state"], "active");
  EXPECT_EQ(Issue()["id"], "4");
  EXPECT_EQ(Patctl({"purge", "--before", "yesterday"}).status, 2);
  EXPECT_EQ(Patctl({"purge"}).status, 2);
}

TEST_F(PatctlTest, StatsCount) {
  Init();
  Issue();
  const json stats = Json({"stats"});
  EXPECT_EQ(stats["accounts"], 1);
  EXPECT_EQ(stats["next_token_id"], "2");
  EXPECT_GT(stats["bytes"], 0);
  EXPECT_EQ(stats["uses_dropped"], 0);
  EXPECT_EQ(stats["scopes"], json({"repo:public_read", "repo:read", "repo:write", "repo:admin"}));
  const Outcome run = Patctl({"stats"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr("acme_pat_"));
}

TEST_F(PatctlTest, ProcessesShareAStore) {
  Init();
  const json token = Issue();
  constexpr int kRounds = 10;
  std::vector<std::thread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([this, i] {
      for (int k = 0; k < kRounds; ++k) {
        const Outcome run = Patctl({"issue", "--account", i % 2 == 0 ? "alice" : "bob",
                                    "--description", "ci", "--scope", "repo:read", "--json"});
        EXPECT_EQ(run.status, 0);
      }
    });
  }
  for (int k = 0; k < kRounds; ++k) {
    EXPECT_EQ(Verify(token), 0);
    EXPECT_EQ(Json({"deactivate", "1"})["state"], "inactive");
    EXPECT_EQ(Verify(token), 1);
    EXPECT_EQ(Json({"activate", "1"})["state"], "active");
  }
  for (std::thread& process : processes) process.join();
  EXPECT_EQ(Json({"list", "--account", "alice"})["active"], 2 * kRounds + 1);
  EXPECT_EQ(Json({"list", "--account", "bob"})["active"], 2 * kRounds);
}

}  // namespace
