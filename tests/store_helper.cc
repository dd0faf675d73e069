// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// The other process of the store's tests: one open store, one job, told by arguments. Tests start
// it as a program: a fork of a process with threads would prove little.
#include <linux/seccomp.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "pat/lmdb_store.h"

namespace {

bool stop_at_sync = false;

}  // namespace

// Before the C library's, for LMDB too: where a commit can be made to stand still.
extern "C" int fdatasync(int fd) {
  if (stop_at_sync) raise(SIGSTOP);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace {

using pat::Store;
using Arguments = std::vector<std::string>;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "store_helper: %s\n", status.ToString().c_str());
  std::exit(3);
}

void Must(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

std::unique_ptr<Store> Open(const std::string& directory, int concurrent_reads = 4) {
  pat::LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  options.concurrent_reads = concurrent_reads;
  auto store = pat::OpenLmdbStore(directory, options);
  if (!store.ok()) Fail(store.status());
  return *std::move(store);
}

void Say(std::uint64_t number) {
  std::printf("%llu\n", static_cast<unsigned long long>(number));
  std::fflush(stdout);
}

pat::TokenRecord Record(std::uint64_t id) {
  pat::TokenRecord record;
  record.bytes.fill(static_cast<unsigned char>(1 + id % 255));
  return record;
}

int OpenOnly(const Arguments& arguments) {
  Must(Open(arguments[0])->Close());
  return 0;
}

// Reads without pause, once it has said so: to be killed within a read, its slots taken.
int Read(const Arguments& arguments) {
  const auto store = Open(arguments[0], std::stoi(arguments[1]));
  Say(1);
  for (std::uint64_t id = 1;; ++id) {
    pat::TokenRecord record;
    if (store->Find(id % 1000, &record) == Store::Lookup::kUnavailable) return 5;
    store->Page(1, 0, 100).status().IgnoreError();
  }
}

// Holds a snapshot, as a process stopped in the middle of a read does: to be killed.
int Pin(const Arguments& arguments) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  if (mdb_env_create(&env) != 0 || mdb_env_open(env, arguments[0].c_str(), 0, 0600) != 0 ||
      mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != 0) {
    return 4;
  }
  Say(1);
  for (;;) pause();
}

// Reserves ids one by one and says them.
int ReserveIds(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  for (int i = std::stoi(arguments[1]); i > 0; --i) {
    const auto id = store->ReserveTokenIds(1);
    if (!id.ok()) Fail(id.status());
    Say(*id);
  }
  Must(store->Close());
  return 0;
}

// Adds 1 to the number in account "a" so many times, whoever else does.
int Count(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  for (int i = std::stoi(arguments[1]); i > 0;) {
    const auto row = store->ReadAccount("a");
    if (!row.ok()) Fail(row.status());
    const std::string now(row->view());
    pat::Batch batch;
    batch.account_checks.push_back({"a", now});
    batch.accounts.push_back({"a", 1, std::to_string(std::stoi(now) + 1)});
    const absl::Status status = store->Apply(batch);
    if (!absl::IsAborted(status)) Must(status);
    if (status.ok()) --i;
  }
  Must(store->Close());
  return 0;
}

int Use(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  store->RecordUse(std::stoull(arguments[1]), static_cast<std::uint32_t>(std::stoul(arguments[2])),
                   "192.0.2.7", "helper");
  std::_Exit(0);  // as if killed: only what is in the shared array is left
}

int ReadUse(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  const auto use = store->ReadUse(std::stoull(arguments[1]));
  if (!use.ok()) Fail(use.status());
  Say(use->unix_s);
  return 0;
}

// Writes tokens of account 1 and says each one's id once it is acknowledged: to be killed.
int Write(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  for (;;) {
    const auto id = store->ReserveTokenIds(1);
    if (!id.ok()) Fail(id.status());
    pat::Batch batch;
    batch.token_checks.push_back({*id, {}});
    batch.tokens.push_back({*id, Record(*id)});
    batch.metadata.push_back({1, *id, std::to_string(*id)});
    Must(store->Apply(batch));
    Say(*id);
  }
}

// Stops itself in the middle of a commit; goes on if it is continued.
int StopInWrite(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  pat::Batch batch;
  batch.tokens.push_back({std::stoull(arguments[1]), Record(1)});
  stop_at_sync = true;
  const absl::Status status = store->Apply(batch);
  stop_at_sync = false;
  Must(status);
  return 0;
}

// Reads a token until its record is the one of id `arguments[2]`, with a map of so many bytes.
int Await(const Arguments& arguments) {
  pat::LmdbOptions options;
  options.flush_interval = absl::ZeroDuration();
  options.map_bytes = std::stoull(arguments[3]);
  auto store = pat::OpenLmdbStore(arguments[0], options);
  if (!store.ok()) Fail(store.status());
  Say(1);
  pat::TokenRecord record;
  do {
    if ((*store)->Find(std::stoull(arguments[1]), &record) != Store::Lookup::kFound) return 5;
  } while (record != Record(std::stoull(arguments[2])));
  return 0;
}

// The verify path where any system call but exit is death.
int Confined(const Arguments& arguments) {
  const auto store = Open(arguments[0]);
  const std::uint64_t last = std::stoull(arguments[1]);
  const bool slip = arguments.size() > 2;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) return 4;
  long wrong = 0;
  for (std::uint32_t round = 1; round <= 20; ++round) {
    for (std::uint64_t id = 1; id <= last; ++id) {
      pat::TokenRecord record;
      pat::AccountRow row;
      if (store->Find(id, &record) != Store::Lookup::kFound) ++wrong;
      if (store->Find(id + 1000000, &record) != Store::Lookup::kAbsent) ++wrong;
      if (store->FindAccount(1, &row) != Store::Lookup::kFound) ++wrong;
      store->RecordUse(id, 60 * round, "192.0.2.1", "agent");
      store->RecordUse(id, 60 * round, "192.0.2.1", "agent");
    }
  }
  if (slip) getppid();  // the control: this must be death
  syscall(SYS_exit, wrong == 0 ? 0 : 5);
  return 6;
}

// Opens with an address space too small for the default map: of so many bytes, or as it is (0).
int Cramped(const Arguments& arguments) {
  const rlimit limit{std::stoull(arguments[1]), std::stoull(arguments[1])};
  if (limit.rlim_cur != 0 && setrlimit(RLIMIT_AS, &limit) != 0) return 4;
  const std::size_t wanted = pat::LmdbOptions().map_bytes;
  if (mmap(nullptr, wanted, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
      MAP_FAILED) {
    return 7;
  }
  const auto store = Open(arguments[0]);
  const auto id = store->ReserveTokenIds(1);
  if (!id.ok()) Fail(id.status());
  store->RecordUse(*id, 1000, "", "");
  Say(store->ReadUse(*id)->unix_s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  static const std::map<std::string, std::function<int(const Arguments&)>> jobs = {
      {"open", OpenOnly},     {"pin", Pin},         {"read", Read},        {"ids", ReserveIds},
      {"count", Count},       {"use", Use},         {"read_use", ReadUse}, {"write", Write},
      {"confined", Confined}, {"cramped", Cramped}, {"stop", StopInWrite}, {"await", Await},
  };
  const auto job = argc < 3 ? jobs.end() : jobs.find(argv[1]);
  if (job == jobs.end()) return 2;
  return job->second(Arguments(argv + 2, argv + argc));
}
