// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// How patctl reads its command line and writes its output.
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/patctl_run.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Line = std::vector<std::string>;

/// Like a token of ours, and never issued: a secret in the wrong place.
const std::string& Pasted() {
  static const std::string text = "acme_pat_" + std::string(22, 'A') + std::string(33, 'b');
  return text;
}

TEST_F(PatctlTest, GlobalOptionsStandBeforeOrAfterTheVerb) {
  Init();
  const std::string s = store_;
  const std::string k = keyring_;
  for (const Line& line :
       std::vector<Line>{{"--store", s, "--keyring", k, "--json", "stats"},
                         {"stats", "--store", s, "--keyring", k, "--json"},
                         {"--json", "stats", "--store=" + s, "--keyring=" + k},
                         {"--keyring=" + k, "stats", "--json", "--json", "--store", s},
                         {"--store", s, "--keyring", k, "--json", "list", "--account", "alice"},
                         {"list", "--account=alice", "--json", "--store", s, "--keyring", k},
                         {"--json", "--account", "alice", "list", "--store", s, "--keyring", k},
                         {"--store", s, "--keyring", k, "--json", "--", "stats"}}) {
    const Outcome run = Bare(line);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_TRUE(run.json().is_object());
  }
}

TEST_F(PatctlTest, TheEnvironmentNamesStoreAndKeyring) {
  Init();
  const std::string s = "PAT_STORE=" + store_;
  const std::string k = "PAT_KEYRING=" + keyring_;
  EXPECT_EQ(Bare({"stats"}, {}, {s, k}).status, 0);
  EXPECT_EQ(Bare({"stats", "--keyring", keyring_}, {}, {s}).status, 0);
  EXPECT_EQ(Bare({"stats", "--store", store_}, {}, {"PAT_STORE=/nowhere", k}).status, 0);
  EXPECT_EQ(Bare({"stats"}, {}, {k}).status, 2);
  EXPECT_EQ(Bare({"stats"}, {}, {"PAT_STORE=", k}).status, 2);
  EXPECT_THAT(Bare({"stats"}).err, HasSubstr("--store"));
}

TEST_F(PatctlTest, OptionsStandAnywhereAmongTheOperands) {
  Init();
  Issue();
  EXPECT_EQ(Bare({"rename", "--store", store_, "1", "--keyring", keyring_, "new", "--json"})
                .json()["description"],
            "new");
  EXPECT_EQ(Json({"set-scopes", "1", "repo:read", "repo:write"})["scopes"].size(), 2U);
  EXPECT_EQ(Json({"rename", "1", "--", "--json"})["description"], "--json");
  EXPECT_EQ(Json({"rename", "--", "1", "-x"})["description"], "-x");
  EXPECT_EQ(Issue({"--attr", "a=1", "b=2", "--attr=c=3"})["attributes"].size(), 3U);
  EXPECT_EQ(Json({"issue", "--scope", "repo:read", "--account", "-a",
                  "--description=--d"})["description"],
            "--d");
}

TEST_F(PatctlTest, BadLinesAreUsageErrors) {
  Init();
  Issue();
  for (const Line& line : std::vector<Line>{
           {},
           {"--json"},
           {"dance"},
           {"STATS"},
           {"stats", "extra"},
           {"stats", "--unknown"},
           {"stats", "-x"},
           {"stats", "--account", "alice"},
           {"stats", "--json=yes"},
           {"--store"},
           {"stats", "--keyring"},
           {"init"},
           {"init", "--prefix"},
           {"issue"},
           {"issue", "--account", "alice", "--scope", "repo:read"},
           {"issue", "--description", "d", "--scope", "repo:read"},
           {"issue", "--account", "--description", "d", "--scope", "repo:read"},
           {"issue", "--account", "a", "--account", "b", "--description", "d", "--scope",
            "repo:read"},
           {"issue", "--account", "a", "--description", "d", "--auto=yes"},
           {"issue", "operand", "--account", "a", "--description", "d", "--scope", "repo:read"},
           {"list"},
           {"list", "--account"},
           {"show"},
           {"show", "1", "2"},
           {"rename", "1"},
           {"rename", "1", "a", "b"},
           {"set-scopes", "1"},
           {"activate"},
           {"deactivate", "1", "1"},
           {"delete"},
           {"purge"},
           {"purge", "1d"},
           {"verify", "--why=yes"},
           {"verify", "--need"}}) {
    const Outcome run = Patctl(line);
    EXPECT_EQ(run.status, 2) << ::testing::PrintToString(line);
    EXPECT_THAT(run.out, IsEmpty()) << ::testing::PrintToString(line);
    EXPECT_THAT(run.err, HasSubstr("usage: patctl")) << ::testing::PrintToString(line);
  }
  EXPECT_EQ(Json({"list", "--account", "alice"})["active"], 1);
}

TEST_F(PatctlTest, NoMessageRepeatsASecret) {
  Init();
  for (const Line& line :
       std::vector<Line>{{"verify", Pasted()},
                         {Pasted()},
                         {"--" + Pasted()},
                         {"-" + Pasted()},
                         {"--token=" + Pasted(), "verify"},
                         {"show", Pasted()},
                         {"delete", Pasted()},
                         {"stats", Pasted()},
                         {"list", "--account", "a", "--state", Pasted()},
                         {"list", "--account", "a", "--after", Pasted()},
                         {"list", "--account", "a", "--limit", Pasted()},
                         {"issue", "--account", "a", "--description", "d", "--scope", Pasted()},
                         {"verify", "--need", Pasted()},
                         {"purge", "--before", Pasted()}}) {
    const Outcome run = Patctl(line);
    EXPECT_EQ(run.status, 2) << line[0];
    EXPECT_THAT(run.err, HasSubstr("patctl: "));
    EXPECT_THAT(run.out + run.err, Not(HasSubstr(std::string(33, 'b'))));
  }
}

TEST_F(PatctlTest, HelpAndVersion) {
  for (const Line& line : std::vector<Line>{{"help"}, {"--help"}, {"-h"}}) {
    const Outcome run = Bare(line);
    EXPECT_EQ(run.status, 0);
    EXPECT_THAT(run.err, IsEmpty());
    for (const char* verb : {"init", "issue", "verify", "list", "show", "rename", "set-scopes",
                             "activate", "deactivate", "delete", "purge", "stats"}) {
      EXPECT_THAT(run.out, HasSubstr(std::string("\n  ") + verb));
    }
  }
  EXPECT_THAT(Bare({"help", "list"}).out, HasSubstr("--after CURSOR"));
  EXPECT_THAT(Bare({"list", "--help"}).out, HasSubstr("--after CURSOR"));
  EXPECT_THAT(Bare({"--version"}).out,
              ::testing::MatchesRegex("patctl [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

// ---- Output

TEST_F(PatctlTest, ControlCharactersReachNoTerminal) {
  Init();
  const std::string evil =
      "a\x1b[31m\r\n\t\x7f\xC2\x9B"                               // C0, DEL, C1
      "\xE2\x80\xAE\xE2\x80\x8B\\ \xE2\x82\xAC\xF0\x9F\x94\x91";  // RLO, ZWSP, backslash, visible
  const std::string shown =
      "a\\u{1b}[31m\\u{d}\\u{a}\\u{9}\\u{7f}\\u{9b}\\u{202e}\\u{200b}\\\\ "
      "\xE2\x82\xAC\xF0\x9F\x94\x91";
  Issue({"--attr", "k=" + evil});
  ASSERT_EQ(Patctl({"rename", "1", evil}).status, 0);
  for (const Line& line : std::vector<Line>{{"show", "1"}, {"list", "--account", "alice"}}) {
    const Outcome human = Patctl(line);
    EXPECT_THAT(human.out, HasSubstr(shown));
    for (const char c : human.out) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << line[0];
    }
    Line with_json = line;
    with_json.emplace_back("--json");
    const Outcome machine = Patctl(with_json);
    for (const char c : machine.out.substr(0, machine.out.size() - 1)) {
      EXPECT_TRUE(c >= 0x20 && c < 0x7F) << line[0];
    }
  }
  const json token = Json({"show", "1"});
  EXPECT_EQ(token["description"], evil);
  EXPECT_EQ(token["attributes"]["k"], evil);
}

TEST_F(PatctlTest, AnyBytesCanNameAnAccount) {
  Init();
  const std::string bytes = "\xFF\x01\xC3";
  const json token = Json({"issue", "--account", bytes, "--description", "d", "--auto"});
  EXPECT_EQ(token["account"], "\xC3\xBF\x01\xC3\x83");  // U+00FF U+0001 U+00C3
  EXPECT_EQ(token["account_base64"], "/wHD");
  EXPECT_EQ(Json({"list", "--account", bytes})["active"], 1);
  EXPECT_THAT(Patctl({"show", "1"}).out, HasSubstr("\\xff\\u{1}\\xc3"));
  EXPECT_EQ(Patctl({"verify", "--account", bytes}, token["token"].get<std::string>()).status, 0);
  const json plain = Json({"issue", "--account", "\xC3\xA9", "--description", "d", "--auto"});
  EXPECT_EQ(plain["account"], "\xC3\xA9");
  EXPECT_FALSE(plain.contains("account_base64"));
}

TEST_F(PatctlTest, OutputThatCannotBeWrittenIsAnError) {
  Init();
  const Line line = {"stats", "--store", store_, "--keyring", keyring_};
  const std::string program = PAT_BIN_DIR "/patctl";
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const Outcome no_room = Execute(program, line, {}, {}, full);
  EXPECT_EQ(no_room.status, 2);
  EXPECT_THAT(no_room.err, HasSubstr("standard output"));
  const Outcome unshown = Execute(program,
                                  {"issue", "--store", store_, "--keyring", keyring_, "--account",
                                   "a", "--description", "d", "--scope", "repo:read", "--json"},
                                  {}, {}, full);
  EXPECT_EQ(unshown.status, 2);
  EXPECT_THAT(unshown.err, HasSubstr("not shown"));
  ::close(full);

  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  EXPECT_EQ(Execute(program, line, {}, {}, ends[1]).status, 2);
  ::close(ends[1]);

  EXPECT_EQ(Execute(program, line, {}, {}, kClosed).status, 2);
  EXPECT_EQ(Patctl({"stats"}).status, 0) << "the store is whole";
}

}  // namespace
