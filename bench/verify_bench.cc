// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Verify over the LMDB store, beside the limit and the peers, all in one program so that their
// repetitions can take turns (--benchmark_enable_random_interleaving). Tokens come in random order
// over the whole store, so that each verify meets cold memory as in real life; their texts lie in
// that order in memory, one cache line each, the same for libpat and the limit. The clock is read
// once before and once after a repetition's calls.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/c_abi.h"
#include "bench/limit.h"
#include "bench/limit_parts.h"
#include "bench/measure.h"
#include "bench/peer.h"
#include "bench/population.h"
#include "bench/zipf.h"

namespace pat::bench {
namespace {

// Texts held in this program's own memory.
struct TextArray {
  std::string bytes;
  Texts texts() const { return {bytes.data(), bytes.size() / Texts::kBytes}; }
};

// A traffic of 2 million presentations in which few tokens come most of the time.
TextArray ZipfTraffic(Texts tokens) {
  constexpr std::size_t kPresentations = 2'000'000;
  constexpr double kSkew = 0.99;
  const Zipf zipf(tokens.size(), kSkew);
  std::mt19937_64 random(3);
  TextArray traffic;
  const std::size_t presentations = std::min(kPresentations, tokens.size() * 20);
  traffic.bytes.reserve(presentations * Texts::kBytes);
  for (std::size_t i = 0; i < presentations; ++i) traffic.bytes += tokens[zipf.Draw(random)];
  return traffic;
}

// Every token with another secret and the checksum that goes with it.
TextArray WrongSecrets(Texts tokens) {
  constexpr std::size_t kMost = 2'000'000;
  constexpr std::size_t kCovered = Texts::kBytes - kChecksumLength;
  TextArray wrong;
  const std::size_t n = std::min(kMost, tokens.size());
  wrong.bytes.reserve(n * Texts::kBytes);
  for (std::size_t i = 0; i < n; ++i) {
    std::string text(tokens[i]);
    text.replace(kCovered - kSecretLength, kSecretLength, kSecretLength, '0');
    token_text_internal::EncodeChecksum(Crc32(std::string_view(text).substr(0, kCovered)),
                                        text.data() + kCovered);
    wrong.bytes += text;
  }
  return wrong;
}

TextArray ForgedSelectors(std::string_view prefix) {
  constexpr std::size_t kMany = 1000;
  std::mt19937_64 random(2);
  TextArray forged;
  for (std::size_t i = 0; i < kMany; ++i) {
    Selector selector;
    for (unsigned char& byte : selector) byte = static_cast<unsigned char>(random());
    forged.bytes += ComposeTokenText(prefix, selector, "abcdefghijklmnopqrstuvwxyz0").Reveal();
  }
  return forged;
}

bool SmallPages() { return std::getenv("PAT_BENCH_SMALL_PAGES") != nullptr; }

// What a size's benchmarks share; lives as long as the program.
struct World {
  explicit World(std::int64_t tokens)
      : population(Population::Of(tokens)),
        limit(population.RecordsFile(), population.keys()),
        zipf(ZipfTraffic(population.accepted())),
        wrong_secrets(WrongSecrets(population.accepted())),
        forged(ForgedSelectors(population.authority().prefixes().front())) {
    const bool settled = population.Settle(SmallPages() ? Pages::kSmall : Pages::kHuge);
    Context("locked in memory", settled ? "yes" : "no");
    population.NoteUses();
    const Residency store = ResidencyOf(population.data_file());
    const Residency flat = ResidencyOf(population.RecordsFile());
    Context("store_kib", std::to_string(store.resident_kib));
    Context("store_FilePmdMapped_kib", std::to_string(store.huge_kib));
    Context("limit_kib", std::to_string(flat.resident_kib));
    Context("limit_FilePmdMapped_kib", std::to_string(flat.huge_kib));
  }
  void Context(const std::string& name, const std::string& value) const {
    benchmark::AddCustomContext(NameOf(name, population.tokens()), value);
  }

  Population& population;
  Limit limit;
  TextArray zipf;
  TextArray wrong_secrets;
  TextArray forged;
};

void Verify(benchmark::State& state, World& world, Texts texts) {
  if (state.thread_index() == 0) world.population.NoteUses();
  Authority& authority = world.population.authority();
  Measure(state, texts.size(), [&](std::size_t i) { return Read(authority.Verify(texts[i])); });
}

// Many presented at once: a call is 64 tokens.
void VerifyMany(benchmark::State& state, World& world, Texts texts) {
  constexpr std::size_t kAtOnce = 64;
  world.population.NoteUses();
  Authority& authority = world.population.authority();
  std::array<std::string_view, kAtOnce> many;
  Measure(state, texts.size() / kAtOnce, [&](std::size_t i) {
    for (std::size_t j = 0; j < kAtOnce; ++j) many[j] = texts[i * kAtOnce + j];
    std::uint64_t sum = 0;
    std::size_t good = 0;
    authority.VerifyMany(many, {}, [&](std::size_t, const Decision& decision) {
      const std::uint64_t answer = Read(decision);
      sum += answer;
      good += answer != 0 ? 1 : 0;
    });
    return good == kAtOnce ? sum : 0;
  });
}

void VerifyLimit(benchmark::State& state, World& world, Texts texts) {
  Measure(state, texts.size(), [&](std::size_t i) { return Read(world.limit.Verify(texts[i])); });
}

void VerifyRefused(benchmark::State& state, World& world, Texts texts, RefusalReason reason,
                   const Presented& presented) {
  Authority& authority = world.population.authority();
  Measure(state, texts.size(), [&](std::size_t i) -> std::uint64_t {
    const Decision decision = authority.Verify(texts[i], presented);
    return decision.refusal() != nullptr && decision.refusal()->reason() == reason ? 1 : 0;
  });
}

template <typename Function, typename... Arguments>
benchmark::internal::Benchmark* Register(const std::string& what, World& world, Function function,
                                         Arguments... arguments) {
  return benchmark::RegisterBenchmark(
             NameOf(what, world.population.tokens()).c_str(),
             [=, &world](benchmark::State& state) { function(state, world, arguments...); })
      ->UseRealTime();
}

void RegisterRefusals(World& world) {
  const auto refused = [&](const char* what, Texts texts, RefusalReason reason,
                           const Presented& presented = {}) {
    Register(what, world, VerifyRefused, texts, reason, presented);
  };
  refused("refused/forged", world.forged.texts(), RefusalReason::kForged);
  refused("refused/wrong_secret", world.wrong_secrets.texts(), RefusalReason::kWrongSecret);
  refused("refused/inactive", world.population.inactive(), RefusalReason::kInactive);
  refused("refused/expired", world.population.expired(), RefusalReason::kExpired);
  Presented presented;
  presented.need = PermissionSet{kRepoDelete};
  refused("refused/missing_permission", world.population.accepted(),
          RefusalReason::kMissingPermission, presented);
}

void RegisterAll() {
  const std::vector<std::int64_t> sizes = BenchSizes();
  for (const std::int64_t tokens : sizes) {
    World& world = *new World(tokens);  // NOLINT: benchmarks use it until the end
    const Texts texts = world.population.accepted();
    Register("verify", world, Verify, texts);
    Register("limit", world, VerifyLimit, texts);
    RegisterPhysical(world.limit, tokens);
    if (SmallPages()) continue;
    RegisterPeers(tokens, /*all=*/tokens <= 1'000'000);
    if (tokens == sizes.front()) RegisterCAbi(world.population);  // warm: the difference is small
    if (tokens != sizes[sizes.size() > 1 ? 1 : 0]) continue;      // the rest at a million alone
    Register("verify_2_threads", world, Verify, texts)->Threads(2);
    Register("limit_2_threads", world, VerifyLimit, texts)->Threads(2);
    Register("verify_many_64", world, VerifyMany, texts);
    Register("verify_zipf", world, Verify, world.zipf.texts());
    Register("limit_zipf", world, VerifyLimit, world.zipf.texts());
    RegisterRefusals(world);
    RegisterLimitParts(world.limit, texts);
  }
}

}  // namespace
}  // namespace pat::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  pat::bench::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
