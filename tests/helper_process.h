// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_HELPER_PROCESS_H_
#define PAT_TESTS_HELPER_PROCESS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace pat {

/// A running store_helper: killed, if it still runs, with the object.
class HelperProcess {
 public:
  explicit HelperProcess(std::vector<std::string> arguments,
                         const std::string& program = PAT_STORE_HELPER) {
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0) << argv[0];
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out_ = ends[0];
  }
  ~HelperProcess() {
    if (pid_ > 0) Kill();
    if (out_ >= 0) close(out_);
  }
  HelperProcess(HelperProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), out_(std::exchange(other.out_, -1)) {}
  HelperProcess& operator=(HelperProcess&&) = delete;

  /// Waits for its end: the exit code, or minus the signal.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Waits until it stands still by SIGSTOP.
  bool AwaitStop() {
    int status = 0;
    return waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
  }
  void Continue() { kill(pid_, SIGCONT); }

  int Kill() {
    kill(pid_, SIGKILL);
    return Wait();
  }

  /// The next whole line it wrote; empty at the end.
  std::string Line() {
    std::string line;
    for (char c = 0; read(out_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }

  /// All whole lines it wrote until its end.
  std::vector<std::string> Lines() {
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(out_, buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(n));
    }
    std::vector<std::string> lines;
    for (std::size_t at = 0, end = 0; (end = all.find('\n', at)) != all.npos; at = end + 1) {
      lines.push_back(all.substr(at, end - at));
    }
    return lines;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

}  // namespace pat

#endif  // PAT_TESTS_HELPER_PROCESS_H_
