/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MEMORY_MEMORY_H_
#define TESTS_MEMORY_MEMORY_H_

/* Memory that runs out: memory.c takes the place of malloc, its kin and mmap in the program that
   links it, shared libraries included. What is counted is this thread's, but for threads of the
   library's own. */

#ifdef __cplusplus
extern "C" {
#endif

/* The `n`th allocation from now on fails (1 is the next), and all after it if `for_good`. */
void memory_fail(long n, int for_good);

/* The same for all allocations of other threads together. */
void memory_fail_elsewhere(long n);

/* Whether one has failed since; ends it. */
int memory_failed(void);
int memory_heal(void);

/* How many allocations this thread has tried. */
long memory_allocations(void);

/* Blocks and mappings that this thread has taken and not given back. */
long memory_held(void);
long memory_mapped(void);

#ifdef __cplusplus
}
#endif

#endif
