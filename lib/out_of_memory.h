// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_LIB_OUT_OF_MEMORY_H_
#define PAT_LIB_OUT_OF_MEMORY_H_

#include <new>

#include "absl/status/status.h"

namespace pat {

/// What a call returns for which memory ran out: with a message, if there is memory for that.
inline absl::Status OutOfMemory() noexcept {
  try {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

/// What `call` returns, a Status or StatusOr; OutOfMemory if std::bad_alloc comes out of it.
template <typename Call>
auto CatchOutOfMemory(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

}  // namespace pat

#endif  // PAT_LIB_OUT_OF_MEMORY_H_
