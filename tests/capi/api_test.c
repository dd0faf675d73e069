/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* What the C interface does, function by function; see misuse_test.c for what it refuses. */
#include "check.h"

static void test_names(void) {
  CHECK(strcmp(pat_code_name(PAT_OK), "ok") == 0);
  CHECK(strcmp(pat_code_name(PAT_UNAUTHENTICATED), "unauthenticated") == 0);
  CHECK(strcmp(pat_code_name(17), "unknown") == 0 && strcmp(pat_code_name(-1), "unknown") == 0);
  CHECK(strcmp(pat_state_name(PAT_STATE_EXPIRED), "expired") == 0);
  CHECK(strcmp(pat_state_name(0), "unknown") == 0 && strcmp(pat_state_name(5), "unknown") == 0);
  CHECK(strcmp(pat_origin_name(PAT_ORIGIN_AUTO), "auto") == 0);
  CHECK(strcmp(pat_reason_name(PAT_REASON_EVICTED), "evicted") == 0);
  CHECK(strcmp(pat_refusal_name(PAT_REFUSAL_NOT_TOKEN), "not_token") == 0);
  CHECK(strcmp(pat_refusal_name(PAT_REFUSAL_UNAVAILABLE), "unavailable") == 0);
  CHECK(pat_refusal_http_status(0) == 200 && pat_refusal_http_status(PAT_REFUSAL_FORGED) == 401);
  CHECK(pat_refusal_http_status(PAT_REFUSAL_MISSING_PERMISSION) == 403);
  CHECK(pat_refusal_http_status(PAT_REFUSAL_UNAVAILABLE) == 503);
  CHECK(pat_refusal_http_status(99) == 503 && pat_refusal_http_status(-1) == 503);
  CHECK(strcmp(pat_refusal_oauth_error(PAT_REFUSAL_DELETED), "invalid_token") == 0);
  CHECK(strcmp(pat_refusal_oauth_error(PAT_REFUSAL_MISSING_PERMISSION), "insufficient_scope") == 0);
  CHECK(*pat_refusal_oauth_error(0) == '\0');
  CHECK(strncmp(pat_refusal_message(), "Wrong user name", 15) == 0);
  CHECK(strchr(pat_version(), '.') != NULL);
}

static void test_life(pat_authority* authority) {
  char secret[PAT_SECRET_CAPACITY];
  char public_id[PAT_PUBLIC_ID_CAPACITY];
  MADE(pat_decision, who);
  MADE(pat_presented, how);
  MADE(pat_counts, counts);
  pat_token* token = NULL;
  pat_error* error = NULL;
  uint64_t id = 0;
  uint64_t need = 0;

  static const pat_attribute attributes[] = {{"client", "cli"}, {"ip", "192.0.2.1"}};
  pat_issue_request request = test_request();
  request.expires_unix_s = test_now + 1000;
  request.attributes = attributes;
  request.attribute_count = 2;
  CHECK_OK(pat_issue(authority, &request, secret, sizeof secret, &token, &error));
  note_secret(secret);
  CHECK(error == NULL);
  CHECK(strncmp(secret, "acme_pat_", 9) == 0 && strlen(secret) == 64);
  CHECK(token->size == sizeof *token && token->id == 1);
  CHECK(strcmp(token->account, "alice") == 0 && token->account_len == 5);
  CHECK(strcmp(token->description, "laptop") == 0);
  CHECK(token->scope_count == 1 && strcmp(token->scopes[0], "repo:write") == 0);
  CHECK(token->permissions == (PAT_REPO_PUBLIC_READ | PAT_REPO_READ | PAT_REPO_WRITE));
  CHECK(token->state == PAT_STATE_ACTIVE && token->origin == PAT_ORIGIN_MANUAL);
  CHECK(token->created_unix_s == test_now && token->expires_unix_s == test_now + 1000);
  CHECK(token->last_used_unix_s == 0 && token->deleted_unix_s == 0 && token->delete_reason == 0);
  CHECK(*token->last_used_ip == '\0' && *token->last_used_user_agent == '\0' && !token->damaged);
  CHECK(token->attribute_count == 2 && strcmp(token->attributes[1].name, "ip") == 0);
  CHECK(strcmp(token->attributes[1].value, "192.0.2.1") == 0);

  CHECK_OK(pat_id_of(authority, token->public_id, strlen(token->public_id), &id, NULL));
  CHECK(id == token->id);
  CHECK_OK(pat_public_id_of(authority, id, public_id, sizeof public_id, NULL));
  CHECK(strcmp(public_id, token->public_id) == 0);
  pat_token_free(token);

  /* Who it is, with and without a claim. */
  how.ip = "198.51.100.7 and more";
  how.ip_len = 12;
  how.user_agent = "curl";
  how.user_agent_len = 4;
  CHECK_OK(pat_verify(authority, secret, strlen(secret), &how, &who));
  CHECK(who.accepted == 1 && who.refusal == 0 && who.method == PAT_METHOD_TOKEN);
  CHECK(who.token_id == id && who.origin == PAT_ORIGIN_MANUAL && who.account_len == 5);
  CHECK(strcmp(who.account, "alice") == 0 && who.size == sizeof who);
  CHECK_OK(pat_require(&who, PAT_REPO_READ | PAT_REPO_WRITE));
  CHECK_OK(pat_require(&who, 0));
  CHECK_CODE(pat_require(&who, PAT_REPO_DELETE), PAT_PERMISSION_DENIED);
  CHECK_CODE(pat_require_account_admin(&who), PAT_PERMISSION_DENIED);
  how.claim = PAT_CLAIM_ACCOUNT;
  how.account = "alice";
  how.account_len = 5;
  CHECK_OK(pat_verify(authority, secret, strlen(secret), &how, &who));
  how.account_len = 4;
  CHECK_CODE(pat_verify(authority, secret, strlen(secret), &how, &who), PAT_UNAUTHENTICATED);
  CHECK(who.refusal == PAT_REFUSAL_WRONG_ACCOUNT && who.accepted == 0 && who.account_len == 0);
  CHECK(who.permissions == 0 && who.token_id == 0 && *who.account == '\0');
  CHECK_CODE(pat_require(&who, 0), PAT_PERMISSION_DENIED);
  how.claim = PAT_CLAIM_UNKNOWN;
  CHECK_CODE(pat_verify(authority, secret, strlen(secret), &how, &who), PAT_UNAUTHENTICATED);
  CHECK(who.refusal == PAT_REFUSAL_UNKNOWN_ACCOUNT);
  how.claim = PAT_CLAIM_NONE;
  how.account_len = 0;
  CHECK_OK(pat_need(authority, "repo:admin", &need, NULL));
  CHECK(need == 15);
  CHECK_OK(pat_need(authority, "repo:delete", &need, NULL));
  CHECK(need == PAT_REPO_DELETE);
  how.need = need;
  CHECK_CODE(pat_verify(authority, secret, strlen(secret), &how, &who), PAT_PERMISSION_DENIED);
  CHECK(who.refusal == PAT_REFUSAL_MISSING_PERMISSION);
  CHECK_CODE(pat_verify(authority, "hello", 5, NULL, &who), PAT_UNAUTHENTICATED);
  CHECK(who.refusal == PAT_REFUSAL_NOT_TOKEN);
  CHECK_CODE(pat_verify(authority, NULL, 0, NULL, &who), PAT_UNAUTHENTICATED);

  CHECK_OK(pat_get(authority, id, "alice", 5, &token, NULL));
  CHECK(token->last_used_unix_s == test_now && strcmp(token->last_used_ip, "198.51.100.7") == 0);
  CHECK(strcmp(token->last_used_user_agent, "curl") == 0);
  pat_token_free(token);
  CHECK_CODE(pat_get(authority, id, "bob", 3, &token, &error), PAT_NOT_FOUND);
  CHECK(token == NULL && pat_error_code(error) == PAT_NOT_FOUND);
  pat_error_free(error);
  CHECK_OK(pat_get(authority, id, NULL, 0, &token, &error));
  CHECK(error == NULL);
  pat_token_free(token);

  /* Changes. */
  static const char* const fewer[] = {"repo:read"};
  MADE(pat_token_update, update);
  update.description = "desk";
  update.scopes = fewer;
  update.scope_count = 1;
  CHECK_OK(pat_update(authority, id, "alice", 5, &update, &token, NULL));
  CHECK(strcmp(token->description, "desk") == 0 && strcmp(token->scopes[0], "repo:read") == 0);
  CHECK(token->attribute_count == 2);
  pat_token_free(token);
  memset(&update, 0, sizeof update);
  update.size = sizeof update;
  update.state = PAT_STATE_INACTIVE;
  CHECK_OK(pat_update(authority, id, "alice", 5, &update, NULL, NULL));
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_INACTIVE);
  CHECK_OK(pat_count(authority, "alice", 5, &counts, NULL));
  CHECK(counts.active == 0 && counts.inactive == 1 && counts.size == sizeof counts);
  CHECK_OK(pat_activate(authority, id, "alice", 5, NULL));
  CHECK(test_refusal(authority, secret) == 0);
  CHECK_OK(pat_deactivate(authority, id, "alice", 5, NULL));
  CHECK_CODE(pat_deactivate(authority, id, "bob", 3, NULL), PAT_NOT_FOUND);
  CHECK_OK(pat_activate(authority, id, "alice", 5, NULL));
  test_now += 1000;
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_EXPIRED);
  CHECK_OK(pat_delete(authority, id, "alice", 5, PAT_REASON_LEAKED, NULL));
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_DELETED);
  CHECK_OK(pat_get(authority, id, "alice", 5, &token, NULL));
  CHECK(token->state == PAT_STATE_DELETED && token->delete_reason == PAT_REASON_LEAKED);
  CHECK(token->deleted_unix_s == test_now);
  pat_token_free(token);
  size_t purged = 7;
  CHECK_OK(pat_purge(authority, test_now, 0, &purged, NULL));
  CHECK(purged == 0);
  CHECK_OK(pat_purge(authority, test_now + 1, 0, &purged, NULL));
  CHECK(purged == 1);
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_UNKNOWN_TOKEN);
  pat_wipe(secret, sizeof secret);
  CHECK(secret[0] == 0 && secret[sizeof secret - 1] == 0);
}

static void test_many(pat_authority* authority) {
  enum { N = 7 };
  static char secrets[N * PAT_SECRET_CAPACITY];
  char texts[N * PAT_SECRET_CAPACITY];
  size_t lens[N];
  const pat_issue_request* requests[N];
  pat_decision decisions[N];
  pat_page* page = NULL;
  size_t i, used = 0;
  pat_issue_request manual = test_request();
  pat_issue_request automatic = test_request();
  manual.account = automatic.account = "bob";
  manual.account_len = automatic.account_len = 3;
  automatic.origin = PAT_ORIGIN_AUTO;
  automatic.scope_count = 0;
  for (i = 0; i < N; ++i) requests[i] = i < 5 ? &automatic : &manual;
  CHECK_OK(pat_issue_many(authority, requests, N, secrets, sizeof secrets, &page, NULL));
  CHECK(page->count == N && *page->next == '\0' && page->size == sizeof *page);
  for (i = 0; i < N; ++i) {
    const char* const secret = secrets + i * PAT_SECRET_CAPACITY;
    note_secret(secret);
    CHECK(page->tokens[i]->origin == (i < 5 ? PAT_ORIGIN_AUTO : PAT_ORIGIN_MANUAL));
    CHECK(strcmp(page->tokens[i]->scopes[0], i < 5 ? "repo:admin" : "repo:write") == 0);
    lens[i] = i == 3 ? 0 : strlen(secret);
    memcpy(texts + used, secret, lens[i]);
    used += lens[i];
  }
  memset(decisions, 0xEE, sizeof decisions);
  decisions[0].size = sizeof *decisions;
  CHECK_OK(pat_verify_many(authority, texts, lens, N, NULL, decisions));
  for (i = 0; i < N; ++i) {
    CHECK(decisions[i].size == sizeof *decisions);
    CHECK(decisions[i].accepted == (i == 3 ? 0 : 1));
    CHECK(decisions[i].token_id == (i == 3 ? 0 : page->tokens[i]->id));
  }
  CHECK_OK(pat_verify_many(authority, NULL, NULL, 0, NULL, NULL));
  pat_page_free(page);

  /* A sixth auto token evicts the first. */
  char secret[PAT_SECRET_CAPACITY];
  pat_token* sixth = NULL;
  CHECK_OK(pat_issue(authority, &automatic, secret, sizeof secret, &sixth, NULL));
  note_secret(secret);
  CHECK(test_refusal(authority, secrets) == PAT_REFUSAL_DELETED);
  CHECK(sixth->evicted_count == 1 && sixth->evicted[0] == decisions[0].token_id);
  CHECK(strcmp(sixth->scopes[0], "repo:admin") == 0);
  pat_token_free(sixth);

  /* Pages. */
  MADE(pat_list_options, list);
  list.limit = 3;
  list.origin = PAT_ORIGIN_AUTO;
  CHECK_OK(pat_list(authority, "bob", 3, &list, &page, NULL));
  CHECK(page->count == 3 && *page->next != '\0' && page->tokens[0]->id > page->tokens[1]->id);
  char after[PAT_PUBLIC_ID_CAPACITY];
  snprintf(after, sizeof after, "%s", page->next);
  pat_page_free(page);
  list.after = after;
  CHECK_OK(pat_list(authority, "bob", 3, &list, &page, NULL));
  CHECK(page->count == 2 && *page->next == '\0');
  pat_page_free(page);
  CHECK_OK(pat_list(authority, "bob", 3, NULL, &page, NULL));
  CHECK(page->count == 7);
  pat_page_free(page);
  MADE(pat_list_options, none);
  none.text = "no such";
  CHECK_OK(pat_list(authority, "bob", 3, &none, &page, NULL));
  CHECK(page->count == 0);
  pat_page_free(page);
  MADE(pat_list_options, gone);
  gone.state = PAT_STATE_DELETED;
  CHECK_OK(pat_list(authority, "bob", 3, &gone, &page, NULL));
  CHECK(page->count == 1 && page->tokens[0]->delete_reason == PAT_REASON_EVICTED);
  pat_page_free(page);

  MADE(pat_store_stats, stats);
  CHECK_OK(pat_stats(authority, &stats, NULL));
  CHECK(stats.accounts == 2 && stats.next_token_id >= 9 && stats.bytes > 0);
  CHECK(stats.readers >= 1 && stats.readers <= stats.most_readers && stats.most_readers >= 4096);
  CHECK_OK(pat_health(authority, NULL));
  CHECK_OK(pat_flush(authority, NULL));
}

static int calls;
static int32_t check_password(void* context, const char* password, size_t len) {
  ++calls;
  return len == strlen((const char*)context) && memcmp(password, context, len) == 0;
}
static int32_t check_oddly(void* context, const char* password, size_t len) {
  (void)context, (void)password, (void)len;
  return -1;
}

static void test_passwords(pat_authority* authority) {
  static char good[] = "correct horse";
  char secret[PAT_SECRET_CAPACITY];
  MADE(pat_decision, who);
  MADE(pat_presented, how);
  how.claim = PAT_CLAIM_ACCOUNT;
  how.account = "carol";
  how.account_len = 5;
  CHECK_OK(pat_authenticate(authority, good, strlen(good), &how, 0, check_password, good, &who));
  CHECK(calls == 1 && who.method == PAT_METHOD_PASSWORD && who.token_id == 0 && who.origin == 0);
  CHECK_OK(pat_require_account_admin(&who));
  CHECK_CODE(pat_authenticate(authority, good, strlen(good), &how, 1, check_password, good, &who),
             PAT_UNAUTHENTICATED);
  CHECK(calls == 2 && who.refusal == PAT_REFUSAL_PASSWORD_REFUSED);
  CHECK_CODE(pat_authenticate(authority, "no", 2, &how, 0, check_password, good, &who),
             PAT_UNAUTHENTICATED);
  CHECK(calls == 3 && who.refusal == PAT_REFUSAL_WRONG_PASSWORD);
  CHECK_CODE(pat_authenticate(authority, good, strlen(good), &how, 0, check_oddly, good, &who),
             PAT_UNAUTHENTICATED);
  how.claim = PAT_CLAIM_UNKNOWN;
  how.account_len = 0;
  CHECK_CODE(pat_authenticate(authority, good, strlen(good), &how, 0, check_password, good, &who),
             PAT_UNAUTHENTICATED);
  CHECK(calls == 4 && who.refusal == PAT_REFUSAL_UNKNOWN_ACCOUNT);
  how.claim = PAT_CLAIM_NONE;
  test_issue(authority, secret);
  CHECK_OK(
      pat_authenticate(authority, secret, strlen(secret), &how, 1, check_password, good, &who));
  CHECK(calls == 4 && who.method == PAT_METHOD_TOKEN);
  CHECK_CODE(pat_require_account_admin(&who), PAT_PERMISSION_DENIED);
}

/* A keyring of the host's, permissions of its own, and what the store declares. */
static char keyring[PAT_KEYRING_CAPACITY];
static size_t keyring_len;
static int32_t load_keyring(void* context, char* text, size_t capacity, size_t* len) {
  ++*(int*)context;
  CHECK(capacity >= keyring_len);
  memcpy(text, keyring, keyring_len);
  *len = keyring_len;
  return PAT_OK;
}

static void test_declared(void) {
  static const pat_named_bits permissions[] = {{"mail:read", 1}, {"mail:send", 1u << 5}};
  static const pat_named_bits scopes[] = {{"mail", 33}, {"mail:read", 1}};
  static const char* const prefixes[] = {"mail_pat_", "old_"};
  static const char* const automatic[] = {"mail"};
  pat_authority* authority = NULL;
  pat_store* store = NULL;
  size_t count = 0;
  int loads = 0;
  CHECK_OK(pat_keyring_generate(keyring, sizeof keyring, &keyring_len, NULL));
  note_keyring(keyring);
  CHECK(strlen(keyring) == keyring_len && keyring_len > 64);
  MADE(pat_options, options);
  options.create_if_missing = 1;
  options.prefixes = prefixes;
  options.prefix_count = 2;
  options.keyring_load = load_keyring;
  options.keyring_context = &loads;
  options.permissions = permissions;
  options.permission_count = 2;
  options.scopes = scopes;
  options.scope_count = 2;
  options.auto_scopes = automatic;
  options.auto_scope_count = 1;
  options.max_auto_tokens = 1;
  CHECK_OK(pat_store_open_lmdb(store_path, NULL, &store, NULL));
  pat_store_free(store);
  CHECK_OK(pat_store_new_memory(&store, NULL));
  CHECK_OK(pat_open(store, &options, &authority, NULL));
  CHECK(loads >= 1);
  const char* const* shown = pat_prefixes(authority, &count);
  CHECK(count == 2 && strcmp(shown[0], "mail_pat_") == 0 && strcmp(shown[1], "old_") == 0);
  const pat_named_bits* bits = pat_permissions(authority, &count);
  CHECK(count == 2 && strcmp(bits[1].name, "mail:send") == 0 && bits[1].bits == 32);
  bits = pat_scopes(authority, &count);
  CHECK(count == 2 && strcmp(bits[0].name, "mail") == 0 && bits[0].bits == 33);
  pat_issue_request request = test_request();
  request.origin = PAT_ORIGIN_AUTO;
  request.scope_count = 0;
  char secret[PAT_SECRET_CAPACITY];
  pat_token* token = NULL;
  CHECK_OK(pat_issue(authority, &request, secret, sizeof secret, &token, NULL));
  note_secret(secret);
  CHECK(token->permissions == 33 && strncmp(secret, "mail_pat_", 9) == 0);
  CHECK(llabs((long long)token->created_unix_s - (long long)time(NULL)) < 100);
  pat_token_free(token);
  pat_close(authority);
  pat_wipe(keyring, sizeof keyring);
}

/* A second opening finds what the first one left; one that declares nothing adopts it. */
static void test_reopened(const char* secret) {
  pat_authority* authority = NULL;
  size_t count = 0;
  pat_options options = test_options();
  options.create_if_missing = 0;
  options.prefix_count = 0;
  options.adopt_scopes = 1;
  CHECK_OK(pat_open(test_store(), &options, &authority, NULL));
  CHECK(test_refusal(authority, secret) == 0);
  CHECK(strcmp(pat_prefixes(authority, &count)[0], "acme_pat_") == 0 && count == 1);
  CHECK(strcmp(pat_scopes(authority, &count)[3].name, "repo:admin") == 0 && count == 4);
  pat_close(authority);
}

/* A store that is one's own meanwhile. */
static void test_exclusive(void) {
  pat_store *first = NULL, *second = NULL;
  MADE(pat_lmdb_options, options);
  options.exclusive = 1;
  CHECK_OK(pat_store_open_lmdb(store_path, &options, &first, NULL));
  CHECK_CODE(pat_store_open_lmdb(store_path, NULL, &second, NULL), PAT_FAILED_PRECONDITION);
  pat_store_free(first);
  CHECK_OK(pat_store_open_lmdb(store_path, NULL, &second, NULL));
  CHECK_CODE(pat_store_open_lmdb(store_path, &options, &first, NULL), PAT_FAILED_PRECONDITION);
  pat_store_free(second);
}

static void test_text(void) {
  static const char text[] = "acme_pat_0000000000000000000010vpUj3MDVjCG0PHsx4553DFITgN21M1TSx";
  unsigned char selector[16];
  CHECK(pat_check_text(text, strlen(text), test_prefixes, 1, selector) == PAT_TEXT_OK);
  CHECK(selector[15] == 0x3e && selector[0] == 0);
  CHECK(pat_check_text(text, strlen(text) - 1, test_prefixes, 1, NULL) == PAT_TEXT_NOT_TOKEN);
  CHECK(pat_check_text("", 0, test_prefixes, 1, NULL) == PAT_TEXT_NOT_TOKEN);
}

int main(void) {
  char secret[PAT_SECRET_CAPACITY];
  pat_authority* authority;
  make_folder();
  test_names();
  test_text();
  authority = test_authority();
  test_life(authority);
  test_many(authority);
  test_passwords(authority);
  test_issue(authority, secret);
  pat_close(authority);
  test_reopened(secret);
  test_exclusive();
  test_declared();
  puts("ok");
  return 0;
}
