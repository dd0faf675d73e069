// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace pat::bench {
namespace {

struct Range {
  char* begin;
  std::size_t size;
};

// A line of /proc/self/maps or the first of an entry of smaps: "7f00-7f10 r--s 00000000 fe:00 12
// /path".
bool ParseMapping(const std::string& line, const std::string& path, Range* range) {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  int name = 0;
  if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &begin, &end,
                  &offset, &name) != 3 ||
      name == 0) {
    return false;
  }
  if (line.substr(static_cast<std::size_t>(name)) != path) return false;
  std::error_code error;
  const std::uint64_t file = std::filesystem::file_size(path, error);
  if (error || offset >= file) return false;
  range->begin = reinterpret_cast<char*>(begin);  // NOLINT: an address the kernel told
  range->size = std::min(end - begin, file - offset);
  return true;
}

std::vector<Range> MappingsOf(const std::string& path) {
  const std::string canonical = std::filesystem::canonical(path).string();
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  Range range{};
  for (std::string line; std::getline(maps, line);) {
    if (ParseMapping(line, canonical, &range)) ranges.push_back(range);
  }
  return ranges;
}

// Has the kernel forget what it holds of the file.
void DropFromMemory(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)fsync(file);
  (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0) {
    size_ = static_cast<std::size_t>(about.st_size);
    begin_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
  }
  if (file >= 0) close(file);
  if (begin_ == nullptr || begin_ == MAP_FAILED) {
    std::fprintf(stderr, "cannot map %s\n", path.c_str());
    std::exit(1);
  }
}

MappedFile::~MappedFile() { munmap(begin_, size_); }

bool LockInMemory(const std::string& path) {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);  // best effort: mlock's answer counts
  bool locked = true;
  for (const Range& range : MappingsOf(path)) locked &= mlock(range.begin, range.size) == 0;
  return locked;
}

bool UsePages(const std::string& path, Pages pages) {
  constexpr std::size_t kPage = 4096;
  const std::vector<Range> ranges = MappingsOf(path);
  bool done = true;
  for (const Range& range : ranges) {
    (void)munlock(range.begin, range.size);
    const int kind = pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
    done &= madvise(range.begin, range.size, kind) == 0 &&
            madvise(range.begin, range.size, MADV_DONTNEED) == 0;
  }
  DropFromMemory(path);          // nothing of it is mapped now
  if (pages == Pages::kSmall) {  // nor what is read ahead in large pieces
    for (const Range& range : ranges) (void)madvise(range.begin, range.size, MADV_RANDOM);
  }
  for (const Range& range : ranges) {
    for (std::size_t at = 0; at < range.size; at += kPage) {
      (void)*static_cast<const volatile char*>(range.begin + at);
    }
  }
  return done;
}

Residency ResidencyOf(const std::string& path) {
  const std::string canonical = std::filesystem::canonical(path).string();
  Residency sum;
  std::ifstream smaps("/proc/self/smaps");
  bool ours = false;
  Range range{};
  for (std::string line; std::getline(smaps, line);) {
    const std::string name = line.substr(0, line.find(' '));
    if (name.empty() || name.back() != ':') {
      ours = ParseMapping(line, canonical, &range);
    } else if (ours && (name == "Rss:" || name == "FilePmdMapped:")) {
      std::int64_t& part = name == "Rss:" ? sum.resident_kib : sum.huge_kib;
      part += std::strtoll(line.c_str() + name.size(), nullptr, 10);
    }
  }
  return sum;
}

std::int64_t AnonymousKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::strtoll(line.c_str() + 8, nullptr, 10);
  }
  return 0;
}

}  // namespace pat::bench
