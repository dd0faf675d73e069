// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/fork_guard.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace pat {
namespace {

constexpr std::size_t kPageBytes = 4096;

}  // namespace

ForkGuard::ForkGuard() {
  void* const page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, kPageBytes, MADV_WIPEONFORK) != 0) {
    munmap(page, kPageBytes);
    return;
  }
  word_ = static_cast<std::uint32_t*>(page);
  *word_ = 1;
}

ForkGuard::~ForkGuard() {
  if (word_ != nullptr) munmap(const_cast<std::uint32_t*>(word_), kPageBytes);
}

}  // namespace pat
