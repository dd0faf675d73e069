// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_MAPPED_FILE_H_
#define PAT_BENCH_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace pat::bench {

/// A whole file, mapped for reading. Ends the program if it cannot be.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const char* data() const { return static_cast<const char*>(begin_); }
  std::size_t size() const { return size_; }

 private:
  void* begin_ = nullptr;
  std::size_t size_ = 0;
};

// What follows is about every mapping that this process has of the file at `path`, whoever made it
// (LMDB maps a store's data.mdb), as far as the file reaches.

/// Keeps it in memory while it is measured: background page-out shows as faults of 10 us. False if
/// the system does not allow it.
bool LockInMemory(const std::string& path);

enum class Pages { kHuge, kSmall };

/// Reads it anew into pages of that kind, as far as the kernel goes along: which it chooses by
/// itself depends on how the file came into memory, so two files would differ. Before LockInMemory.
bool UsePages(const std::string& path, Pages pages);

/// How much of it is mapped by huge pages, and how much is in memory at all, in KiB.
struct Residency {
  std::int64_t huge_kib = 0;
  std::int64_t resident_kib = 0;
};
Residency ResidencyOf(const std::string& path);

/// This process's memory that is no file's, in KiB.
std::int64_t AnonymousKib();

}  // namespace pat::bench

#endif  // PAT_BENCH_MAPPED_FILE_H_
