// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/lmdb_env.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <utility>
#include <vector>

#include "lib/lmdb_uses.h"
#include "lib/out_of_memory.h"

namespace pat {
namespace {

constexpr std::size_t kSmallestMap = std::size_t{16} << 20;
constexpr std::size_t kPlacesAtOnce = 1000;

// The open environments of this process: the library's only global state.
struct Registry {
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, std::shared_ptr<LmdbEnv>> open;
};

Registry& TheRegistry() {
  static auto* const registry = new Registry;  // never destroyed: stores may outlive static objects
  return *registry;
}

absl::Status ValidateOptions(const LmdbOptions& options) {
  if (options.concurrent_reads < 1 || options.concurrent_reads > 1024) {
    return absl::InvalidArgumentError("concurrent_reads is 1 to 1024");
  }
  if (options.max_readers < 1 || options.max_readers > 65536) {
    return absl::InvalidArgumentError("max_readers is 1 to 65536");
  }
  if (options.map_bytes < (std::size_t{1} << 20)) {
    return absl::InvalidArgumentError("map_bytes is at least 1 MiB");
  }
  if (options.flush_interval < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("flush_interval is not negative");
  }
  if (options.write_deadline < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("write_deadline is not negative");
  }
  if (options.reserve_bytes > (std::size_t{1} << 40)) {
    return absl::InvalidArgumentError("reserve_bytes is at most 1 TiB");
  }
  return absl::OkStatus();
}

absl::StatusOr<MDB_env*> OpenEnvironment(const std::string& path, std::size_t map_bytes,
                                         unsigned max_readers) {
  MDB_env* env = nullptr;
  int rc = mdb_env_create(&env);
  if (rc != 0) return LmdbError(rc, "open the store");
  if (rc = mdb_env_set_maxdbs(env, 16); rc == 0) rc = mdb_env_set_maxreaders(env, max_readers);
  if (rc == 0) rc = mdb_env_set_mapsize(env, map_bytes);
  // Never NOSYNC, NOMETASYNC or WRITEMAP: what is acknowledged must be durable.
  if (rc == 0) rc = mdb_env_open(env, path.c_str(), MDB_NOTLS, 0600);
  if (rc == 0) return env;
  mdb_env_close(env);
  const bool refused = rc == ENOMEM || rc == EINVAL;  // valgrind says EINVAL
  return refused ? absl::OutOfRangeError("") : LmdbError(rc, "open data.mdb as a store");
}

bool BeyondAddressSpace(const absl::Status& status) { return absl::IsOutOfRange(status); }

}  // namespace

absl::StatusOr<std::shared_ptr<LmdbEnv>> LmdbEnv::Open(const std::string& directory,
                                                       const LmdbOptions& options) {
  if (absl::Status status = ValidateOptions(options); !status.ok()) return status;
  Registry& registry = TheRegistry();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  absl::StatusOr<StoreDirectory> opened =
      StoreDirectory::Open(directory, options.create_if_missing);
  if (!opened.ok()) return opened.status();
  const auto identity = opened->identity();
  auto it = registry.open.find(identity);
  if (it != registry.open.end() && it->second->inherited()) {
    registry.open.erase(it);  // the parent's: this process opens one of its own
    it = registry.open.end();
  }
  if (it != registry.open.end()) {
    if (options.exclusive || it->second->exclusive_) {
      return absl::FailedPreconditionError("this process has the store open already");
    }
    if (it->second->data_identity_ != opened->DataIdentity()) {
      return absl::FailedPreconditionError(
          "data.mdb was replaced while this process had it open: close the store first");
    }
    ++it->second->opens_;
    return it->second;
  }
  LmdbOptions clamped = options;
  clamped.write_deadline = std::min(options.write_deadline, absl::Hours(1000));
  const std::shared_ptr<LmdbEnv> env(new LmdbEnv(*std::move(opened), clamped));
  absl::Status status = env->directory_.Lock(clamped.write_deadline);
  if (!status.ok()) return status;
  env->exclusive_ = options.exclusive;
  if (options.exclusive && env->directory_.OpenElsewhere()) {
    status = absl::FailedPreconditionError("another process has the store open");
  } else {
    status = env->OpenLocked();
  }
  if (!options.exclusive || !status.ok()) env->directory_.Unlock();
  if (status.ok()) status = env->StartFlusher();
  if (!status.ok()) {
    env->Shut().IgnoreError();
    return status;
  }
  registry.open[identity] = env;
  return env;
}

absl::Status LmdbEnv::OpenLocked() {
  const bool create = options_.create_if_missing;
  absl::StatusOr<bool> there = directory_.PrepareFiles(options_.max_readers);
  if (there.ok() && !*there) {
    if (!create) return absl::NotFoundError("there is no store in " + directory_.path());
    if (absl::Status made = CreateStoreFile(directory_); !made.ok()) return made;
    there = directory_.PrepareFiles(options_.max_readers);
  }
  if (!there.ok()) return there.status();
  absl::Status status;
  if (status = OpenMapped(options_.map_bytes); !status.ok()) return status;
  data_identity_ = directory_.DataIdentity();
  int dead = 0;  // slots of killed processes, which would keep old pages from being reused
  mdb_reader_check(env_, &dead);
  // Creating writes without the write lock: nobody else has what is not there yet.
  absl::StatusOr<LmdbTables> tables = OpenTables(env_, create);
  if (!tables.ok()) return tables.status();
  tables_ = *tables;
  if (status = lock_.Open(directory_); !status.ok()) return status;
  if (create) {
    if (status = directory_.Sync(); !status.ok()) return status;
  }
  status = readers_.Open(env_, static_cast<std::size_t>(options_.concurrent_reads));
  if (!status.ok()) return status;
  times_.Open(directory_);
  MDB_envinfo info{};
  if (mdb_env_info(env_, &info) == 0) pages_.Open(info.me_mapsize / kHotPageBytes);
  return absl::OkStatus();
}

// Maps as much as is wanted, or the most the system grants.
absl::Status LmdbEnv::OpenMapped(std::size_t map_bytes) {
  const std::size_t smallest = std::min(kSmallestMap, map_bytes);
  for (std::size_t bytes = map_bytes;; bytes = std::max(bytes / 2, smallest)) {
    const std::size_t whole_pages = (bytes + 65535) / 65536 * 65536;
    absl::StatusOr<MDB_env*> env =
        OpenEnvironment(directory_.path(), whole_pages, options_.max_readers);
    if (env.ok()) {
      env_ = *env;
      return absl::OkStatus();
    }
    if (!BeyondAddressSpace(env.status())) return env.status();
    if (bytes == smallest) {
      return absl::ResourceExhaustedError("no address space for the store's map");
    }
  }
}

LmdbEnv::~LmdbEnv() { Shut().IgnoreError(); }

absl::Status LmdbEnv::Close() {
  if (inherited()) return absl::OkStatus();  // before any lock: a thread of the parent may hold it
  Registry& registry = TheRegistry();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  if (--opens_ > 0) return CatchOutOfMemory([this] { return Flush(); });
  absl::Status status = Shut();
  registry.open.erase(directory_.identity());  // after Shut: never two environments at a time
  return status;
}

absl::Status LmdbEnv::Shut() {
  if (shut_ || inherited()) return absl::OkStatus();
  StopFlusher();
  absl::Status status;
  if (readers_.size() != 0) {
    status = CatchOutOfMemory([this] { return Flush(); });
    GiveBack(token_ids_);
    GiveBack(account_numbers_);
  }
  const std::lock_guard<std::timed_mutex> lock(write_mutex_);
  shut_ = true;
  readers_.Close();
  if (env_ == nullptr) return status;
  const bool locked =
      CatchOutOfMemory([this] { return directory_.Lock(options_.write_deadline); }).ok();
  mdb_env_close(env_);
  if (locked) directory_.Unlock();
  env_ = nullptr;
  return status;
}

absl::StatusOr<std::uint64_t> LmdbEnv::ReserveTokenIds(std::uint32_t n) {
  absl::StatusOr<std::uint64_t> first = Take(token_ids_, n);
  if (first.ok()) times_.Reserve(*first + n);
  return first;
}

absl::StatusOr<std::uint32_t> LmdbEnv::ReserveAccountNumber() {
  absl::StatusOr<std::uint64_t> number = Take(account_numbers_, 1);
  if (!number.ok()) return number.status();
  return static_cast<std::uint32_t>(*number);
}

absl::StatusOr<std::uint64_t> LmdbEnv::Take(Counter& counter, std::uint32_t n) {
  constexpr std::uint64_t kLargestBlock = 256;
  const std::lock_guard<std::mutex> lock(counter.mutex);
  if (counter.end - counter.next < n) {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    absl::Status status = Write([&](MDB_txn* txn, TxnChanges* changes) -> absl::Status {
      MDB_val key = ValueOf(counter.row);
      MDB_val value;
      int rc = mdb_get(txn, tables_.meta, &key, &value);
      if (rc != 0 && rc != MDB_NOTFOUND) return LmdbError(rc, "reserve numbers");
      const std::uint64_t stored =
          rc == 0 && value.mv_size == counter.row_bytes ? LoadInteger(ViewOf(value)) : 0;
      if (stored == 0) return absl::DataLossError("the store's next number is damaged");
      // If nobody reserved in between, what is left of the block goes on without a gap.
      first = stored == counter.end ? counter.next : stored;
      if (first > counter.last || counter.last - first < n - 1) {
        return absl::ResourceExhaustedError("the store's numbers are used up");
      }
      end = std::min(std::max(first + n, stored + counter.block), counter.last + 1);
      const std::string bytes = StoreInteger(end, counter.row_bytes);
      value = ValueOf(bytes);
      changes->begun = true;
      rc = mdb_put(txn, tables_.meta, &key, &value, 0);
      return rc == 0 ? absl::OkStatus() : LmdbError(rc, "reserve numbers");
    });
    if (!status.ok()) return status;
    counter.next = first;
    counter.end = end;
    counter.block = std::min(counter.block * 2, kLargestBlock);
  }
  counter.next += n;
  return counter.next - n;
}

// Numbers of a block that nobody was given go back, if no other block lies behind it.
void LmdbEnv::GiveBack(Counter& counter) {
  const std::lock_guard<std::mutex> lock(counter.mutex);
  if (counter.next == counter.end) return;
  const auto give_back = [&](MDB_txn* txn, TxnChanges* changes) -> absl::Status {
    MDB_val key = ValueOf(counter.row);
    MDB_val value;
    int rc = mdb_get(txn, tables_.meta, &key, &value);
    if (rc != 0 || value.mv_size != counter.row_bytes ||
        LoadInteger(ViewOf(value)) != counter.end) {
      return absl::AbortedError("");
    }
    const std::string bytes = StoreInteger(counter.next, counter.row_bytes);
    value = ValueOf(bytes);
    changes->begun = true;
    rc = mdb_put(txn, tables_.meta, &key, &value, 0);
    return rc == 0 ? absl::OkStatus() : LmdbError(rc, "give numbers back");
  };
  CatchOutOfMemory([&] { return Write(give_back); }).IgnoreError();  // a gap is harmless
  counter.end = counter.next;
}

// Mostly without a transaction: if there was no commit since the directory was caught up, what it
// knows holds. The number shown here may be of a commit that fails yet; then it only costs a look.
std::uint64_t LmdbEnv::MetaVersion() noexcept {
  {
    const LmdbReaders::Pin pin(readers_);
    std::uint64_t version = 0;
    MDB_envinfo info{};
    if (pin.ok() && mdb_env_info(env_, &info) == 0 &&
        pages_.MetaVersionAt(info.me_last_txnid, &version)) {
      return version;
    }
  }
  const LmdbReaders::Reader reader(readers_);
  return reader.ok() ? pages_.MetaVersion(reader.txn(), tables_) : 0;
}

absl::Status LmdbEnv::Flush() {
  const std::lock_guard<std::mutex> lock(flush_mutex_);
  for (;;) {
    const std::vector<PlaceTable::Use> uses = places_.Collect(kPlacesAtOnce);
    if (uses.empty()) return absl::OkStatus();
    absl::Status status = Write([&](MDB_txn* txn, TxnChanges* changes) {
      changes->begun = true;
      return WriteUses(txn, tables_, uses);
    });
    if (!status.ok()) return status;
    for (const PlaceTable::Use& use : uses) places_.Forget(use.id, use.unix_s);
    // What comes in meanwhile waits for the next flush: this one has an end.
    if (uses.size() < kPlacesAtOnce) return absl::OkStatus();
  }
}

absl::Status LmdbEnv::Health() {
  if (const LmdbReaders::Reader reader(readers_); !reader.ok()) return reader.status();
  if (directory_.DataIdentity() != data_identity_) {
    return absl::UnavailableError("data.mdb was removed or replaced while it is open");
  }
  return absl::OkStatus();
}

std::uint64_t LmdbEnv::bytes() const {
  struct stat data {};
  if (fstatat(directory_.fd(), "data.mdb", &data, AT_SYMLINK_NOFOLLOW) != 0) data.st_size = 0;
  return static_cast<std::uint64_t>(data.st_size) + times_.bytes();
}

absl::Status LmdbEnv::StartFlusher() {
  if (options_.flush_interval == absl::ZeroDuration()) return absl::OkStatus();
  const absl::Duration interval =
      std::clamp(options_.flush_interval, absl::Milliseconds(1), absl::Hours(24));
  stop_flusher_ = File(eventfd(0, EFD_CLOEXEC));
  if (!stop_flusher_) return LmdbError(errno, "start the store's thread");
  flush_interval_ms_ = static_cast<int>(absl::ToInt64Milliseconds(interval));
  // The host's signals are for the host's threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int rc = pthread_create(&flusher_, nullptr, FlusherMain, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (rc == 0) return absl::OkStatus();
  flush_interval_ms_ = 0;
  return LmdbError(rc, "start the store's thread");
}

void LmdbEnv::StopFlusher() {
  if (flush_interval_ms_ == 0) return;
  eventfd_write(stop_flusher_.fd(), 1);
  pthread_join(flusher_, nullptr);
  flush_interval_ms_ = 0;
}

void* LmdbEnv::FlusherMain(void* argument) {
  auto* env = static_cast<LmdbEnv*>(argument);
  pollfd stop{env->stop_flusher_.fd(), POLLIN, 0};
  for (;;) {
    const int ready = poll(&stop, 1, env->flush_interval_ms_);
    if (ready > 0) return nullptr;
    if (ready < 0) continue;
    // Tried again next time; Close reports it.
    CatchOutOfMemory([env] { return env->Flush(); }).IgnoreError();
    if (env->write_mutex_.try_lock()) {  // else a writer is busy: the next time
      env->ReapReaders();
      env->write_mutex_.unlock();
    }
  }
}

// Frees the slots of readers that were killed, which hold old pages. True if there were some.
bool LmdbEnv::ReapReaders() {
  int dead = 0;
  return env_ != nullptr && mdb_reader_check(env_, &dead) == 0 && dead > 0;
}

}  // namespace pat
