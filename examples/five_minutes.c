/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "pat/c.h"

int main(int argc, char** argv) { /* five_minutes STORE KEYRING */
  const char *const prefixes[] = {"acme_pat_"}, *const scopes[] = {"repo:write"};
  const pat_lmdb_options lmdb = {.size = sizeof lmdb, .create_if_missing = 1};
  pat_options options = {.size = sizeof options, .create_if_missing = 1, .prefixes = prefixes};
  pat_issue_request request = {.size = sizeof request, .account = "alice", .account_len = 5};
  pat_decision who = {.size = sizeof who};
  char secret[PAT_SECRET_CAPACITY]; /* shown once */
  pat_store* store;
  pat_authority* authority;
  options.prefix_count = request.scope_count = 1, options.keyring_path = argv[argc - 1];
  request.description = "laptop", request.scopes = scopes;
  if (pat_store_open_lmdb(argv[1], &lmdb, &store, NULL) != PAT_OK) return 1;
  if (pat_open(store, &options, &authority, NULL) != PAT_OK) return 1;
  if (pat_issue(authority, &request, secret, sizeof secret, NULL, NULL) != PAT_OK) return 1;
  printf("issued:   %.9s*** (%s)\n", secret, request.description);
  if (pat_verify(authority, secret, strlen(secret), NULL, &who) == PAT_OK)
    printf("verified: %s\n", who.account);
  if (pat_deactivate(authority, who.token_id, "alice", 5, NULL) != PAT_OK) return 1;
  if (pat_verify(authority, secret, strlen(secret), NULL, &who) != PAT_OK)
    printf("refused:  %s\n", pat_refusal_name(who.refusal));
  pat_close(authority);
}
