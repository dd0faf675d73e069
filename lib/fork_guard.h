// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_FORK_GUARD_H_
#define PAT_LIB_FORK_GUARD_H_

#include <cstdint>

namespace pat {

/// Tells whether this process made the object or inherited it by fork(), for what a child must not
/// touch: LMDB's reader slots, files and threads are its parent's. A load from memory, since asking
/// for the process id is a system call: the word stands on a page that the kernel zeroes in a child
/// (MADV_WIPEONFORK, Linux 4.14).
class ForkGuard {
 public:
  ForkGuard();
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

  /// True in a child. On a kernel that cannot tell, false.
  bool inherited() const noexcept { return word_ != nullptr && *word_ == 0; }

 private:
  volatile std::uint32_t* word_ = nullptr;
};

}  // namespace pat

#endif  // PAT_LIB_FORK_GUARD_H_
