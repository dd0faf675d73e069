// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "throttle.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace hub {

absl::Duration Throttle::Wait(std::string_view key, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = free_at_.find(std::string(key));
  if (found == free_at_.end()) return absl::ZeroDuration();
  // Full: the failures take longer to forget than (failures - 1) recoveries.
  const absl::Duration wait = found->second - now - (limits_.failures - 1) * limits_.recovery;
  return std::max(wait, absl::ZeroDuration());
}

void Throttle::Fail(std::string_view key, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = free_at_.find(std::string(key));
  if (found == free_at_.end()) {
    if (free_at_.size() >= limits_.max_keys) MakeRoom(now);
    found = free_at_.emplace(std::string(key), now).first;
  }
  found->second = std::max(found->second, now) + limits_.recovery;
  found->second = std::min(found->second, now + limits_.failures * limits_.recovery);
}

void Throttle::MakeRoom(absl::Time now) {
  for (auto it = free_at_.begin(); it != free_at_.end();) {
    it = it->second <= now ? free_at_.erase(it) : std::next(it);
  }
  // Still full: half of them go, so that the sweep is not made for every newcomer.
  for (auto it = free_at_.begin();
       free_at_.size() > limits_.max_keys / 2 && it != free_at_.end();) {
    it = free_at_.erase(it);
  }
}

std::string AddressKey(std::string_view ip) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, std::string(ip).c_str(), &address) != 1) return std::string(ip);
  std::fill(std::begin(address.s6_addr) + 8, std::end(address.s6_addr), std::uint8_t{0});
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET6, &address, text, sizeof text);
  return text;
}

}  // namespace hub
