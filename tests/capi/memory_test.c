/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out, at every allocation of every call: a clean error (or success, where the
   allocation was not needed), nothing leaked, nothing changed. The deciding calls allocate nothing.
 */
#include "exhaust.h"

static pat_authority* authority;
static uint64_t token_id, other_id;
static char secret[PAT_SECRET_CAPACITY];
static char keyring[PAT_KEYRING_CAPACITY];
static size_t keyring_len;
static char public_id[PAT_PUBLIC_ID_CAPACITY];
static int turn; /* makes each change a change */

/* All that the accounts hold, as a number. */
static uint64_t state(void) {
  static const int32_t states[] = {0, PAT_STATE_DELETED};
  static const char* const accounts[] = {"alice", "fresh"};
  uint64_t sum = 1469598103934665603u;
  size_t a, s, i;
  for (a = 0; a < 2; ++a) {
    MADE(pat_counts, counts);
    CHECK_OK(pat_count(authority, accounts[a], 5, &counts, NULL));
    sum = sum_with(sum, counts.active);
    sum = sum_with(sum, counts.inactive);
    for (s = 0; s < 2; ++s) {
      pat_page* page = NULL;
      MADE(pat_list_options, options);
      options.state = states[s];
      options.limit = 1000;
      CHECK_OK(pat_list(authority, accounts[a], 5, &options, &page, NULL));
      for (i = 0; i < page->count; ++i) {
        const pat_token* const token = page->tokens[i];
        const char* c;
        CHECK(!token->damaged);
        sum = sum_with(sum, token->id);
        sum = sum_with(sum, (uint64_t)token->state);
        for (c = token->description; *c != '\0'; ++c) sum = sum_with(sum, (uint8_t)*c);
      }
      pat_page_free(page);
    }
  }
  return sum;
}

/* ---- One call each; what it hands out it frees. */

static int32_t call_generate(pat_error** error) {
  const int32_t code = pat_keyring_generate(keyring, sizeof keyring, &keyring_len, error);
  if (code == PAT_OK) note_keyring(keyring);
  return code;
}
static int32_t call_memory(pat_error** error) {
  pat_store* store = NULL;
  const int32_t code = pat_store_new_memory(&store, error);
  CHECK((store != NULL) == (code == PAT_OK));
  pat_store_free(store);
  return code;
}
static int32_t nothing(void* context) {
  (void)context;
  return PAT_OK;
}
static int32_t call_store_new(pat_error** error) {
  pat_store* store = NULL;
  MADE(pat_store_ops, ops);
  size_t i;
  /* Functions of any kind: freeing calls close and destroy alone. */
  for (i = sizeof ops.size; i < sizeof ops; i += sizeof(void*)) {
    int32_t (*const function)(void*) = nothing;
    memcpy((char*)&ops + i, &function, sizeof function);
  }
  const int32_t code = pat_store_new(&ops, NULL, &store, error);
  CHECK((store != NULL) == (code == PAT_OK));
  pat_store_free(store);
  return code;
}
static int32_t call_open_memory(pat_error** error) {
  pat_store* store = NULL;
  pat_authority* made = NULL;
  pat_options options = test_options();
  const int32_t first = pat_store_new_memory(&store, error);
  options.keyring_path = NULL;
  options.keyring_text = keyring;
  options.keyring_text_len = keyring_len;
  if (first != PAT_OK) return first;
  const int32_t code = pat_open(store, &options, &made, error);
  CHECK((made != NULL) == (code == PAT_OK));
  pat_close(made);
  return code;
}
static int32_t call_open_lmdb(pat_error** error) {
  pat_store* store = NULL;
  const int32_t code = pat_store_open_lmdb(store_path, NULL, &store, error);
  CHECK((store != NULL) == (code == PAT_OK));
  pat_store_free(store);
  return code;
}
static int32_t call_issue(pat_error** error) {
  char text[PAT_SECRET_CAPACITY];
  pat_token* token = NULL;
  pat_issue_request request = test_request();
  const int32_t code = pat_issue(authority, &request, text, sizeof text, &token, error);
  CHECK((token != NULL) == (code == PAT_OK));
  CHECK((*text != '\0') == (code == PAT_OK));
  note_secret(text);
  pat_token_free(token);
  return code;
}
static int32_t call_issue_many(pat_error** error) {
  char texts[3 * PAT_SECRET_CAPACITY];
  pat_page* page = NULL;
  pat_issue_request request = test_request();
  const pat_issue_request* const requests[] = {&request, &request, &request};
  request.origin = PAT_ORIGIN_AUTO; /* with evictions */
  const int32_t code = pat_issue_many(authority, requests, 3, texts, sizeof texts, &page, error);
  CHECK((page != NULL) == (code == PAT_OK));
  pat_page_free(page);
  for (size_t i = 0; i < 3 && code == PAT_OK; ++i) note_secret(texts + i * PAT_SECRET_CAPACITY);
  return code;
}
static int32_t call_get(pat_error** error) {
  pat_token* token = NULL;
  const int32_t code = pat_get(authority, token_id, "alice", 5, &token, error);
  CHECK((token != NULL) == (code == PAT_OK));
  pat_token_free(token);
  return code;
}
static int32_t call_list(pat_error** error) {
  pat_page* page = NULL;
  MADE(pat_list_options, options);
  options.limit = 2;
  options.text = "LAP";
  const int32_t code = pat_list(authority, "alice", 5, &options, &page, error);
  CHECK((page != NULL) == (code == PAT_OK));
  pat_page_free(page);
  return code;
}
static int32_t call_count(pat_error** error) {
  MADE(pat_counts, counts);
  return pat_count(authority, "alice", 5, &counts, error);
}
static int32_t call_id_of(pat_error** error) {
  uint64_t id;
  return pat_id_of(authority, public_id, strlen(public_id), &id, error);
}
static int32_t call_public_id_of(pat_error** error) {
  char made[PAT_PUBLIC_ID_CAPACITY];
  return pat_public_id_of(authority, token_id, made, sizeof made, error);
}
static int32_t call_need(pat_error** error) {
  uint64_t bits;
  return pat_need(authority, "repo:admin", &bits, error);
}
static int32_t call_update(pat_error** error) {
  static const char* const names[] = {"a description that is long enough for the heap",
                                      "another description that is long enough for it"};
  pat_token* token = NULL;
  MADE(pat_token_update, update);
  update.description = names[turn % 2];
  update.scopes = test_scopes;
  update.scope_count = 1;
  const int32_t code = pat_update(authority, token_id, "alice", 5, &update, &token, error);
  CHECK((token != NULL) == (code == PAT_OK));
  pat_token_free(token);
  return code;
}
static int32_t call_switch(pat_error** error) {
  return turn % 2 != 0 ? pat_deactivate(authority, other_id, "alice", 5, error)
                       : pat_activate(authority, other_id, "alice", 5, error);
}
static int32_t call_flush(pat_error** error) { return pat_flush(authority, error); }
static int32_t call_health(pat_error** error) { return pat_health(authority, error); }
static int32_t call_stats(pat_error** error) {
  MADE(pat_store_stats, stats);
  return pat_stats(authority, &stats, error);
}
static int32_t call_misuse(pat_error** error) { /* the error object itself */
  const int32_t code = pat_health(NULL, error);
  CHECK(code == PAT_INVALID_ARGUMENT || code == PAT_RESOURCE_EXHAUSTED);
  return memory_failed() ? PAT_RESOURCE_EXHAUSTED : PAT_OK;
}
static uint64_t doomed;
static int32_t call_delete(pat_error** error) {
  return pat_delete(authority, doomed, "alice", 5, 0, error);
}
static int32_t call_purge(pat_error** error) {
  size_t purged;
  return pat_purge(authority, test_now + 1, 0, &purged, error);
}
static void make_doomed(void) {
  char text[PAT_SECRET_CAPACITY];
  doomed = test_issue(authority, text);
}
static void make_purgeable(void) {
  CHECK_OK(pat_purge(authority, test_now + 1, 0, NULL, NULL)); /* else there are more each time */
  make_doomed();
  CHECK_OK(pat_delete(authority, doomed, "alice", 5, 0, NULL));
}

/* Fails each allocation of `call` in turn. `prepare`, if given, runs before each. */
static void exhaust(const char* name, exhaust_call call, int how, void (*prepare)(void)) {
  int32_t code = PAT_OK;
  long n;
  if (prepare != NULL) prepare();
  ++turn;
  CHECK_OK(call(NULL)); /* whatever is made once and kept */
  for (n = 1, ++turn; exhaust_once(name, n, call, how, state, prepare, &code); ++n) {
    if (code == PAT_OK) ++turn; /* else the same change again */
  }
  CHECK_OK(code);
  printf("%s: %ld allocations\n", name, n - 1);
  CHECK(test_refusal(authority, secret) == 0);
}

static int32_t never_fits(void* context, const char* password, size_t len) {
  (void)context, (void)password, (void)len;
  return 0;
}

static void test_no_allocation(void) {
  MADE(pat_decision, who);
  pat_decision many[2];
  MADE(pat_presented, how);
  char texts[2 * PAT_SECRET_CAPACITY];
  const size_t lens[] = {strlen(secret), 5};
  snprintf(texts, sizeof texts, "%shello", secret);
  memset(many, 0, sizeof many);
  many[0].size = sizeof *many;
  how.claim = PAT_CLAIM_ACCOUNT;
  how.account = "alice";
  how.account_len = 5;
  how.ip = "192.0.2.1";
  how.ip_len = 9;
  how.user_agent = "agent";
  how.user_agent_len = 5;
  test_now += 61; /* so that a use is noted */
  const long before = memory_allocations();
  const int32_t verified = pat_verify(authority, secret, lens[0], &how, &who);
  const int32_t required = pat_require(&who, PAT_REPO_WRITE);
  const int32_t judged = pat_verify_many(authority, texts, lens, 2, &how, many);
  const int32_t refused = pat_verify(authority, "x", 1, NULL, &who);
  const int32_t by_password = pat_authenticate(authority, "pw", 2, &how, 0, never_fits, NULL, &who);
  CHECK(memory_allocations() == before);
  CHECK(verified == PAT_OK && required == PAT_OK && judged == PAT_OK && many[0].accepted == 1);
  CHECK(refused == PAT_UNAUTHENTICATED && by_password == PAT_UNAUTHENTICATED);
}

static void test_check_text(void) {
  long n;
  for (n = 1;; ++n) {
    memory_fail(n, 0);
    const int32_t verdict = pat_check_text(secret, strlen(secret), test_prefixes, 1, NULL);
    const int failed = memory_heal();
    CHECK(verdict == (failed ? -1 : PAT_TEXT_OK));
    if (!failed) break;
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_folder();
  authority = test_authority();
  token_id = test_issue(authority, secret);
  char text[PAT_SECRET_CAPACITY];
  other_id = test_issue(authority, text);
  CHECK_OK(pat_public_id_of(authority, token_id, public_id, sizeof public_id, NULL));
  CHECK_OK(call_generate(NULL));
  test_no_allocation();
  test_check_text();
  exhaust("misuse", call_misuse, 0, NULL);
  exhaust("keyring_generate", call_generate, 0, NULL);
  exhaust("store_new_memory", call_memory, 0, NULL);
  exhaust("store_new", call_store_new, 0, NULL);
  exhaust("open, in memory", call_open_memory, 0, NULL);
  exhaust("store_open_lmdb", call_open_lmdb, 0, NULL);
  exhaust("get", call_get, 0, NULL);
  exhaust("list", call_list, 0, NULL);
  exhaust("count", call_count, 0, NULL);
  exhaust("id_of", call_id_of, 0, NULL);
  exhaust("public_id_of", call_public_id_of, 0, NULL);
  exhaust("need", call_need, 0, NULL);
  exhaust("flush", call_flush, 0, NULL);
  exhaust("health", call_health, 0, NULL);
  exhaust("stats", call_stats, 0, NULL);
  exhaust("issue", call_issue, 0, NULL);
  exhaust("issue_many", call_issue_many, 0, NULL);
  exhaust("update", call_update, 0, NULL);
  exhaust("deactivate, activate", call_switch, 0, NULL);
  exhaust("delete", call_delete, 0, make_doomed);
  exhaust("purge", call_purge, EXHAUST_IN_STEPS, make_purgeable);
  pat_close(authority);
  puts("ok");
  return 0;
}
