// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_PEER_ROWS_H_
#define PAT_BENCH_PEER_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

namespace pat::bench {

// How the databases among the peers keep tokens: a row under the SHA-256 of the token, which is
// what one does to be able to look a secret up without storing it. Every one of them hashes what
// is presented, asks for the row, and reads id, account, rights, state and expiry from it.

/// The text that stands for row `i`: as long as libpat's.
inline std::string RowToken(std::size_t i) {
  char text[65];
  std::snprintf(text, sizeof text, "dckr_pat_%055zu", i);
  return text;
}

using RowKey = std::array<unsigned char, 32>;

/// SHA-256, BoringSSL's for all.
RowKey KeyOf(std::string_view token);

/// A row as it was read. Sum: 0 if it does not allow.
struct TokenRowRead {
  std::uint64_t id = 0;
  std::string_view account;
  std::uint64_t rights = 0;
  bool active = false;
  std::int64_t expires_unix_s = 0;

  std::uint64_t Sum() const {
    if (!active || account.empty()) return 0;
    if (expires_unix_s != 0 && expires_unix_s <= std::time(nullptr)) return 0;
    return id + rights + static_cast<unsigned char>(account.back());
  }
};

}  // namespace pat::bench

#endif  // PAT_BENCH_PEER_ROWS_H_
