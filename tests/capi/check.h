/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CAPI_CHECK_H_
#define TESTS_CAPI_CHECK_H_

/* What the tests in C share: checks, a folder, a clock, an authority, a token. A failed check ends
   the program. No check prints a secret. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pat/c_keys.h"
#include "pat/c_store.h"

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

#define CHECK_CODE(call, expected)                                                                 \
  do {                                                                                             \
    const int32_t got_ = (call);                                                                   \
    if (got_ != (expected)) {                                                                      \
      fprintf(stderr, "%s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #call, pat_code_name(got_), \
              pat_code_name(expected));                                                            \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

#define CHECK_OK(call) CHECK_CODE(call, PAT_OK)

/* A call whose last argument is `&error`: fails with this code and an error that says so. */
#define CHECK_ERROR(call, expected)               \
  do {                                            \
    pat_error* error = (pat_error*)&check_poison; \
    CHECK_CODE(call, expected);                   \
    CHECK(pat_error_code(error) == (expected));   \
    CHECK(*pat_error_message(error) != '\0');     \
    pat_error_free(error);                        \
  } while (0)

static char check_poison __attribute__((unused));

/* A zeroed struct of its size. */
#define MADE(type, name)         \
  type name;                     \
  memset(&name, 0, sizeof name); \
  name.size = sizeof name

/* Notes a secret for the scan of the logs, see tests/issued_secrets.h. */
static inline void note_secret(const char* secret) {
  const char* const path = getenv("PAT_TEST_SECRETS");
  char line[PAT_KEYRING_CAPACITY + 1];
  const size_t len = strlen(secret);
  if (path == NULL || *path == '\0' || len == 0) return;
  memcpy(line, secret, len);
  line[len] = '\n';
  const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, line, len + 1) != (ssize_t)(len + 1) || close(fd) != 0) abort();
}

/* Likewise the master secret of a keyring of one: the hexadecimal digits after its last blank. */
static inline void note_keyring(const char* text) {
  char digits[65] = "";
  const char* const last = strrchr(text, ' ');
  CHECK(last != NULL && strlen(last) > 64);
  memcpy(digits, last + 1, 64);
  note_secret(digits);
}

/* A folder of its own; remove_folder takes what tests put into it. */
static char folder[64];
static char store_path[80];
static char keyring_path[80];

static inline void remove_folder(void) {
  static const char* const files[] = {"store/data.mdb",
                                      "store/lock.mdb",
                                      "store/write.lock",
                                      "store/lastuse.map",
                                      "store",
                                      "keyring",
                                      ""};
  char path[128];
  size_t i;
  for (i = 0; i < sizeof files / sizeof *files; ++i) {
    snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    remove(path);
  }
}

static inline void make_folder(void) {
  const char* const tmp = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/pat-capi-XXXXXX",
           tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
  CHECK(mkdtemp(folder) != NULL);
  snprintf(store_path, sizeof store_path, "%s/store", folder);
  snprintf(keyring_path, sizeof keyring_path, "%s/keyring", folder);
  atexit(remove_folder);
}

static int64_t test_now = 1700000000;
static inline int64_t test_clock(void* context) {
  (void)context;
  return test_now;
}

static const char* const test_prefixes[] = {"acme_pat_"};
static const char* const test_scopes[] = {"repo:write"};

static inline pat_options test_options(void) {
  MADE(pat_options, options);
  options.create_if_missing = 1;
  options.prefixes = test_prefixes;
  options.prefix_count = 1;
  options.keyring_path = keyring_path;
  options.clock = test_clock;
  return options;
}

static inline pat_store* test_store(void) {
  pat_store* store = NULL;
  MADE(pat_lmdb_options, options);
  options.create_if_missing = 1;
  options.map_bytes = 1u << 28;
  options.flush_interval_s = -1;
  CHECK_OK(pat_store_open_lmdb(store_path, &options, &store, NULL));
  return store;
}

static inline pat_authority* test_authority(void) {
  pat_authority* authority = NULL;
  const pat_options options = test_options();
  CHECK_OK(pat_open(test_store(), &options, &authority, NULL));
  return authority;
}

/* On a store in memory, with a keyring that the host keeps. */
static inline pat_authority* test_authority_of(const char* keyring, size_t keyring_len) {
  pat_store* store = NULL;
  pat_authority* authority = NULL;
  pat_options options = test_options();
  options.keyring_path = NULL;
  options.keyring_text = keyring;
  options.keyring_text_len = keyring_len;
  CHECK_OK(pat_store_new_memory(&store, NULL));
  CHECK_OK(pat_open(store, &options, &authority, NULL));
  return authority;
}

static inline pat_issue_request test_request(void) {
  MADE(pat_issue_request, request);
  request.account = "alice";
  request.account_len = 5;
  request.description = "laptop";
  request.scopes = test_scopes;
  request.scope_count = 1;
  return request;
}

/* Issues alice's token; its id. */
static inline uint64_t test_issue(pat_authority* authority, char* secret) {
  const pat_issue_request request = test_request();
  pat_token* token = NULL;
  CHECK_OK(pat_issue(authority, &request, secret, PAT_SECRET_CAPACITY, &token, NULL));
  note_secret(secret);
  const uint64_t id = token->id;
  pat_token_free(token);
  return id;
}

/* 0 if accepted, else why not. */
static inline int32_t test_refusal(pat_authority* authority, const char* secret) {
  MADE(pat_decision, decision);
  const int32_t code = pat_verify(authority, secret, strlen(secret), NULL, &decision);
  CHECK((code == PAT_OK) == (decision.accepted == 1));
  CHECK((decision.accepted == 1) == (decision.refusal == 0));
  return decision.refusal;
}

#endif /* TESTS_CAPI_CHECK_H_ */
