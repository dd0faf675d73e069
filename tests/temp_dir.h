// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_TEMP_DIR_H_
#define PAT_TESTS_TEMP_DIR_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace pat {

/// A directory of the test's own, gone with the object.
class TempDir {
 public:
  TempDir() : TempDir(std::getenv("TMPDIR")) {}

  /// In memory, where there is such a place: for tests of many syncs that are not about a disk.
  static TempDir InMemory() { return TempDir(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); }

  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TempDir(const char* base) {
    std::string name = std::string(base == nullptr ? "/tmp" : base) + "/pat-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }

  std::string path_;
};

}  // namespace pat

#endif  // PAT_TESTS_TEMP_DIR_H_
