/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* As misuse_test.c, for the life of keys. */
#include "misuse.h"

static pat_authority* authority;

static void misuse_of_looking(void) {
  pat_key_list* list = (pat_key_list*)poison;
  BAD(pat_keys(NULL, &list, &error));
  CHECK(list == NULL);
  BAD(pat_keys(authority, NULL, &error));
  pat_key_list_free(NULL);
}

static void misuse_of_rotating(void) {
  static const int32_t odd[] = {0, 3, -1, INT32_MAX};
  size_t i;
  MADE(pat_key_info, key);
  BAD(pat_rotate_key(NULL, PAT_KEY_SEAL, &key, &error));
  EACH_BAD_SIZE(key, BAD(pat_rotate_key(authority, PAT_KEY_SEAL, &key, &error)));
  for (i = 0; i < sizeof odd / sizeof *odd; ++i) {
    BAD(pat_rotate_key(authority, odd[i], &key, &error));
    BAD(pat_retire_key(authority, odd[i], 1, 0, &error));
  }
  BAD(pat_retire_key(NULL, PAT_KEY_SEAL, 1, 0, &error));
  BAD(pat_retire_key(authority, PAT_KEY_SEAL, 0, 1, &error));
  BAD(pat_retire_key(authority, PAT_KEY_SEAL, 65536 + 1, 1, &error));
  CHECK_ERROR(pat_retire_key(authority, PAT_KEY_SEAL, 2, 1, &error), PAT_NOT_FOUND);
}

static int32_t end(void* context, const pat_pass_progress* so_far) {
  (void)context, (void)so_far;
  return -1; /* whatever is not PAT_OK */
}

static void misuse_of_passes(void) {
  char text[PAT_KEYRING_CAPACITY];
  size_t len;
  MADE(pat_pass_progress, done);
  CHECK_OK(pat_keyring_generate(text, sizeof text, &len, NULL));
  note_keyring(text);
  pat_authority* const other = test_authority_of(text, len);
  BAD(pat_reseal(NULL, NULL, NULL, &done, &error));
  EACH_BAD_SIZE(done, BAD(pat_reseal(authority, NULL, NULL, &done, &error)));
  BAD(pat_purge_pass(NULL, test_now, 0, end, NULL, NULL, &error));
  BAD(pat_copy_to(NULL, other, NULL, NULL, &done, &error));
  BAD(pat_copy_to(authority, NULL, NULL, NULL, &done, &error));
  EACH_BAD_SIZE(done, BAD(pat_copy_to(authority, other, NULL, NULL, &done, &error)));
  CHECK_ERROR(pat_reseal(authority, end, NULL, &done, &error), PAT_CANCELLED);
  CHECK_ERROR(pat_copy_to(authority, other, end, NULL, &done, &error), PAT_CANCELLED);
  CHECK(done.accounts == 0);
  pat_close(other);
}

static void misuse_of_texts(void) {
  char text[PAT_KEYRING_CAPACITY], out[PAT_KEYRING_CAPACITY];
  size_t len, out_len = 7;
  CHECK_OK(pat_keyring_generate(text, sizeof text, &len, NULL));
  note_keyring(text);
#define BAD_ADD(...)                               \
  do {                                             \
    out_len = 7;                                   \
    BAD(pat_keyring_add_key(__VA_ARGS__, &error)); \
    CHECK(out_len == 0);                           \
  } while (0)
#define BAD_REMOVE(...)                               \
  do {                                                \
    out_len = 7;                                      \
    BAD(pat_keyring_remove_key(__VA_ARGS__, &error)); \
    CHECK(out_len == 0);                              \
  } while (0)
  BAD_ADD(NULL, len, PAT_KEY_SEAL, out, sizeof out, &out_len);
  BAD_ADD(text, len, 0, out, sizeof out, &out_len);
  BAD_ADD(text, len, 3, out, sizeof out, &out_len);
  BAD_ADD(text, len, PAT_KEY_SEAL, NULL, sizeof out, &out_len);
  BAD_ADD(text, len, PAT_KEY_SEAL, out, sizeof out - 1, &out_len);
  BAD(pat_keyring_add_key(text, len, PAT_KEY_SEAL, out, sizeof out, NULL, &error));
  BAD_REMOVE(NULL, len, PAT_KEY_SEAL, 1, out, sizeof out, &out_len);
  BAD_REMOVE(text, len, 0, 1, out, sizeof out, &out_len);
  BAD_REMOVE(text, len, PAT_KEY_SEAL, 0, out, sizeof out, &out_len);
  BAD_REMOVE(text, len, PAT_KEY_SEAL, 65536 + 1, out, sizeof out, &out_len);
  BAD_REMOVE(text, len, PAT_KEY_SEAL, 1, NULL, sizeof out, &out_len);
  BAD_REMOVE(text, len, PAT_KEY_SEAL, 1, out, sizeof out - 1, &out_len);
  BAD(pat_keyring_remove_key(text, len, PAT_KEY_SEAL, 1, out, sizeof out, NULL, &error));
  CHECK_ERROR(pat_keyring_add_key("x", 1, PAT_KEY_SEAL, out, sizeof out, &out_len, &error),
              PAT_FAILED_PRECONDITION);
  CHECK_ERROR(pat_keyring_add_key(text, len - 1, PAT_KEY_SEAL, out, sizeof out, &out_len, &error),
              PAT_FAILED_PRECONDITION);
  pat_wipe(text, sizeof text);
  pat_wipe(out, sizeof out);
}

int main(void) {
  char secret[PAT_SECRET_CAPACITY];
  make_folder();
  authority = test_authority();
  test_issue(authority, secret);
  misuse_of_looking();
  misuse_of_rotating();
  misuse_of_passes();
  misuse_of_texts();
  /* Nothing changed by all that. */
  pat_key_list* list = NULL;
  CHECK_OK(pat_keys(authority, &list, NULL));
  CHECK(list->count == 2 && list->keys[0]->number == 1 && list->keys[1]->number == 1);
  pat_key_list_free(list);
  CHECK(test_refusal(authority, secret) == 0);
  pat_close(authority);
  puts("ok");
  return 0;
}
