// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What stands between Python and the C interface where cffi alone would do it clumsily.
#include <string.h>

#include "pat/c_keys.h"

// Made by cffi: calls Python.
static int32_t libpat_password_check(void* context, const char* password, size_t password_len);

static inline void libpat_present(pat_presented* presented, int32_t claim, const char* account,
                                  size_t account_len, uint64_t need, const char* ip, size_t ip_len,
                                  const char* user_agent, size_t user_agent_len) {
  memset(presented, 0, sizeof *presented);
  presented->size = sizeof *presented;
  presented->claim = claim;
  presented->account = account;
  presented->account_len = account_len;
  presented->need = need;
  presented->ip = ip;
  presented->ip_len = ip_len;
  presented->user_agent = user_agent;
  presented->user_agent_len = user_agent_len;
}

static int32_t libpat_authenticate(pat_authority* authority, const char* secret, size_t secret_len,
                                   int32_t two_factor_enabled, void* check_context, int32_t claim,
                                   const char* account, size_t account_len, uint64_t need,
                                   const char* ip, size_t ip_len, const char* user_agent,
                                   size_t user_agent_len, pat_decision* decision) {
  pat_presented presented;
  libpat_present(&presented, claim, account, account_len, need, ip, ip_len, user_agent,
                 user_agent_len);
  return pat_authenticate(authority, secret, secret_len, &presented, two_factor_enabled,
                          libpat_password_check, check_context, decision);
}
