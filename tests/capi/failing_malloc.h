/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPI_FAILING_MALLOC_H_
#define TESTS_CAPI_FAILING_MALLOC_H_

/* malloc and its kin, replaced for the whole process, libpat.so included: they fail when asked to.
   For one source of a program. */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#ifdef __cplusplus
#define NOTHING_THROWN noexcept
#else
#define NOTHING_THROWN
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t n, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* block);

/* Of this thread: allocations until one fails (0: none fails), how many there were, blocks held. */
static __thread long until_failure, allocations, held;
static __thread int failed;

static int fails(void) {
  ++allocations;
  if (until_failure == 0 || --until_failure != 0) return 0;
  failed = 1;
  errno = ENOMEM;
  return 1;
}
static void* counted(void* block) {
  held += block != NULL;
  return block;
}
void* malloc(size_t size) NOTHING_THROWN { return fails() ? NULL : counted(__libc_malloc(size)); }
void* calloc(size_t n, size_t size) NOTHING_THROWN {
  return fails() ? NULL : counted(__libc_calloc(n, size));
}
void* realloc(void* block, size_t size) NOTHING_THROWN {
  if (fails()) return NULL;
  void* const moved = __libc_realloc(block, size);
  if (block == NULL) held += moved != NULL;
  return moved;
}
void* memalign(size_t alignment, size_t size) NOTHING_THROWN {
  return fails() ? NULL : counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) NOTHING_THROWN {
  return memalign(alignment, size);
}
int posix_memalign(void** block, size_t alignment, size_t size) NOTHING_THROWN {
  *block = memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
void free(void* block) NOTHING_THROWN {
  held -= block != NULL;
  __libc_free(block);
}

#ifdef __cplusplus
}  // extern "C"
#endif

#endif /* TESTS_CAPI_FAILING_MALLOC_H_ */
