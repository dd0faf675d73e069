// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_CLERK_H_
#define TESTS_PROCESS_CLERK_H_

#include <string>
#include <vector>

#include "pat/authority.h"

/// Does with an authority what it is told in words and tells in words all that it answered, so that
/// the answers of two can be compared. The first field of an answer is "ok", "accepted",
/// "refused" or the name of a status code; a field with a token's id in it is "#ID".
///
///     verify TEXT CLAIM NEED IP AGENT           accepted #ID ACCOUNT PERMISSIONS ORIGIN | refused
///     REASON verify_many CLAIM NEED TEXT...            ok (as verify)... authenticate TEXT CLAIM
///     TWO_FACTOR        as verify; the password is "good" issue (ACCOUNT ORIGIN DESCRIPTION
///     EXPIRES SCOPES NOTE)...   ok (#ID TEXT EVICTED (#ID)... TOKEN)... get #ID OWNER ok TOKEN
///     list ACCOUNT STATE ORIGIN TEXT LIMIT #AFTER                 ok #NEXT TOKEN...
///     count ACCOUNT                             ok ACTIVE INACTIVE
///     update #ID OWNER DESCRIPTION SCOPES ACTIVE                  ok TOKEN
///     activate|deactivate #ID OWNER | delete #ID OWNER REASON     ok
///     purge TIME LIMIT                          ok HOW_MANY
///     keys                                      ok (KIND NUMBER CREATED NEWEST DEPENDENTS)...
///     rotate KIND                               ok NUMBER
///     reseal                                    ok ACCOUNTS TOKENS WRITTEN LEFT
///     retire KIND NUMBER FORCE | flush | health ok
///     stats                                     ok ACCOUNTS USES_DROPPED
///
/// TOKEN: all fields of pat::Token. CLAIM: an account, "" for none, "?" for an unknown one. NEED:
/// permission bits. Times in Unix seconds, 0: none. SCOPES: separated by commas. What is to be
/// left as it is, is empty; a number for "is it so" is 0 or 1.
std::vector<std::string> DoAsTold(pat::Authority& authority, const std::vector<std::string>& told);

/// A process that does so: opens the store in `directory`, answers "ok", then each line, fields
/// separated by tabs, with one. The time is the PuppetBoard's.
int RunClerk(const char* directory, const char* board_fd);

#endif  // TESTS_PROCESS_CLERK_H_
