// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_C_ABI_H_
#define PAT_BENCH_C_ABI_H_

#include "bench/population.h"

namespace pat::bench {

/// Registers "c_abi": what the C interface adds to a verify ("overhead_ns"). C++ and C take turns
/// of a thousand calls on the same store; what counts is the median of the differences.
void RegisterCAbi(Population& population);

}  // namespace pat::bench

#endif  // PAT_BENCH_C_ABI_H_
