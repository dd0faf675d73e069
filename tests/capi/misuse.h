/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPI_MISUSE_H_
#define TESTS_CAPI_MISUSE_H_

/* What the tests of misuse share. */

#include "check.h"

#define BAD(call) CHECK_ERROR(call, PAT_INVALID_ARGUMENT)

static const size_t bad_sizes[] = {0, 7, 9, 12, 4104, (size_t)-1};
#define EACH_BAD_SIZE(object, call)                                 \
  do {                                                              \
    size_t i_;                                                      \
    for (i_ = 0; i_ < sizeof bad_sizes / sizeof *bad_sizes; ++i_) { \
      (object).size = bad_sizes[i_];                                \
      call;                                                         \
    }                                                               \
    (object).size = sizeof(object);                                 \
  } while (0)

static char* const poison = (char*)16; /* a pointer that must be overwritten, never followed */

#endif /* TESTS_CAPI_MISUSE_H_ */
