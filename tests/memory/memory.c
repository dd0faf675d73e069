/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE(name) __interceptor_##name
#endif
#endif
#ifndef BASE
#define BASE(name) __libc_##name
#endif

extern void* BASE(malloc)(size_t size);
extern void* BASE(calloc)(size_t n, size_t size);
extern void* BASE(realloc)(void* block, size_t size);
extern void* BASE(memalign)(size_t alignment, size_t size);
extern void BASE(free)(void* block);

/* Of this thread. */
static __thread long until_failure, allocations, held, mapped; /* until: 0: none fails */
static __thread int failing_for_good, failed, commands;        /* commands: those others' failing */

static atomic_long until_failure_elsewhere;
static atomic_int failed_elsewhere;

static int fails(void) {
  ++allocations;
  int fail = failing_for_good && failed;
  if (until_failure != 0 && --until_failure == 0) fail = 1;
  if (fail) failed = 1;
  if (!commands && atomic_load(&until_failure_elsewhere) != 0 &&
      atomic_fetch_sub(&until_failure_elsewhere, 1) == 1) {
    atomic_store(&failed_elsewhere, 1);
    fail = 1;
  }
  if (fail) errno = ENOMEM;
  return fail;
}

void memory_fail(long n, int for_good) {
  failed = 0;
  failing_for_good = for_good;
  until_failure = n;
}

void memory_fail_elsewhere(long n) {
  commands = 1;
  atomic_store(&failed_elsewhere, 0);
  atomic_store(&until_failure_elsewhere, n);
}

int memory_failed(void) { return failed || atomic_load(&failed_elsewhere) != 0; }

int memory_heal(void) {
  const int any = memory_failed();
  until_failure = 0;
  failed = failing_for_good = commands = 0;
  atomic_store(&until_failure_elsewhere, 0);
  return any;
}

long memory_allocations(void) { return allocations; }
long memory_held(void) { return held; }
long memory_mapped(void) { return mapped; }

static void* counted(void* block) {
  held += block != NULL;
  return block;
}
void* malloc(size_t size) { return fails() ? NULL : counted(BASE(malloc)(size)); }
void* calloc(size_t n, size_t size) { return fails() ? NULL : counted(BASE(calloc)(n, size)); }
void* realloc(void* block, size_t size) {
  if (fails()) return NULL;
  void* const moved = BASE(realloc)(block, size);
  if (block == NULL) held += moved != NULL;
  return moved;
}
void* memalign(size_t alignment, size_t size) {
  return fails() ? NULL : counted(BASE(memalign)(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
void free(void* block) {
  held -= block != NULL;
  BASE(free)(block);
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (fails()) return MAP_FAILED;
  void* const map = (void*)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  mapped += map != MAP_FAILED;
  return map;
}
int munmap(void* address, size_t size) {
  --mapped;
  return (int)syscall(SYS_munmap, address, size);
}
