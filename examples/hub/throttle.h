// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_THROTTLE_H_
#define HUB_THROTTLE_H_

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"

namespace hub {

/// Counts failures by key (an address, an account) and says when there were too many. Only
/// failures count, so it is no limit on good logins, however many. Any thread.
class Throttle {
 public:
  struct Limits {
    int failures = 10;                            ///< That many at once;
    absl::Duration recovery = absl::Seconds(30);  ///< one more after each of these.
    std::size_t max_keys = std::size_t{1} << 16;  ///< Memory is bounded by forgetting some.
  };

  explicit Throttle(const Limits& limits) : limits_(limits) {}

  /// How long until `key` may try again; zero if now.
  absl::Duration Wait(std::string_view key, absl::Time now);
  /// Notes a failure of `key`.
  void Fail(std::string_view key, absl::Time now);

 private:
  void MakeRoom(absl::Time now);

  const Limits limits_;
  std::mutex mutex_;
  // By key: when its failures will all be forgotten, at one recovery each.
  std::unordered_map<std::string, absl::Time> free_at_;
};

/// What addresses are counted by: an IPv4 address whole, an IPv6 one by its first 64 bits, for one
/// subscriber has them all.
std::string AddressKey(std::string_view ip);

}  // namespace hub

#endif  // HUB_THROTTLE_H_
