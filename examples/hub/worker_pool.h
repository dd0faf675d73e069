// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_WORKER_POOL_H_
#define HUB_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hub {

/// A few threads with a bounded queue, for work that takes long (password checks). Any thread.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t max_waiting);
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False if too many wait already, or the pool is stopped: `work` is not run then.
  bool TryRun(std::function<void()> work);

  /// Finishes what waits, then ends the threads. Idempotent.
  void Stop();

 private:
  void Work();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hub

#endif  // HUB_WORKER_POOL_H_
