// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Golden vectors of keys, seals, records and what verify makes of them, written by an
// implementation of its own (tests/vectors/make_sealed_tokens.py).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "lib/seal.h"
#include "pat/authority.h"
#include "pat/memory_store.h"
#include "tests/forwarding_store.h"
#include "tests/vectors/vector_file.h"

namespace pat {
namespace {

using testing::ReadVectors;
using testing::Unhex;
using testing::Unquote;
using testing::Vector;

constexpr char kFile[] = PAT_TEST_VECTORS_DIR "/sealed_tokens.txt";
constexpr char kPrefix[] = "acme_pat_";

template <typename Bytes>
std::string Hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

std::string BytesOrNone(const std::string& field) { return field == "-" ? "" : Unhex(field); }

TokenRecord RecordOf(const std::string& field) {
  const std::string bytes = Unhex(field);
  TokenRecord record;
  EXPECT_EQ(bytes.size(), record.bytes.size());
  std::copy(bytes.begin(), bytes.end(), record.bytes.begin());
  return record;
}

class SealedVectorsTest : public ::testing::Test {
 protected:
  SealedVectorsTest() {
    for (const Vector& v : ReadVectors(kFile)) {
      if (v.fields[0] == "keyring") keyrings_[v.fields[1]] = Unquote(v.fields[2]);
    }
  }

  KeySet Keys(const std::string& name) const {
    const absl::StatusOr<KeyringContents> contents = KeyringSource::Parse(keyrings_.at(name));
    EXPECT_TRUE(contents.ok()) << contents.status();
    absl::StatusOr<KeySet> keys = KeySet::Derive(*contents);
    EXPECT_TRUE(keys.ok()) << keys.status();
    return *std::move(keys);
  }

  std::map<std::string, std::string> keyrings_;
};

TEST_F(SealedVectorsTest, TokensAreWrittenLikeThis) {
  int tokens = 0;
  for (const Vector& v : ReadVectors(kFile)) {
    if (v.fields[0] != "token") continue;
    SCOPED_TRACE(v.line);
    ++tokens;
    ASSERT_EQ(v.fields.size(), 16U);
    const auto number = [&](std::size_t i) { return std::stoull(v.fields[i]); };
    const KeySet keys = Keys(v.fields[1]);
    const std::uint64_t id = number(2);
    RecordFields fields;
    SetAccount(Unquote(v.fields[3]), static_cast<std::uint32_t>(number(4)), keys.newest_seal(),
               &fields);
    fields.permissions = std::stoull(v.fields[5], nullptr, 16);
    fields.time_unix_s = static_cast<std::uint32_t>(number(6));
    fields.version = static_cast<std::uint16_t>(number(7));
    fields.state = static_cast<StoredState>(number(8));
    fields.origin = static_cast<Origin>(number(9));
    fields.reason = static_cast<DeleteReason>(number(10));

    const TokenText text = ComposeTokenText(kPrefix, SelectorOf(keys, id), v.fields[11]);
    EXPECT_EQ(text.Reveal(), Unquote(v.fields[12]));
    const Digest digest = crypto::Sha256Half(
        text.Reveal().substr(sizeof kPrefix - 1, kSelectorLength + kSecretLength));
    EXPECT_EQ(Hex(digest), v.fields[13]);
    EXPECT_EQ(Hex(SealRecord(keys, id, digest, fields).bytes), v.fields[14]);
    EXPECT_TRUE(RecordSealFits(keys, id, digest, RecordOf(v.fields[14])));
    EXPECT_EQ(PublicIdOf(keys, id), v.fields[15]);
    EXPECT_EQ(IdOfPublicId(keys, v.fields[15]), id);
  }
  EXPECT_GE(tokens, 20);
}

TEST_F(SealedVectorsTest, RowsAreSealedLikeThis) {
  int rows = 0;
  for (const Vector& v : ReadVectors(kFile)) {
    if (v.fields[0] != "open" && v.fields[0] != "closed") continue;
    SCOPED_TRACE(v.line);
    ++rows;
    const KeySet keys = Keys(v.fields[1]);
    const auto table = static_cast<RowTable>(std::stoi(v.fields[2]));
    const std::string key = Unhex(v.fields[3]);
    const std::string row = BytesOrNone(v.fields.back());
    if (v.fields[0] == "closed") {
      EXPECT_EQ(OpenRow(keys, table, key, row), std::nullopt);
      continue;
    }
    const std::string value = BytesOrNone(v.fields[4]);
    EXPECT_EQ(Hex(SealRow(keys, table, key, value)), v.fields[5]);
    EXPECT_EQ(OpenRow(keys, table, key, row), value);
  }
  EXPECT_GE(rows, 40);
}

TEST_F(SealedVectorsTest, VerifyDecidesLikeThis) {
  std::map<std::string, int> verdicts;
  for (const Vector& v : ReadVectors(kFile)) {
    if (v.fields[0] == "keyring" || v.fields[0] == "token" || v.fields[0] == "open" ||
        v.fields[0] == "closed") {
      continue;
    }
    SCOPED_TRACE(v.line);
    ++verdicts[v.fields[0]];
    const std::shared_ptr<Store> store = NewMemoryStore();
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {kPrefix};
    options.clock = [&] { return absl::FromUnixSeconds(std::stoll(v.fields[2])); };
    const auto authority = Authority::Open(std::make_unique<ForwardingStore>(store),
                                           Keyring::Bytes(keyrings_.at(v.fields[1])), options);
    ASSERT_TRUE(authority.ok()) << authority.status();
    Batch batch;
    batch.tokens.push_back({std::stoull(v.fields[3]), RecordOf(v.fields[4])});
    if (v.fields[6] != "-") {
      batch.accounts.push_back({"account", static_cast<std::uint32_t>(std::stoul(v.fields[5])),
                                BytesOrNone(v.fields[6])});
    }
    ASSERT_TRUE(store->Apply(batch).ok());

    const Decision decision = (*authority)->Verify(Unquote(v.fields[7]));
    if (v.fields[0] == "accepted") {
      ASSERT_NE(decision.principal(), nullptr);
      EXPECT_EQ(decision.principal()->token_id(), std::stoull(v.fields[3]));
      EXPECT_EQ(decision.principal()->permissions().bits(), std::stoull(v.fields[8], nullptr, 16));
      EXPECT_EQ(static_cast<int>(decision.principal()->origin()), std::stoi(v.fields[9]));
      EXPECT_EQ(decision.principal()->account(), Unquote(v.fields[10]));
    } else {
      ASSERT_NE(decision.refusal(), nullptr);
      EXPECT_EQ(ToString(decision.refusal()->reason()), v.fields[0]);
    }
  }
  EXPECT_GE(verdicts["accepted"], 10);
  for (const char* refused : {"forged", "wrong_secret", "unknown_token", "inactive", "expired",
                              "deleted", "unavailable"}) {
    EXPECT_GE(verdicts[refused], 1) << refused;
  }
}

}  // namespace
}  // namespace pat
