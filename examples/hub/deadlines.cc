// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "deadlines.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>

namespace hub {
namespace {

std::int64_t Now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Deadlines::Deadlines(std::size_t max_sockets, absl::Duration limit)
    : limit_ns_(absl::ToInt64Nanoseconds(limit)),
      deadlines_(max_sockets),
      thread_([this] { Watch(); }) {}

Deadlines::~Deadlines() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Deadlines::Start(int socket) { Set(socket, Now() + limit_ns_); }

void Deadlines::Forget(int socket) {
  const std::lock_guard<std::mutex> lock(closing_);
  Set(socket, kNone);
}

void Deadlines::Set(int socket, std::int64_t deadline) {
  const auto index = static_cast<std::size_t>(socket);
  if (socket < 0 || index >= deadlines_.size()) return;
  deadlines_[index].store(deadline, std::memory_order_relaxed);
  std::size_t highest = highest_.load(std::memory_order_relaxed);
  while (index > highest && !highest_.compare_exchange_weak(highest, index)) {
  }
}

void Deadlines::Watch() {
  const auto period =
      std::chrono::nanoseconds(std::clamp<std::int64_t>(limit_ns_ / 8, 20'000'000, 500'000'000));
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, period, [this] { return stopped_; })) CutOffLate(Now());
}

void Deadlines::CutOffLate(std::int64_t now) {
  const std::size_t highest = highest_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i <= highest && i < deadlines_.size(); ++i) {
    std::int64_t deadline = deadlines_[i].load(std::memory_order_relaxed);
    if (deadline == kNone || deadline > now) continue;
    const std::lock_guard<std::mutex> lock(closing_);
    // Only if it is still that deadline: a socket closed meanwhile has none.
    if (deadlines_[i].compare_exchange_strong(deadline, kNone)) {
      ::shutdown(static_cast<int>(i), SHUT_RDWR);
    }
  }
}

}  // namespace hub
