/* Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0 */
/* A host with an OpenSSL and an LMDB of its own beside libpat: both sides give right results. */
#include <lmdb.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "check.h"

static void check_openssl(void) {
  static const unsigned char expected[4] = {0xba, 0x78, 0x16, 0xbf}; /* SHA-256 of "abc" */
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_Digest("abc", 3, digest, &size, EVP_sha256(), NULL) == 1 && size == 32);
  CHECK(memcmp(digest, expected, sizeof expected) == 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  CHECK(context != NULL);
  SSL_CTX_free(context);
}

static void check_lmdb(void) {
  MDB_env* env = NULL;
  int major = 0;
  CHECK(mdb_env_create(&env) == 0 && mdb_version(&major, NULL, NULL) != NULL);
  mdb_env_close(env);
}

int main(void) {
  char secret[PAT_SECRET_CAPACITY];
  make_folder();
  check_openssl();
  pat_authority* const authority = test_authority();
  const uint64_t id = test_issue(authority, secret);
  check_openssl();
  check_lmdb();
  CHECK(test_refusal(authority, secret) == 0);
  CHECK_OK(pat_deactivate(authority, id, "alice", 5, NULL));
  CHECK(test_refusal(authority, secret) == PAT_REFUSAL_INACTIVE);
  pat_close(authority);
  check_openssl();
  puts("ok");
  return 0;
}
