// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_MEASURE_H_
#define PAT_BENCH_MEASURE_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/limit.h"
#include "bench/population.h"
#include "pat/pat.h"

namespace pat::bench {

/// What every caller does with an answer: it reads who, whose and which rights. 0: refused.
inline std::uint64_t Read(const Decision& decision) {
  const Principal* who = decision.principal();
  if (who == nullptr) return 0;
  return who->token_id() + who->permissions().bits() +
         static_cast<unsigned char>(who->account().back());
}
inline std::uint64_t Read(const Answer& answer) {
  if (answer.id == 0) return 0;
  return answer.id + answer.permissions + static_cast<unsigned char>(answer.account.back());
}

/// A walk over the numbers 0..size-1, round and round; the next walk begins where this one may
/// have ended, so that repetitions do not meet the same tokens.
class Walk {
 public:
  Walk(std::size_t size, int thread, int threads)
      : size_(size),
        i_((began_.fetch_add(524'287) +
            size / static_cast<std::size_t>(threads) * static_cast<std::size_t>(thread)) %
           size) {}
  std::size_t Next() {
    const std::size_t i = i_;
    i_ = i_ + 1 < size_ ? i_ + 1 : 0;
    return i;
  }

 private:
  static inline std::atomic<std::size_t> began_{0};
  std::size_t size_;
  std::size_t i_;
};

/// Times `call(i)`, which returns 0 if it did not do what it should. What others left in the
/// caches is first replaced by what steady traffic leaves there, untimed.
template <typename Call>
void Measure(benchmark::State& state, std::size_t size, Call call) {
  constexpr std::size_t kWarmUp = 200'000;
  Walk walk(size, state.thread_index(), state.threads());
  std::uint64_t bad = 0;
  std::uint64_t sum = 0;
  for (std::size_t i = std::min(size, kWarmUp); i-- > 0;) sum += call(walk.Next());
  for (auto _ : state) {
    const std::uint64_t answer = call(walk.Next());
    bad += answer == 0 ? 1 : 0;
    sum += answer;
  }
  benchmark::DoNotOptimize(sum);
  if (bad != 0) state.SkipWithError("not the answer it should be");
}

/// "verify/accepted/10000".
inline std::string NameOf(const std::string& what, std::int64_t tokens) {
  return what + "/" + std::to_string(tokens);
}

}  // namespace pat::bench

#endif  // PAT_BENCH_MEASURE_H_
