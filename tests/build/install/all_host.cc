// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// all_host DIR: one program with both of libpat's libraries, the one for C++ and the self-contained
// one for C, each on a store of its own (two copies of LMDB must not open the same one).
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "pat/c.h"
#include "pat/pat.h"
#include "round_trip.h"

namespace {

bool RoundTripInCpp(const std::string& dir) {
  pat::LmdbOptions lmdb;
  lmdb.create_if_missing = true;
  auto store = pat::OpenLmdbStore(dir + "/cpp", lmdb);
  return store.ok() && PatRoundTrip(std::move(*store), pat::Keyring::File(dir + "/cpp-keyring"));
}

bool RoundTripInC(const std::string& dir) {
  const std::string keyring = dir + "/c-keyring";
  const char* const prefixes[] = {"host_pat_"};
  // The model, which both share, names the scope.
  const char* const scopes[] = {pat::ScopeSet::DockerHub().FindScope("repo:read")->name.c_str()};
  pat_lmdb_options lmdb{};
  lmdb.size = sizeof lmdb;
  lmdb.create_if_missing = 1;
  pat_options options{};
  options.size = sizeof options;
  options.create_if_missing = 1;
  options.prefixes = prefixes;
  options.prefix_count = 1;
  options.keyring_path = keyring.c_str();
  pat_issue_request request{};
  request.size = sizeof request;
  request.account = "alice";
  request.account_len = 5;
  request.description = "a foreign project";
  request.scopes = scopes;
  request.scope_count = 1;
  pat_decision who{};
  who.size = sizeof who;
  char secret[PAT_SECRET_CAPACITY];
  pat_store* store = nullptr;
  pat_authority* authority = nullptr;
  if (pat_store_open_lmdb((dir + "/c").c_str(), &lmdb, &store, nullptr) != PAT_OK ||
      pat_open(store, &options, &authority, nullptr) != PAT_OK ||
      pat_issue(authority, &request, secret, sizeof secret, nullptr, nullptr) != PAT_OK) {
    return false;
  }
  RecordIssuedSecret(secret);
  const std::size_t len = std::strlen(secret);
  const bool before = pat_verify(authority, secret, len, nullptr, &who) == PAT_OK &&
                      std::strcmp(who.account, "alice") == 0;
  const bool revoked = pat_deactivate(authority, who.token_id, "alice", 5, nullptr) == PAT_OK;
  const bool after = pat_verify(authority, secret, len, nullptr, &who) == PAT_OK;
  pat_close(authority);
  return before && revoked && !after && who.refusal == PAT_REFUSAL_INACTIVE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const bool ok = RoundTripInCpp(argv[1]) && RoundTripInC(argv[1]);
  std::puts(ok ? "model, core and c: ok" : "model, core and c: WRONG");
  return ok ? 0 : 1;
}
