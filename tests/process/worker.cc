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

#include "tests/process/puppet.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"
#include "tests/process/verifier.h"
#include "tests/process/writer.h"

namespace {

// verify DIRECTORY BOARD plain|stale: two threads verify until the board says stop.
int RunVerifier(const char* directory, const char* board_fd, std::string_view how) {
  const SharedMemory<RevocationBoard> board(board_fd);
  WrapStore wrap;
  if (how == "stale") {
    wrap = [](std::unique_ptr<pat::Store> base) {
      return std::make_unique<StaleStore>(std::move(base));
    };
  }
  const absl::StatusOr<std::unique_ptr<pat::Authority>> authority = OpenScratch(directory, wrap);
  if (!authority.ok()) {
    std::cerr << authority.status() << "\n";
    return 1;
  }
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
  if (role == "write") return RunWriter(argv[2], argv[3], argv[4]);
  if (role == "watch") return RunWatcher(argv[2], argv[3]);
  std::cerr << "worker: unknown role\n";
  return 2;
}
