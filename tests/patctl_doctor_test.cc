// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// patctl doctor: says that a good store is good, and of a bad one what is bad, and survives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "tests/patctl_run.h"
#include "tests/raw_lmdb.h"

namespace {

using pat::RawLmdb;
using testing::HasSubstr;

class PatctlDoctorTest : public PatctlTest {
 protected:
  void SetUp() override {
    Init();
    for (int i = 0; i < 4; ++i) Issue();
    ASSERT_EQ(Patctl({"deactivate", "2"}).status, 0);
    ASSERT_EQ(Patctl({"delete", "3"}).status, 0);
  }

  nlohmann::json Doctor(int status) {
    const Outcome run = Patctl({"--json", "doctor"});
    EXPECT_EQ(run.status, status) << run.out << run.err;
    const nlohmann::json json = run.json();
    EXPECT_EQ(json["healthy"], status == 0);
    return json;
  }

  // True if a finding of that check says that.
  static bool Says(const nlohmann::json& json, const std::string& check, const std::string& what) {
    for (const auto& finding : json["findings"]) {
      if (finding["check"] == check &&
          finding["what"].get<std::string>().find(what) != std::string::npos) {
        return true;
      }
    }
    ADD_FAILURE() << check << ": " << what << " is not in " << json.dump();
    return false;
  }

  std::string Row(std::size_t id) {
    return RawLmdb(store_).Get("hot", RawLmdb::Native(0)).substr(id * 48, 48);
  }
  void SetRow(std::size_t id, const std::string& record) {
    RawLmdb raw(store_);
    std::string page = raw.Get("hot", RawLmdb::Native(0));
    page.replace(id * 48, 48, record);
    raw.Put("hot", RawLmdb::Native(0), page);
  }
};

TEST_F(PatctlDoctorTest, GoodStoreIsGood) {
  const nlohmann::json json = Doctor(0);
  EXPECT_EQ(json["tokens"], 4);
  EXPECT_EQ(json["accounts"], 1);
  EXPECT_TRUE(json["findings"].empty()) << json.dump();
  const Outcome run = Patctl({"doctor"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr("all is well"));
}

TEST_F(PatctlDoctorTest, NamesTokensThatDoNotFitTheirSeals) {
  std::string record = Row(1);
  record[16] = static_cast<char>(record[16] ^ 8);  // more permissions
  SetRow(1, record);
  SetRow(5, Row(4));  // one token's record in another's place
  const nlohmann::json json = Doctor(1);
  Says(json, "seals", "token 1 ");
  Says(json, "seals", "token 5 ");
  EXPECT_THAT(Patctl({"doctor"}).out, HasSubstr("PROBLEM"));
}

TEST_F(PatctlDoctorTest, TellsLostRowsAndNumbers) {
  {
    RawLmdb raw(store_);
    raw.Delete("acct", RawLmdb::Acct(1, ~std::uint64_t{4}));
    raw.Put("meta", "next_token_id", RawLmdb::Native(2));
  }
  const nlohmann::json json = Doctor(1);
  Says(json, "seals", "token 4 ");
  Says(json, "numbers", "token 4 ");
}

TEST_F(PatctlDoctorTest, TellsCountsOfAnOlderAccountRow) {
  const std::string old = RawLmdb(store_).Get("acct", RawLmdb::Acct(1, 0));
  ASSERT_EQ(Patctl({"deactivate", "1"}).status, 0);
  RawLmdb(store_).Put("acct", RawLmdb::Acct(1, 0), old);
  Says(Doctor(1), "counts", "account alice");
}

TEST_F(PatctlDoctorTest, TellsModesAndWhatDoesNotBelongThere) {
  std::ofstream(store_ + "/notes.txt") << "hello";
  nlohmann::json json = Doctor(0);
  Says(json, "files", "notes.txt");
  EXPECT_EQ(json["findings"][0]["severity"], "warning");
  std::filesystem::permissions(store_ + "/data.mdb", std::filesystem::perms(0640));
  std::filesystem::permissions(keyring_, std::filesystem::perms(0644));
  std::filesystem::permissions(store_, std::filesystem::perms(0777));
  json = Doctor(1);
  Says(json, "files", "data.mdb");
  Says(json, "keyring", "0644");
  Says(json, "directory", "0777");
}

TEST_F(PatctlDoctorTest, TellsAMissingAndAWrongKeyring) {
  std::filesystem::rename(keyring_, keyring_ + ".away");
  Says(Doctor(1), "keyring", "there is no keyring");
  std::filesystem::copy(keyring_ + ".away", store_ + "/keyring");
  keyring_ = store_ + "/keyring";
  Says(Doctor(0), "keyring", "store's directory");
}

TEST_F(PatctlDoctorTest, CannotCheckWhatIsNotThere) {
  store_ = dir_ + "/nowhere";
  EXPECT_EQ(Patctl({"doctor"}).status, 2);
  std::filesystem::create_directory(store_);
  EXPECT_EQ(Patctl({"doctor"}).status, 2);
}

TEST_F(PatctlDoctorTest, DamageKillsTheChildAtMost) {
  const std::string good = store_ + ".good";
  std::filesystem::copy(store_, good, std::filesystem::copy_options::recursive);
  // Under AddressSanitizer too the child is to end as a damaged file ends it: by a signal.
  const char* asan = std::getenv("ASAN_OPTIONS");
  ::setenv("ASAN_OPTIONS",
           ((asan == nullptr ? "" : asan) + std::string(":abort_on_error=1")).c_str(), 1);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(good + "/data.mdb"));
  std::mt19937 random(5);
  int crashed = 0;
  for (int i = 0; i < 60; ++i) {
    std::filesystem::copy(good + "/data.mdb", store_ + "/data.mdb",
                          std::filesystem::copy_options::overwrite_existing);
    if (i % 10 == 0) {  // cut short: what is mapped behind the end is SIGBUS
      std::filesystem::resize_file(store_ + "/data.mdb", 8192 + 4096 * (i / 10));
    } else {
      std::fstream file(store_ + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
      for (int k = 0; k < 300; ++k) {
        file.seekp(static_cast<std::streamoff>(8192 + random() % (size - 8192)));
        file.put(static_cast<char>(random()));
      }
    }
    const Outcome run = Patctl({"--json", "doctor"});
    ASSERT_TRUE(run.status == 0 || run.status == 1) << run.status << run.err;
    crashed += run.out.find("ended the process") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(crashed, 0) << "the damage was too light to tell";
}

}  // namespace
