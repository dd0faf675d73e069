/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* As memory_test.c, for the life of keys. */
#include "exhaust.h"

static pat_authority* authority;
static char secrets[2][PAT_SECRET_CAPACITY];
static char keyring[PAT_KEYRING_CAPACITY], longer[PAT_KEYRING_CAPACITY];
static size_t keyring_len, longer_len;

/* Which keys are live, and that the tokens under them are good. */
static uint64_t state(void) {
  pat_key_list* list = NULL;
  uint64_t sum = 0;
  size_t i;
  CHECK_OK(pat_keys(authority, &list, NULL));
  for (i = 0; i < list->count; ++i) {
    sum = sum_with(sum, list->keys[i]->number);
    sum = sum_with(sum, (uint64_t)list->keys[i]->kind);
  }
  pat_key_list_free(list);
  CHECK(test_refusal(authority, secrets[0]) == 0 && test_refusal(authority, secrets[1]) == 0);
  return sum;
}

static uint32_t retirable;
static uint32_t newest_seal(void) {
  pat_key_list* list = NULL;
  CHECK_OK(pat_keys(authority, &list, NULL));
  const uint32_t number = list->keys[list->count - 1]->number;
  CHECK(list->keys[list->count - 1]->kind == PAT_KEY_SEAL);
  pat_key_list_free(list);
  return number;
}

/* One seal key. */
static void make_rotatable(void) {
  CHECK_OK(pat_reseal(authority, NULL, NULL, NULL, NULL));
  const uint32_t newest = newest_seal();
  if (newest > 1) CHECK_OK(pat_retire_key(authority, PAT_KEY_SEAL, newest - 1, 0, NULL));
}
/* Two, all rows under the older. */
static void make_older(void) {
  make_rotatable();
  CHECK_OK(pat_rotate_key(authority, PAT_KEY_SEAL, NULL, NULL));
}
/* Two, all rows under the newer. */
static void make_retirable(void) {
  make_older();
  CHECK_OK(pat_reseal(authority, NULL, NULL, NULL, NULL));
  retirable = newest_seal() - 1;
}

/* ---- One call each. */

static int32_t call_keys(pat_error** error) {
  pat_key_list* list = NULL;
  const int32_t code = pat_keys(authority, &list, error);
  CHECK((list != NULL) == (code == PAT_OK));
  pat_key_list_free(list);
  return code;
}
static int32_t call_rotate(pat_error** error) {
  MADE(pat_key_info, key);
  const int32_t code = pat_rotate_key(authority, PAT_KEY_SEAL, &key, error);
  CHECK((key.number != 0) == (code == PAT_OK));
  return code;
}
static int32_t call_retire(pat_error** error) {
  return pat_retire_key(authority, PAT_KEY_SEAL, retirable, 0, error);
}
static int32_t go_on(void* context, const pat_pass_progress* so_far) {
  *(uint64_t*)context = so_far->tokens;
  return PAT_OK;
}
static int32_t call_reseal(pat_error** error) {
  uint64_t seen = 0;
  MADE(pat_pass_progress, done);
  const int32_t code = pat_reseal(authority, go_on, &seen, &done, error);
  CHECK((done.tokens == 2) == (code == PAT_OK));
  return code;
}
static int32_t call_copy(pat_error** error) {
  pat_store* store = NULL;
  pat_authority* target = NULL;
  uint64_t seen = 0;
  pat_options options = test_options();
  MADE(pat_pass_progress, done);
  options.keyring_path = NULL;
  options.keyring_text = keyring;
  options.keyring_text_len = keyring_len;
  int32_t code = pat_store_new_memory(&store, error);
  if (code == PAT_OK) code = pat_open(store, &options, &target, error);
  if (code == PAT_OK) code = pat_copy_to(authority, target, go_on, &seen, &done, error);
  CHECK((done.tokens == 2) == (code == PAT_OK));
  pat_close(target);
  return code;
}
static int32_t call_add_key(pat_error** error) {
  const int32_t code = pat_keyring_add_key(keyring, keyring_len, PAT_KEY_SELECTOR, longer,
                                           sizeof longer, &longer_len, error);
  CHECK((longer_len != 0) == (code == PAT_OK));
  return code;
}
static int32_t call_remove_key(pat_error** error) {
  static char shorter[PAT_KEYRING_CAPACITY];
  size_t len;
  return pat_keyring_remove_key(longer, longer_len, PAT_KEY_SELECTOR, 1, shorter, sizeof shorter,
                                &len, error);
}

static int32_t call_purge(pat_error** error) {
  uint64_t seen = 0;
  return pat_purge_pass(authority, test_now + 1, 0, go_on, &seen, NULL, error);
}
static void make_purgeable(void) {
  char text[PAT_SECRET_CAPACITY];
  CHECK_OK(pat_purge(authority, test_now + 1, 0, NULL, NULL)); /* else there are more each time */
  CHECK_OK(pat_delete(authority, test_issue(authority, text), "alice", 5, 0, NULL));
}

/* Fails each allocation of `call` in turn. */
static void exhaust(const char* name, exhaust_call call, int how, void (*prepare)(void)) {
  int32_t code = PAT_OK;
  long n;
  if (prepare != NULL) prepare();
  CHECK_OK(call(NULL)); /* whatever is made once and kept */
  for (n = 1; exhaust_once(name, n, call, how, state, prepare, &code);) ++n;
  CHECK_OK(code);
  printf("%s: %ld allocations\n", name, n - 1);
}

int main(void) {
  const pat_options options = test_options(); /* with a keyring file */
  pat_store* store = NULL;
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_folder();
  unsetenv("PAT_TEST_SECRETS"); /* keys are made by the thousand, and none is shown */
  CHECK_OK(pat_store_new_memory(&store, NULL)); /* the disk would take its time */
  CHECK_OK(pat_open(store, &options, &authority, NULL));
  test_issue(authority, secrets[0]);
  test_issue(authority, secrets[1]);
  CHECK_OK(pat_keyring_generate(keyring, sizeof keyring, &keyring_len, NULL));
  exhaust("keys", call_keys, 0, NULL);
  exhaust("rotate_key", call_rotate, 0, make_rotatable);
  exhaust("reseal", call_reseal, 0, make_older);
  exhaust("retire_key", call_retire, EXHAUST_IN_STEPS, make_retirable);
  exhaust("copy_to", call_copy, 0, NULL);
  exhaust("keyring_add_key", call_add_key, 0, NULL);
  exhaust("keyring_remove_key", call_remove_key, 0, NULL);
  exhaust("purge_pass", call_purge, EXHAUST_IN_STEPS, make_purgeable);
  pat_close(authority);
  puts("ok");
  return 0;
}
