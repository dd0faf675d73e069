// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_PAGE_COUNT_H_
#define PAT_BENCH_PAGE_COUNT_H_

#include <cstdint>
#include <string>

namespace pat::bench {

/// What LMDB wrote to one data file. Exact: a program that links page_count.cc has its pwrite and
/// writev, which LMDB then calls too.
struct PagesWritten {
  std::uint64_t pages = 0;    ///< Of 4 KiB, meta pages included, each of which is part of one.
  std::uint64_t commits = 0;  ///< Writes of a meta page.
};

/// From now on this file is counted, and no other, from zero.
void CountPagesOf(const std::string& data_file);

/// The counts so far.
PagesWritten PagesSoFar();

}  // namespace pat::bench

#endif  // PAT_BENCH_PAGE_COUNT_H_
