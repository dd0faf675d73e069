/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* Callers compiled with another version's structs. Of each struct that a caller makes: a newer one,
   whose additional field may be zero but not set; and an older one, which ends before a field that
   is zero then, whatever lies behind. (pat_store_ops: also store_test.cc.) */
#include "check.h"

#define BAD(call) CHECK_ERROR(call, PAT_INVALID_ARGUMENT)

/* A struct and a field that only a newer version has. */
#define NEWER(type, name, value) \
  struct {                       \
    type known;                  \
    uint64_t later;              \
  } name;                        \
  memset(&name, 0, sizeof name); \
  name.known = value;            \
  name.known.size = sizeof name

/* Makes it an older one, which ends where `field` begins; what lies behind is no zero. */
#define OLDER(type, name, field)                                                             \
  do {                                                                                       \
    memset((char*)&name + offsetof(type, field), 0xEE, sizeof name - offsetof(type, field)); \
    name.known.size = offsetof(type, field);                                                 \
  } while (0)

static pat_store* memory(void) {
  pat_store* store = NULL;
  CHECK_OK(pat_store_new_memory(&store, NULL));
  return store;
}

static void sizes_of_opening(void) {
  char path[96];
  pat_store* store;
  pat_authority* authority;
  MADE(pat_lmdb_options, made);
  made.create_if_missing = 1;
  made.map_bytes = 1u << 26;
  made.reserve_bytes = -1;
  made.write_deadline_s = 1;
  snprintf(path, sizeof path, "%s/sized", folder);
  NEWER(pat_lmdb_options, lmdb, made);
  lmdb.later = 1;
  BAD(pat_store_open_lmdb(path, &lmdb.known, &store, &error));
  CHECK(access(path, F_OK) != 0);
  lmdb.later = 0;
  CHECK_OK(pat_store_open_lmdb(path, &lmdb.known, &store, NULL));
  pat_store_free(store);
  OLDER(pat_lmdb_options, lmdb, max_readers);
  CHECK_OK(pat_store_open_lmdb(path, &lmdb.known, &store, NULL));
  pat_store_free(store);
  snprintf(path, sizeof path, "rm -r '%s/sized'", folder);
  CHECK(system(path) == 0);

  const pat_options given = test_options();
  NEWER(pat_options, options, given);
  options.later = 1;
  BAD(pat_open(memory(), &options.known, &authority, &error));
  options.later = 0;
  CHECK_OK(pat_open(memory(), &options.known, &authority, NULL));
  pat_close(authority);
  CHECK(remove(keyring_path) == 0);
  OLDER(pat_options, options, permissions);
  CHECK_OK(pat_open(memory(), &options.known, &authority, NULL));
  pat_close(authority);
  CHECK(remove(keyring_path) == 0);
}

static void sizes_of_changing(pat_authority* authority, uint64_t id) {
  char secret[PAT_SECRET_CAPACITY];
  pat_token* token = NULL;
  const pat_issue_request given = test_request();
  NEWER(pat_issue_request, request, given);
  request.later = 1;
  BAD(pat_issue(authority, &request.known, secret, sizeof secret, &token, &error));
  request.later = 0;
  CHECK_OK(pat_issue(authority, &request.known, secret, sizeof secret, &token, NULL));
  note_secret(secret);
  pat_token_free(token);
  OLDER(pat_issue_request, request, expires_unix_s);
  CHECK_OK(pat_issue(authority, &request.known, secret, sizeof secret, &token, NULL));
  note_secret(secret);
  CHECK(token->size == sizeof *token && token->expires_unix_s == 0 && token->attribute_count == 0);
  CHECK(token->origin == PAT_ORIGIN_MANUAL);
  pat_token_free(token);

  MADE(pat_token_update, change);
  change.description = "renamed";
  NEWER(pat_token_update, update, change);
  update.later = 1;
  BAD(pat_update(authority, id, NULL, 0, &update.known, &token, &error));
  update.later = 0;
  CHECK_OK(pat_update(authority, id, NULL, 0, &update.known, NULL, NULL));
  OLDER(pat_token_update, update, scopes);
  CHECK_OK(pat_update(authority, id, NULL, 0, &update.known, &token, NULL));
  CHECK(strcmp(token->description, "renamed") == 0 && token->state == PAT_STATE_ACTIVE);
  CHECK(token->permissions != 0);
  pat_token_free(token);
}

static void sizes_of_looking(pat_authority* authority) {
  pat_page* page = NULL;
  MADE(pat_list_options, all);
  NEWER(pat_list_options, list, all);
  list.later = 1;
  BAD(pat_list(authority, "alice", 5, &list.known, &page, &error));
  list.later = 0;
  CHECK_OK(pat_list(authority, "alice", 5, &list.known, &page, NULL));
  CHECK(page->count == 3);
  pat_page_free(page);
  OLDER(pat_list_options, list, text);
  CHECK_OK(pat_list(authority, "alice", 5, &list.known, &page, NULL));
  CHECK(page->size == sizeof *page && page->count == 3);
  pat_page_free(page);

  MADE(pat_store_stats, nothing);
  NEWER(pat_store_stats, stats, nothing);
  stats.later = 7;
  CHECK_OK(pat_stats(authority, &stats.known, NULL));
  CHECK(stats.known.accounts == 1 && stats.known.bytes != 0 && stats.later == 0);
  CHECK(stats.known.size == sizeof stats);
  OLDER(pat_store_stats, stats, bytes);
  CHECK_OK(pat_stats(authority, &stats.known, NULL));
  CHECK(stats.known.accounts == 1 && stats.known.bytes == 0xEEEEEEEEEEEEEEEE);
}

static void sizes_of_keys(pat_authority* authority) {
  MADE(pat_key_info, no_key);
  NEWER(pat_key_info, key, no_key);
  key.later = 7;
  CHECK_OK(pat_rotate_key(authority, PAT_KEY_SEAL, &key.known, NULL));
  CHECK(key.known.number == 2 && key.known.newest == 1 && key.later == 0);
  CHECK(key.known.size == sizeof key);
  OLDER(pat_key_info, key, created_unix_s);
  CHECK_OK(pat_rotate_key(authority, PAT_KEY_SEAL, &key.known, NULL));
  CHECK(key.known.number == 3 && key.known.created_unix_s == (int64_t)0xEEEEEEEEEEEEEEEE);

  MADE(pat_pass_progress, nothing);
  NEWER(pat_pass_progress, done, nothing);
  done.later = 7;
  CHECK_OK(pat_reseal(authority, NULL, NULL, &done.known, NULL));
  CHECK(done.known.accounts == 1 && done.known.written == 4 && done.later == 0);
  CHECK(done.known.size == sizeof done);
  OLDER(pat_pass_progress, done, tokens);
  CHECK_OK(pat_reseal(authority, NULL, NULL, &done.known, NULL));
  CHECK(done.known.accounts == 1 && done.known.tokens == 0xEEEEEEEEEEEEEEEE);
}

static void sizes_of_deciding(pat_authority* authority, const char* secret) {
  struct {
    pat_decision decision;
    uint64_t later[4];
  } newer;
  struct {
    pat_presented presented;
    uint64_t later;
  } more;
  struct {
    pat_counts counts;
    uint64_t later;
  } counted;
  const size_t len = strlen(secret);
  size_t i;
  /* One of this size: all of it is written, and nothing behind it. */
  memset(&newer, 0xEE, sizeof newer);
  newer.decision.size = sizeof newer.decision;
  CHECK_OK(pat_verify(authority, secret, len, NULL, &newer.decision));
  CHECK(newer.decision.account_len == 5 && memcmp(newer.decision.account, "alice", 6) == 0);
  for (i = 5; i < sizeof newer.decision.account; ++i) CHECK(newer.decision.account[i] == 0);
  CHECK_CODE(pat_verify(authority, secret, 3, NULL, &newer.decision), PAT_UNAUTHENTICATED);
  CHECK(newer.decision.refusal == PAT_REFUSAL_NOT_TOKEN && newer.decision.accepted == 0);
  for (i = offsetof(pat_decision, method); i < sizeof newer.decision; ++i) {
    CHECK(((const char*)&newer.decision)[i] == 0);
  }
  CHECK(newer.decision.size == sizeof newer.decision && newer.later[0] == 0xEEEEEEEEEEEEEEEE);
  memset(&newer, 0xEE, sizeof newer);
  newer.decision.size = sizeof newer;
  CHECK_OK(pat_verify(authority, secret, len, NULL, &newer.decision));
  CHECK(newer.decision.accepted == 1 && newer.decision.size == sizeof newer);
  CHECK(newer.later[0] == 0 && newer.later[3] == 0);
  CHECK_OK(pat_require(&newer.decision, PAT_REPO_WRITE));
  /* An older one: what it has no room for is not written. */
  memset(&newer, 0xEE, sizeof newer);
  newer.decision.size = 16;
  CHECK_OK(pat_verify(authority, secret, len, NULL, &newer.decision));
  CHECK(newer.decision.accepted == 1 && newer.decision.refusal == 0);
  CHECK(newer.decision.method != PAT_METHOD_TOKEN);
  CHECK_CODE(pat_require(&newer.decision, 0), PAT_PERMISSION_DENIED);
  /* A newer field may be zero; set, it cannot be honoured, so the call is refused. */
  memset(&more, 0, sizeof more);
  more.presented.size = sizeof more;
  newer.decision.size = sizeof newer.decision;
  CHECK_OK(pat_verify(authority, secret, len, &more.presented, &newer.decision));
  more.later = 1;
  CHECK_CODE(pat_verify(authority, secret, len, &more.presented, &newer.decision),
             PAT_INVALID_ARGUMENT);
  /* An older one's missing fields are zero, whatever lies behind: this one ends before `need`. */
  memset(&more, 0xEE, sizeof more);
  memset(&more, 0, offsetof(pat_presented, need));
  more.presented.size = offsetof(pat_presented, need);
  CHECK_OK(pat_verify(authority, secret, len, &more.presented, &newer.decision));
  memset(&counted, 0xEE, sizeof counted);
  counted.counts.size = sizeof counted;
  CHECK_OK(pat_count(authority, "alice", 5, &counted.counts, NULL));
  CHECK(counted.counts.active == 1 && counted.later == 0);
  memset(&counted, 0xEE, sizeof counted);
  counted.counts.size = 16;
  CHECK_OK(pat_count(authority, "alice", 5, &counted.counts, NULL));
  CHECK(counted.counts.active == 1 && counted.counts.inactive == 0xEEEEEEEEEEEEEEEE);
}

static int32_t none(void* context) {
  (void)context;
  return PAT_OK;
}

/* A newer table of functions; older ones, see store_test.cc. */
static void sizes_of_own_stores(void) {
  pat_store* store = (pat_store*)folder;
  MADE(pat_store_ops, empty);
  NEWER(pat_store_ops, ops, empty);
  size_t i;
  /* Functions of any kind: none is called before an authority opens. */
  for (i = sizeof(size_t); i < sizeof ops.known; i += sizeof(void*)) {
    int32_t (*const function)(void*) = none;
    memcpy((char*)&ops.known + i, &function, sizeof function);
  }
  ops.later = 1;
  BAD(pat_store_new(&ops.known, NULL, &store, &error));
  CHECK(store == NULL);
  ops.later = 0;
  CHECK_OK(pat_store_new(&ops.known, NULL, &store, NULL));
  pat_store_free(store);
}

int main(void) {
  char secret[PAT_SECRET_CAPACITY];
  make_folder();
  sizes_of_opening();
  pat_authority* authority = test_authority();
  const uint64_t id = test_issue(authority, secret);
  sizes_of_deciding(authority, secret);
  sizes_of_changing(authority, id);
  sizes_of_looking(authority);
  sizes_of_keys(authority);
  sizes_of_own_stores();
  pat_close(authority);
  puts("ok");
  return 0;
}
