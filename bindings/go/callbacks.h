/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef BINDINGS_GO_CALLBACKS_H_
#define BINDINGS_GO_CALLBACKS_H_

/* The callbacks of pat/c.h that call into Go. */

#include <stddef.h>
#include <stdint.h>

#include "pat/c_keys.h"

int64_t pat_go_clock(void* context);
int32_t pat_go_keyring(void* context, char* text, size_t capacity, size_t* text_len);
int32_t pat_go_check(void* context, const char* password, size_t password_len);
int32_t pat_go_progress(void* context, const pat_pass_progress* so_far);

#endif /* BINDINGS_GO_CALLBACKS_H_ */
