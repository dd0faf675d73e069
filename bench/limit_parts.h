// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_LIMIT_PARTS_H_
#define PAT_BENCH_LIMIT_PARTS_H_

#include <cstdint>

#include "bench/limit.h"
#include "bench/population.h"

namespace pat::bench {

/// Registers "physical": what no design can avoid. One SHA-256 block, one cache miss that depends
/// on it, one look at the clock, each waiting for the one before.
void RegisterPhysical(const Limit& limit, std::int64_t tokens);

/// Registers "part/...": each part of the limit alone. Their sum checks the limit: it should not
/// be much above.
void RegisterLimitParts(const Limit& limit, Texts texts);

}  // namespace pat::bench

#endif  // PAT_BENCH_LIMIT_PARTS_H_
