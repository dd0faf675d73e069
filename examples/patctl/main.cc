// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl: the operator's tool for a token store. See `patctl help`.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "pat/version.h"
#include "text.h"

namespace patctl {
namespace {

/// False if standard output is closed. A closed stream must not be left free: the next file opened,
/// the store's perhaps, would take its place and get what is written to it.
bool OccupyStandardStreams() {
  const bool can_write = ::fcntl(STDOUT_FILENO, F_GETFD) != -1;
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
  return can_write && fd >= 0;
}

absl::StatusOr<int> RunLine(const std::vector<std::string>& line, std::string* verb, Output& out) {
  const absl::StatusOr<Arguments> arguments = Arguments::Parse(line);
  if (!arguments.ok()) return arguments.status();
  *verb = arguments->verb();
  if (arguments->help()) {
    out.Write(Usage(*verb));
    return kDone;
  }
  if (arguments->version()) {
    out.WriteLine(Cat({"patctl ", std::to_string(PAT_VERSION_MAJOR), ".",
                       std::to_string(PAT_VERSION_MINOR), ".", std::to_string(PAT_VERSION_PATCH)}));
    return kDone;
  }
  return RunVerb(*arguments, out);
}

int Main(const std::vector<std::string>& line) {
  if (!OccupyStandardStreams()) return kFailed;
  // A closed pipe is a failed write, reported like any other.
  if (::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return kFailed;
  Output out;
  std::string verb;
  absl::StatusOr<int> result = RunLine(line, &verb, out);
  if (absl::Status s = out.Flush(); result.ok() && !s.ok()) result = s;
  if (result.ok()) return *result;
  std::string message = Escaped(std::string(result.status().message()));
  if (absl::IsInvalidArgument(result.status())) message += "\n" + Usage(verb);
  while (!message.empty() && message.back() == '\n') message.pop_back();
  Say(message);
  return absl::IsNotFound(result.status()) ? kRefused : kFailed;
}

}  // namespace
}  // namespace patctl

int main(int argc, char** argv) {
  return patctl::Main(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
