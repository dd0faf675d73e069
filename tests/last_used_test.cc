// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/last_used.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lib/lmdb_files.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

using Noted = LastUsed::Noted;

// Two objects on one directory map the file twice, as two processes do.
class LastUsedTest : public testing::Test {
 protected:
  void Open(LastUsed* times) {
    absl::StatusOr<StoreDirectory> directory = StoreDirectory::Open(dir_.path(), false);
    ASSERT_TRUE(directory.ok());
    ASSERT_TRUE(directory->Lock(absl::Seconds(60)).ok());
    times->Open(*directory);
  }

  std::string path() const { return dir_ / "lastuse.map"; }

  const TempDir dir_;
};

TEST_F(LastUsedTest, NotOpenedHasNoRoom) {
  LastUsed times;
  EXPECT_EQ(times.Note(1, 1000), Noted::kNoRoom);
  EXPECT_EQ(times.Read(1), 0U);
  times.Forget(1);
  times.Reserve(1000);
  EXPECT_EQ(times.bytes(), 0U);
}

TEST_F(LastUsedTest, NotesOnceAMinuteAndNeverBack) {
  LastUsed times;
  Open(&times);
  EXPECT_EQ(times.Read(7), 0U);
  EXPECT_EQ(times.Note(7, 1000), Noted::kNoted);
  EXPECT_EQ(times.Note(7, 1000), Noted::kRecent);
  EXPECT_EQ(times.Note(7, 1059), Noted::kRecent);
  EXPECT_EQ(times.Note(7, 5), Noted::kRecent);
  EXPECT_EQ(times.Note(7, 1060), Noted::kNoted);
  EXPECT_EQ(times.Read(7), 1060U);
  EXPECT_EQ(times.Note(7, 0xFFFFFFFF), Noted::kNoted);
  EXPECT_EQ(times.Note(7, 0xFFFFFFFF), Noted::kRecent);
  EXPECT_EQ(times.Note(7, 30), Noted::kRecent) << "a minute after the end of time is not 30";
  EXPECT_EQ(times.Read(7), 0xFFFFFFFFU);
  EXPECT_EQ(times.Read(6), 0U);
  EXPECT_EQ(times.Read(8), 0U);
  times.Forget(7);
  EXPECT_EQ(times.Read(7), 0U);
}

TEST_F(LastUsedTest, OthersSeeItAtOnceAndLaterToo) {
  LastUsed one;
  LastUsed two;
  Open(&one);
  Open(&two);
  EXPECT_EQ(one.Note(7, 1000), Noted::kNoted);
  EXPECT_EQ(two.Read(7), 1000U);
  EXPECT_EQ(two.Note(7, 1030), Noted::kRecent);
  EXPECT_EQ(two.Note(7, 2000), Noted::kNoted);
  EXPECT_EQ(one.Read(7), 2000U);
  LastUsed three;
  Open(&three);
  EXPECT_EQ(three.Read(7), 2000U);
}

TEST_F(LastUsedTest, GrowsForAllWhoHaveItMapped) {
  LastUsed one;
  LastUsed two;
  Open(&one);
  Open(&two);
  EXPECT_EQ(one.Note(65535, 1000), Noted::kNoted) << "a block is there from the start";
  EXPECT_EQ(one.Note(65536, 1000), Noted::kNoRoom);
  EXPECT_EQ(two.Note(1000000, 1000), Noted::kNoRoom);
  one.Reserve(1000001);
  EXPECT_EQ(two.Note(1000000, 1000), Noted::kNoted);
  EXPECT_EQ(one.Read(1000000), 1000U);
  EXPECT_EQ(one.Note(65536, 1000), Noted::kNoted);
  two.Reserve(70000);  // less than there is
  EXPECT_EQ(one.Read(1000000), 1000U);
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ((info.st_size - 4096) % (256 * 1024), 0);
  EXPECT_GE(info.st_blocks * 512, info.st_size) << "never sparse";
  EXPECT_EQ(one.bytes(), static_cast<std::uint64_t>(info.st_size));
}

TEST_F(LastUsedTest, OneStepTakesABoundedPieceOfTheDisk) {
  LastUsed times;
  Open(&times);
  times.Reserve(std::uint64_t{1} << 48);
  EXPECT_LE(times.bytes(), std::uint64_t{65} << 20);
  EXPECT_EQ(times.Note((std::uint64_t{1} << 48) - 1, 1000), Noted::kNoRoom);
}

TEST_F(LastUsedTest, HeaderThatPromisesTooMuchIsNotBelieved) {
  LastUsed one;
  Open(&one);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8);
    file << std::string(8, '\x7F');
  }
  for (std::uint64_t id = 1; id < (std::uint64_t{1} << 50); id *= 3) {
    if (id < 65536) {
      EXPECT_NE(one.Note(id, 1000), Noted::kNoRoom) << id;
    } else {
      EXPECT_EQ(one.Note(id, 1000), Noted::kNoRoom) << id;
    }
  }
  one.Reserve(70000);
  EXPECT_EQ(one.Note(69999, 1000), Noted::kNoted);
}

TEST_F(LastUsedTest, ForeignFileIsReplacedAndOwnKept) {
  {
    LastUsed times;
    Open(&times);
    times.Note(7, 1000);
  }
  std::filesystem::permissions(path(), std::filesystem::perms(0644));
  {
    LastUsed times;
    Open(&times);
    EXPECT_EQ(times.Read(7), 0U) << "others could have cut it short under us";
    times.Note(7, 2000);
  }
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  LastUsed times;
  Open(&times);
  EXPECT_EQ(times.Read(7), 2000U);
  EXPECT_FALSE(std::filesystem::exists(path() + ".new"));
}

TEST_F(LastUsedTest, SparseCopyIsFilledUpAgain) {
  {
    LastUsed times;
    Open(&times);
    times.Reserve(500000);
    times.Note(7, 1000);
  }
  std::filesystem::resize_file(path(), 4096 + 64 * 4);
  std::filesystem::resize_file(path(), 4096 + 500000 * 4);
  LastUsed times;
  Open(&times);
  EXPECT_EQ(times.Read(7), 1000U);
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, info.st_size);
  EXPECT_EQ(times.Note(499999, 1000), Noted::kNoted);
}

TEST_F(LastUsedTest, ConcurrentNotesKeepTheNewest) {
  LastUsed one;
  LastUsed two;
  Open(&one);
  Open(&two);
  std::atomic<std::uint32_t> noted{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      LastUsed& times = t % 2 == 0 ? one : two;
      std::uint32_t last = 0;
      for (std::uint32_t i = 1; i <= 60000; ++i) {
        if (times.Note(7, i) == Noted::kNoted) ++noted;
        const std::uint32_t now = times.Read(7);
        ASSERT_GE(now, last) << "it never goes back";
        last = now;
        if (i % 1000 == 0) times.Reserve(70000 + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(one.Read(7), 60000U - 60U);
  EXPECT_LE(noted.load(), 1000U) << "at most once a minute";
}

}  // namespace
}  // namespace pat
