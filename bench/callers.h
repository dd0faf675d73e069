// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_CALLERS_H_
#define PAT_BENCH_CALLERS_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace pat::bench {

/// Seconds that `callers` threads take for `call(0)` to `call(n - 1)`, each thread one after the
/// other of its share. All begin at once.
template <typename Call>
double TimeOfCallers(int callers, std::size_t n, Call call) {
  std::mutex mutex;
  std::condition_variable changed;
  bool go = false;
  const auto count = static_cast<std::size_t>(callers);
  std::vector<std::thread> threads;
  for (std::size_t caller = 0; caller < count; ++caller) {
    threads.emplace_back([&, caller] {
      {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [&] { return go; });
      }
      for (std::size_t i = caller; i < n; i += count) call(i);
    });
  }
  const auto begin = std::chrono::steady_clock::now();
  {
    const std::lock_guard<std::mutex> lock(mutex);
    go = true;
  }
  changed.notify_all();
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace pat::bench

#endif  // PAT_BENCH_CALLERS_H_
