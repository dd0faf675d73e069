// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_DEADLINES_H_
#define HUB_DEADLINES_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace hub {

/// Cuts off connections that take too long: each must have its next request complete within a
/// time, however busily it sends it byte by byte. A thread looks at all of them several times a
/// second and shuts the late ones down, which their server then notices and closes them. Any
/// thread.
class Deadlines {
 public:
  /// For sockets below `max_sockets`; others have no deadline.
  Deadlines(std::size_t max_sockets, absl::Duration limit);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  /// The client's time begins now.
  void Start(int socket);
  /// It is not the client who is waited for.
  void Pause(int socket) { Set(socket, kNone); }
  /// The socket is about to be closed. After this it is never touched.
  void Forget(int socket);

 private:
  static constexpr std::int64_t kNone = 0;
  void Set(int socket, std::int64_t deadline);
  void Watch();
  void CutOffLate(std::int64_t now);

  const std::int64_t limit_ns_;
  std::vector<std::atomic<std::int64_t>> deadlines_;  // by socket; nanoseconds, steady clock
  std::atomic<std::size_t> highest_{0};
  std::mutex closing_;  // between cutting off and Forget
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace hub

#endif  // HUB_DEADLINES_H_
