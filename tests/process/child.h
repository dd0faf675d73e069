// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_CHILD_H_
#define TESTS_PROCESS_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

/// A worker process (see worker.cc): started afresh by exec, never a fork that goes on. Killed with
/// the object, and with the test.
class Child {
 public:
  /// Starts `worker ARGS...`. Aborts the test if that fails. `flaw`: instead the worker whose page
  /// directory has that flaw (see flawed_directory.cc).
  explicit Child(const std::vector<std::string>& args, const std::string& flaw = {});

  /// The same for any program.
  static Child Of(const std::string& program, const std::vector<std::string>& args);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child() { Kill(); }

  bool running() const { return pid_ > 0; }

  /// Sends a line and returns the answer: both split at tabs. Empty fields at the end are kept.
  /// {"gone"} if the process has ended.
  std::vector<std::string> Ask(const std::vector<std::string>& fields);

  /// The two halves of Ask, for several workers at once.
  void Send(const std::vector<std::string>& fields);
  std::vector<std::string> Receive();

  /// Kills it (SIGKILL) when it enters its `n`th system call from here on: true. False: it had
  /// answered or ended before.
  bool KillAtSystemCall(int n);

  /// Stops it (SIGSTOP) and returns when it does stand still; false if it had ended by itself.
  bool Stop();

  /// SIGKILL, and waits for the end.
  void Kill();

  /// Closes its input and waits: the exit status, or minus the signal.
  int Wait();

 private:
  Child() = default;
  void Spawn(std::string program, std::vector<std::string> args);
  void CloseInput();
  void Reap(int status);

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int status_ = 0;
  std::string unread_;
};

#endif  // TESTS_PROCESS_CHILD_H_
