// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/place_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pat/token.h"

namespace pat {
namespace {

TEST(Place, KeepsTextsThatFit) {
  const Place place("2001:db8::1", "curl/8.0 (\xE2\x82\xAC)");
  EXPECT_EQ(place.ip(), "2001:db8::1");
  EXPECT_EQ(place.user_agent(), "curl/8.0 (\xE2\x82\xAC)");
  EXPECT_FALSE(place.empty());
  EXPECT_TRUE(Place().empty());
  EXPECT_TRUE(Place("", "").empty());
  EXPECT_EQ(Place(std::string(45, '1'), std::string(128, 'a')).ip().size(), 45U);
  EXPECT_EQ(Place(std::string(46, '1'), std::string(129, 'a')).user_agent().size(), 128U);
}

TEST(Place, CutsBetweenCharacters) {
  const std::string euro = "\xE2\x82\xAC";
  for (std::size_t lead = 120; lead <= 130; ++lead) {
    const Place place("", std::string(lead, 'a') + euro + euro + euro);
    EXPECT_TRUE(CountUtf8(place.user_agent()).has_value());
    EXPECT_LE(place.user_agent().size(), 128U);
    EXPECT_GE(place.user_agent().size(), 126U);
  }
}

TEST(Place, AnyBytesComeOutAsCleanText) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() : 0xC0 | random());
    const Place place(text, text);
    for (const std::string_view clean : {place.ip(), place.user_agent()}) {
      ASSERT_TRUE(CountUtf8(clean).has_value());
      ASSERT_EQ(clean.find('\0'), std::string_view::npos);
    }
    ASSERT_LE(place.ip().size(), 45U);
    ASSERT_LE(place.user_agent().size(), 128U);
    if (text.size() <= 45 && CountUtf8(text).has_value() && text.find('\0') == text.npos) {
      ASSERT_EQ(place.ip(), text);
    }
  }
}

TEST(PlaceTable, KeepsTheNewestOfEachToken) {
  PlaceTable table(16);
  EXPECT_FALSE(table.Find(5).has_value());
  table.Note(5, 100, Place("a", ""), false);
  table.Note(6, 50, Place("b", ""), false);
  table.Note(5, 200, Place("c", ""), false);
  table.Note(5, 150, Place("d", ""), false);
  EXPECT_EQ(table.Find(5)->unix_s, 200U);
  EXPECT_EQ(table.Find(5)->place.ip(), "c");
  EXPECT_EQ(table.Find(6)->place.ip(), "b");
  table.Note(5, 300, Place(), false);
  EXPECT_EQ(table.Find(5)->unix_s, 300U);
  EXPECT_EQ(table.Find(5)->place.ip(), "c") << "no place leaves the last known";
  EXPECT_EQ(table.Collect(100).size(), 2U);
  EXPECT_EQ(table.Collect(1).size(), 1U);
  EXPECT_EQ(table.dropped(), 0U);
}

TEST(PlaceTable, SparseUsesAreAMinuteApart) {
  PlaceTable table(16);
  for (std::uint32_t t = 100; t <= 160; ++t) table.Note(5, t, Place(std::to_string(t), ""), true);
  EXPECT_EQ(table.Find(5)->place.ip(), "160");
  for (std::uint32_t t = 161; t < 220; ++t) table.Note(5, t, Place(std::to_string(t), ""), true);
  EXPECT_EQ(table.Find(5)->unix_s, 160U);
}

TEST(PlaceTable, ForgetsOnlyWhatWasWritten) {
  PlaceTable table(16);
  table.Note(5, 100, Place("a", ""), false);
  table.Note(5, 200, Place("b", ""), false);  // came while 100 was being written
  table.Forget(5, 100);
  EXPECT_EQ(table.Find(5)->unix_s, 200U);
  table.Forget(5, 200);
  EXPECT_FALSE(table.Find(5).has_value());
  EXPECT_TRUE(table.Collect(100).empty());
}

TEST(PlaceTable, WhatDoesNotFitIsDroppedAndCounted) {
  PlaceTable table(16);
  for (std::uint64_t id = 1; id <= 100; ++id) table.Note(id, 100, Place("a", ""), false);
  const std::size_t kept = table.Collect(1000).size();
  EXPECT_LE(kept, 16U);
  EXPECT_GE(kept, 8U);
  EXPECT_EQ(table.dropped(), 100 - kept);
  for (const PlaceTable::Use& use : table.Collect(1000)) table.Forget(use.id, use.unix_s);
  table.Note(1000, 100, Place("a", ""), false);
  EXPECT_TRUE(table.Find(1000).has_value()) << "there is room again";
}

TEST(PlaceTable, UsesAreWholeWhateverThreadsDo) {
  PlaceTable table(64);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> written{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 1; i <= 20000 || written.load() < 1000; ++i) {
        const std::string text = std::to_string(4 * i + t);
        table.Note(1 + i % 100, 4 * i + t, Place(text, text), false);
      }
    });
  }
  std::thread flusher([&] {
    while (!stop.load()) {
      for (const PlaceTable::Use& use : table.Collect(50)) {
        EXPECT_EQ(use.place.ip(), std::to_string(use.unix_s));
        EXPECT_EQ(use.place.ip(), use.place.user_agent());
        table.Forget(use.id, use.unix_s);
        ++written;
      }
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  flusher.join();
  EXPECT_GE(written.load(), 1000U);
}

}  // namespace
}  // namespace pat
