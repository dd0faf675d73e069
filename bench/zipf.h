// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_ZIPF_H_
#define PAT_BENCH_ZIPF_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace pat::bench {

/// Ranks 0..n-1, rank k drawn in proportion to 1 / (k+1)^skew: few tokens make most of the traffic.
class Zipf {
 public:
  Zipf(std::size_t n, double skew) : cumulated_(n) {
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += std::pow(static_cast<double>(k + 1), -skew);
      cumulated_[k] = sum;
    }
  }

  template <typename Random>
  std::size_t Draw(Random& random) const {
    std::uniform_real_distribution<double> uniform(0, cumulated_.back());
    const auto at = std::upper_bound(cumulated_.begin(), cumulated_.end(), uniform(random));
    const auto rank = static_cast<std::size_t>(at - cumulated_.begin());
    return std::min(rank, cumulated_.size() - 1);
  }

 private:
  std::vector<double> cumulated_;
};

}  // namespace pat::bench

#endif  // PAT_BENCH_ZIPF_H_
