// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// The other processes of the tests in this directory. The first argument says what to be.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/process/clerk.h"
#include "tests/process/puppet.h"
#include "tests/process/recorder.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"
#include "tests/process/verifier.h"
#include "tests/process/writer.h"

namespace {

// The store's own answers, or ("stale") the control's.
absl::StatusOr<std::unique_ptr<pat::Authority>> OpenAs(const char* directory, std::string_view how,
                                                       const pat::AuthorityOptions& options = {}) {
  WrapStore wrap;
  if (how == "stale") {
    wrap = [](std::unique_ptr<pat::Store> base) {
      return std::make_unique<StaleStore>(std::move(base));
    };
  }
  absl::StatusOr<std::unique_ptr<pat::Authority>> authority = OpenScratch(directory, wrap, options);
  if (!authority.ok()) std::cerr << authority.status() << "\n";
  return authority;
}

// record DIRECTORY BOARD plain|stale|verify: two threads take part in a history.
int RunRecorder(const char* directory, const char* board_fd, std::string_view how) {
  const SharedMemory<HistoryBoard> board(board_fd);
  pat::AuthorityOptions options;
  options.clock = HistoryTime;
  const auto authority = OpenAs(directory, how, options);
  if (!authority.ok()) return 1;
  const Draws draws = how == "plain" ? Draws::kAll : Draws::kVerify;
  std::thread other(RecordCalls, authority->get(), &*board, draws);
  RecordCalls(authority->get(), &*board, draws);
  other.join();
  return 0;
}

// verify DIRECTORY BOARD plain|stale: two threads verify until the board says stop.
int RunVerifier(const char* directory, const char* board_fd, std::string_view how) {
  const SharedMemory<RevocationBoard> board(board_fd);
  const auto authority = OpenAs(directory, how);
  if (!authority.ok()) return 1;
  std::vector<std::thread> threads;
  for (RevocationBoard::Verifier& counts : board->verifiers) {
    threads.emplace_back(VerifyWithoutPause, authority->get(), &*board, &counts);
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // not to outlive a test that dies
  if (getppid() == 1) return 1;
  const std::string_view role = argc == 5 ? argv[1] : "";
  if (role == "verify") return RunVerifier(argv[2], argv[3], argv[4]);
  if (role == "puppet") return RunPuppet(argv[2], argv[3], argv[4]);
  if (role == "clerk") return RunClerk(argv[2], argv[3]);
  if (role == "record") return RunRecorder(argv[2], argv[3], argv[4]);
  if (role == "write") return RunWriter(argv[2], argv[3], argv[4]);
  if (role == "watch") return RunWatcher(argv[2], argv[3]);
  std::cerr << "worker: unknown role\n";
  return 2;
}
