// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_MOMENTS_H_
#define HUB_MOMENTS_H_

#include <string>

#include "absl/time/time.h"
#include "html.h"

// Times as people read them. Each is a <time> element with the exact moment; page.js says it in the
// reader's own time zone.

namespace hub {

/// "Nov 25, 2026".
Html Day(absl::Time time);

/// "3 hours ago"; a day if it is more than four weeks ago.
Html Ago(absl::Time time, absl::Time now);

/// "Nov 25, 2026, 09:51 UTC".
Html Moment(absl::Time time);

/// How long from `now` until `time`, which is later: "in 3 days".
std::string Until(absl::Time time, absl::Time now);

}  // namespace hub

#endif  // HUB_MOMENTS_H_
