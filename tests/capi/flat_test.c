/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* PAT_CALLS calls (100,000 by default; `./dev soak` makes more), of every kind that a server makes
   while it runs, leave resident memory as it was after the first of them. With the argument "leak"
   each tenth round keeps a token: the control, which must be noticed. */
#include "check.h"

static long resident_kib(void) {
  long pages = 0;
  FILE* const file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int32_t refuse(void* context, const char* password, size_t len) {
  (void)context, (void)password, (void)len;
  return 0;
}

static pat_authority* authority;
static char secret[PAT_SECRET_CAPACITY];
static uint64_t id;
static long calls;

static void decide(void) {
  const size_t len = strlen(secret);
  char texts[2 * PAT_SECRET_CAPACITY];
  const size_t lens[] = {len, 5, len};
  pat_decision decisions[3];
  int i;
  MADE(pat_decision, who);
  MADE(pat_presented, how);
  how.claim = PAT_CLAIM_ACCOUNT;
  how.account = "alice";
  how.account_len = 5;
  how.ip = "198.51.100.7";
  how.ip_len = 12;
  for (i = 0; i < 10; ++i) CHECK_OK(pat_verify(authority, secret, len, &how, &who));
  CHECK_CODE(pat_verify(authority, secret, len - 1, &how, &who), PAT_UNAUTHENTICATED);
  how.need = PAT_REPO_DELETE;
  CHECK_CODE(pat_verify(authority, secret, len, &how, &who), PAT_PERMISSION_DENIED);
  CHECK(snprintf(texts, sizeof texts, "%shello%s", secret, secret) < (int)sizeof texts);
  decisions[0].size = sizeof *decisions;
  CHECK_OK(pat_verify_many(authority, texts, lens, 3, NULL, decisions));
  CHECK(decisions[0].accepted && !decisions[1].accepted && decisions[2].accepted);
  how.need = 0;
  CHECK_CODE(pat_authenticate(authority, "pw", 2, &how, 0, refuse, NULL, &who),
             PAT_UNAUTHENTICATED);
  calls += 14;
}

static void manage(int leak) {
  static const char* const names[] = {"laptop", "phone"};
  char other[PAT_SECRET_CAPACITY];
  pat_token* token = NULL;
  pat_page* page = NULL;
  size_t purged = 0;
  MADE(pat_token_update, update);
  CHECK_OK(pat_get(authority, id, "alice", 5, &token, NULL));
  if (!leak) pat_token_free(token);
  CHECK_OK(pat_list(authority, "alice", 5, NULL, &page, NULL));
  pat_page_free(page);
  update.description = names[calls % 2];
  CHECK_OK(pat_update(authority, id, "alice", 5, &update, NULL, NULL));
  CHECK_ERROR(pat_update(authority, id, "bob", 3, &update, NULL, &error), PAT_NOT_FOUND);
  const uint64_t made = test_issue(authority, other);
  CHECK_OK(pat_delete(authority, made, "alice", 5, 0, NULL));
  CHECK_OK(pat_purge(authority, test_now + 1, 0, &purged, NULL));
  CHECK(purged == 1);
  calls += 7;
}

/* Until `wanted` calls are made. */
static void run(long wanted, int leak) {
  int round = 0;
  while (calls < wanted) {
    decide();
    if (++round % 10 == 0) manage(leak);
  }
}

int main(int argc, char** argv) {
  const char* const given = getenv("PAT_CALLS");
  const long wanted = given == NULL ? 100000 : atol(given);
  const int leak = argc > 1 && strcmp(argv[1], "leak") == 0;
  pat_store* store = NULL;
  make_folder();
  unsetenv("PAT_TEST_SECRETS"); /* too many to note; none is shown */
  const pat_options options = test_options();
  CHECK_OK(pat_store_new_memory(&store, NULL));
  CHECK_OK(pat_open(store, &options, &authority, NULL));
  id = test_issue(authority, secret);
  run(wanted / 10, leak);
  const long before = resident_kib();
  run(wanted, leak);
  const long after = resident_kib();
  printf("%ld calls, %ld KiB, then %ld KiB\n", calls, before, after);
  pat_close(authority);
  if (after - before > 128) {
    puts("resident memory grew");
    return 1;
  }
  return 0;
}
