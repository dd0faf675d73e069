// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_STOPWATCH_H_
#define PAT_BENCH_STOPWATCH_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pat::bench {

/// Times of single calls, in nanoseconds less what taking the time costs. On x86-64 by the
/// processor's time stamp counter, before and after which all loads are complete.
class Stopwatch {
 public:
  /// Looks for a while how fast the counter runs and what reading it costs.
  Stopwatch() {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t ticks = Ticks();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(50)) {
    }
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - begin;
    ns_per_tick_ = passed.count() / static_cast<double>(Ticks() - ticks);
    std::vector<std::uint64_t> empty(1001);
    for (std::uint64_t& one : empty) {
      const std::uint64_t from = Ticks();
      one = Ticks() - from;
    }
    std::nth_element(empty.begin(), empty.begin() + 500, empty.end());
    cost_ = empty[500];
  }

  static std::uint64_t Ticks() {
#if defined(__x86_64__)
    _mm_lfence();
    const std::uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
#endif
  }

  double Ns(std::uint64_t ticks) const {
    return static_cast<double>(ticks - std::min(ticks, cost_)) * ns_per_tick_;
  }

  /// The value below which that part (0..1) of `ticks` lies. Reorders them.
  double Percentile(std::vector<std::uint32_t>& ticks, double part) const {
    if (ticks.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(static_cast<double>(ticks.size() - 1) * part);
    std::nth_element(ticks.begin(), ticks.begin() + at, ticks.end());
    return Ns(ticks[static_cast<std::size_t>(at)]);
  }

 private:
  double ns_per_tick_ = 1;
  std::uint64_t cost_ = 0;
};

}  // namespace pat::bench

#endif  // PAT_BENCH_STOPWATCH_H_
