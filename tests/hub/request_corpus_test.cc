// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The fuzzer's corpus, replayed as an ordinary test; and a few thousand mutations of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/hub/request_fuzz.h"

namespace hub {
namespace {

std::vector<std::string> Corpus() {
  std::vector<std::string> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(PAT_HUB_CORPUS_DIR)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    inputs.push_back(text.str());
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

TEST(RequestCorpusTest, EveryInputIsAnsweredWell) {
  const std::vector<std::string> corpus = Corpus();
  ASSERT_GE(corpus.size(), 10U);
  for (const std::string& input : corpus) HandleFuzzed(input);
  HandleFuzzed("");
}

TEST(RequestCorpusTest, SoAreMutationsOfIt) {
  const std::vector<std::string> corpus = Corpus();
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int i = 0; i < 3000; ++i) {
    std::string input = corpus[below(corpus.size())];
    for (std::size_t changes = 1 + below(6); changes > 0 && !input.empty(); --changes) {
      const std::size_t at = below(input.size());
      switch (below(4)) {
        case 0: input[at] = static_cast<char>(below(256)); break;
        case 1: input.erase(at, 1 + below(8)); break;
        case 2: input.insert(at, 1 + below(3), ":&=%*,/ {?\n"[below(11)]); break;
        default: input.insert(at, input.substr(below(input.size()), below(40))); break;
      }
    }
    HandleFuzzed(input);
  }
}

}  // namespace
}  // namespace hub
