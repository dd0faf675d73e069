// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// old_record STORE keep|put ACCOUNT ID FILE: who can write the store's files, but has no keyring,
// keeps the rows of a token in FILE, or puts them back.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "pat/lmdb_store.h"

namespace {

struct Rows {
  pat::TokenRecord record;
  pat::AccountRow account;
  std::string metadata;
};

bool Read(pat::Store& store, const std::string& account, std::uint64_t id, Rows* rows) {
  const auto row = store.ReadAccount(account);
  if (!row.ok() || store.Find(id, &rows->record) != pat::Store::Lookup::kFound) return false;
  auto metadata = store.ReadMetadata(row->number, id);
  if (!metadata.ok()) return false;
  rows->account = *row;
  rows->metadata = *std::move(metadata);
  return true;
}

char* Bytes(pat::TokenRecord& record) { return reinterpret_cast<char*>(record.bytes.data()); }

bool Keep(const Rows& rows, const char* path) {
  Rows kept = rows;
  std::ofstream file(path, std::ios::binary);
  file.write(Bytes(kept.record), sizeof kept.record.bytes);
  file.write(reinterpret_cast<char*>(&kept.account), sizeof kept.account);
  file << kept.metadata;
  return file.flush().good();
}

bool Kept(const char* path, Rows* rows) {
  std::ifstream file(path, std::ios::binary);
  file.read(Bytes(rows->record), sizeof rows->record.bytes);
  file.read(reinterpret_cast<char*>(&rows->account), sizeof rows->account);
  const bool good = file.good();
  rows->metadata.assign(std::istreambuf_iterator<char>(file), {});
  return good;
}

bool Put(pat::Store& store, const std::string& account, std::uint64_t id, const Rows& rows) {
  const std::uint32_t number = rows.account.number;
  pat::Batch batch;
  batch.tokens.push_back({id, rows.record});
  batch.metadata.push_back({number, id, rows.metadata});
  batch.accounts.push_back({account, number, std::string(rows.account.view())});
  return store.Apply(batch).ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  pat::LmdbOptions options;
  options.map_bytes = std::size_t{1} << 28;
  options.flush_interval = absl::ZeroDuration();
  const auto store = pat::OpenLmdbStore(argv[1], options);
  if (!store.ok()) return 1;
  const std::string account = argv[3];
  const std::uint64_t id = std::strtoull(argv[4], nullptr, 10);
  Rows rows;
  const bool done = std::string(argv[2]) == "keep"
                        ? Read(**store, account, id, &rows) && Keep(rows, argv[5])
                        : Kept(argv[5], &rows) && Put(**store, account, id, rows);
  return done ? 0 : 1;
}
