/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef PAT_C_TYPES_H_
#define PAT_C_TYPES_H_

/// The types and constants of pat/c.h, where the conventions stand.
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The number of the binary interface: libpat.so.<PAT_ABI>. See docs/abi.md.
enum { PAT_ABI = 0 };

/// Bytes for a token text, a public id and a keyring text, their NUL included.
enum { PAT_SECRET_CAPACITY = 80, PAT_PUBLIC_ID_CAPACITY = 40, PAT_KEYRING_CAPACITY = 4097 };

/// Codes. Only the first is success.
enum {
  PAT_OK = 0,
  PAT_CANCELLED = 1,
  PAT_UNKNOWN = 2,
  PAT_INVALID_ARGUMENT = 3,
  PAT_DEADLINE_EXCEEDED = 4,
  PAT_NOT_FOUND = 5,
  PAT_ALREADY_EXISTS = 6,
  PAT_PERMISSION_DENIED = 7,
  PAT_RESOURCE_EXHAUSTED = 8,
  PAT_FAILED_PRECONDITION = 9,
  PAT_ABORTED = 10,
  PAT_OUT_OF_RANGE = 11,
  PAT_UNIMPLEMENTED = 12,
  PAT_INTERNAL = 13,
  PAT_UNAVAILABLE = 14,
  PAT_DATA_LOSS = 15,
  PAT_UNAUTHENTICATED = 16
};

/// 0 is none of them, unless said otherwise.
enum { PAT_STATE_ACTIVE = 1, PAT_STATE_INACTIVE = 2, PAT_STATE_EXPIRED = 3, PAT_STATE_DELETED = 4 };
enum { PAT_ORIGIN_MANUAL = 1, PAT_ORIGIN_AUTO = 2 };
enum {  // why a token was deleted
  PAT_REASON_USER = 1,
  PAT_REASON_EVICTED = 2,
  PAT_REASON_ROTATED = 3,
  PAT_REASON_LEAKED = 4,
  PAT_REASON_IDLE = 5,
  PAT_REASON_ADMIN = 6
};
enum { PAT_METHOD_TOKEN = 1, PAT_METHOD_PASSWORD = 2 };
enum { PAT_CLAIM_NONE = 0, PAT_CLAIM_ACCOUNT = 1, PAT_CLAIM_UNKNOWN = 2 };
enum {  // why a secret was refused
  PAT_REFUSAL_NOT_TOKEN = 1,
  PAT_REFUSAL_BAD_CHECKSUM = 2,
  PAT_REFUSAL_FORGED = 3,
  PAT_REFUSAL_UNKNOWN_TOKEN = 4,
  PAT_REFUSAL_WRONG_SECRET = 5,
  PAT_REFUSAL_DELETED = 6,
  PAT_REFUSAL_EXPIRED = 7,
  PAT_REFUSAL_INACTIVE = 8,
  PAT_REFUSAL_WRONG_ACCOUNT = 9,
  PAT_REFUSAL_UNKNOWN_ACCOUNT = 10,
  PAT_REFUSAL_MISSING_PERMISSION = 11,
  PAT_REFUSAL_WRONG_PASSWORD = 12,
  PAT_REFUSAL_PASSWORD_REFUSED = 13,
  PAT_REFUSAL_UNAVAILABLE = 14  // the store or the keys cannot be read, or the call was a misuse
};
enum {  // of pat_check_text
  PAT_TEXT_OK = 0,
  PAT_TEXT_NOT_TOKEN = 1,
  PAT_TEXT_BAD_SELECTOR = 2,
  PAT_TEXT_BAD_CHECKSUM = 3
};

/// The permissions of the default declaration, ScopeSet::DockerHub.
enum { PAT_REPO_PUBLIC_READ = 1, PAT_REPO_READ = 2, PAT_REPO_WRITE = 4, PAT_REPO_DELETE = 8 };

typedef struct pat_authority pat_authority;
typedef struct pat_store pat_store;
typedef struct pat_error pat_error;

/// A permission (one bit, 1 << n) or a scope (its permissions).
typedef struct pat_named_bits {
  const char* name;
  uint64_t bits;
} pat_named_bits;

typedef struct pat_attribute {
  const char* name;
  const char* value;
} pat_attribute;

typedef struct pat_lmdb_options {
  size_t size;
  int32_t create_if_missing;
  int32_t concurrent_reads;  // 0: 64
  uint64_t map_bytes;        // 0: 64 GiB
  uint32_t max_readers;      // 0: 4096
  int32_t flush_interval_s;  // 0: 30; below 0: no thread, only pat_flush and pat_close
  int64_t reserve_bytes;     // for revocations on a full disk; 0: 8 MiB; below 0: none
  int32_t write_deadline_s;  // 0: 10
  int32_t reserved;          // 0
  int32_t exclusive;         // not 0: nobody else may have the store open
  int32_t reserved_2;        // 0
} pat_lmdb_options;

typedef struct pat_options {
  size_t size;
  int32_t create_if_missing;    // make a new realm, and a keyring file, in an empty store
  int32_t max_auto_tokens;      // 0: 5
  const char* const* prefixes;  // the first issues, all are accepted
  size_t prefix_count;          // 0: as the store has them
  // The keyring, exactly one of: a file; a text; a callback that writes the text (at most
  // `capacity` bytes) and returns a code.
  const char* keyring_path;
  const char* keyring_text;
  size_t keyring_text_len;
  int32_t (*keyring_load)(void* keyring_context, char* text, size_t capacity, size_t* text_len);
  void* keyring_context;
  // The host's permissions and scopes, see ScopeSet. None: Docker Hub's.
  const pat_named_bits* permissions;
  size_t permission_count;
  const pat_named_bits* scopes;
  size_t scope_count;
  const char* const* auto_scopes;         // that an auto token gets if its request names none
  size_t auto_scope_count;                // 0: repo:admin
  int64_t (*clock)(void* clock_context);  // NULL: the system's. Must not block
  void* clock_context;
  int32_t adopt_scopes;  // not 0: declare nothing, take what the store declares
  int32_t reserved;      // 0
} pat_options;

/// How a secret is presented. All zero: nothing is claimed or needed.
typedef struct pat_presented {
  size_t size;
  const char* account;  // with PAT_CLAIM_ACCOUNT
  size_t account_len;
  const char* ip;
  size_t ip_len;
  const char* user_agent;
  size_t user_agent_len;
  uint64_t need;  // permissions without which it is refused
  int32_t claim;
  int32_t reserved;  // 0
} pat_presented;

/// Who came in, or why not. Holds no memory of its own. A zeroed one accepts nobody.
typedef struct pat_decision {
  size_t size;
  int32_t accepted;  // 1 or 0; what follows `refusal` is zero unless it is 1
  int32_t refusal;   // 0 if accepted
  int32_t method;
  int32_t origin;     // of the token; 0 for a password
  uint64_t token_id;  // 0 for a password
  uint64_t permissions;
  size_t account_len;
  char account[136];  // at most 128 bytes, then zeros
} pat_decision;

/// All that is known of a token but the secret: see Token.
typedef struct pat_token {
  size_t size;
  uint64_t id;
  const char* public_id;
  const char* account;
  size_t account_len;
  const char* description;
  const char* const* scopes;
  size_t scope_count;
  uint64_t permissions;
  int32_t state;
  int32_t origin;
  int64_t created_unix_s;
  int64_t expires_unix_s;
  int64_t last_used_unix_s;
  int64_t deleted_unix_s;
  const char* last_used_ip;
  const char* last_used_user_agent;
  const pat_attribute* attributes;
  size_t attribute_count;
  int32_t delete_reason;
  int32_t damaged;
  const uint64_t* evicted;  // of a new auto token: the ids that went to make room
  size_t evicted_count;
} pat_token;

/// Tokens: of a list, newest first; or those issued, in the order asked for.
typedef struct pat_page {
  size_t size;
  const pat_token* const* tokens;
  size_t count;
  const char* next;  // for pat_list_options.after; "" at the end
} pat_page;

typedef struct pat_issue_request {
  size_t size;
  const char* account;
  size_t account_len;
  const char* description;
  const char* const* scopes;
  size_t scope_count;
  int64_t expires_unix_s;
  const pat_attribute* attributes;
  size_t attribute_count;
  int32_t origin;    // 0: PAT_ORIGIN_MANUAL
  int32_t reserved;  // 0
} pat_issue_request;

/// A change to a token: what is NULL or 0 stays.
typedef struct pat_token_update {
  size_t size;
  const char* description;
  const char* const* scopes;
  size_t scope_count;
  int32_t state;     // PAT_STATE_ACTIVE or PAT_STATE_INACTIVE
  int32_t reserved;  // 0
} pat_token_update;

typedef struct pat_list_options {
  size_t size;
  int32_t state;   // 0: all but the deleted
  int32_t origin;  // 0: both
  const char* text;
  size_t limit;  // 0: 20
  const char* after;
} pat_list_options;

typedef struct pat_counts {
  size_t size;
  uint64_t active;
  uint64_t inactive;
} pat_counts;

/// See StoreStats.
typedef struct pat_store_stats {
  size_t size;
  uint64_t accounts;
  uint64_t next_token_id;
  uint64_t bytes;
  uint64_t uses_dropped;
  uint64_t readers;
  uint64_t most_readers;
} pat_store_stats;

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PAT_C_TYPES_H_
