// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_WRITERS_H_
#define PAT_BENCH_WRITERS_H_

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/population.h"

namespace pat::bench {

/// Deactivates tokens that nobody presents, one in a durable commit; when all are inactive,
/// activates them one by one, which writes the same pages, and so on for ever.
class Toggler {
 public:
  Toggler(Authority& authority, std::vector<std::uint64_t> ids)
      : authority_(authority), ids_(std::move(ids)) {}
  void Step();

 private:
  Authority& authority_;
  std::vector<std::uint64_t> ids_;
  std::size_t next_ = 0;
  bool activate_ = true;  // those of a Population are inactive
};

/// Notes uses with their places and flushes them, on a handle of its own to the same store.
class Flusher {
 public:
  Flusher(const std::string& store_directory, std::vector<std::uint64_t> ids);
  void Step();

 private:
  std::unique_ptr<Store> store_;
  std::vector<std::uint64_t> ids_;
  std::uint32_t unix_s_;
};

/// Takes steps in a thread of its own, as fast as it goes, from construction to destruction.
class Background {
 public:
  explicit Background(std::function<void()> step);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  std::uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> steps_{0};
  std::thread thread_;
};

/// A second process with a Toggler on the same store: this program, started again.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& directory);
  ~OtherProcess();
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  void Commit() { Ask('c'); }   ///< One step; returns when it is done.
  void Nothing() { Ask('n'); }  ///< As much written, but elsewhere.

  /// Steps as fast as it goes until Pause.
  void Run() { Tell('r'); }
  void Pause() { Ask('p'); }

  /// To be called first in main: is this the second process, and if so, what it exits with.
  static bool Is(int argc, char** argv) { return argc == 3 && std::string(argv[1]) == kFlag; }
  static int Main(const std::string& directory);

 private:
  static constexpr char kFlag[] = "--other-process";
  void Tell(char command);
  void Ask(char command);

  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace pat::bench

#endif  // PAT_BENCH_WRITERS_H_
