// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace {

[[noreturn]] void Fail(const char* doing) {
  std::perror(doing);
  std::abort();
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) Fail("make a pipe");
    read = ends[0];
    write = ends[1];
  }
  int read;
  int write;
};

// A worker that does not answer for this long hangs.
constexpr int kPatienceMs = 120'000;

}  // namespace

Child::Child(const std::vector<std::string>& args, const std::string& flaw) {
  if (!flaw.empty())
    setenv("PAT_DIRECTORY_FLAW", flaw.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  Spawn(flaw.empty() ? PAT_TEST_WORKER : PAT_TEST_WORKER "_flawed", args);
}

Child Child::Of(const std::string& program, const std::vector<std::string>& args) {
  Child child;
  child.Spawn(program, args);
  return child;
}

void Child::Spawn(std::string program, std::vector<std::string> args) {
  signal(SIGPIPE, SIG_IGN);  // a worker that has died is noticed by its silence
  const Pipe in;
  const Pipe out;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  std::vector<char*> argv = {program.data()};
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  errno = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
  if (errno != 0) Fail(program.c_str());
  posix_spawn_file_actions_destroy(&actions);
  close(in.read);
  close(out.write);
  to_ = in.write;
  from_ = out.read;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  Kill();
  pid_ = std::exchange(other.pid_, -1);
  to_ = std::exchange(other.to_, -1);
  from_ = std::exchange(other.from_, -1);
  status_ = other.status_;
  unread_ = std::move(other.unread_);
  return *this;
}

void Child::Send(const std::vector<std::string>& fields) {
  const std::string line = absl::StrJoin(fields, "\t") + "\n";
  if (to_ >= 0 && write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    CloseInput();
  }
}

std::vector<std::string> Child::Receive() {
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::vector<std::string> fields = absl::StrSplit(unread_.substr(0, end), '\t');
      unread_.erase(0, end + 1);
      return fields;
    }
    pollfd wait = {from_, POLLIN, 0};
    if (from_ < 0 || poll(&wait, 1, kPatienceMs) <= 0) return {"gone"};
    char buffer[4096];
    const ssize_t got = read(from_, buffer, sizeof buffer);
    if (got <= 0) return {"gone"};
    unread_.append(buffer, static_cast<std::size_t>(got));
  }
}

std::vector<std::string> Child::Ask(const std::vector<std::string>& fields) {
  Send(fields);
  return Receive();
}

bool Child::KillAtSystemCall(int n) {
  if (ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_TRACESYSGOOD) != 0) Fail("trace a worker");
  if (ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr) != 0) Fail("stop a worker");
  bool entry = true;
  for (int calls = 0;;) {
    int status = 0;
    if (waitpid(pid_, &status, __WALL) != pid_) Fail("trace a worker");
    if (!WIFSTOPPED(status)) {
      Reap(status);
      return false;
    }
    pollfd answer = {from_, POLLIN, 0};
    if (poll(&answer, 1, 0) > 0) {
      ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
      return false;
    }
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      if (entry && ++calls == n) {
        Kill();
        return true;
      }
      entry = !entry;
    }
    if (ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr) != 0) Fail("trace a worker");
  }
}

bool Child::Stop() {
  if (pid_ <= 0) return false;
  kill(pid_, SIGSTOP);
  int status = 0;
  while (waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  if (WIFSTOPPED(status)) return true;
  Reap(status);
  return false;
}

void Child::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  CloseInput();
  if (from_ >= 0) close(std::exchange(from_, -1));
}

int Child::Wait() {
  CloseInput();
  if (pid_ > 0) {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    Reap(status);
  }
  return status_;
}

void Child::CloseInput() {
  if (to_ >= 0) close(std::exchange(to_, -1));
}

void Child::Reap(int status) {
  pid_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
