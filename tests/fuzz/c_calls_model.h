// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_C_CALLS_MODEL_H_
#define TESTS_FUZZ_C_CALLS_MODEL_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "pat/c.h"

inline constexpr int kMaxAutos = 3;
inline constexpr const char* kScopes[] = {"repo:public_read", "repo:read", "repo:write",
                                          "repo:admin"};
inline constexpr std::uint64_t kBits[] = {1, 3, 7, 15};

inline std::string Account(unsigned which) {
  const std::string accounts[] = {"alice", "b", std::string(16, 'c'), std::string(128, 'd')};
  return accounts[which % 4];
}

/// A zeroed struct of its size.
template <typename Struct>
Struct Made() {
  Struct made;
  std::memset(&made, 0, sizeof made);
  made.size = sizeof made;
  return made;
}

/// What the model knows of a token.
struct Known {
  std::uint64_t id = 0;
  std::string account;
  std::string text;
  std::string description;
  unsigned scope = 0;
  bool automatic = false;
  bool active = true;
  bool deleted = false;
  bool purged = false;
  int reason = 0;
  std::int64_t created = 0;
  std::int64_t expires = 0;  // 0: never
  std::int64_t used = 0;
  std::int64_t deleted_at = 0;

  int StateAt(std::int64_t now) const {
    if (deleted) return PAT_STATE_DELETED;
    if (expires != 0 && now >= expires) return PAT_STATE_EXPIRED;
    return active ? PAT_STATE_ACTIVE : PAT_STATE_INACTIVE;
  }
};

#endif  // TESTS_FUZZ_C_CALLS_MODEL_H_
