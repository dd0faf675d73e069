// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PROCESS_PUPPET_H_
#define TESTS_PROCESS_PUPPET_H_

#include <atomic>
#include <cstdint>

/// What a test and its puppets share: one clock for all, and a gate for doing things at once.
struct PuppetBoard {
  std::atomic<std::int64_t> now_unix_s;
  std::atomic<int> waiting;  ///< Threads that stand at the gate.
  std::atomic<bool> open;    ///< The gate.
  std::atomic<int> inside_find;
};

/// A process that does what it is told: opens the store in `directory` and answers one line with
/// one line, fields separated by tabs, the first "ok", "accepted", "refused" or the name of a
/// status code. `how`: "create" makes the store, "open" declares Docker Hub's scopes and no prefix,
/// "adopt" declares nothing, "frozen" is "open" blind to changes of keys. First line: "ok" once
/// open.
///
///     issue ACCOUNT manual|auto DESCRIPTION EXPIRES   ok ID TEXT      (EXPIRES in Unix s, 0 never)
///     burst ACCOUNT THREADS     auto tokens at once, when the gate opens: ok (ID TEXT)...
///     verify TEXT IP AGENT      accepted ID ACCOUNT | refused REASON
///     get ID                    ok STATE ORIGIN DESCRIPTION REASON LAST_USED IP AGENT
///     list ACCOUNT              ok (ID STATE ORIGIN)...
///     count ACCOUNT             ok ACTIVE INACTIVE
///     rename ID TEXT | scope ID NAME | activate ID | deactivate ID | delete ID | flush
///     rename_often ID TIMES     ok BYTES   (what the store takes on disk afterwards)
///     rotate selector|seal      ok NUMBER
///     reseal | retire selector|seal NUMBER
///     turn_keys                 rotate, reseal, retire seal keys for ever: no answer but an error
///     declared                  ok PREFIXES SCOPES   (each separated by commas)
///     verify_forever TEXT       no answer; inside_find tells whether it is reading
int RunPuppet(const char* directory, const char* board_fd, const char* how);

#endif  // TESTS_PROCESS_PUPPET_H_
