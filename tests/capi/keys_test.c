/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* The life of keys: issued under the first, rotated, resealed with progress, the old ones retired;
   keyring texts of the host's; a copy in a realm of its own. */
#include "check.h"

static void note_keys(void) { /* all of the keyring file's */
  char text[PAT_KEYRING_CAPACITY] = "", *line = NULL, *rest = text;
  FILE* const file = fopen(keyring_path, "r");
  CHECK(file != NULL && fread(text, 1, sizeof text - 1, file) > 64);
  fclose(file);
  while ((line = strtok_r(rest, "\n", &rest)) != NULL) {
    const char* const last = strrchr(line, ' ');
    if (last != NULL && strlen(last) == 65) note_secret(last + 1);
  }
}

/* What depends on a live key; -1 if there is no such. `newest`: whether it must be that. */
static int64_t dependents(pat_authority* authority, int32_t kind, uint32_t number, int newest) {
  pat_key_list* list = NULL;
  int64_t found = -1;
  size_t i;
  CHECK_OK(pat_keys(authority, &list, NULL));
  CHECK(list->size == sizeof *list && list->count >= 2);
  for (i = 0; i < list->count; ++i) {
    const pat_key_info* const key = list->keys[i];
    CHECK(key->size == sizeof *key && key->reserved == 0 && key->created_unix_s != 0);
    if (key->kind != kind || key->number != number) continue;
    CHECK(key->newest == newest);
    found = (int64_t)key->dependents;
  }
  pat_key_list_free(list);
  return found;
}

static void rotate(pat_authority* authority, int32_t kind, uint32_t expected) {
  MADE(pat_key_info, key);
  test_now += 10;
  CHECK_OK(pat_rotate_key(authority, kind, &key, NULL));
  note_keys();
  CHECK(key.kind == kind && key.number == expected && key.newest == 1);
  CHECK(key.created_unix_s == test_now && key.size == sizeof key);
}

static int passes;
static int32_t count_passes(void* context, const pat_pass_progress* so_far) {
  CHECK(so_far->size == sizeof *so_far && so_far->next_token_id > 600);
  *(pat_pass_progress*)context = *so_far;
  ++passes;
  return PAT_OK;
}
static int32_t stop(void* context, const pat_pass_progress* so_far) {
  (void)so_far;
  ++*(int*)context;
  return PAT_UNAVAILABLE; /* whatever is not PAT_OK */
}

static void issue_many(pat_authority* authority, size_t n) {
  static char secrets[600 * PAT_SECRET_CAPACITY];
  static const pat_issue_request* list[600];
  const pat_issue_request request = test_request();
  size_t i;
  CHECK(n <= sizeof list / sizeof *list);
  for (i = 0; i < n; ++i) list[i] = &request;
  CHECK_OK(pat_issue_many(authority, list, n, secrets, n * PAT_SECRET_CAPACITY, NULL, NULL));
  for (i = 0; i < n; ++i) note_secret(secrets + i * PAT_SECRET_CAPACITY);
}

static void test_seal_keys(pat_authority* authority, const char* first) {
  char second[PAT_SECRET_CAPACITY];
  pat_pass_progress seen;
  MADE(pat_pass_progress, done);
  int stopped = 0;
  issue_many(authority, 600);
  rotate(authority, PAT_KEY_SEAL, 2);
  test_issue(authority, second);
  CHECK(test_refusal(authority, first) == 0 && test_refusal(authority, second) == 0);
  CHECK(dependents(authority, PAT_KEY_SEAL, 1, 0) == 601); /* the account's row has changed */
  CHECK(dependents(authority, PAT_KEY_SEAL, 2, 1) == 2);
  CHECK_ERROR(pat_retire_key(authority, PAT_KEY_SEAL, 1, 0, &error), PAT_FAILED_PRECONDITION);
  CHECK_ERROR(pat_reseal(authority, stop, &stopped, &done, &error), PAT_CANCELLED);
  CHECK(stopped == 1 && done.tokens == 0);
  CHECK_OK(pat_reseal(authority, count_passes, &seen, &done, NULL));
  CHECK(passes >= 4 && done.tokens == 602 && done.accounts == 1 && done.written == 601);
  CHECK(done.left == 0 && done.next_token_id > 602 && done.size == sizeof done);
  CHECK(memcmp(&seen, &done, sizeof seen) == 0); /* the last report is the result */
  CHECK_OK(pat_reseal(authority, NULL, NULL, NULL, NULL));
  CHECK(dependents(authority, PAT_KEY_SEAL, 1, 0) == 0);
  CHECK_OK(pat_retire_key(authority, PAT_KEY_SEAL, 1, 0, NULL));
  CHECK_OK(pat_retire_key(authority, PAT_KEY_SEAL, 1, 0, NULL)); /* holds already */
  CHECK(dependents(authority, PAT_KEY_SEAL, 1, 0) == -1);
  CHECK_ERROR(pat_retire_key(authority, PAT_KEY_SEAL, 2, 1, &error), PAT_FAILED_PRECONDITION);
  CHECK_ERROR(pat_retire_key(authority, PAT_KEY_SEAL, 3, 1, &error), PAT_NOT_FOUND);
  CHECK(test_refusal(authority, first) == 0 && test_refusal(authority, second) == 0);
}

/* A selector key is in the texts themselves: with it go its tokens. */
static void test_selector_keys(pat_authority* authority, const char* first) {
  char second[PAT_SECRET_CAPACITY];
  rotate(authority, PAT_KEY_SELECTOR, 2);
  test_issue(authority, second);
  CHECK(test_refusal(authority, first) == 0 && test_refusal(authority, second) == 0);
  CHECK_OK(pat_rotate_key(authority, PAT_KEY_SELECTOR, NULL, NULL));
  note_keys();
  CHECK_ERROR(pat_retire_key(authority, PAT_KEY_SELECTOR, 1, 0, &error), PAT_FAILED_PRECONDITION);
  CHECK_OK(pat_retire_key(authority, PAT_KEY_SELECTOR, 1, 1, NULL));
  CHECK(test_refusal(authority, first) == PAT_REFUSAL_FORGED);
  CHECK(test_refusal(authority, second) == 0);
}

/* `what`: "keep" or "put". */
static void old_record(const char* what, uint64_t id) {
  const char* const program = getenv("PAT_TEST_OLD_RECORD");
  char command[600];
  CHECK(program != NULL);
  snprintf(command, sizeof command, "'%s' '%s' %s alice %llu '%s/old_record'", program, store_path,
           what, (unsigned long long)id, folder);
  CHECK(system(command) == 0);
}

/* Who has the store's files but no keyring puts an older record back: it was true once, so it is
   accepted while its key lives; retired, no more. */
static void test_old_records(pat_authority* authority) {
  char secret[PAT_SECRET_CAPACITY], path[100];
  const uint64_t id = test_issue(authority, secret);
  old_record("keep", id);
  CHECK_OK(pat_deactivate(authority, id, "alice", 5, NULL));
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_INACTIVE);
  old_record("put", id);
  CHECK(test_refusal(authority, secret) == 0);
  CHECK_OK(pat_deactivate(authority, id, "alice", 5, NULL));
  rotate(authority, PAT_KEY_SEAL, 3);
  CHECK_OK(pat_reseal(authority, NULL, NULL, NULL, NULL));
  CHECK_OK(pat_retire_key(authority, PAT_KEY_SEAL, 2, 0, NULL));
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_INACTIVE);
  old_record("put", id);
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_WRONG_SECRET);
  CHECK_OK(pat_delete(authority, id, "alice", 5, 0, NULL));
  snprintf(path, sizeof path, "%s/old_record", folder);
  CHECK(remove(path) == 0);
}

/* A text that the host keeps. */
static void test_texts(void) {
  char text[PAT_KEYRING_CAPACITY], more[PAT_KEYRING_CAPACITY], secret[PAT_SECRET_CAPACITY];
  size_t len = 0, more_len = 0;
  pat_authority* authority;
  CHECK_OK(pat_keyring_generate(text, sizeof text, &len, NULL));
  note_keyring(text);
  CHECK_OK(pat_keyring_add_key(text, len, PAT_KEY_SEAL, more, sizeof more, &more_len, NULL));
  note_keyring(more);
  CHECK(more_len > len && strlen(more) == more_len);
  authority = test_authority_of(text, len);
  CHECK_ERROR(pat_rotate_key(authority, PAT_KEY_SEAL, NULL, &error), PAT_FAILED_PRECONDITION);
  pat_close(authority);
  authority = test_authority_of(more, more_len);
  test_issue(authority, secret);
  CHECK(test_refusal(authority, secret) == 0);
  pat_close(authority);
  CHECK_ERROR(
      pat_keyring_remove_key(more, more_len, PAT_KEY_SEAL, 2, text, sizeof text, &len, &error),
      PAT_FAILED_PRECONDITION);
  CHECK(len == 0);
  CHECK_ERROR(
      pat_keyring_remove_key(more, more_len, PAT_KEY_SEAL, 3, text, sizeof text, &len, &error),
      PAT_NOT_FOUND);
  /* In place. */
  CHECK_OK(
      pat_keyring_remove_key(more, more_len, PAT_KEY_SEAL, 1, more, sizeof more, &more_len, NULL));
  CHECK(strlen(more) == more_len && strstr(more, "seal 1 ") == NULL);
  pat_wipe(text, sizeof text);
  pat_wipe(more, sizeof more);
}

static int32_t go_on(void* context, const pat_pass_progress* so_far) {
  *(uint64_t*)context = so_far->tokens;
  return PAT_OK;
}

static void test_copy(pat_authority* authority, const char* secret) {
  char text[PAT_KEYRING_CAPACITY];
  size_t len = 0;
  uint64_t copied = 0;
  pat_page* page = NULL;
  MADE(pat_pass_progress, done);
  CHECK_OK(pat_keyring_generate(text, sizeof text, &len, NULL));
  note_keyring(text);
  pat_authority* const target = test_authority_of(text, len);
  CHECK_ERROR(pat_copy_to(authority, authority, NULL, NULL, NULL, &error), PAT_FAILED_PRECONDITION);
  CHECK_OK(pat_copy_to(authority, target, go_on, &copied, &done, NULL));
  CHECK(done.tokens == copied && copied > 600 && done.accounts == 1 && done.left == 0);
  CHECK_OK(pat_list(target, "alice", 5, NULL, &page, NULL));
  CHECK(page->count == 20);
  pat_page_free(page);
  CHECK(test_refusal(authority, secret) == 0);
  CHECK(test_refusal(target, secret) == PAT_REFUSAL_FORGED);
  pat_close(target);
  pat_wipe(text, sizeof text);
}

static int32_t note_written(void* context, const pat_pass_progress* so_far) {
  *(uint64_t*)context = so_far->written;
  return PAT_OK;
}

/* 600 deleted tokens, in steps. */
static void test_purge(void) {
  char text[PAT_KEYRING_CAPACITY];
  size_t len = 0, purged = 7;
  uint64_t id, written = 0;
  int stopped = 0;
  CHECK_OK(pat_keyring_generate(text, sizeof text, &len, NULL));
  note_keyring(text);
  pat_authority* const authority = test_authority_of(text, len);
  issue_many(authority, 600);
  for (id = 1; id <= 600; ++id) CHECK_OK(pat_delete(authority, id, "alice", 5, 0, NULL));
  CHECK_ERROR(pat_purge_pass(authority, test_now + 1, 100, stop, &stopped, &purged, &error),
              PAT_CANCELLED);
  CHECK(stopped == 1 && purged == 0); /* but the step before stays done */
  CHECK_OK(pat_purge_pass(authority, test_now + 1, 0, note_written, &written, &purged, NULL));
  CHECK(purged == 500 && written == 500);
  CHECK_OK(pat_purge_pass(authority, test_now + 1, 0, NULL, NULL, NULL, NULL));
  pat_close(authority);
  pat_wipe(text, sizeof text);
}

int main(void) {
  char first[PAT_SECRET_CAPACITY], later[PAT_SECRET_CAPACITY];
  make_folder();
  pat_authority* const authority = test_authority();
  note_keys();
  test_issue(authority, first);
  test_seal_keys(authority, first);
  test_selector_keys(authority, first);
  test_issue(authority, later);
  test_copy(authority, later);
  test_old_records(authority);
  pat_close(authority);
  test_texts();
  test_purge();
  puts("ok");
  return 0;
}
