/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPI_EXHAUST_H_
#define TESTS_CAPI_EXHAUST_H_

/* Calls of the C interface while memory runs out. */

#include "../memory/memory.h"
#include "check.h"

/* What is true of a call beyond the rule. */
enum {
  EXHAUST_IN_STEPS = 1 /* several changes; those that were made stand */
};

typedef int32_t (*exhaust_call)(pat_error** error);

/* Fails allocation n of `call`, and tells whether it got that far. `state` sums up all that must
   not change where the call fails. Aborts on an unclean error, a leak, a change. */
static int exhaust_once(const char* name, long n, exhaust_call call, int how,
                        uint64_t (*state)(void), void (*prepare)(void), int32_t* code) {
  int again;
  for (again = 0;; again = 1) {
    pat_error* error = NULL;
    if (prepare != NULL) prepare();
    const uint64_t before = state();
    const long held_before = memory_held();
    memory_fail(n, 0);
    *code = call(&error);
    const int failed = memory_heal();
    const int code_fits = *code == PAT_OK || *code == PAT_RESOURCE_EXHAUSTED;
    if (!code_fits || (*code != PAT_OK && error == NULL)) {
      fprintf(stderr, "%s: allocation %ld: %s: %s\n", name, n, pat_code_name(*code),
              pat_error_message(error));
      exit(1);
    }
    pat_error_free(error);
    if (*code == PAT_OK) return failed;
    const long more = memory_held() - held_before;
    if (state() != before) {
      if ((how & EXHAUST_IN_STEPS) != 0) return failed; /* what a step made is held rightly */
      fprintf(stderr, "%s: allocation %ld: failed, but something has changed\n", name, n);
      exit(1);
    }
    /* What is kept once for this thread (BoringSSL's errors) does not grow the second time. */
    if (more != 0 && !again) continue;
    if (more != 0) {
      fprintf(stderr, "%s: allocation %ld: %ld blocks leaked\n", name, n, more);
      exit(1);
    }
    return failed;
  }
}

/* Adds to a sum of all that must not change: FNV. */
static uint64_t sum_with(uint64_t sum, uint64_t value) { return (sum ^ value) * 1099511628211u; }

#endif /* TESTS_CAPI_EXHAUST_H_ */
