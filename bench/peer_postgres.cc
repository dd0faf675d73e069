// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A prepared SELECT in PostgreSQL by libpq, over the unix socket in the directory that
// PAT_BENCH_POSTGRES_DIR names.
#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/peer.h"
#include "bench/peer_rows.h"

namespace pat::bench {
namespace {

std::string HexOf(const RowKey& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : key) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

// A column in binary: a big-endian integer of eight bytes.
std::int64_t Integer(const PGresult* result, int column) {
  std::uint64_t value = 0;
  std::memcpy(&value, PQgetvalue(result, 0, column), sizeof value);
  return static_cast<std::int64_t>(__builtin_bswap64(value));
}

class Postgres final : public Peer {
 public:
  Postgres(PGconn* connection, std::size_t count) : connection_(connection), count_(count) {}
  ~Postgres() override { PQfinish(connection_); }

  bool Fill() {
    const std::string table = "tokens_" + std::to_string(count_);
    if (!Run("CREATE TABLE " + table +
             " (digest bytea, id bigint, rights bigint, active boolean, expires bigint, "
             "account text)")) {
      return false;
    }
    if (!Copy(table)) return false;
    if (!Run("ALTER TABLE " + table + " ADD PRIMARY KEY (digest)") ||
        !Run("VACUUM ANALYZE " + table))
      return false;
    PGresult* prepared = PQprepare(
        connection_, "find",
        ("SELECT id, rights, active, expires, account FROM " + table + " WHERE digest = $1")
            .c_str(),
        1, nullptr);
    const bool done = PQresultStatus(prepared) == PGRES_COMMAND_OK;
    PQclear(prepared);
    return done;
  }

  std::size_t size() const override { return count_; }

  std::uint64_t Verify(std::size_t i) override {
    const RowKey key = KeyOf(RowToken(ShuffledRow(i, count_)));
    const char* values[] = {reinterpret_cast<const char*>(key.data())};
    const int lengths[] = {static_cast<int>(key.size())};
    const int formats[] = {1};
    PGresult* result = PQexecPrepared(connection_, "find", 1, values, lengths, formats, 1);
    std::uint64_t sum = 0;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) {
      TokenRowRead row;
      row.id = static_cast<std::uint64_t>(Integer(result, 0));
      row.rights = static_cast<std::uint64_t>(Integer(result, 1));
      row.active = *PQgetvalue(result, 0, 2) == 1;
      row.expires_unix_s = Integer(result, 3);
      row.account = {PQgetvalue(result, 0, 4), static_cast<std::size_t>(PQgetlength(result, 0, 4))};
      sum = row.Sum();
    }
    PQclear(result);
    return sum;
  }

 private:
  bool Run(const std::string& statement, ExecStatusType expected = PGRES_COMMAND_OK) {
    PGresult* result = PQexec(connection_, statement.c_str());
    const bool done = PQresultStatus(result) == expected;
    PQclear(result);
    return done;
  }

  bool Copy(const std::string& table) {
    if (!Run("COPY " + table + " FROM STDIN", PGRES_COPY_IN)) return false;
    std::string lines;
    for (std::size_t i = 0; i < count_; ++i) {
      lines += "\\\\x" + HexOf(KeyOf(RowToken(i))) + "\t" + std::to_string(i + 1) +
               "\t7\tt\t4102444800\t" + AccountOfRow(i) + "\n";
      if (lines.size() < 100'000 && i + 1 < count_) continue;
      if (PQputCopyData(connection_, lines.data(), static_cast<int>(lines.size())) != 1)
        return false;
      lines.clear();
    }
    if (PQputCopyEnd(connection_, nullptr) != 1) return false;
    bool done = true;
    while (PGresult* result = PQgetResult(connection_)) {
      done &= PQresultStatus(result) == PGRES_COMMAND_OK;
      PQclear(result);
    }
    return done;
  }

  PGconn* connection_;
  std::size_t count_;
};

}  // namespace

std::unique_ptr<Peer> OpenPostgres(std::int64_t tokens) {
  const char* directory = std::getenv("PAT_BENCH_POSTGRES_DIR");
  if (directory == nullptr) return nullptr;
  const std::string where = std::string("host=") + directory + " user=bench dbname=postgres";
  PGconn* connection = PQconnectdb(where.c_str());
  auto peer = std::make_unique<Postgres>(connection, static_cast<std::size_t>(tokens));
  if (PQstatus(connection) != CONNECTION_OK || !peer->Fill()) return nullptr;
  return peer;
}

}  // namespace pat::bench
