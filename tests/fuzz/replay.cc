// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// replay FOLDER: runs a fuzz target without libFuzzer over every file of its corpus, and over a few
// thousand mutations of them that are the same every time.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

namespace {

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()), input.size());
}

std::vector<std::string> Corpus(const char* folder) {
  std::vector<std::string> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    inputs.push_back(text.str());
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string Next() {
    std::string input = corpus_[Below(corpus_.size())];
    for (std::size_t changes = 1 + Below(4); changes > 0 && !input.empty(); --changes) {
      const std::size_t at = Below(input.size());
      switch (Below(5)) {
        case 0: input[at] = static_cast<char>(Below(256)); break;
        case 1: input[at] = static_cast<char>(input[at] ^ 1 << Below(8)); break;
        case 2: input.erase(at, 1 + Below(8)); break;
        case 3: input.insert(at, input.substr(Below(input.size()), 1 + Below(16))); break;
        default: input = input.substr(0, at) + corpus_[Below(corpus_.size())]; break;
      }
    }
    return input.substr(0, 4096);
  }

 private:
  std::size_t Below(std::size_t end) { return random_() % end; }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<std::string> corpus = Corpus(argv[1]);
  if (corpus.size() < 5) {
    std::fprintf(stderr, "%s: not a corpus\n", argv[1]);
    return 2;
  }
  constexpr int kMutations = 5000;
  Run("");
  for (const std::string& input : corpus) Run(input);
  Mutator mutator(corpus);
  for (int i = 0; i < kMutations; ++i) Run(mutator.Next());
  std::printf("%zu inputs, %d mutations\n", corpus.size(), kMutations);
}
