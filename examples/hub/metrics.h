// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_METRICS_H_
#define HUB_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "pat/lifecycle.h"
#include "pat/principal.h"

namespace hub {

/// What happened since the start, counted for /metrics. Any thread; nothing waits.
class Metrics {
 public:
  /// What is not counted but looked up when asked.
  struct Gauges {
    std::uint64_t active = 0;  ///< Tokens, of the users' file's accounts.
    std::uint64_t inactive = 0;
    std::uint64_t store_bytes = 0;
    std::uint64_t uses_dropped = 0;
    bool healthy = false;
  };

  /// A token was judged.
  void Verified(absl::Duration took);
  /// Somebody came in, or not: `reason` is a RefusalReason's name, "throttled" or "wrong_code".
  void Accepted(pat::Principal::Method method);
  void Refused(std::string_view reason);
  void Issued(pat::Origin origin, std::size_t evicted);
  void Answered(int status);

  /// The Prometheus text format, version 0.0.4.
  std::string Text(const Gauges& gauges) const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  static constexpr std::size_t kBuckets = 12;
  static constexpr std::size_t kReasons = 17;  // see metrics.cc

  std::string Histogram() const;

  std::array<Counter, kBuckets + 1> verify_buckets_{};  // the last: longer than all
  Counter verify_ns_{0};
  std::array<Counter, 2> accepted_{};  // token, password
  std::array<Counter, kReasons> refused_{};
  std::array<Counter, 2> issued_{};  // manual, auto
  Counter evicted_{0};
  std::array<Counter, 6> answered_{};  // by the first digit
};

}  // namespace hub

#endif  // HUB_METRICS_H_
