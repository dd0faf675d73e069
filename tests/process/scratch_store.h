// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_SCRATCH_STORE_H_
#define TESTS_PROCESS_SCRATCH_STORE_H_

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pat/authority.h"
#include "pat/keyring.h"
#include "pat/lmdb_store.h"
#include "pat/store.h"

/// The prefix of the tokens these tests issue.
inline constexpr char kTestPrefix[] = "process_";

/// Puts a store of the test's around the one on disk.
using WrapStore = std::function<std::unique_ptr<pat::Store>(std::unique_ptr<pat::Store>)>;

/// Opens the store in `directory`, which a ScratchStore made, as any process on it would.
inline absl::StatusOr<std::unique_ptr<pat::Authority>> OpenScratch(
    const std::string& directory, const WrapStore& wrap = nullptr,
    const pat::AuthorityOptions& options = {}, pat::LmdbOptions lmdb = {}) {
  lmdb.create_if_missing = options.create_if_missing;
  lmdb.flush_interval = absl::ZeroDuration();  // places are written when the test says so
  absl::StatusOr<std::unique_ptr<pat::Store>> store =
      pat::OpenLmdbStore(directory + "/store", lmdb);
  if (!store.ok()) return store.status();
  std::unique_ptr<pat::Store> wrapped =
      wrap == nullptr ? *std::move(store) : wrap(*std::move(store));
  return pat::Authority::Open(std::move(wrapped), pat::Keyring::File(directory + "/keyring"),
                              options);
}

/// A fresh directory for a store and its keyring; gone with the object.
class ScratchStore {
 public:
  /// kMemory: a RAM disk where there is one, for tests about order that commit ten thousand times.
  enum class Where { kDisk, kMemory };

  explicit ScratchStore(Where where = Where::kDisk) {
    const char* const base = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
    directory_ = base == nullptr || *base == '\0' ? "/tmp" : base;
    if (where == Where::kMemory && access("/dev/shm", W_OK) == 0) directory_ = "/dev/shm";
    directory_ += "/pat-XXXXXX";
    if (mkdtemp(directory_.data()) == nullptr) {
      std::perror("make a directory for the test");
      std::abort();
    }
  }
  ~ScratchStore() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const std::string& directory() const { return directory_; }

  absl::StatusOr<std::unique_ptr<pat::Authority>> Create(
      std::function<absl::Time()> clock = nullptr, const pat::LmdbOptions& lmdb = {}) const {
    pat::AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {kTestPrefix};
    options.clock = std::move(clock);
    return OpenScratch(directory_, nullptr, options, lmdb);
  }

  absl::StatusOr<std::unique_ptr<pat::Authority>> Open() const { return OpenScratch(directory_); }

 private:
  std::string directory_;
};

/// A number from the environment, for longer runs: `fallback` if it is not set.
inline int NumberFromEnv(const char* name, int fallback) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  const long number = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return number > 0 ? static_cast<int>(number) : fallback;
}

#endif  // TESTS_PROCESS_SCRATCH_STORE_H_
