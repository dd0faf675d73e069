// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Opening a store, what it takes on disk, and what memory it costs beside the mapped files. Holds
// nothing large of its own, so that this process's private memory is the library's.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/peer_lmdb.h"
#include "bench/population.h"

namespace pat::bench {
namespace {

struct Sizes {
  double hot_bytes_per_token = 0;
  double store_bytes_per_token = 0;
  double private_rss_mib = 0;
};

std::string DirectoryOf(std::int64_t tokens) {
  return BenchDirectory() + "/tokens-" + std::to_string(tokens);
}

// What `measure` finds, in a process of its own that has done nothing else.
Sizes InChild(const std::function<Sizes()>& measure) {
  std::array<int, 2> answer{};
  if (pipe(answer.data()) != 0) Fail("no pipe");
  const pid_t child = fork();
  if (child < 0) Fail("cannot fork");
  if (child == 0) {
    const Sizes sizes = measure();
    _exit(write(answer[1], &sizes, sizeof sizes) == sizeof sizes ? 0 : 1);
  }
  close(answer[1]);
  Sizes sizes;
  const bool told = read(answer[0], &sizes, sizeof sizes) == sizeof sizes;
  close(answer[0]);
  (void)waitpid(child, nullptr, 0);
  if (!told) Fail("a child process failed");
  return sizes;
}

Sizes Make(std::int64_t tokens) {
  (void)Population::Of(tokens);
  return {};
}

// After a verify of each token.
Sizes MemoryAndDisk(std::int64_t tokens) {
  constexpr double kKibPerMib = 1024;
  const std::unique_ptr<Population> population = Population::At(DirectoryOf(tokens));
  population->NoteUses();
  Sizes sizes;
  sizes.private_rss_mib = static_cast<double>(AnonymousKib()) / kKibPerMib;
  const auto stats = population->authority().Stats();
  Require(stats.status());
  sizes.store_bytes_per_token = static_cast<double>(stats->bytes) / static_cast<double>(tokens);
  return sizes;
}

Sizes SizesOf(std::int64_t tokens) {
  Sizes sizes = InChild([tokens] { return MemoryAndDisk(tokens); });
  sizes.hot_bytes_per_token =
      static_cast<double>(TableBytes(DirectoryOf(tokens) + "/store", "hot")) /
      static_cast<double>(tokens);
  return sizes;
}

// From nothing to an Authority; and the first verify after it.
void Open(benchmark::State& state, std::int64_t tokens, Sizes sizes) {
  using Clock = std::chrono::steady_clock;
  const MappedFile accepted(DirectoryOf(tokens) + "/accepted");
  const Texts texts(accepted.data(), accepted.size() / Texts::kBytes);
  double first_us = 0;
  for (auto _ : state) {
    const auto begin = Clock::now();
    auto store = OpenLmdbStore(DirectoryOf(tokens) + "/store");
    Require(store.status());
    auto authority =
        Authority::Open(*std::move(store), Keyring::File(DirectoryOf(tokens) + "/keyring"));
    Require(authority.status());
    const auto opened = Clock::now();
    if (Read((*authority)->Verify(texts[texts.size() / 2])) == 0) state.SkipWithError("refused");
    first_us = std::chrono::duration<double, std::micro>(Clock::now() - opened).count();
    state.SetIterationTime(std::chrono::duration<double>(opened - begin).count());
  }
  state.counters["first_verify_us"] = first_us;
  if (sizes.private_rss_mib == 0) return;
  state.counters["hot_bytes_per_token"] = sizes.hot_bytes_per_token;
  state.counters["store_bytes_per_token"] = sizes.store_bytes_per_token;
  state.counters["private_rss_mib"] = sizes.private_rss_mib;
}

void RunAll(const std::vector<std::int64_t>& sizes, Sizes of_main) {
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t tokens = sizes[i];
    const Sizes none;
    const Sizes known = i == (sizes.size() > 1 ? 1 : 0) ? of_main : none;
    benchmark::RegisterBenchmark(
        NameOf("open", tokens).c_str(),
        [tokens, known](benchmark::State& state) { Open(state, tokens, known); })
        ->Iterations(3)
        ->UseManualTime();
  }
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace pat::bench

int main(int argc, char** argv) {
  using namespace pat::bench;
  const std::vector<std::int64_t> all = BenchSizes();
  for (const std::int64_t tokens : all) (void)InChild([tokens] { return Make(tokens); });
  const Sizes sizes = SizesOf(all[all.size() > 1 ? 1 : 0]);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  RunAll(all, sizes);
  benchmark::Shutdown();
  return 0;
}
