// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// debian_host DIR: a host in C++ with Protobuf, Abseil, LMDB and OpenSSL of the system's, busy
// before, between and after what it asks of libpat, and in another thread meanwhile: both sides
// give right results.
#include <google/protobuf/text_format.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "debian_host.pb.h"
#include "pat/c.h"

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

namespace {

void UseProtobuf() {
  host::Session session;
  session.set_user("alice");
  (*session.mutable_seen())["login"] = 7;
  session.add_children()->set_user("bob");
  std::string bytes, text;
  CHECK(session.SerializeToString(&bytes));
  host::Session again;
  CHECK(again.ParseFromString(bytes) && again.seen().at("login") == 7);
  CHECK(google::protobuf::TextFormat::PrintToString(again, &text));
  CHECK(text.find("bob") != std::string::npos);
  CHECK(host::Session::descriptor()->full_name() == "host.Session");
}

absl::StatusOr<int> Parse(const std::string& text) {
  if (text.empty()) return absl::InvalidArgumentError("empty");
  return static_cast<int>(text.size());
}

void UseAbseil() {
  absl::flat_hash_map<std::string, int> map;
  for (int i = 0; i < 1000; ++i) map[absl::StrCat("key", i)] = i;
  CHECK(map.size() == 1000 && map.at("key999") == 999);
  CHECK(Parse("abc").value() == 3 && absl::IsInvalidArgument(Parse("").status()));
  CHECK(Parse("").status().ToString() == "INVALID_ARGUMENT: empty");
  CHECK(absl::FormatTime(absl::FromUnixSeconds(0), absl::UTCTimeZone()).substr(0, 4) == "1970");
  absl::Mutex mutex;
  int sum = 0;
  std::thread other([&] {
    const absl::MutexLock lock(&mutex);
    sum += 1;
  });
  const auto done = [&] { return sum == 1; };
  mutex.LockWhen(absl::Condition(&done));
  mutex.Unlock();
  other.join();
}

void UseLmdb(const std::string& directory) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  MDB_val key{3, const_cast<char*>("key")}, value{5, const_cast<char*>("value")}, found{};
  CHECK(mdb_env_create(&env) == 0 && mdb_env_open(env, directory.c_str(), MDB_NOSUBDIR, 0600) == 0);
  CHECK(mdb_txn_begin(env, nullptr, 0, &txn) == 0 && mdb_dbi_open(txn, nullptr, 0, &dbi) == 0);
  CHECK(mdb_put(txn, dbi, &key, &value, 0) == 0 && mdb_txn_commit(txn) == 0);
  CHECK(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0);
  CHECK(mdb_get(txn, dbi, &key, &found) == 0 && found.mv_size == 5);
  CHECK(std::memcmp(found.mv_data, "value", 5) == 0);
  mdb_txn_abort(txn);
  mdb_env_close(env);
}

void UseOpenssl() {
  static const unsigned char kDigest[4] = {0xba, 0x78, 0x16, 0xbf};  // SHA-256 of "abc"
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_Digest("abc", 3, digest, &size, EVP_sha256(), nullptr) == 1 && size == 32);
  CHECK(std::memcmp(digest, kDigest, sizeof kDigest) == 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr);
  SSL_CTX_free(context);
}

void UseAll(const std::string& dir) {
  UseProtobuf();
  UseAbseil();
  UseLmdb(dir + "/own.mdb");
  UseOpenssl();
}

// Notes a secret for the scan of the logs, see tests/issued_secrets.h.
void Note(const char* secret) {
  const char* const path = std::getenv("PAT_TEST_SECRETS");
  std::FILE* const file = path == nullptr || *path == '\0' ? nullptr : std::fopen(path, "a");
  if (file == nullptr) return;
  CHECK(std::fprintf(file, "%s\n", secret) > 0 && std::fclose(file) == 0);
}

pat_authority* Open(const std::string& dir) {
  const std::string keyring = dir + "/keyring";
  const char* const prefixes[] = {"host_pat_"};
  pat_lmdb_options lmdb{};
  lmdb.size = sizeof lmdb;
  lmdb.create_if_missing = 1;
  pat_options options{};
  options.size = sizeof options;
  options.create_if_missing = 1;
  options.prefixes = prefixes;
  options.prefix_count = 1;
  options.keyring_path = keyring.c_str();
  pat_store* store = nullptr;
  pat_authority* authority = nullptr;
  CHECK(pat_store_open_lmdb((dir + "/tokens").c_str(), &lmdb, &store, nullptr) == PAT_OK);
  CHECK(pat_open(store, &options, &authority, nullptr) == PAT_OK);
  return authority;
}

void UsePat(const std::string& dir) {
  const char* const scopes[] = {"repo:write"};
  pat_authority* const authority = Open(dir);
  pat_issue_request request{};
  request.size = sizeof request;
  request.account = "alice";
  request.account_len = 5;
  request.description = "laptop";
  request.scopes = scopes;
  request.scope_count = 1;
  char secret[PAT_SECRET_CAPACITY];
  CHECK(pat_issue(authority, &request, secret, sizeof secret, nullptr, nullptr) == PAT_OK);
  Note(secret);
  pat_decision who{};
  who.size = sizeof who;
  std::thread busy([&] { UseAll(dir); });
  for (int i = 0; i < 1000; ++i) {
    CHECK(pat_verify(authority, secret, std::strlen(secret), nullptr, &who) == PAT_OK);
    CHECK(std::strcmp(who.account, "alice") == 0);
  }
  pat_page* page = nullptr;
  CHECK(pat_list(authority, "alice", 5, nullptr, &page, nullptr) == PAT_OK && page->count == 1);
  CHECK(std::strcmp(page->tokens[0]->description, "laptop") == 0);
  pat_page_free(page);
  busy.join();
  CHECK(pat_deactivate(authority, who.token_id, "alice", 5, nullptr) == PAT_OK);
  CHECK(pat_verify(authority, secret, std::strlen(secret), nullptr, &who) != PAT_OK);
  CHECK(who.refusal == PAT_REFUSAL_INACTIVE);
  pat_close(authority);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  UseAll(argv[1]);
  UsePat(argv[1]);
  UseAll(argv[1]);
  google::protobuf::ShutdownProtobufLibrary();
  std::puts("ok");
  return 0;
}
