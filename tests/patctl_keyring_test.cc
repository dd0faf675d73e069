// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl keyring and patctl new-realm, through the real program.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "pat/lmdb_store.h"
#include "tests/patctl_run.h"

namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class PatctlKeyringTest : public PatctlTest {
 protected:
  // "selector 1:2" for a key of two dependents.
  std::string List() {
    std::string text;
    const json listed = Json({"keyring", "list"});
    for (const json& key : listed["keys"]) {
      EXPECT_EQ(Keys(key),
                (std::set<std::string>{"kind", "number", "created_at", "newest", "dependents"}));
      EXPECT_TRUE(IsTime(key["created_at"]));
      text += key["kind"].get<std::string>() + " " + key["number"].dump() + ":" +
              key["dependents"].dump() + (key["newest"] == true ? "* " : " ");
    }
    RecordKeys(Read(keyring_));
    return text;
  }

  int VerifyIn(const std::string& store, const std::string& keyring, const json& token) {
    return Bare({"--store", store, "--keyring", keyring, "verify"},
                token["token"].get<std::string>() + "\n")
        .status;
  }
};

TEST_F(PatctlKeyringTest, KeysAreRotatedResealedAndRetired) {
  Init();
  const json token = Issue();
  EXPECT_EQ(List(), "selector 1:1* seal 1:2* ");
  EXPECT_EQ(Json({"keyring", "rotate", "seal"})["number"], 2);
  EXPECT_EQ(Json({"keyring", "rotate", "selector"})["number"], 2);
  EXPECT_EQ(List(), "selector 1:1 selector 2:0* seal 1:2 seal 2:0* ");
  const Outcome early = Patctl({"keyring", "retire", "seal", "1"});
  EXPECT_EQ(early.status, 2);
  EXPECT_THAT(early.err, HasSubstr("2 rows"));
  const json done = Json({"keyring", "reseal"});
  EXPECT_EQ(done["resealed"], 2);
  EXPECT_EQ(done["left"], 0);
  EXPECT_EQ(Patctl({"keyring", "retire", "seal", "1"}).status, 0);
  EXPECT_EQ(Patctl({"keyring", "retire", "selector", "1"}).status, 2);
  EXPECT_EQ(Verify(token), 0);
  EXPECT_EQ(Patctl({"keyring", "retire", "selector", "1", "--force"}).status, 0);
  EXPECT_EQ(Verify(token), 1);
  EXPECT_EQ(List(), "selector 2:0* seal 2:2* ");
  EXPECT_THAT(Patctl({"keyring", "list"}).out, HasSubstr("selector  2"));
}

TEST_F(PatctlKeyringTest, OnlyExportShowsASecretAndOnlyWhenAsked) {
  Init();
  EXPECT_EQ(Patctl({"keyring", "rotate", "seal"}).status, 0);
  const std::string text = Read(keyring_);
  RecordKeys(text);
  const std::string secret = text.substr(text.find("seal 2 ") + 7, 64);
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"keyring", "list"},
                                             {"keyring", "list", "--json"},
                                             {"keyring", "reseal"},
                                             {"keyring", "rotate", "selector"},
                                             {"keyring", "export"},
                                             {"stats"}}) {
    const Outcome run = Patctl(line);
    EXPECT_THAT(run.out + run.err, Not(HasSubstr(secret)));
  }
  RecordKeys(Read(keyring_));
  const std::string copy = dir_ + "/copy";
  EXPECT_EQ(Patctl({"keyring", "export"}).status, 2);
  EXPECT_EQ(Patctl({"keyring", "export", "--stdout", "--output", copy}).status, 2);
  const Outcome run = Patctl({"keyring", "export", "--output", copy});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, Not(HasSubstr(secret)));
  EXPECT_EQ(Read(copy), Read(keyring_));
  struct stat info {};
  ASSERT_EQ(stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(Patctl({"keyring", "export", "--output", copy}).status, 2);  // never overwritten
  EXPECT_EQ(Patctl({"keyring", "export", "--stdout"}).out, Read(keyring_));
  std::filesystem::remove(keyring_);
  std::filesystem::rename(copy, keyring_);
  EXPECT_EQ(Patctl({"stats"}).status, 0);
}

TEST_F(PatctlKeyringTest, AWrongLineChangesNothing) {
  Init();
  const std::string before = Read(keyring_);
  RecordKeys(before);
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"keyring"},
                                             {"keyring", "turn"},
                                             {"keyring", "rotate"},
                                             {"keyring", "rotate", "seal", "1"},
                                             {"keyring", "rotate", "both"},
                                             {"keyring", "rotate", "seal", "--force"},
                                             {"keyring", "list", "--stdout"},
                                             {"keyring", "retire", "seal"},
                                             {"keyring", "retire", "seal", "1"},
                                             {"keyring", "retire", "seal", "0"},
                                             {"keyring", "retire", "seal", "65537"},
                                             {"keyring", "retire", "seal", "x"}}) {
    EXPECT_EQ(Patctl(line).status, 2) << testing::PrintToString(line);
  }
  EXPECT_EQ(Patctl({"keyring", "retire", "seal", "2"}).status, 1);
  EXPECT_EQ(Read(keyring_), before);
}

// ---- A realm of its own for a copy

TEST_F(PatctlKeyringTest, ACopyOfANewRealmAndItsOriginalAcceptNothingOfEachOther) {
  Init();
  const json token = Issue();
  Json({"issue", "--account", "an account of more than 16 bytes", "--description", "d", "--scope",
        "repo:read"});
  const json gone = Issue();
  Json({"delete", Id(gone)});
  const std::string copy = dir_ + "/copy";
  const std::string old_keyring = dir_ + "/secret/copied";
  const std::string new_keyring = dir_ + "/secret/new";
  std::filesystem::copy(store_, copy);
  std::filesystem::copy(keyring_, old_keyring);
  ASSERT_EQ(chmod(copy.c_str(), 0700), 0);
  EXPECT_EQ(VerifyIn(copy, old_keyring, token), 0);  // until then it is the same store
  const std::vector<std::string> where = {"--store", copy, "--keyring", old_keyring};
  auto line = where;
  line.emplace_back("new-realm");
  EXPECT_EQ(Bare(line).status, 2);  // where to put the new keyring?
  line.insert(line.end(), {"--new-keyring", new_keyring});
  std::filesystem::create_directory(copy + ".new-realm");  // of a run that was cut short
  const Outcome run = Bare(line);
  ASSERT_EQ(run.status, 0) << run.err;
  RecordKeys(Read(new_keyring));
  RecordKeys(Read(keyring_));
  EXPECT_EQ(VerifyIn(copy, new_keyring, token), 1);
  EXPECT_EQ(VerifyIn(copy, old_keyring, token), 2);
  EXPECT_EQ(Verify(token), 0);
  const std::string original = std::exchange(store_, copy);
  const std::string keyring = std::exchange(keyring_, new_keyring);
  const json listed = Json({"list", "--account", "alice"});
  EXPECT_EQ(listed["tokens"].size(), 1U);
  EXPECT_EQ(listed["active"], 1);
  EXPECT_EQ(Json({"list", "--account", "alice", "--state", "deleted"})["tokens"].size(), 1U);
  EXPECT_EQ(List(), "selector 1:0* seal 1:5* ");
  const json fresh = Issue();
  EXPECT_EQ(Id(fresh), "4");
  EXPECT_EQ(Verify(fresh), 0);
  EXPECT_EQ(VerifyIn(original, keyring, fresh), 1);
  EXPECT_FALSE(std::filesystem::exists(copy + ".new-realm"));
}

TEST_F(PatctlKeyringTest, AKeyringInTheStoreIsReplacedWithIt) {
  keyring_ = store_ + "/keyring";
  Init();
  const json token = Issue();
  const std::string before = Read(keyring_);
  RecordKeys(before);
  ASSERT_EQ(Patctl({"new-realm"}).status, 0);
  RecordKeys(Read(keyring_));
  EXPECT_NE(Read(keyring_), before);
  EXPECT_EQ(Verify(token), 1);
  EXPECT_EQ(Verify(Issue()), 0);
  struct stat info {};
  ASSERT_EQ(stat(keyring_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(PatctlKeyringTest, AStoreInUseKeepsItsRealm) {
  Init();
  const json token = Issue();
  RecordKeys(Read(keyring_));
  auto store = pat::OpenLmdbStore(store_);
  ASSERT_TRUE(store.ok()) << store.status();
  const Outcome run = Patctl({"new-realm", "--new-keyring", dir_ + "/new"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("another process has the store open"));
  store->reset();
  EXPECT_EQ(Verify(token), 0);
  EXPECT_EQ(Patctl({"new-realm", "--new-keyring", dir_ + "/new"}).status, 0);
  RecordKeys(Read(dir_ + "/new"));
}

}  // namespace
