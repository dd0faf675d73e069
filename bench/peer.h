// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_BENCH_PEER_H_
#define PAT_BENCH_PEER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pat::bench {

/// Another way to answer the same question. Each peer_*.cc is one, with a library of its own; it
/// is built if that library is there.
class Peer {
 public:
  virtual ~Peer() = default;

  /// Judges its i-th credential and reads who it is, whose, and its rights: a sum of them, or 0 if
  /// it is refused.
  virtual std::uint64_t Verify(std::size_t i) = 0;

  /// How many credentials there are. Verify takes numbers below it.
  virtual std::size_t size() const = 0;
};

// The peers, with credentials for that many tokens; nullptr if its server is not there.
std::unique_ptr<Peer> OpenHs256Floor(std::int64_t tokens);
std::unique_ptr<Peer> OpenLibjwtHs256(std::int64_t tokens);
std::unique_ptr<Peer> OpenLibjwtRs256(std::int64_t tokens);
std::unique_ptr<Peer> OpenLibjwtEs256(std::int64_t tokens);
std::unique_ptr<Peer> OpenMacaroons(std::int64_t tokens);
std::unique_ptr<Peer> OpenRedis(std::int64_t tokens);
std::unique_ptr<Peer> OpenPostgres(std::int64_t tokens);
std::unique_ptr<Peer> OpenSqlite(std::int64_t tokens);
std::unique_ptr<Peer> OpenPbkdf2(std::int64_t tokens);

/// Registers "peer/NAME/TOKENS" for those that there are; if not `all`, for the cheapest alone.
void RegisterPeers(std::int64_t tokens, bool all);

/// What stands for token `i` in the peers' credentials and rows, as in a Population.
std::string AccountOfRow(std::size_t i);

/// A shuffled walk over 0..n-1, the same each time.
std::size_t ShuffledRow(std::size_t i, std::size_t n);

}  // namespace pat::bench

#endif  // PAT_BENCH_PEER_H_
