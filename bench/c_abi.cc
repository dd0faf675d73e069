// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/c_abi.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "pat/c.h"

namespace pat::bench {
namespace {

constexpr std::size_t kTurn = 1000;

pat_authority* Open(const Population& population) {
  const std::string keyring = population.directory() + "/keyring";
  pat_options options{};
  options.size = sizeof options;
  options.keyring_path = keyring.c_str();
  pat_store* store = nullptr;
  pat_authority* authority = nullptr;
  if (pat_store_open_lmdb(population.store_directory().c_str(), nullptr, &store, nullptr) !=
          PAT_OK ||
      pat_open(store, &options, &authority, nullptr) != PAT_OK) {
    Fail("the C interface cannot open the store");
  }
  return authority;
}

// Not inlined into the loop of the other, so that both are compiled alike.
template <typename Call>
__attribute__((noinline)) double TurnNs(Walk& walk, std::uint64_t* bad, Call call) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kTurn; ++i) *bad += call(walk.Next()) == 0 ? 1 : 0;
  const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - begin;
  return passed.count() / kTurn;
}

void CAbi(benchmark::State& state, Population& population) {
  const Texts texts = population.accepted();
  Walk walk(texts.size(), 0, 1);
  population.NoteUses();
  pat_authority* const c = Open(population);
  std::vector<double> differences;
  std::uint64_t bad = 0;
  const auto in_cpp = [&](std::size_t i) { return Read(population.authority().Verify(texts[i])); };
  const auto in_c = [&](std::size_t i) -> std::uint64_t {
    pat_decision decision;
    decision.size = sizeof decision;
    const std::string_view text = texts[i];
    if (pat_verify(c, text.data(), text.size(), nullptr, &decision) != PAT_OK) return 0;
    return decision.token_id + decision.permissions +
           static_cast<unsigned char>(decision.account[decision.account_len - 1]);
  };
  for (auto _ : state) {
    const double cpp = TurnNs(walk, &bad, in_cpp);
    differences.push_back(TurnNs(walk, &bad, in_c) - cpp);
  }
  pat_close(c);
  if (bad != 0) state.SkipWithError("refused");
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  state.counters["overhead_ns"] = *middle;
}

}  // namespace

void RegisterCAbi(Population& population) {
  benchmark::RegisterBenchmark(NameOf("c_abi", population.tokens()).c_str(),
                               [&population](benchmark::State& state) { CAbi(state, population); })
      ->UseRealTime();
}

}  // namespace pat::bench
