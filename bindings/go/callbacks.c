/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#include "callbacks.h"

#include "_cgo_export.h"

/* A context is the number of a Go handle, never an address: Go must not see it as a pointer. */

int64_t pat_go_clock(void* context) { return patGoClock((uintptr_t)context); }

int32_t pat_go_keyring(void* context, char* text, size_t capacity, size_t* text_len) {
  return patGoKeyring((uintptr_t)context, text, capacity, text_len);
}

int32_t pat_go_progress(void* context, const pat_pass_progress* so_far) {
  return patGoProgress((uintptr_t)context, (pat_pass_progress*)so_far);
}

int32_t pat_go_check(void* context, const char* password, size_t password_len) {
  return patGoCheck((uintptr_t)context, (char*)password, password_len);
}
