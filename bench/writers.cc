// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/writers.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace pat::bench {

void Toggler::Step() {
  const std::uint64_t id = ids_[next_];
  Require(activate_ ? authority_.Activate(id) : authority_.Deactivate(id));
  if (++next_ < ids_.size()) return;
  next_ = 0;
  activate_ = !activate_;
}

Flusher::Flusher(const std::string& store_directory, std::vector<std::uint64_t> ids)
    : ids_(std::move(ids)), unix_s_(static_cast<std::uint32_t>(std::time(nullptr))) {
  auto store = OpenLmdbStore(store_directory);
  Require(store.status());
  store_ = *std::move(store);
}

void Flusher::Step() {
  unix_s_ += 61;  // a use counts anew after a minute
  for (const std::uint64_t id : ids_) store_->RecordUse(id, unix_s_, "192.0.2.1", "docker/24.0.7");
  Require(store_->Flush());
}

Background::Background(std::function<void()> step)
    : thread_([this, step = std::move(step)] {
        while (!stop_.load(std::memory_order_relaxed)) {
          step();
          steps_.fetch_add(1, std::memory_order_relaxed);
        }
      }) {}

Background::~Background() {
  stop_.store(true);
  thread_.join();
}

OtherProcess::OtherProcess(const std::string& directory) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0) Fail("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  std::string program = "/proc/self/exe";
  std::string flag = kFlag;
  std::string argument = directory;
  std::array<char*, 4> argv{program.data(), flag.data(), argument.data(), nullptr};
  const int rc = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
  if (rc != 0) Fail("cannot start a second process");
  Nothing();  // it has the store open
}

OtherProcess::~OtherProcess() {
  close(to_);
  close(from_);
  (void)waitpid(pid_, nullptr, 0);
}

void OtherProcess::Tell(char command) {
  if (write(to_, &command, 1) != 1) Fail("the second process is gone");
}

void OtherProcess::Ask(char command) {
  Tell(command);
  char answer = 0;
  if (read(from_, &answer, 1) != 1) Fail("the second process is gone");
}

// What a commit does to the disk and to the time until the answer, on a file that is no store's.
static void WriteElsewhere(int file) {
  static const std::array<char, 16 * 4096> pages{};
  if (pwrite(file, pages.data(), pages.size(), 0) < 0 || fdatasync(file) != 0 ||
      pwrite(file, pages.data(), 128, 0) < 0 || fdatasync(file) != 0) {
    Fail("cannot write");
  }
}

int OtherProcess::Main(const std::string& directory) {
  const std::unique_ptr<Population> there = Population::At(directory);
  // The other half of the inactive tokens is the first process's.
  std::vector<std::uint64_t> ids = there->IdsOf(there->inactive(), there->inactive().size());
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2));
  Toggler toggler(there->authority(), std::move(ids));
  const int elsewhere =
      open((directory + "/elsewhere").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  for (char command = 0; read(STDIN_FILENO, &command, 1) == 1;) {
    if (command == 'c') toggler.Step();
    if (command == 'n') WriteElsewhere(elsewhere);
    if (command == 'r') {
      for (pollfd told{STDIN_FILENO, POLLIN, 0}; poll(&told, 1, 0) == 0;) toggler.Step();
      continue;  // no answer: the next command has one
    }
    if (write(STDOUT_FILENO, &command, 1) != 1) break;
  }
  return 0;
}

}  // namespace pat::bench
