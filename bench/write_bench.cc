// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Changes, all durable, and the reads that are no verify, on copies of the stores; beside what one
// fdatasync and LMDB with nothing around it take. Pages written are counted exactly.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/callers.h"
#include "bench/measure.h"
#include "bench/page_count.h"
#include "bench/peer_lmdb.h"
#include "bench/population.h"
#include "bench/writers.h"

namespace pat::bench {
namespace {

constexpr std::size_t kIssueManyBatch = 1000;
constexpr std::size_t kPurged = 50;

// A store to write to, and what to change next.
struct World {
  explicit World(std::int64_t of)
      : tokens(of),
        scratch(Population::Scratch(of)),
        ids(scratch->IdsOf(scratch->accepted(), 200'000)),
        flusher(scratch->store_directory(), scratch->IdsOf(scratch->accepted(), 2000)) {
    // Small pages, as in a store that grew by commits: writing 4 KiB into a page of 2 MiB takes
    // this kernel 30 us.
    if (!scratch->Settle(Pages::kSmall))
      benchmark::AddCustomContext(NameOf("locked in memory", of), "no");
  }

  Authority& authority() { return scratch->authority(); }
  std::uint64_t NextId() { return ids[next_id++ % ids.size()]; }
  std::string RandomAccount() {
    const auto accounts = static_cast<std::uint64_t>(tokens / Population::kTokensPerAccount);
    return "user-" + std::to_string(random() % accounts);
  }
  IssueRequest Request(Origin origin = Origin::kManual) {
    IssueRequest request;
    request.account = RandomAccount();
    request.description = "twenty characters ok";
    request.scopes = {"repo:write"};
    request.origin = origin;
    return request;
  }
  // Fewer in a small store, which would run out.
  std::int64_t writes() const { return std::clamp<std::int64_t>(tokens / 50, 20, 300); }

  std::int64_t tokens;
  std::unique_ptr<Population> scratch;
  std::vector<std::uint64_t> ids;
  Flusher flusher;
  std::size_t next_id = 0;
  std::mt19937_64 random{5};
  std::vector<std::string> full;     // accounts with as many auto tokens as they may have
  std::vector<std::string> counted;  // accounts whose counts hold
};

// Each call changes something; the pages it writes are counted.
template <typename Change>
void Durable(benchmark::State& state, const std::string& data_file, Change change) {
  CountPagesOf(data_file);
  for (auto _ : state) change();
  const PagesWritten written = PagesSoFar();
  const auto each = static_cast<double>(state.iterations());
  state.counters["pages"] = static_cast<double>(written.pages) / each;
  state.counters["commits"] = static_cast<double>(written.commits) / each;
}

benchmark::internal::Benchmark* Add(const std::string& name, std::int64_t times,
                                    std::function<void(benchmark::State&)> function) {
  return benchmark::RegisterBenchmark(
             name.c_str(),
             [function = std::move(function)](benchmark::State& state) { function(state); })
      ->Iterations(times)
      ->UseRealTime();
}

void IssueOne(World& world) { Require(world.authority().Issue(world.Request()).status()); }
void DeactivateOne(World& world) { Require(world.authority().Deactivate(world.NextId())); }

// The sixth auto token of an account: one goes for it, in the same transaction.
void FillAutoTokens(World& world) {
  constexpr std::size_t kAccounts = 100;
  std::vector<IssueRequest> requests;
  for (std::size_t i = 0; i < kAccounts; ++i) {
    IssueRequest request = world.Request(Origin::kAuto);
    if (std::find(world.full.begin(), world.full.end(), request.account) != world.full.end()) {
      continue;
    }
    world.full.push_back(request.account);
    for (int n = 0; n < AutoTokenPolicy().max_per_account; ++n) requests.push_back(request);
  }
  Require(world.authority().IssueMany(requests).status());
}

void Evict(World& world) {
  IssueRequest request = world.Request(Origin::kAuto);
  request.account = world.full[world.next_id++ % world.full.size()];
  Require(world.authority().Issue(request).status());
}

void RegisterChanges(World& world) {
  const std::string data = world.scratch->data_file();
  const auto durable = [&world, data](void (*change)(World&)) {
    return [&world, data, change](benchmark::State& state) {
      Durable(state, data, [&] { change(world); });
    };
  };
  Add(NameOf("issue", world.tokens), world.writes(), durable(IssueOne));
  Add(NameOf("deactivate", world.tokens), world.writes(), durable(DeactivateOne));
  FillAutoTokens(world);
  Add(NameOf("evict", world.tokens), world.writes(), durable(Evict));
}

// The first look at an account after the expiry of one of its tokens counts anew and writes that
// down: once an account, and not what is measured here.
void CountOnce(World& world) {
  constexpr std::size_t kAccounts = 2000;
  for (std::size_t i = 0; i < kAccounts; ++i) {
    world.counted.push_back(world.RandomAccount());
    Require(world.authority().Count(world.counted.back()).status());
  }
}

void RegisterLooks(World& world) {
  constexpr std::int64_t kTimes = 2000;
  CountOnce(world);
  Add(NameOf("list_page", world.tokens), kTimes, [&world](benchmark::State& state) {
    for (auto _ : state) {
      const auto page = world.authority().List(world.RandomAccount());
      if (!page.ok() || page->tokens.empty()) state.SkipWithError("no page");
    }
  });
  Add(NameOf("counts", world.tokens), kTimes, [&world](benchmark::State& state) {
    for (auto _ : state) {
      const std::string& account = world.counted[world.random() % world.counted.size()];
      Require(world.authority().Count(account).status());
    }
  });
}

void RegisterBatches(World& world) {
  Add(NameOf("issue_many_1000", world.tokens), 2, [&world](benchmark::State& state) {
    std::vector<IssueRequest> requests(kIssueManyBatch);
    for (IssueRequest& request : requests) request = world.Request();
    for (auto _ : state) Require(world.authority().IssueMany(requests).status());
  });
  Add(NameOf("flush_2000_places", world.tokens), 2, [&world](benchmark::State& state) {
    for (auto _ : state) world.flusher.Step();
  });
  Add(NameOf("purge_50", world.tokens), 1, [&world](benchmark::State& state) {
    for (auto _ : state) {
      state.PauseTiming();
      for (std::size_t i = 0; i < kPurged; ++i) Require(world.authority().Delete(world.NextId()));
      state.ResumeTiming();
      Require(world.authority().Purge(absl::InfiniteFuture()).status());
    }
  });
}

// So many callers at once, each with a change of its own at a time.
void Group(benchmark::State& state, World& world, bool issue, int callers) {
  const auto each = std::max<std::int64_t>(world.writes() / 20, 2);
  const std::int64_t changes = callers == 1 ? world.writes() / 2 : each * callers;
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(changes));
  std::vector<IssueRequest> requests(ids.size());
  for (std::uint64_t& id : ids) id = world.NextId();
  for (IssueRequest& request : requests) request = world.Request();
  CountPagesOf(world.scratch->data_file());
  for (auto _ : state) {
    state.SetIterationTime(TimeOfCallers(callers, ids.size(), [&](std::size_t i) {
      Require(issue ? world.authority().Issue(requests[i]).status()
                    : world.authority().Deactivate(ids[i]));
    }));
  }
  const auto commits = static_cast<double>(PagesSoFar().commits);
  state.counters["changes_per_second"] =
      benchmark::Counter(static_cast<double>(changes), benchmark::Counter::kIsRate);
  state.counters["batches_per_commit"] = static_cast<double>(changes) / commits;
}

void RegisterGroups(World& world) {
  for (const bool issue : {true, false}) {
    for (const int callers : {1, 16, 64}) {
      const std::string name = std::string("group/") + (issue ? "issue/" : "deactivate/") +
                               std::to_string(callers) + "/" + std::to_string(world.tokens);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [&world, issue, callers](benchmark::State& state) {
                                     Group(state, world, issue, callers);
                                   })
          ->Iterations(1)
          ->UseManualTime();
    }
  }
}

void RegisterBare(World& world, BareLmdb& bare) {
  CountPagesOf(world.scratch->data_file());
  for (std::int64_t i = 0; i < world.writes(); ++i) IssueOne(world);
  const double pages =
      static_cast<double>(PagesSoFar().pages) / static_cast<double>(world.writes());
  const std::size_t puts = bare.PutsFor(pages);
  Add(NameOf("lmdb_bare", world.tokens), world.writes(), [&bare](benchmark::State& state) {
    Durable(state, bare.data_file(), [&] { bare.Commit(1); });
  });
  Add(NameOf("lmdb_same_pages", world.tokens), world.writes(),
      [&bare, puts](benchmark::State& state) {
        Durable(state, bare.data_file(), [&] { bare.Commit(puts); });
      });
}

void Fdatasync(benchmark::State& state) {
  const std::string path = BenchDirectory() + "/fdatasync";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::array<char, 4096> page{};
  bool good = pwrite(file, page.data(), page.size(), 0) > 0 && fdatasync(file) == 0;
  for (auto _ : state) {
    good = good && pwrite(file, page.data(), page.size(), 0) > 0 && fdatasync(file) == 0;
  }
  if (!good) state.SkipWithError("cannot write");
  close(file);
  std::filesystem::remove(path);
}

void RunAll() {
  std::vector<std::int64_t> sizes = BenchSizes();
  sizes.resize(std::min<std::size_t>(sizes.size(), 2));
  std::vector<std::unique_ptr<World>> worlds;
  for (const std::int64_t tokens : sizes) {
    worlds.push_back(std::make_unique<World>(tokens));
    RegisterChanges(*worlds.back());
    RegisterLooks(*worlds.back());
  }
  BareLmdb bare(BenchDirectory() + "/bare", sizes.back());
  RegisterBare(*worlds.back(), bare);
  RegisterGroups(*worlds.back());
  RegisterBatches(*worlds.back());
  Add("fdatasync", worlds.back()->writes(), Fdatasync);
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace pat::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  pat::bench::RunAll();
  benchmark::Shutdown();
  return 0;
}
