/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef PAT_C_STORE_H_
#define PAT_C_STORE_H_

/// A store of one's own, in C: a table of functions and a context. The contract is that of the
/// class Store in pat/store.h, function by function; the conventions are those of pat/c.h. Run the
/// conformance suite on it (tests/store_conformance.h; tests/capi/ shows how, with a store in C).

#include "pat/c.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PAT_RECORD_BYTES = 48, PAT_ACCOUNT_ROW_BYTES = 768 };

/// A token's record in a batch: what must stand there (checks), or what is to (puts). All zeros is
/// an empty slot.
typedef struct pat_batch_token {
  uint64_t id;
  const unsigned char* record;  // PAT_RECORD_BYTES
} pat_batch_token;

/// Empty metadata: the row goes.
typedef struct pat_batch_metadata {
  uint64_t id;
  uint32_t account_number;
  uint32_t metadata_len;
  const char* metadata;
} pat_batch_metadata;

/// An empty row in a check: there must be no such account. `number` is 0 in checks.
typedef struct pat_batch_account {
  const char* account;
  size_t account_len;
  const char* row;
  uint32_t row_len;
  uint32_t number;
} pat_batch_account;

/// An empty value: there must be no such row, or the row goes.
typedef struct pat_batch_meta {
  const char* name;
  size_t name_len;
  const char* value;
  size_t value_len;
} pat_batch_meta;

/// A change of several rows: all of it, durably, or nothing. First the checks.
typedef struct pat_batch {
  size_t size;
  const pat_batch_token* token_checks;
  size_t token_check_count;
  const pat_batch_account* account_checks;
  size_t account_check_count;
  const pat_batch_meta* meta_checks;
  size_t meta_check_count;
  const pat_batch_token* tokens;
  size_t token_count;
  const pat_batch_metadata* metadata;
  size_t metadata_count;
  const pat_batch_account* accounts;
  size_t account_count;
  const pat_batch_meta* meta;
  size_t meta_count;
  int32_t revocation;  // not 0: takes rights away, may use the room kept for that
  int32_t reserved;
} pat_batch;

/// Where an account's row is written.
typedef struct pat_account_row {
  size_t size;
  uint32_t number;
  uint32_t row_len;
  char row[PAT_ACCOUNT_ROW_BYTES];
} pat_account_row;

typedef struct pat_last_use {
  size_t size;
  uint32_t unix_s;  // 0: never
  uint32_t reserved;
  char ip[48];           // at most 45 bytes, then zeros
  char user_agent[136];  // at most 128 bytes, then zeros
} pat_last_use;

/// Takes what a reading function found; lives for that call. Both copy. PAT_OK or
/// PAT_RESOURCE_EXHAUSTED, which the function then returns.
typedef struct pat_sink pat_sink;
PAT_API int32_t pat_sink_bytes(pat_sink* sink, const char* bytes, size_t len);
PAT_API int32_t pat_sink_token(pat_sink* sink, uint64_t id, const unsigned char* record,
                               const char* metadata, size_t metadata_len);

/// All functions are needed, but for those that say otherwise. Each returns PAT_OK or, as its C++
/// namesake: PAT_NOT_FOUND, PAT_ABORTED, PAT_UNAVAILABLE, PAT_RESOURCE_EXHAUSTED, PAT_DATA_LOSS,
/// PAT_INTERNAL, PAT_FAILED_PRECONDITION or PAT_INVALID_ARGUMENT. find, find_account and record_use
/// must neither allocate nor wait. The structs to fill come with `size` set and the rest zero.
typedef struct pat_store_ops {
  size_t size;
  int32_t (*find)(void* context, uint64_t id, unsigned char* record);
  int32_t (*find_account)(void* context, uint32_t number, pat_account_row* row);
  void (*record_use)(void* context, uint64_t id, uint32_t unix_s, const char* ip, size_t ip_len,
                     const char* user_agent, size_t user_agent_len);
  int32_t (*read_use)(void* context, uint64_t id, pat_last_use* use);
  int32_t (*read_account)(void* context, const char* account, size_t account_len,
                          pat_account_row* row);
  int32_t (*read_metadata)(void* context, uint32_t account_number, uint64_t id, pat_sink* bytes);
  int32_t (*page)(void* context, uint32_t account_number, uint64_t before, size_t n,
                  pat_sink* tokens);
  int32_t (*scan)(void* context, uint64_t first, size_t n, pat_sink* tokens);
  int32_t (*read_meta)(void* context, const char* name, size_t name_len, pat_sink* bytes);
  int32_t (*stats)(void* context, pat_store_stats* stats);
  int32_t (*reserve_token_ids)(void* context, uint32_t n, uint64_t* first);
  int32_t (*reserve_account_number)(void* context, uint32_t* number);
  int32_t (*apply)(void* context, const pat_batch* batch);
  int32_t (*flush)(void* context);
  int32_t (*health)(void* context);
  int32_t (*close)(void* context);
  void (*destroy)(void* context);  // the last call; may be NULL
  /// Another number after each change of a meta row; must neither allocate nor wait. May be NULL or
  /// left out: then other processes' new and retired keys are noticed at open only.
  uint64_t (*meta_version)(void* context);
  /// A hint that `find` for this token follows. May be NULL or left out.
  void (*prefetch)(void* context, uint64_t id);
  /// The row of the account with the smallest number from `first` on; PAT_NOT_FOUND at the end. May
  /// be NULL or left out: then seals cannot be renewed (PAT_UNIMPLEMENTED).
  int32_t (*next_account)(void* context, uint32_t first, pat_account_row* row);
} pat_store_ops;

/// Makes a store of the functions; `ops` is copied, `context` is passed to each. On failure nothing
/// is called, destroy neither.
PAT_API int32_t pat_store_new(const pat_store_ops* ops, void* context, pat_store** store,
                              pat_error** error);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PAT_C_STORE_H_
