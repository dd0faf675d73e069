/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* Every function refuses what it must not be given: NULL, wrong sizes, numbers out of range,
   callbacks that fail. Nothing changes then, and what is handed out is NULL. */
#include "misuse.h"

static void misuse_of_stores(void) {
  pat_store* store = (pat_store*)poison;
  char text[PAT_KEYRING_CAPACITY];
  size_t len = 5;
  MADE(pat_lmdb_options, options);
  BAD(pat_store_open_lmdb(NULL, NULL, &store, &error));
  CHECK(store == NULL);
  BAD(pat_store_open_lmdb(store_path, NULL, NULL, &error));
  store = (pat_store*)poison;
  CHECK_ERROR(pat_store_open_lmdb("/nonexistent/store", NULL, &store, &error), PAT_NOT_FOUND);
  CHECK(store == NULL);
  CHECK_CODE(pat_store_open_lmdb("/nonexistent/store", NULL, &store, NULL), PAT_NOT_FOUND);
  EACH_BAD_SIZE(options, BAD(pat_store_open_lmdb(store_path, &options, &store, &error)));
  options.concurrent_reads = -1;
  BAD(pat_store_open_lmdb(store_path, &options, &store, &error));
  options.concurrent_reads = 0;
  options.write_deadline_s = -1;
  BAD(pat_store_open_lmdb(store_path, &options, &store, &error));
  options.write_deadline_s = 0;
  options.reserved = 1;
  BAD(pat_store_open_lmdb(store_path, &options, &store, &error));
  options.reserved = 0;
  options.reserved_2 = 1;
  BAD(pat_store_open_lmdb(store_path, &options, &store, &error));
  BAD(pat_store_new_memory(NULL, &error));
  BAD(pat_keyring_generate(NULL, sizeof text, &len, &error));
  BAD(pat_keyring_generate(text, sizeof text, NULL, &error));
  BAD(pat_keyring_generate(text, sizeof text - 1, &len, &error));
  CHECK(len == 0);
  pat_store_free(NULL);
  pat_error_free(NULL);
  pat_token_free(NULL);
  pat_page_free(NULL);
  pat_close(NULL);
  pat_wipe(NULL, 7);
  CHECK(pat_error_code(NULL) == PAT_OK && *pat_error_message(NULL) == '\0');
  CHECK(pat_check_text(NULL, 3, test_prefixes, 1, NULL) == -1);
  CHECK(pat_check_text("abc", 3, NULL, 1, NULL) == -1);
  CHECK(pat_check_text("abc", 3, test_prefixes, (size_t)-1, NULL) == -1);
  static const char* const odd[] = {"no-prefix"};
  static const char* const null[] = {NULL};
  CHECK(pat_check_text("abc", 3, odd, 1, NULL) == -1);
  CHECK(pat_check_text("abc", 3, null, 1, NULL) == -1);
}

static int32_t failing_load(void* context, char* text, size_t capacity, size_t* len) {
  (void)text;
  *len = *(int32_t*)context == PAT_OK ? capacity + 1 : 0;
  return *(int32_t*)context;
}

static pat_store* memory(void) {
  pat_store* store = NULL;
  CHECK_OK(pat_store_new_memory(&store, NULL));
  return store;
}

/* Each opens a fresh store in memory, so that pat_open takes it even when it fails. */
static void misuse_of_open(void) {
  static const char* const null[] = {NULL};
  static const char* const odd[] = {"no-prefix"};
  static const char* const unknown[] = {"repo:everything"};
  static const pat_named_bits two_bits[] = {{"a", 3}};
  static const pat_named_bits one[] = {{"a", 1}};
  static const pat_named_bits nameless[] = {{NULL, 1}};
  static const pat_named_bits foreign[] = {{"b", 2}};
  pat_authority* authority = (pat_authority*)poison;
  pat_options options = test_options();
  char other_keyring[100];
  snprintf(other_keyring, sizeof other_keyring, "%s/other", folder);
  BAD(pat_open(NULL, &options, &authority, &error));
  CHECK(authority == NULL);
  BAD(pat_open(memory(), NULL, &authority, &error));
  BAD(pat_open(memory(), &options, NULL, &error));
  EACH_BAD_SIZE(options, BAD(pat_open(memory(), &options, &authority, &error)));
#define BAD_OPEN(assignment)                               \
  do {                                                     \
    options = test_options();                              \
    options.keyring_path = other_keyring;                  \
    assignment;                                            \
    authority = (pat_authority*)poison;                    \
    BAD(pat_open(memory(), &options, &authority, &error)); \
    CHECK(authority == NULL);                              \
    CHECK(access(other_keyring, F_OK) != 0);               \
  } while (0)
  BAD_OPEN(options.reserved = 1);
  BAD_OPEN(options.prefixes = NULL);
  BAD_OPEN(options.prefixes = null);
  BAD_OPEN(options.prefixes = odd);
  BAD_OPEN(options.prefix_count = 0);
  BAD_OPEN(options.prefix_count = (size_t)-1);
  BAD_OPEN(options.keyring_path = NULL);
  BAD_OPEN(options.keyring_text = "x");
  BAD_OPEN((options.keyring_path = NULL, options.keyring_text = "x",
            options.keyring_text_len = (size_t)-1));
  BAD_OPEN(options.max_auto_tokens = -1);
  BAD_OPEN(options.max_auto_tokens = 65);
  BAD_OPEN((options.auto_scopes = NULL, options.auto_scope_count = 1));
  BAD_OPEN((options.auto_scopes = unknown, options.auto_scope_count = 1));
  BAD_OPEN((options.permissions = NULL, options.permission_count = 1));
  BAD_OPEN((options.permissions = two_bits, options.permission_count = 1));
  BAD_OPEN((options.permissions = nameless, options.permission_count = 1));
  BAD_OPEN((options.permissions = one, options.permission_count = (size_t)-1));
  BAD_OPEN((options.permissions = one, options.permission_count = 1, options.scopes = NULL,
            options.scope_count = 1));
  BAD_OPEN((options.permissions = one, options.permission_count = 1, options.scopes = nameless,
            options.scope_count = 1));
  BAD_OPEN((options.permissions = one, options.permission_count = 1, options.scopes = foreign,
            options.scope_count = 1));
  BAD_OPEN((options.permissions = one, options.permission_count = 1, options.adopt_scopes = 1));

  int32_t code = PAT_UNAVAILABLE;
  options = test_options();
  options.keyring_path = NULL;
  options.keyring_load = failing_load;
  options.keyring_context = &code;
  CHECK_ERROR(pat_open(memory(), &options, &authority, &error), PAT_UNAVAILABLE);
  code = PAT_OK; /* with a length of more than the capacity */
  BAD(pat_open(memory(), &options, &authority, &error));
  code = 99;
  pat_error* error = NULL;
  CHECK(pat_open(memory(), &options, &authority, &error) != PAT_OK && authority == NULL);
  pat_error_free(error);
}

static void misuse_of_deciding(pat_authority* authority, const char* secret) {
  const size_t len = strlen(secret);
  MADE(pat_decision, who);
  MADE(pat_presented, how);
#define BAD_DECISION(call)                            \
  do {                                                \
    memset(&who, 0x77, sizeof who);                   \
    who.size = sizeof who;                            \
    CHECK_CODE(call, PAT_INVALID_ARGUMENT);           \
    CHECK(who.accepted == 0 && who.account_len == 0); \
    CHECK(who.refusal == PAT_REFUSAL_UNAVAILABLE);    \
  } while (0)
  BAD_DECISION(pat_verify(NULL, secret, len, NULL, &who));
  BAD_DECISION(pat_verify(authority, NULL, 1, NULL, &who));
  CHECK_CODE(pat_verify(authority, secret, len, NULL, NULL), PAT_INVALID_ARGUMENT);
  EACH_BAD_SIZE(who,
                CHECK_CODE(pat_verify(authority, secret, len, NULL, &who), PAT_INVALID_ARGUMENT));
  who.size = 8; /* no room for an answer */
  CHECK_CODE(pat_verify(authority, secret, len, NULL, &who), PAT_INVALID_ARGUMENT);
  EACH_BAD_SIZE(how, BAD_DECISION(pat_verify(authority, secret, len, &how, &who)));
#define BAD_HOW(assignment)                                       \
  do {                                                            \
    memset(&how, 0, sizeof how);                                  \
    how.size = sizeof how;                                        \
    assignment;                                                   \
    BAD_DECISION(pat_verify(authority, secret, len, &how, &who)); \
  } while (0)
  BAD_HOW(how.claim = 3);
  BAD_HOW(how.claim = -1);
  BAD_HOW(how.reserved = 1);
  BAD_HOW(how.ip_len = 1);
  BAD_HOW(how.user_agent_len = 1);
  BAD_HOW((how.claim = PAT_CLAIM_ACCOUNT, how.account_len = 5));
  BAD_HOW((how.account = "alice", how.account_len = 5)); /* without saying that it is a claim */

  pat_decision many[2];
  const size_t lens[] = {0, 1}, huge[] = {(size_t)-1, 2};
#define BAD_MANY(call)                                     \
  do {                                                     \
    memset(many, 0x77, sizeof many);                       \
    many[0].size = sizeof *many;                           \
    CHECK_CODE(call, PAT_INVALID_ARGUMENT);                \
    CHECK(many[0].accepted == 0 && many[1].accepted == 0); \
  } while (0)
  BAD_MANY(pat_verify_many(NULL, secret, lens, 2, NULL, many));
  BAD_MANY(pat_verify_many(authority, NULL, lens, 2, NULL, many));
  BAD_MANY(pat_verify_many(authority, secret, NULL, 2, NULL, many));
  BAD_MANY(pat_verify_many(authority, secret, huge, 2, NULL, many));
  BAD_MANY(pat_verify_many(authority, secret, lens, 2, &how, many));
  CHECK_CODE(pat_verify_many(authority, secret, lens, 2, NULL, NULL), PAT_INVALID_ARGUMENT);
  CHECK_CODE(pat_verify_many(NULL, NULL, NULL, 0, NULL, NULL), PAT_INVALID_ARGUMENT);
  EACH_BAD_SIZE(many[0], CHECK_CODE(pat_verify_many(authority, secret, lens, 2, NULL, many),
                                    PAT_INVALID_ARGUMENT));

  BAD_DECISION(pat_authenticate(authority, "pw", 2, NULL, 0, NULL, NULL, &who));

  CHECK_CODE(pat_require(NULL, 0), PAT_INVALID_ARGUMENT);
  CHECK_CODE(pat_require_account_admin(NULL), PAT_INVALID_ARGUMENT);
  memset(&who, 0, sizeof who);
  CHECK_CODE(pat_require(&who, 0), PAT_INVALID_ARGUMENT);
  who.size = sizeof who; /* zeroed: nobody */
  CHECK_CODE(pat_require(&who, 0), PAT_PERMISSION_DENIED);
  who.accepted = 1; /* without an account: nobody */
  CHECK_CODE(pat_require(&who, 0), PAT_PERMISSION_DENIED);
  CHECK_CODE(pat_require_account_admin(&who), PAT_PERMISSION_DENIED);
}

static int32_t never(void* context, const char* password, size_t len) {
  (void)context, (void)password, (void)len;
  CHECK(!"called");
  return 1;
}

static void misuse_of_authenticate(pat_authority* authority) {
  MADE(pat_decision, who);
  MADE(pat_presented, how);
  BAD_DECISION(pat_authenticate(NULL, "pw", 2, NULL, 0, never, NULL, &who));
  BAD_DECISION(pat_authenticate(authority, NULL, 2, NULL, 0, never, NULL, &who));
  CHECK_CODE(pat_authenticate(authority, "pw", 2, NULL, 0, never, NULL, NULL),
             PAT_INVALID_ARGUMENT);
  how.size = 3;
  BAD_DECISION(pat_authenticate(authority, "pw", 2, &how, 0, never, NULL, &who));
}

static void misuse_of_issue(pat_authority* authority) {
  static const char* const null[] = {NULL};
  static const char* const unknown[] = {"repo:everything"};
  static const pat_attribute nameless[] = {{NULL, "x"}}, valueless[] = {{"x", NULL}};
  static const pat_attribute twice[] = {{"x", "1"}, {"x", "2"}};
  char secret[PAT_SECRET_CAPACITY];
  pat_token* token;
  pat_issue_request request;
#define BAD_ISSUE(assignment)                                                   \
  do {                                                                          \
    request = test_request();                                                   \
    assignment;                                                                 \
    token = (pat_token*)poison;                                                 \
    secret[0] = 'x';                                                            \
    BAD(pat_issue(authority, &request, secret, sizeof secret, &token, &error)); \
    CHECK(token == NULL && secret[0] == '\0');                                  \
  } while (0)
  BAD_ISSUE(request.size = 0);
  BAD_ISSUE(request.size = 12);
  BAD_ISSUE(request.size = (size_t)-8);
  BAD_ISSUE(request.account = NULL);
  BAD_ISSUE(request.account_len = 0);
  static const char long_account[129] = "a";
  BAD_ISSUE((request.account = long_account, request.account_len = sizeof long_account));
  BAD_ISSUE(request.description = NULL);
  BAD_ISSUE(request.description = "");
  BAD_ISSUE(request.description = "\xff");
  BAD_ISSUE(request.scopes = NULL);
  BAD_ISSUE(request.scopes = null);
  BAD_ISSUE(request.scopes = unknown);
  BAD_ISSUE(request.scope_count = 0);
  BAD_ISSUE(request.scope_count = (size_t)-1);
  BAD_ISSUE(request.expires_unix_s = -1);
  BAD_ISSUE(request.expires_unix_s = test_now);
  BAD_ISSUE(request.origin = 3);
  BAD_ISSUE(request.origin = -1);
  BAD_ISSUE(request.reserved = 1);
  BAD_ISSUE(request.attribute_count = 1);
  BAD_ISSUE((request.attributes = nameless, request.attribute_count = 1));
  BAD_ISSUE((request.attributes = valueless, request.attribute_count = 1));
  BAD_ISSUE((request.attributes = twice, request.attribute_count = 2));
  BAD_ISSUE((request.attributes = twice, request.attribute_count = (size_t)-1));
  request = test_request();
  BAD(pat_issue(NULL, &request, secret, sizeof secret, &token, &error));
  BAD(pat_issue(authority, NULL, secret, sizeof secret, &token, &error));
  BAD(pat_issue(authority, &request, NULL, sizeof secret, &token, &error));
  BAD(pat_issue(authority, &request, secret, sizeof secret - 1, &token, &error));
  BAD(pat_issue(authority, &request, secret, 0, &token, &error));

  const pat_issue_request* list[2] = {&request, NULL};
  char secrets[2 * PAT_SECRET_CAPACITY];
  pat_page* page = (pat_page*)poison;
  BAD(pat_issue_many(authority, list, 2, secrets, sizeof secrets, &page, &error));
  CHECK(page == NULL);
  BAD(pat_issue_many(authority, list, 1, secrets, PAT_SECRET_CAPACITY - 1, &page, &error));
  BAD(pat_issue_many(authority, list, 10001, secrets, (size_t)-1, &page, &error));
  BAD(pat_issue_many(authority, list, (size_t)-1, secrets, (size_t)-1, &page, &error));
  BAD(pat_issue_many(authority, NULL, 1, secrets, sizeof secrets, &page, &error));
  BAD(pat_issue_many(authority, list, 1, NULL, sizeof secrets, &page, &error));
  BAD(pat_issue_many(NULL, list, 1, secrets, sizeof secrets, &page, &error));
  CHECK_OK(pat_issue_many(authority, NULL, 0, NULL, 0, &page, NULL));
  CHECK(page->count == 0);
  pat_page_free(page);
}

static void misuse_of_looking(pat_authority* authority, uint64_t id) {
  pat_token* token = (pat_token*)poison;
  pat_page* page = (pat_page*)poison;
  uint64_t number = 9;
  size_t count = 3;
  char public_id[PAT_PUBLIC_ID_CAPACITY];
  MADE(pat_counts, counts);
  MADE(pat_store_stats, stats);
  MADE(pat_list_options, list);
  BAD(pat_get(NULL, id, NULL, 0, &token, &error));
  CHECK(token == NULL);
  BAD(pat_get(authority, id, NULL, 5, &token, &error));
  BAD(pat_get(authority, id, NULL, 0, NULL, &error));
  CHECK_ERROR(pat_get(authority, 0, NULL, 0, &token, &error), PAT_NOT_FOUND);
  CHECK_ERROR(pat_get(authority, UINT64_MAX, NULL, 0, &token, &error), PAT_NOT_FOUND);
  BAD(pat_list(NULL, "alice", 5, NULL, &page, &error));
  CHECK(page == NULL);
  BAD(pat_list(authority, NULL, 5, NULL, &page, &error));
  BAD(pat_list(authority, "", 0, NULL, &page, &error));
  BAD(pat_list(authority, "alice", 5, NULL, NULL, &error));
  EACH_BAD_SIZE(list, BAD(pat_list(authority, "alice", 5, &list, &page, &error)));
  list.limit = 1001;
  BAD(pat_list(authority, "alice", 5, &list, &page, &error));
  list.limit = 0;
  list.state = 5;
  BAD(pat_list(authority, "alice", 5, &list, &page, &error));
  list.state = 0;
  list.origin = -1;
  BAD(pat_list(authority, "alice", 5, &list, &page, &error));
  list.origin = 0;
  list.after = "no cursor";
  BAD(pat_list(authority, "alice", 5, &list, &page, &error));
  BAD(pat_count(NULL, "alice", 5, &counts, &error));
  BAD(pat_count(authority, NULL, 5, &counts, &error));
  BAD(pat_count(authority, NULL, 0, &counts, &error));
  BAD(pat_count(authority, "alice", 5, NULL, &error));
  EACH_BAD_SIZE(counts, BAD(pat_count(authority, "alice", 5, &counts, &error)));
  BAD(pat_id_of(NULL, "x", 1, &number, &error));
  CHECK(number == 0);
  BAD(pat_id_of(authority, NULL, 1, &number, &error));
  BAD(pat_id_of(authority, "x", 1, &number, &error));
  BAD(pat_id_of(authority, "x", 1, NULL, &error));
  BAD(pat_public_id_of(NULL, id, public_id, sizeof public_id, &error));
  BAD(pat_public_id_of(authority, id, NULL, sizeof public_id, &error));
  BAD(pat_public_id_of(authority, id, public_id, sizeof public_id - 1, &error));
  BAD(pat_public_id_of(authority, 0, public_id, sizeof public_id, &error));
  BAD(pat_public_id_of(authority, UINT64_MAX, public_id, sizeof public_id, &error));
  CHECK(*public_id == '\0');
  CHECK(pat_prefixes(NULL, &count) == NULL && pat_prefixes(authority, NULL) == NULL);
  CHECK(pat_permissions(NULL, &count) == NULL && pat_permissions(authority, NULL) == NULL);
  CHECK(pat_scopes(NULL, &count) == NULL && pat_scopes(authority, NULL) == NULL);
  BAD(pat_need(NULL, "repo:read", &number, &error));
  CHECK(number == UINT64_MAX); /* what no token has */
  BAD(pat_need(authority, NULL, &number, &error));
  BAD(pat_need(authority, "repo:everything", &number, &error));
  CHECK(number == UINT64_MAX);
  BAD(pat_need(authority, "repo:read", NULL, &error));
  BAD(pat_stats(NULL, &stats, &error));
  BAD(pat_stats(authority, NULL, &error));
  EACH_BAD_SIZE(stats, BAD(pat_stats(authority, &stats, &error)));
}

static void misuse_of_changing(pat_authority* authority, uint64_t id) {
  pat_token* token = (pat_token*)poison;
  size_t purged = 4;
  MADE(pat_token_update, update);
  BAD(pat_update(NULL, id, NULL, 0, &update, &token, &error));
  CHECK(token == NULL);
  BAD(pat_update(authority, id, NULL, 1, &update, &token, &error));
  BAD(pat_update(authority, id, NULL, 0, NULL, &token, &error));
  EACH_BAD_SIZE(update, BAD(pat_update(authority, id, NULL, 0, &update, &token, &error)));
  update.reserved = 1;
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  update.reserved = 0;
  update.scope_count = 1;
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  update.scopes = test_scopes;
  update.scope_count = 0; /* a token without a right */
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  update.scopes = NULL;
  update.state = PAT_STATE_EXPIRED;
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  update.state = PAT_STATE_DELETED;
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  update.state = 0;
  update.description = "";
  BAD(pat_update(authority, id, NULL, 0, &update, &token, &error));
  BAD(pat_activate(NULL, id, NULL, 0, &error));
  BAD(pat_activate(authority, id, NULL, 1, &error));
  CHECK_ERROR(pat_activate(authority, 0, NULL, 0, &error), PAT_NOT_FOUND);
  BAD(pat_deactivate(NULL, id, NULL, 0, &error));
  BAD(pat_deactivate(authority, id, NULL, 1, &error));
  BAD(pat_delete(NULL, id, NULL, 0, 0, &error));
  BAD(pat_delete(authority, id, NULL, 1, 0, &error));
  BAD(pat_delete(authority, id, NULL, 0, 7, &error));
  BAD(pat_delete(authority, id, NULL, 0, -1, &error));
  BAD(pat_purge(NULL, test_now, 0, &purged, &error));
  CHECK(purged == 0);
  BAD(pat_flush(NULL, &error));
  BAD(pat_health(NULL, &error));
}

/* Numbers that are none; and what takes nothing. */
static void misuse_of_names(void) {
  static const int32_t odd[] = {-1, 99, INT32_MIN, INT32_MAX};
  size_t i;
  for (i = 0; i < sizeof odd / sizeof *odd; ++i) {
    CHECK(strcmp(pat_code_name(odd[i]), "unknown") == 0);
    CHECK(strcmp(pat_state_name(odd[i]), "unknown") == 0);
    CHECK(strcmp(pat_origin_name(odd[i]), "unknown") == 0);
    CHECK(strcmp(pat_reason_name(odd[i]), "unknown") == 0);
    CHECK(strcmp(pat_refusal_name(odd[i]), "unknown") == 0);
    CHECK(pat_refusal_http_status(odd[i]) == 503); /* not our fault, and no way in */
    CHECK(strcmp(pat_refusal_oauth_error(odd[i]), "temporarily_unavailable") == 0);
  }
  CHECK(*pat_version() != '\0' && *pat_refusal_message() != '\0');
}

/* A store without functions is none. (Each one alone: store_test.cc.) */
static void misuse_of_own_stores(void) {
  pat_store* store = (pat_store*)poison;
  MADE(pat_store_ops, ops);
  BAD(pat_store_new(NULL, NULL, &store, &error));
  CHECK(store == NULL);
  BAD(pat_store_new(&ops, NULL, &store, &error));
  BAD(pat_store_new(&ops, NULL, NULL, &error));
  EACH_BAD_SIZE(ops, BAD(pat_store_new(&ops, NULL, &store, &error)));
  CHECK_CODE(pat_sink_bytes(NULL, "x", 1), PAT_INVALID_ARGUMENT);
  CHECK_CODE(pat_sink_token(NULL, 1, NULL, NULL, 0), PAT_INVALID_ARGUMENT);
}

int main(void) {
  char secret[PAT_SECRET_CAPACITY];
  make_folder();
  pat_authority* authority = test_authority();
  const uint64_t id = test_issue(authority, secret);
  misuse_of_stores();
  misuse_of_open();
  misuse_of_deciding(authority, secret);
  misuse_of_authenticate(authority);
  misuse_of_issue(authority);
  misuse_of_looking(authority, id);
  misuse_of_changing(authority, id);
  misuse_of_names();
  misuse_of_own_stores();
  /* Nothing changed by all that. */
  MADE(pat_counts, counts);
  CHECK_OK(pat_count(authority, "alice", 5, &counts, NULL));
  CHECK(counts.active == 1 && counts.inactive == 0);
  CHECK(test_refusal(authority, secret) == 0);
  pat_close(authority);
  puts("ok");
  return 0;
}
