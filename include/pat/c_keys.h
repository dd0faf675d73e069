/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef PAT_C_KEYS_H_
#define PAT_C_KEYS_H_

/// The life of a store's keys, in C: what there is, rotate, reseal, retire; and other passes over
/// the whole store: copy to a realm of its own, purge. What it means stands with the same names in
/// pat/keys.h, pat/keyring.h and the class Authority; the conventions are those of pat/c.h.

#include "pat/c.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PAT_KEY_SELECTOR = 1, PAT_KEY_SEAL = 2 };

/// A live key.
typedef struct pat_key_info {
  size_t size;
  int32_t kind;
  int32_t newest;  // 1: the one in use
  uint32_t number;
  uint32_t reserved;
  int64_t created_unix_s;
  uint64_t dependents;  // what would be lost with it; of pat_keys alone
} pat_key_info;

typedef struct pat_key_list {
  size_t size;
  const pat_key_info* const* keys;
  size_t count;
} pat_key_list;

/// How far a pass over the whole store has come.
typedef struct pat_pass_progress {
  size_t size;
  uint64_t accounts;       // looked at
  uint64_t tokens;         // looked at
  uint64_t next_token_id;  // all ids are below this
  uint64_t written;        // tokens and account rows
  uint64_t left;           // likewise, as they are: they do not fit their seals
} pat_pass_progress;

/// The live keys with what depends on each: reads the whole store.
PAT_API int32_t pat_keys(pat_authority* authority, pat_key_list** keys, pat_error** error);
PAT_API void pat_key_list_free(pat_key_list* keys);

/// Begins to use a new key; `key`, which may be NULL, gets it. A keyring_path gets one; a text that
/// the host keeps must have one (pat_keyring_add_key), else PAT_FAILED_PRECONDITION; so is it with
/// 8 live keys of the kind.
PAT_API int32_t pat_rotate_key(pat_authority* authority, int32_t kind, pat_key_info* key,
                               pat_error** error);

/// Rewrites every row that an older key seals under the newest, in short batches. `progress`, which
/// may be NULL, is called after each, in this thread; unless it returns PAT_OK the pass ends with
/// PAT_CANCELLED. What was rewritten stays; call again. `done`, which may be NULL, gets how far it
/// went; on failure it is not touched.
PAT_API int32_t pat_reseal(pat_authority* authority,
                           int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                           void* context, pat_pass_progress* done, pat_error** error);

/// Ends a key and all older ones of its kind, for every process. PAT_FAILED_PRECONDITION, with the
/// count, while something depends on them, unless `force`; for the newest always. Final once the
/// secret is out of the keyring: see RetireKey. After an error call it again: it has two steps.
PAT_API int32_t pat_retire_key(pat_authority* authority, int32_t kind, uint32_t number,
                               int32_t force, pat_error** error);

/// Copies accounts, tokens and last uses into `target`, an authority on a new store with a keyring
/// of its own, where the tokens can be listed and deleted but are not accepted. Nobody may change
/// this store meanwhile. `progress` and `done` as of pat_reseal; cut short, throw the target away.
PAT_API int32_t pat_copy_to(pat_authority* authority, pat_authority* target,
                            int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                            void* context, pat_pass_progress* done, pat_error** error);

/// pat_purge, with `progress` after each of its steps as of pat_reseal.
PAT_API int32_t pat_purge_pass(pat_authority* authority, int64_t before_unix_s, size_t limit,
                               int32_t (*progress)(void* context, const pat_pass_progress* so_far),
                               void* context, size_t* purged, pat_error** error);

// ---- Keyring texts, for hosts that keep them themselves: pat_keyring_generate makes the first.
// `capacity`: PAT_KEYRING_CAPACITY or more; `out` may be `text`.

/// `text` with one more key: hand it to all processes, then call pat_rotate_key.
/// PAT_FAILED_PRECONDITION: the text is none, or has 8 of the kind.
PAT_API int32_t pat_keyring_add_key(const char* text, size_t text_len, int32_t kind, char* out,
                                    size_t capacity, size_t* out_len, pat_error** error);
/// `text` without a key, after pat_retire_key. PAT_NOT_FOUND: it has no such key;
/// PAT_FAILED_PRECONDITION: it is the newest of its kind.
PAT_API int32_t pat_keyring_remove_key(const char* text, size_t text_len, int32_t kind,
                                       uint32_t number, char* out, size_t capacity, size_t* out_len,
                                       pat_error** error);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PAT_C_KEYS_H_
