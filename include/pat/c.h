/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef PAT_C_H_
#define PAT_C_H_

/// The C interface of libpat, personal access tokens for an auth server; for C99 and newer, and for
/// C++. Types and constants are in pat/c_types.h, the life of keys in pat/c_keys.h, stores of one's
/// own in pat/c_store.h. What things mean stands with the C++ class or function of the same name
/// (pat/authority.h, ...); how they look from C stands here. All of it is since 0.1.
///
/// - Codes. Functions return PAT_OK or an error (absl::StatusCode's numbers). The argument
///   `pat_error** error` may be NULL; else *error is set: to NULL, or to what is wrong in words,
///   for pat_error_free. On failure pointers out are NULL. NULL where it must not be, a wrong size
///   or a number out of range is PAT_INVALID_ARGUMENT; memory used up is PAT_RESOURCE_EXHAUSTED,
///   but PAT_INTERNAL where keys are derived (pat_open); nothing was changed then.
/// - Structs that the caller makes begin with `size`. Zero all of it, set `size` to sizeof, then
///   set what you need: zero always is the default. Fields are only ever appended. A libpat
///   older than the caller refuses what it does not know unless it is zero, and leaves zero what it
///   would not know to fill; one that is newer takes what is missing as zero. Structs that libpat
///   makes carry libpat's size. Types without `size` never change.
/// - Texts in are `x, x_len` where they may hold any bytes (secrets, accounts, addresses); NULL and
///   0 are the empty one. Others end in NUL. They are borrowed for the call. Texts out end in NUL.
/// - Memory. What a function hands out through a pointer of a type with a `_free` function belongs
///   to the caller. Freeing or closing NULL does nothing.
/// - Threads. Any, at any time, several on one object; only freeing and closing an object must come
///   after its last use. Structs and buffers of the caller are one call's at a time. The deciding
///   calls wait for nothing (but a page of the store that is not in memory yet, and a custom
///   store); those that change something wait for other writers and the disk. A child after fork()
///   uses nothing that its parent opened: it gets errors.
/// - Exceptions. None leaves libpat. A callback may run in any thread, must not throw, longjmp or
///   call into the same object, and must work until pat_close or pat_store_free has returned.
/// - Times are Unix seconds, 0 is "never".

#include <stddef.h>
#include <stdint.h>

#include "pat/c_types.h"

#define PAT_API __attribute__((visibility("default")))
#define PAT_API_CHECKED __attribute__((visibility("default"), warn_unused_result))

#ifdef __cplusplus
extern "C" {
#endif

/// The library's version, "0.1.0".
PAT_API const char* pat_version(void);

// ---- Errors and names

PAT_API int32_t pat_error_code(const pat_error* error);
/// Says what is wrong; holds no secret and no description. Valid until pat_error_free.
PAT_API const char* pat_error_message(const pat_error* error);
PAT_API void pat_error_free(pat_error* error);

/// "not_found", "active", "auto", "evicted", "bad_checksum", ...; "unknown" for other numbers.
PAT_API const char* pat_code_name(int32_t code);
PAT_API const char* pat_state_name(int32_t state);
PAT_API const char* pat_origin_name(int32_t origin);
PAT_API const char* pat_reason_name(int32_t reason);
PAT_API const char* pat_refusal_name(int32_t refusal);

/// For HTTP, after RFC 6750: 401, 403 or 503, and "invalid_token", "insufficient_scope" or
/// "temporarily_unavailable"; 200 and "" for 0.
PAT_API int32_t pat_refusal_http_status(int32_t refusal);
PAT_API const char* pat_refusal_oauth_error(int32_t refusal);
/// The one sentence for every refused sign-in.
PAT_API const char* pat_refusal_message(void);

// ---- Stores and keyrings

/// The default store, in a directory: see OpenLmdbStore. `options` may be NULL.
PAT_API int32_t pat_store_open_lmdb(const char* directory, const pat_lmdb_options* options,
                                    pat_store** store, pat_error** error);
/// A store in memory, for tests.
PAT_API int32_t pat_store_new_memory(pat_store** store, pat_error** error);
/// Closes a store that pat_open did not take.
PAT_API void pat_store_free(pat_store* store);

/// A new keyring text, for hosts that keep it themselves. `capacity`: PAT_KEYRING_CAPACITY or more.
PAT_API int32_t pat_keyring_generate(char* text, size_t capacity, size_t* text_len,
                                     pat_error** error);

// ---- Opening

/// Opens an authority on a store, which it takes, also if it fails. PAT_FAILED_PRECONDITION: the
/// store is empty, the keyring is not its own, or the declared scopes contradict it.
PAT_API int32_t pat_open(pat_store* store, const pat_options* options, pat_authority** authority,
                         pat_error** error);
/// Flushes, closes and frees. No call on the authority may be under way.
PAT_API void pat_close(pat_authority* authority);

/// What is declared: arrays of *count that live as long as the authority; NULL on misuse.
PAT_API const char* const* pat_prefixes(const pat_authority* authority, size_t* count);
PAT_API const pat_named_bits* pat_permissions(const pat_authority* authority, size_t* count);
PAT_API const pat_named_bits* pat_scopes(const pat_authority* authority, size_t* count);
/// What a scope's or permission's name stands for in pat_presented.need and pat_require.
PAT_API int32_t pat_need(const pat_authority* authority, const char* name, uint64_t* permissions,
                         pat_error** error);

// ---- Deciding. These allocate nothing.

/// Judges a presented token. PAT_OK: accepted. Else *decision says why: PAT_UNAUTHENTICATED for a
/// bad token, PAT_PERMISSION_DENIED for a good one that lacks `need`, PAT_UNAVAILABLE,
/// PAT_INVALID_ARGUMENT for misuse. `presented` may be NULL.
PAT_API_CHECKED int32_t pat_verify(pat_authority* authority, const char* text, size_t text_len,
                                   const pat_presented* presented, pat_decision* decision);

/// Judges `n` texts that stand one after the other in `texts`, without anything in between, under
/// one `presented`. decisions[0].size is the size of each of the `n` decisions; the others' is set.
/// PAT_OK: all were judged; only decisions[i].accepted == 1 accepts text i.
PAT_API_CHECKED int32_t pat_verify_many(pat_authority* authority, const char* texts,
                                        const size_t* text_lens, size_t n,
                                        const pat_presented* presented, pat_decision* decisions);

/// Judges what came in a password field: a token's text as pat_verify does, any other by `check`,
/// which returns 1 if and only if the password fits, and is called whatever the answer is used for.
PAT_API_CHECKED int32_t pat_authenticate(pat_authority* authority, const char* secret,
                                         size_t secret_len, const pat_presented* presented,
                                         int32_t two_factor_enabled,
                                         int32_t (*check)(void* context, const char* password,
                                                          size_t password_len),
                                         void* context, pat_decision* decision);

/// PAT_OK if the decision accepted somebody who has all of `permissions`; else
/// PAT_PERMISSION_DENIED.
PAT_API_CHECKED int32_t pat_require(const pat_decision* decision, uint64_t permissions);
/// PAT_OK if they may administer the account: came in by password, never by token.
PAT_API_CHECKED int32_t pat_require_account_admin(const pat_decision* decision);

// ---- Creating

/// Makes a token and writes its text, which nothing can show again, to `secret`: `capacity` is
/// PAT_SECRET_CAPACITY or more. `token` may be NULL.
PAT_API int32_t pat_issue(pat_authority* authority, const pat_issue_request* request, char* secret,
                          size_t capacity, pat_token** token, pat_error** error);
/// Up to 10,000 tokens, all or none. Text i stands at secrets + i * PAT_SECRET_CAPACITY.
PAT_API int32_t pat_issue_many(pat_authority* authority, const pat_issue_request* const* requests,
                               size_t n, char* secrets, size_t capacity, pat_page** issued,
                               pat_error** error);
/// Overwrites a secret in a way no compiler leaves out.
PAT_API void pat_wipe(void* secret, size_t len);

// ---- Looking. `owner` is the account that must own the token; empty: not checked, for operators.

PAT_API int32_t pat_get(pat_authority* authority, uint64_t id, const char* owner, size_t owner_len,
                        pat_token** token, pat_error** error);
PAT_API int32_t pat_list(pat_authority* authority, const char* account, size_t account_len,
                         const pat_list_options* options, pat_page** page, pat_error** error);
PAT_API int32_t pat_count(pat_authority* authority, const char* account, size_t account_len,
                          pat_counts* counts, pat_error** error);
PAT_API int32_t pat_id_of(pat_authority* authority, const char* public_id, size_t public_id_len,
                          uint64_t* id, pat_error** error);
/// `capacity`: PAT_PUBLIC_ID_CAPACITY or more.
PAT_API int32_t pat_public_id_of(pat_authority* authority, uint64_t id, char* public_id,
                                 size_t capacity, pat_error** error);
PAT_API void pat_token_free(pat_token* token);
PAT_API void pat_page_free(pat_page* page);

// ---- Changing. A change that already holds is PAT_OK.

/// `token`, which may be NULL, gets the token as it is then.
PAT_API int32_t pat_update(pat_authority* authority, uint64_t id, const char* owner,
                           size_t owner_len, const pat_token_update* update, pat_token** token,
                           pat_error** error);
PAT_API int32_t pat_activate(pat_authority* authority, uint64_t id, const char* owner,
                             size_t owner_len, pat_error** error);
PAT_API int32_t pat_deactivate(pat_authority* authority, uint64_t id, const char* owner,
                               size_t owner_len, pat_error** error);
/// `reason` 0: PAT_REASON_USER.
PAT_API int32_t pat_delete(pat_authority* authority, uint64_t id, const char* owner,
                           size_t owner_len, int32_t reason, pat_error** error);
/// Forgets up to `limit` (0: 10,000) tokens deleted before a time, in steps of up to 1,000: after
/// an error the steps before it stay done, and *purged is 0. `purged` may be NULL.
PAT_API int32_t pat_purge(pat_authority* authority, int64_t before_unix_s, size_t limit,
                          size_t* purged, pat_error** error);

// ---- Operating

PAT_API int32_t pat_flush(pat_authority* authority, pat_error** error);
PAT_API int32_t pat_health(pat_authority* authority, pat_error** error);
PAT_API int32_t pat_stats(pat_authority* authority, pat_store_stats* stats, pat_error** error);

// ---- Token text, without a store or key

/// PAT_TEXT_OK, or what is wrong with the text; -1 on misuse. `selector`: 16 bytes for the
/// selector of a good text, or NULL. The secret is the 27 characters before the last 6. Scanners
/// search for <prefix>[0-9A-Za-z]{55}.
PAT_API int32_t pat_check_text(const char* text, size_t text_len, const char* const* prefixes,
                               size_t prefix_count, unsigned char* selector);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PAT_C_H_
