// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/peer.h"

#include <benchmark/benchmark.h>

#include <map>
#include <utility>

#include "bench/measure.h"
#include "bench/population.h"

namespace pat::bench {
namespace {

using Opener = std::unique_ptr<Peer> (*)(std::int64_t tokens);

struct PeerKind {
  const char* name;
  Opener open;
};

constexpr PeerKind kPeers[] = {
    {"hs256_floor", OpenHs256Floor},
    {"pbkdf2_10k", OpenPbkdf2},
#ifdef PAT_BENCH_LIBJWT
    {"libjwt_hs256", OpenLibjwtHs256},
    {"libjwt_rs256", OpenLibjwtRs256},
    {"libjwt_es256", OpenLibjwtEs256},
#endif
#ifdef PAT_BENCH_MACAROONS
    {"libmacaroons", OpenMacaroons},
#endif
#ifdef PAT_BENCH_REDIS
    {"redis_unix", OpenRedis},
#endif
#ifdef PAT_BENCH_POSTGRES
    {"postgres_unix", OpenPostgres},
#endif
#ifdef PAT_BENCH_SQLITE
    {"sqlite", OpenSqlite},
#endif
};

// Opened when first measured, so that a filter spares the others' set-up; kept until the end.
Peer* Opened(const PeerKind& kind, std::int64_t tokens) {
  static auto* const peers =
      new std::map<std::pair<std::string, std::int64_t>, std::unique_ptr<Peer>>;
  const auto [at, fresh] = peers->try_emplace({kind.name, tokens});
  if (fresh) at->second = kind.open(tokens);
  return at->second.get();
}

void Run(benchmark::State& state, const PeerKind& kind, std::int64_t tokens) {
  Peer* const peer = Opened(kind, tokens);
  if (peer == nullptr) {
    state.SkipWithError("not there");
    return;
  }
  Walk walk(peer->size(), 0, 1);
  std::uint64_t bad = 0;
  for (auto _ : state) bad += peer->Verify(walk.Next()) == 0 ? 1 : 0;
  if (bad != 0) state.SkipWithError("a good credential is refused");
}

}  // namespace

void RegisterPeers(std::int64_t tokens, bool all) {
  for (const PeerKind& kind : kPeers) {
    if (!all && kind.open != OpenHs256Floor) continue;
    benchmark::RegisterBenchmark(
        NameOf(std::string("peer/") + kind.name, tokens).c_str(),
        [&kind, tokens](benchmark::State& state) { Run(state, kind, tokens); })
        ->UseRealTime();
  }
}

std::string AccountOfRow(std::size_t i) {
  return "user-" + std::to_string(i / Population::kTokensPerAccount);
}

std::size_t ShuffledRow(std::size_t i, std::size_t n) {
  constexpr std::size_t kPrime = 2'654'435'761;  // above any n and prime, so it hits each row once
  return i * kPrime % n;
}

}  // namespace pat::bench
