// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// The golden vectors of tests/vectors/token_text.txt, made by another implementation.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "pat/token_text.h"
#include "tests/vectors/vector_file.h"

namespace pat {
namespace {

using testing::Split;
using testing::Unhex;
using testing::Unquote;
using testing::Vector;

std::vector<Vector> Cases() {
  return testing::ReadVectors(std::string(PAT_TEST_VECTORS_DIR) + "/token_text.txt");
}

std::string NameOf(ParseResult result) {
  switch (result) {
    case ParseResult::kOk: return "ok";
    case ParseResult::kNotToken: return "not_token";
    case ParseResult::kBadSelector: return "bad_selector";
    case ParseResult::kBadChecksum: return "bad_checksum";
  }
  return "?";
}

TEST(TokenTextVectorsTest, FileIsWhole) {
  std::map<std::string, int> verdicts;
  for (const Vector& v : Cases()) {
    ASSERT_GE(v.fields.size(), 3U) << "line " << v.line;
    EXPECT_EQ(v.fields.size(), v.fields[0] == "ok" ? 5U : 3U) << "line " << v.line;
    ++verdicts[v.fields[0]];
  }
  EXPECT_EQ(verdicts.size(), 4U);
  EXPECT_GE(verdicts["ok"], 50);
  EXPECT_GE(verdicts["not_token"], 200);
  EXPECT_GE(verdicts["bad_checksum"], 70);
  EXPECT_GE(verdicts["bad_selector"], 7);
}

TEST(TokenTextVectorsTest, EveryVerdict) {
  for (const Vector& v : Cases()) {
    SCOPED_TRACE("line " + std::to_string(v.line));
    const std::vector<std::string> prefixes = Split(v.fields[1], ',');
    const std::string text = Unquote(v.fields[2]);
    ParsedToken token;
    EXPECT_EQ(NameOf(ParseTokenText(text, prefixes, &token)), v.fields[0]);
    EXPECT_EQ(LooksLikeToken(text, prefixes), v.fields[0] != "not_token");
    if (v.fields[0] != "ok") {
      EXPECT_EQ(token.secret_input.data(), nullptr);  // not touched
      EXPECT_EQ(token.selector, Selector{});
      continue;
    }
    EXPECT_EQ(std::string(token.selector.begin(), token.selector.end()), Unhex(v.fields[3]));
    EXPECT_EQ(token.secret_input.substr(kSelectorLength), v.fields[4]);
    EXPECT_EQ(token.secret_input.data() + token.secret_input.size() + kChecksumLength,
              text.data() + text.size());
  }
}

TEST(TokenTextVectorsTest, ComposeWritesTheValidOnes) {
  for (const Vector& v : Cases()) {
    if (v.fields[0] != "ok") continue;
    const std::string text = Unquote(v.fields[2]);
    const std::string bytes = Unhex(v.fields[3]);
    Selector selector;
    std::copy_n(bytes.begin(), selector.size(), selector.begin());
    const std::string prefix = text.substr(0, text.size() - kTokenBodyLength);
    EXPECT_EQ(ComposeTokenText(prefix, selector, v.fields[4]).Reveal(), text) << "line " << v.line;
  }
}

}  // namespace
}  // namespace pat
