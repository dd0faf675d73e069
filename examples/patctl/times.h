// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_TIMES_H_
#define PATCTL_TIMES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace patctl {

/// "2026-01-02T03:04:05Z": RFC 3339, UTC, whole seconds.
std::string Rfc3339(absl::Time time);

/// Reads a moment: an RFC 3339 time (any offset, any fraction) or a distance from `now` such as
/// 30d (units s, m, h, d, w), which lies `ahead` of now (+1) or behind it (-1).
/// InvalidArgument for anything else.
absl::StatusOr<absl::Time> ParseMoment(std::string_view text, absl::Time now, int ahead);

}  // namespace patctl

#endif  // PATCTL_TIMES_H_
