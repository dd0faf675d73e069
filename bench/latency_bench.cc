// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Verify call by call, not on average: p50, p99 and p99.9, on a quiet store and while somebody
// writes to it; beside the limit, which has the same neighbours but touches no store. Also means
// under a writer, and what a verify has to do after another process's commit.
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/limit.h"
#include "bench/measure.h"
#include "bench/population.h"
#include "bench/stopwatch.h"
#include "bench/writers.h"

namespace pat::bench {
namespace {

// Somebody who writes while it lives, and how many commits they made.
class Neighbour {
 public:
  virtual ~Neighbour() = default;
  virtual std::uint64_t commits() const { return 0; }
};
using MakeNeighbour = std::function<std::unique_ptr<Neighbour>()>;

class ThreadNeighbour final : public Neighbour {
 public:
  explicit ThreadNeighbour(std::function<void()> step) : background_(std::move(step)) {}
  std::uint64_t commits() const override { return background_.steps(); }

 private:
  Background background_;
};

class ProcessNeighbour final : public Neighbour {
 public:
  explicit ProcessNeighbour(OtherProcess& process) : process_(process) { process_.Run(); }
  ~ProcessNeighbour() override { process_.Pause(); }

 private:
  OtherProcess& process_;
};

struct World {
  explicit World(Population& of) : population(of), limit(of.RecordsFile(), of.keys()) {
    if (!population.Settle()) {
      benchmark::AddCustomContext(NameOf("locked in memory", of.tokens()), "no");
    }
  }
  Population& population;
  Limit limit;
};

const Stopwatch& TheStopwatch() {
  static const Stopwatch stopwatch;
  return stopwatch;
}

// One call at a time, each with its own time.
template <typename Judge>
void Percentiles(benchmark::State& state, World& world, Judge judge, const MakeNeighbour& make) {
  const Stopwatch& stopwatch = TheStopwatch();
  const Texts texts = world.population.accepted();
  world.population.NoteUses();
  std::vector<std::uint32_t> ticks;
  ticks.reserve(static_cast<std::size_t>(state.max_iterations));
  const std::unique_ptr<Neighbour> neighbour = make();
  Walk walk(texts.size(), 0, 1);
  for (std::size_t i = 0; i < std::min<std::size_t>(texts.size(), 200'000); ++i) {
    benchmark::DoNotOptimize(judge(texts[walk.Next()]));
  }
  bool good = true;
  for (auto _ : state) {
    const std::string_view text = texts[walk.Next()];
    const std::uint64_t begin = Stopwatch::Ticks();
    const std::uint64_t answer = judge(text);
    ticks.push_back(static_cast<std::uint32_t>(
        std::min<std::uint64_t>(Stopwatch::Ticks() - begin, UINT32_MAX)));
    good &= answer != 0;
  }
  if (!good) state.SkipWithError("refused");
  state.counters["p50_ns"] = stopwatch.Percentile(ticks, 0.5);
  state.counters["p99_ns"] = stopwatch.Percentile(ticks, 0.99);
  state.counters["p999_ns"] = stopwatch.Percentile(ticks, 0.999);
}

// Many calls between two looks at the clock.
template <typename Judge>
void Mean(benchmark::State& state, World& world, Judge judge, const MakeNeighbour& make) {
  const Texts texts = world.population.accepted();
  world.population.NoteUses();
  const std::unique_ptr<Neighbour> neighbour = make();
  Measure(state, texts.size(), [&](std::size_t i) { return judge(texts[i]); });
  state.counters["commits"] = static_cast<double>(neighbour->commits());
}

// The first verify after another process's commit, against the first after it did nothing.
void CatchUp(benchmark::State& state, World& world, OtherProcess& other) {
  constexpr int kRounds = 200;
  const Stopwatch& stopwatch = TheStopwatch();
  const Texts texts = world.population.accepted();
  Walk walk(texts.size(), 0, 1);
  std::vector<std::uint32_t> after_commit;
  std::vector<std::uint32_t> after_nothing;
  const auto first = [&] {
    // Waiting cools the caches: the limit warms what is no store's.
    for (int i = 0; i < 200; ++i)
      benchmark::DoNotOptimize(Read(world.limit.Verify(texts[walk.Next()])));
    const std::string_view text = texts[walk.Next()];
    const std::uint64_t begin = Stopwatch::Ticks();
    const std::uint64_t answer = Read(world.population.authority().Verify(text));
    const std::uint64_t passed = Stopwatch::Ticks() - begin;
    if (answer == 0) state.SkipWithError("refused");
    return static_cast<std::uint32_t>(passed);
  };
  for (auto _ : state) {
    for (int i = 0; i < kRounds; ++i) {
      other.Commit();
      after_commit.push_back(first());
      other.Nothing();
      after_nothing.push_back(first());
    }
  }
  const double commit = stopwatch.Percentile(after_commit, 0.5);
  const double nothing = stopwatch.Percentile(after_nothing, 0.5);
  state.counters["first_after_commit_us"] = commit / 1000;
  state.counters["first_after_nothing_us"] = nothing / 1000;
  state.counters["us_per_commit"] = (commit - nothing) / 1000;
}

std::unique_ptr<Neighbour> Nobody() { return std::make_unique<Neighbour>(); }

void RegisterPair(const std::string& name, World& world, const MakeNeighbour& make) {
  const std::string tokens = "/" + std::to_string(world.population.tokens());
  Population& population = world.population;
  const auto verify = [&population](std::string_view text) {
    return Read(population.authority().Verify(text));
  };
  const auto limit = [&world](std::string_view text) { return Read(world.limit.Verify(text)); };
  const auto add = [&](const char* who, auto judge) {
    benchmark::RegisterBenchmark(
        ("latency/" + std::string(who) + "/" + name + tokens).c_str(),
        [=, &world](benchmark::State& state) { Percentiles(state, world, judge, make); })
        ->UseRealTime();
    if (name != "writer") return;
    benchmark::RegisterBenchmark(
        ("under_writer/" + std::string(who) + tokens).c_str(),
        [=, &world](benchmark::State& state) { Mean(state, world, judge, make); })
        ->UseRealTime();
  };
  add("verify", verify);
  add("limit", limit);
}

// Everything that writes, on a copy.
struct Writers {
  explicit Writers(Population& population)
      : toggler(population.authority(), FirstHalf(population)),
        flusher(population.store_directory(), population.IdsOf(population.accepted(), 2000)),
        other(population.directory()) {}
  static std::vector<std::uint64_t> FirstHalf(const Population& population) {
    const Texts inactive = population.inactive();
    return population.IdsOf(inactive, inactive.size() / 2);  // the rest is the other process's
  }
  Toggler toggler;
  Flusher flusher;
  OtherProcess other;
};

void RegisterWriters(World& world, Writers& writers) {
  RegisterPair("idle", world, Nobody);
  RegisterPair("writer", world, [&writers] {
    return std::make_unique<ThreadNeighbour>([&writers] { writers.toggler.Step(); });
  });
  RegisterPair("flush", world, [&writers] {
    return std::make_unique<ThreadNeighbour>([&writers] { writers.flusher.Step(); });
  });
  RegisterPair("other_process", world,
               [&writers] { return std::make_unique<ProcessNeighbour>(writers.other); });
  benchmark::RegisterBenchmark(
      NameOf("catchup", world.population.tokens()).c_str(),
      [&](benchmark::State& state) { CatchUp(state, world, writers.other); })
      ->UseRealTime()
      ->Iterations(1);
}

void RunAll() {
  const std::vector<std::int64_t> sizes = BenchSizes();
  const std::int64_t written = sizes[sizes.size() > 1 ? 1 : 0];
  const std::unique_ptr<Population> scratch = Population::Scratch(written);
  Writers writers(*scratch);
  std::vector<std::unique_ptr<World>> worlds;
  for (const std::int64_t tokens : sizes) {
    Population& population = tokens == written ? *scratch : Population::Of(tokens);
    worlds.push_back(std::make_unique<World>(population));
    if (tokens == written) {
      RegisterWriters(*worlds.back(), writers);
    } else {
      RegisterPair("idle", *worlds.back(), Nobody);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace pat::bench

int main(int argc, char** argv) {
  if (pat::bench::OtherProcess::Is(argc, argv)) return pat::bench::OtherProcess::Main(argv[2]);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  pat::bench::RunAll();
  benchmark::Shutdown();
  return 0;
}
