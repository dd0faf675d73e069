/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* Compiled as C99, C11, C17, C++11, C++17 and C++20 with every warning an error: the headers are
   plain C of any age. No struct ends in padding: a field appended there would not change its size,
   by which versions are told apart. */
#include "pat/c.h" /* twice is fine */
#include "pat/c_keys.h"
#include "pat/c_store.h"

#define UNPADDED(type, last) \
  typedef char               \
      type##_unpadded[sizeof(type) == offsetof(type, last) + sizeof(((type*)0)->last) ? 1 : -1]

UNPADDED(pat_lmdb_options, reserved_2);
UNPADDED(pat_options, reserved);
UNPADDED(pat_presented, reserved);
UNPADDED(pat_decision, account);
UNPADDED(pat_token, evicted_count);
UNPADDED(pat_page, next);
UNPADDED(pat_issue_request, reserved);
UNPADDED(pat_token_update, reserved);
UNPADDED(pat_list_options, after);
UNPADDED(pat_counts, inactive);
UNPADDED(pat_store_stats, most_readers);
UNPADDED(pat_key_info, dependents);
UNPADDED(pat_key_list, count);
UNPADDED(pat_pass_progress, left);
UNPADDED(pat_batch, reserved);
UNPADDED(pat_account_row, row);
UNPADDED(pat_last_use, user_agent);
UNPADDED(pat_store_ops, next_account);

int pat_headers_compile(void);
int pat_headers_compile(void) { return PAT_OK; }
