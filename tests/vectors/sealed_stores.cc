// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// sealed_stores VECTORS OUT: from sealed_tokens.txt, for tests in other languages, which cannot put
// a record into a store themselves: for each line with a verdict a store that holds the record and
// the account row of that line, in OUT/<number of the line>.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "pat/authority.h"
#include "pat/lmdb_store.h"
#include "tests/vectors/vector_file.h"

namespace {

using pat::testing::Unhex;
using pat::testing::Unquote;
using pat::testing::Vector;

// The time of last use of larger ids would take a file of their size.
constexpr std::uint64_t kLastId = 100'000;

pat::LmdbOptions Lmdb() {
  pat::LmdbOptions options;
  options.create_if_missing = true;
  options.map_bytes = std::size_t{1} << 26;
  options.reserve_bytes = 0;
  options.flush_interval = absl::ZeroDuration();
  return options;
}

absl::Status Create(const std::string& directory, const std::string& keyring, std::int64_t now) {
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"acme_pat_"};
  options.clock = [now] { return absl::FromUnixSeconds(now); };
  auto store = pat::OpenLmdbStore(directory, Lmdb());
  if (!store.ok()) return store.status();
  return pat::Authority::Open(*std::move(store), pat::Keyring::Bytes(keyring), options).status();
}

absl::Status Fill(const std::string& directory, const Vector& v) {
  pat::Batch batch;
  pat::TokenRecord record;
  const std::string bytes = Unhex(v.fields[4]);
  std::copy(bytes.begin(), bytes.end(), record.bytes.begin());
  batch.tokens.push_back({std::stoull(v.fields[3]), record});
  if (v.fields[6] != "-") {
    batch.accounts.push_back(
        {"account", static_cast<std::uint32_t>(std::stoul(v.fields[5])), Unhex(v.fields[6])});
  }
  auto store = pat::OpenLmdbStore(directory, Lmdb());
  if (!store.ok()) return store.status();
  for (std::uint64_t reserved = 0; reserved < batch.tokens[0].id;) {
    const auto first = (*store)->ReserveTokenIds(1000);
    if (!first.ok()) return first.status();
    reserved = *first + 999;
  }
  if (absl::Status s = (*store)->Apply(batch); !s.ok()) return s;
  return (*store)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::map<std::string, std::string> keyrings;
  int made = 0;
  for (const Vector& v : pat::testing::ReadVectors(argv[1])) {
    if (v.fields[0] == "keyring") keyrings[v.fields[1]] = Unquote(v.fields[2]);
    const bool verdict = v.fields.size() >= 8 && v.fields[0] != "token" && v.fields[0] != "open";
    if (!verdict || std::stoull(v.fields[3]) > kLastId) continue;
    const std::string directory = argv[2] + std::string("/") + std::to_string(v.line);
    absl::Status status = Create(directory, keyrings.at(v.fields[1]), std::stoll(v.fields[2]));
    if (status.ok()) status = Fill(directory, v);
    if (!status.ok()) {
      std::fprintf(stderr, "line %d: %s\n", v.line, status.ToString().c_str());
      return 1;
    }
    ++made;
  }
  std::printf("%d stores\n", made);
  return made > 50 ? 0 : 1;
}
