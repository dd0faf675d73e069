// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_MEMORY_EXHAUST_H_
#define TESTS_MEMORY_EXHAUST_H_

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "lib/write_lock.h"
#include "pat/lmdb_store.h"
#include "tests/memory/memory.h"

namespace pat {

/// Another process with the same store open. To be made before there are threads, and asked for the
/// first time when the store is there.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& directory) {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      Serve(directory, ends[1]);
    }
    close(ends[1]);
    socket_ = ends[0];
  }
  ~OtherProcess() {
    close(socket_);
    waitpid(child_, nullptr, 0);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  /// Whether it can write: a batch of nothing, under all locks.
  bool Writes() { return Ask('w'); }

  /// Whether it sees another place of use of token 1 than when last asked.
  bool SeesNewPlace() { return Ask('p'); }

  /// Holds the store's lock for writers until Release.
  bool HoldWriters() { return Ask('h'); }
  bool Release() { return Ask('r'); }

 private:
  bool Ask(char what) {
    return write(socket_, &what, 1) == 1 && read(socket_, &what, 1) == 1 && what == 'y';
  }

  [[noreturn]] static void Serve(const std::string& directory, int socket) {
    std::unique_ptr<Store> store;
    std::unique_ptr<WriteLock::Hold> hold;
    WriteLock lock;
    std::string seen;
    for (char what = 0; read(socket, &what, 1) == 1;) {
      if (store == nullptr) {
        LmdbOptions options;
        options.flush_interval = absl::ZeroDuration();
        options.write_deadline = absl::Milliseconds(100);
        auto opened = OpenLmdbStore(directory, options);
        if (!opened.ok()) _exit(1);
        store = *std::move(opened);
        const auto files = StoreDirectory::Open(directory, /*create=*/false);
        if (!files.ok() || !lock.Open(*files).ok()) _exit(1);
      }
      bool good = true;
      if (what == 'w') good = store->Apply(Batch()).ok();
      if (what == 'h') {
        hold = std::make_unique<WriteLock::Hold>(lock, WriteLock::Clock::now());
        good = hold->ok();
      }
      if (what == 'p') {
        const absl::StatusOr<LastUse> use = store->ReadUse(1);
        good = use.ok() && std::exchange(seen, use->user_agent) != use->user_agent;
      }
      if (what == 'r') hold.reset();
      what = good ? 'y' : 'n';
      if (write(socket, &what, 1) != 1) break;
    }
    hold.reset();
    _exit(store != nullptr && store->Close().ok() ? 0 : 1);
  }

  pid_t child_ = -1;
  int socket_ = -1;
};

/// For calls that may throw: the exception becomes the status.
template <typename Call>
absl::Status Thrown(const Call& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

/// Fails each allocation of a call in turn, alone and with all after it.
struct Exhaust {
  /// OK, or what went wrong; any other failure than ResourceExhausted is a complaint. Must give
  /// back all that it takes.
  std::function<absl::Status()> call;
  std::function<void()> prepare = [] {};  ///< Before each time.

  /// Everything there is: the same before and after a call that failed.
  std::function<std::string()> state = [] { return std::string(); };

  /// After each time, for instance whether others can work. Empty, or a complaint.
  std::function<std::string()> after = [] { return std::string(); };

  /// What the call does stays done where it fails, and takes memory. (That nothing is lost then is
  /// for LeakSanitizer to say.)
  bool keeps = false;

  long points = 0;  ///< How many allocations there were, when it has run.

  /// Empty, or the first thing that is wrong.
  std::string Run() {
    for (const bool for_good : {false, true}) {
      prepare();
      if (absl::Status s = call(); !s.ok()) return "without a failure: " + s.ToString();
      bool again = false;
      for (long n = 1;; ++n) {
        std::string wrong;
        const bool failed = Once(n, for_good, &again, &wrong);
        if (!wrong.empty()) {
          return "allocation " + std::to_string(n) + (for_good ? " and all after it" : "") + ": " +
                 wrong;
        }
        if (!failed) break;
        if (again) --n;
        ++points;
      }
    }
    return {};
  }

 private:
  static int OpenFiles() {
    int open = 0;
    for (int fd = 0; fd < 256; ++fd) open += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
  }

  bool Once(long n, bool for_good, bool* again, std::string* wrong) {
    prepare();
    const std::string before = state();
    const int files = OpenFiles();
    const long held = memory_held();
    const long mapped = memory_mapped();
    memory_fail(n, for_good ? 1 : 0);
    absl::Status status;
    try {
      status = call();
    } catch (const std::bad_alloc&) {
      memory_heal();
      *wrong = "an exception got out";
      return true;
    }
    const bool failed = memory_heal() != 0;
    const bool ok = status.ok();
    if (!ok && !absl::IsResourceExhausted(status)) {
      *wrong = "it says " + status.ToString();
      return failed;
    }
    status = absl::OkStatus();  // its message is a block, too
    const long kept = keeps ? 0 : memory_held() - held + memory_mapped() - mapped;
    if (!ok && !failed) *wrong = "nothing failed, but the call";
    if (!ok && OpenFiles() > files) *wrong = "a file is left open";
    // What is kept once (BoringSSL's errors, the keys of a new header) does not grow the next time.
    if (!ok && kept != 0 && *again) *wrong = std::to_string(kept) + " blocks are lost";
    *again = !ok && kept != 0 && !*again;
    if (!ok && state() != before) *wrong = "failed, but something has changed";
    const std::string complaint = after();
    if (wrong->empty()) *wrong = complaint;
    return failed;
  }
};

}  // namespace pat

#endif  // TESTS_MEMORY_EXHAUST_H_
