// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/seal.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "lib/keyring_source.h"

namespace pat {
namespace {

// Keys for tests only; several of each kind, so that key numbers matter.
constexpr std::string_view kKeyring =
    "libpat keyring 1\n"
    "realm 000102030405060708090a0b0c0d0e0f\n"
    "selector 7 1111111111111111111111111111111111111111111111111111111111111111\n"
    "selector 9 2222222222222222222222222222222222222222222222222222222222222222\n"
    "seal 6 3333333333333333333333333333333333333333333333333333333333333333\n"
    "seal 10 4444444444444444444444444444444444444444444444444444444444444444\n";

KeySet Keys(std::string_view text = kKeyring) {
  const absl::StatusOr<KeyringContents> contents = KeyringSource::Parse(text);
  EXPECT_TRUE(contents.ok()) << contents.status();
  absl::StatusOr<KeySet> keys = KeySet::Derive(*contents);
  EXPECT_TRUE(keys.ok()) << keys.status();
  return *std::move(keys);
}

std::string Without(std::string text, std::string_view line) {
  const std::size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos);
  return text.erase(at, text.find('\n', at) + 1 - at);
}

void Flip(TokenRecord* record, std::size_t bit) {
  record->bytes[bit / 8] = static_cast<unsigned char>(record->bytes[bit / 8] ^ (1U << bit % 8));
}

std::string_view View(const std::array<char, 4>& key) { return {key.data(), key.size()}; }
std::string_view View(const std::array<char, 12>& key) { return {key.data(), key.size()}; }

class SealTest : public ::testing::Test {
 protected:
  std::uint64_t Random() { return random_(); }

  Digest RandomDigest() {
    Digest digest;
    for (unsigned char& byte : digest) byte = static_cast<unsigned char>(Random());
    return digest;
  }

  RecordFields RandomFields() {
    RecordFields fields;
    fields.permissions = Random();
    fields.time_unix_s = static_cast<std::uint32_t>(Random());
    fields.version = static_cast<std::uint16_t>(Random());
    fields.state = static_cast<StoredState>(1 + Random() % 3);
    fields.origin = Random() % 2 == 0 ? Origin::kManual : Origin::kAuto;
    fields.reason = static_cast<DeleteReason>(Random() % 6);
    std::string account(1 + Random() % 40, '\0');
    for (char& c : account) c = static_cast<char>(Random());
    SetAccount(account, static_cast<std::uint32_t>(Random()), keys_.newest_seal(), &fields);
    return fields;
  }

  const KeySet keys_ = Keys();
  std::mt19937_64 random_{20};  // NOLINT: the same each time
};

// ---- Records

TEST_F(SealTest, FieldsComeBack) {
  for (int round = 0; round < 20000; ++round) {
    const RecordFields in = RandomFields();
    const std::uint64_t id = 1 + Random() % kMaxTokenId;
    const Digest digest = RandomDigest();
    const TokenRecord record = SealRecord(keys_, id, digest, in);
    ASSERT_TRUE(RecordSealFits(keys_, id, digest, record));
    const RecordFields out = DecodeRecord(record);
    ASSERT_EQ(out.permissions, in.permissions);
    ASSERT_EQ(out.time_unix_s, in.time_unix_s);
    ASSERT_EQ(out.version, in.version);
    ASSERT_EQ(out.state, in.state);
    ASSERT_EQ(out.origin, in.origin);
    ASSERT_EQ(out.reason, in.reason);
    ASSERT_EQ(out.long_account, in.long_account);
    ASSERT_EQ(out.account_size, in.account_size);
    ASSERT_EQ(out.account, in.account);
    ASSERT_EQ(out.unknown_flags, 0U);
    ASSERT_EQ(out.key_slot, 10U % 8U);
    ASSERT_FALSE(record.empty());
  }
}

TEST_F(SealTest, TheLayoutIsFixed) {
  RecordFields fields;
  fields.permissions = 0x0807060504030201;
  fields.time_unix_s = 0x0C0B0A09;
  fields.version = 0x0E0D;
  fields.state = StoredState::kDeleted;
  fields.origin = Origin::kAuto;
  fields.reason = DeleteReason::kAdmin;
  SetAccount("0123456789abcde", 0, keys_.newest_seal(), &fields);
  TokenRecord record = SealRecord(keys_, 1, {}, fields);
  for (std::size_t i = 0; i < 14; ++i) EXPECT_EQ(record.bytes[16 + i], i + 1) << i;
  const unsigned flags = record.bytes[30] + 256U * record.bytes[31];
  EXPECT_EQ(flags, 3U | 1U << 2U | 0U << 3U | 14U << 4U | 5U << 8U | 2U << 11U);
  EXPECT_EQ(std::string(record.bytes.begin() + 32, record.bytes.end()),
            std::string("0123456789abcde\0", 16));

  // A long account: its number, then the tag.
  SetAccount("an account of more than 16 bytes", 0x04030201, keys_.newest_seal(), &fields);
  record = SealRecord(keys_, 1, {}, fields);
  EXPECT_EQ(record.bytes[30], 3U | 1U << 2U | 1U << 3U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(record.bytes[32 + i], i + 1) << i;
  const crypto::Block tag =
      crypto::Cmac(keys_.newest_seal().account, "an account of more than 16 bytes");
  EXPECT_TRUE(std::equal(tag.begin(), tag.begin() + 12, record.bytes.begin() + 36));
  EXPECT_EQ(DecodeRecord(record).account_number(), 0x04030201U);
}

TEST_F(SealTest, EveryBitOfRecordIdAndDigestIsUnderTheSeal) {
  for (int round = 0; round < 50; ++round) {
    const std::uint64_t id = 1 + Random() % kMaxTokenId;
    const Digest digest = RandomDigest();
    const TokenRecord record = SealRecord(keys_, id, digest, RandomFields());
    ASSERT_TRUE(RecordSealFits(keys_, id, digest, record));
    for (std::size_t bit = 0; bit < 8 * record.bytes.size(); ++bit) {
      TokenRecord edited = record;
      Flip(&edited, bit);
      EXPECT_FALSE(RecordSealFits(keys_, id, digest, edited)) << "record, bit " << bit;
    }
    for (std::size_t bit = 0; bit < 64; ++bit) {
      EXPECT_FALSE(RecordSealFits(keys_, id ^ (std::uint64_t{1} << bit), digest, record))
          << "id, bit " << bit;
    }
    for (std::size_t bit = 0; bit < 128; ++bit) {
      Digest other = digest;
      other[bit / 8] = static_cast<unsigned char>(other[bit / 8] ^ (1U << bit % 8));
      EXPECT_FALSE(RecordSealFits(keys_, id, other, record)) << "digest, bit " << bit;
    }
  }
}

TEST_F(SealTest, NoSealOfAnotherKindOrKeyFits) {
  const Digest digest = RandomDigest();
  const TokenRecord record = SealRecord(keys_, 5, digest, RandomFields());
  EXPECT_TRUE(RecordSealFits(keys_, 5, digest, record));
  EXPECT_FALSE(RecordSealFits(keys_, 5, digest, TokenRecord()));

  // The same secrets in another realm.
  std::string realm(kKeyring);
  realm[realm.find("realm ") + 6] = '1';
  EXPECT_FALSE(RecordSealFits(Keys(realm), 5, digest, record));

  // Without the key it was sealed with; and with that key's secret under another number.
  EXPECT_FALSE(RecordSealFits(Keys(Without(std::string(kKeyring), "seal 10")), 5, digest, record));
  std::string renumbered = Without(std::string(kKeyring), "seal 6");
  renumbered.replace(renumbered.find("seal 10"), 7, "seal 2");  // the same slot
  EXPECT_FALSE(RecordSealFits(Keys(renumbered), 5, digest, record));
}

TEST_F(SealTest, RecordsOfAnOlderLiveKeyFit) {
  const KeySet older = Keys(Without(std::string(kKeyring), "seal 10"));
  const Digest digest = RandomDigest();
  const TokenRecord record = SealRecord(older, 5, digest, RandomFields());
  EXPECT_EQ(DecodeRecord(record).key_slot, 6U);
  EXPECT_TRUE(RecordSealFits(keys_, 5, digest, record));
}

TEST_F(SealTest, UnknownFlagsAreShown) {
  TokenRecord record = SealRecord(keys_, 5, {}, RandomFields());
  record.bytes[31] = static_cast<unsigned char>(record.bytes[31] | 0x40U);
  EXPECT_EQ(DecodeRecord(record).unknown_flags, 1U);
  record.bytes[31] = static_cast<unsigned char>(record.bytes[31] | 0x80U);
  EXPECT_EQ(DecodeRecord(record).unknown_flags, 3U);
}

TEST_F(SealTest, AnyBytesDecode) {
  TokenRecord record;
  for (int round = 0; round < 20000; ++round) {
    for (unsigned char& byte : record.bytes) byte = static_cast<unsigned char>(Random());
    const RecordFields fields = DecodeRecord(record);
    EXPECT_LE(fields.inline_account().size(), kInlineAccountBytes);
    EXPECT_LE(static_cast<unsigned>(fields.reason), 5U);
    EXPECT_FALSE(RecordSealFits(keys_, 1, {}, record));
  }
}

TEST_F(SealTest, AnAccountFitsItselfAlone) {
  const std::string accounts[] = {"a",
                                  "b",
                                  "ab",
                                  std::string("a\0", 2),
                                  std::string(15, 'a'),
                                  std::string(16, 'a'),
                                  std::string(17, 'a'),
                                  std::string(17, 'b'),
                                  std::string(128, 'a'),
                                  std::string(128, '\0')};
  for (const std::string& one : accounts) {
    RecordFields fields;
    SetAccount(one, 3, keys_.newest_seal(), &fields);
    fields = DecodeRecord(SealRecord(keys_, 1, {}, fields));
    EXPECT_EQ(fields.long_account, one.size() > kInlineAccountBytes);
    EXPECT_EQ(fields.inline_account(), fields.long_account ? std::string() : one);
    for (const std::string& other : accounts) {
      EXPECT_EQ(AccountFits(fields, other, keys_), one == other) << one << ' ' << other;
    }
    EXPECT_FALSE(AccountFits(fields, "", keys_));
  }
}

// ---- Rows

TEST_F(SealTest, RowsComeBack) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 768U, 5000U}) {
    const std::string value(size, 'v');
    const std::string row = SealRow(keys_, RowTable::kMeta, "header", value);
    EXPECT_EQ(row.size(), kRowSealBytes + size);
    EXPECT_EQ(OpenRow(keys_, RowTable::kMeta, "header", row), value);
  }
}

TEST_F(SealTest, EveryBitOfARowIsUnderItsSeal) {
  const std::string value = "what stands in the row";
  const std::string row = SealRow(keys_, RowTable::kMetadata, View(MetadataRowKey(7, 9)), value);
  EXPECT_EQ(row.substr(0, 2), std::string("\x0A\0", 2));  // the key's number, little-endian
  for (std::size_t bit = 0; bit < 8 * row.size(); ++bit) {
    std::string edited = row;
    edited[bit / 8] = static_cast<char>(edited[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(OpenRow(keys_, RowTable::kMetadata, View(MetadataRowKey(7, 9)), edited), std::nullopt)
        << bit;
  }
  for (std::size_t size = 0; size < row.size(); ++size) {
    EXPECT_EQ(OpenRow(keys_, RowTable::kMetadata, View(MetadataRowKey(7, 9)), row.substr(0, size)),
              std::nullopt);
  }
  EXPECT_EQ(OpenRow(keys_, RowTable::kMetadata, View(MetadataRowKey(7, 9)), row + '\0'),
            std::nullopt);
}

TEST_F(SealTest, ARowFitsNowhereElse) {
  const std::string row = SealRow(keys_, RowTable::kMetadata, View(MetadataRowKey(7, 9)), "v");
  const auto opens = [&](RowTable table, std::string_view key) {
    return OpenRow(keys_, table, key, row).has_value();
  };
  EXPECT_TRUE(opens(RowTable::kMetadata, View(MetadataRowKey(7, 9))));
  for (std::size_t bit = 0; bit < 96; ++bit) {
    auto key = MetadataRowKey(7, 9);
    key[bit / 8] = static_cast<char>(key[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(opens(RowTable::kMetadata, View(key))) << bit;
  }
  EXPECT_FALSE(opens(RowTable::kAccount, View(MetadataRowKey(7, 9))));
  EXPECT_FALSE(opens(RowTable::kMeta, View(MetadataRowKey(7, 9))));
  EXPECT_FALSE(opens(RowTable::kMetadata, View(MetadataRowKey(7, 9)).substr(0, 11)));
  EXPECT_FALSE(opens(RowTable::kMetadata, View(AccountRowKey(7))));
}

TEST_F(SealTest, WhatIsKeyAndWhatIsValueIsUnderTheSeal) {
  // The same bytes, cut in another place.
  const std::string row = SealRow(keys_, RowTable::kMeta, "header", "value");
  const std::string moved = row.substr(0, kRowSealBytes) + "rvalue";
  EXPECT_FALSE(OpenRow(keys_, RowTable::kMeta, "heade", moved).has_value());
}

TEST_F(SealTest, ARecordsSealIsNoRowsSeal) {
  // A row whose key and value give the very 64 bytes that stand under a record's seal would still
  // be sealed with another key.
  EXPECT_NE(crypto::Cmac(keys_.newest_seal().token, "x"),
            crypto::Cmac(keys_.newest_seal().row, "x"));
  EXPECT_NE(crypto::Cmac(keys_.newest_seal().token, "x"),
            crypto::Cmac(keys_.newest_seal().account, "x"));
  EXPECT_NE(crypto::Cmac(keys_.newest_seal().row, "x"),
            crypto::Cmac(keys_.newest_seal().account, "x"));
}

// ---- Selectors and public ids

TEST_F(SealTest, SelectorsComeBack) {
  std::set<Selector> seen;
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{85},
                                 std::uint64_t{1} << 32, kMaxTokenId - 1, kMaxTokenId}) {
    EXPECT_EQ(IdOfSelector(keys_, SelectorOf(keys_, id)), id);
    EXPECT_TRUE(seen.insert(SelectorOf(keys_, id)).second);
  }
  for (int round = 0; round < 10000; ++round) {
    const std::uint64_t id = 1 + Random() % kMaxTokenId;
    EXPECT_EQ(IdOfSelector(keys_, SelectorOf(keys_, id)), id);
  }
  // Id 0 and ids of more than 48 bits are of no token.
  EXPECT_EQ(IdOfSelector(keys_, SelectorOf(keys_, 0)), 0U);
  EXPECT_EQ(IdOfSelector(keys_, SelectorOf(keys_, kMaxTokenId + 1)), 0U);
}

TEST_F(SealTest, SelectorsOfAnOlderLiveKeyComeBackOthersDoNot) {
  const KeySet older = Keys(Without(std::string(kKeyring), "selector 9"));
  EXPECT_NE(SelectorOf(older, 5), SelectorOf(keys_, 5));
  EXPECT_EQ(IdOfSelector(keys_, SelectorOf(older, 5)), 5U);
  EXPECT_EQ(IdOfSelector(older, SelectorOf(keys_, 5)), 0U);
}

TEST_F(SealTest, RandomSelectorsAreForged) {
  Selector selector;
  for (int round = 0; round < 1000000; ++round) {
    const std::uint64_t halves[] = {Random(), Random()};
    std::copy_n(reinterpret_cast<const unsigned char*>(halves), 16, selector.begin());
    ASSERT_EQ(IdOfSelector(keys_, selector), 0U) << round;
  }
}

TEST_F(SealTest, PublicIdsComeBack) {
  const std::string text = PublicIdOf(keys_, 77);
  ASSERT_EQ(text.size(), 36U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef-"), std::string::npos);
  for (int round = 0; round < 10000; ++round) {
    const std::uint64_t id = 1 + Random() % kMaxTokenId;
    EXPECT_EQ(IdOfPublicId(keys_, PublicIdOf(keys_, id)), id);
  }
}

TEST_F(SealTest, PublicIdsDoNotHangOnKeysButOnTheRealm) {
  const std::string text = PublicIdOf(keys_, 77);
  std::string rotated = Without(std::string(kKeyring), "selector 7");
  rotated = Without(rotated, "seal 6");
  EXPECT_EQ(PublicIdOf(Keys(rotated), 77), text);
  std::string realm(kKeyring);
  realm[realm.find("realm ") + 6] = '1';
  EXPECT_NE(PublicIdOf(Keys(realm), 77), text);
  EXPECT_EQ(IdOfPublicId(Keys(realm), text), 0U);
}

TEST_F(SealTest, APublicIdHasOneSpelling) {
  std::string text = PublicIdOf(keys_, 77);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'0', 'f', '-', 'A', 'F', 'g', ' ', '\0', '\n'}) {
      if (text[i] == c) continue;
      std::string edited = text;
      edited[i] = c;
      EXPECT_EQ(IdOfPublicId(keys_, edited), 0U) << i << ' ' << c;
    }
  }
  std::string upper = text;
  for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  ASSERT_NE(upper, text);
  EXPECT_EQ(IdOfPublicId(keys_, upper), 0U);
  EXPECT_EQ(IdOfPublicId(keys_, " " + text), 0U);
  EXPECT_EQ(IdOfPublicId(keys_, text + "\n"), 0U);
  EXPECT_EQ(IdOfPublicId(keys_, "{" + text + "}"), 0U);
  EXPECT_EQ(IdOfPublicId(keys_, text.substr(0, 35)), 0U);
  EXPECT_EQ(IdOfPublicId(keys_, ""), 0U);
  std::string bare = text;
  bare.erase(std::remove(bare.begin(), bare.end(), '-'), bare.end());
  EXPECT_EQ(IdOfPublicId(keys_, bare), 0U);
}

}  // namespace
}  // namespace pat
