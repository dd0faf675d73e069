// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A store whose data.mdb is damaged: flipped bits, swapped and lost records and pages, a file cut
// short. Whatever is still accepted was once issued, with no more rights than it had; where only
// records are damaged, every token can be revoked. A damaged page may end the process that reads it
// (LMDB trusts its file): `patctl doctor` does that in a child and lives.
//
// PAT_DAMAGED_FILES: how many files (20,000).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pat/authority.h"
#include "pat/base62.h"
#include "pat/crc32.h"
#include "pat/lmdb_store.h"
#include "tests/disk/damage.h"
#include "tests/issued_secrets.h"
#include "tests/process/shared_memory.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

constexpr std::size_t kProcesses = 2;

absl::StatusOr<std::unique_ptr<Store>> OpenRows(const std::string& directory) {
  LmdbOptions lmdb;
  lmdb.create_if_missing = true;
  lmdb.flush_interval = absl::ZeroDuration();
  lmdb.concurrent_reads = 1;
  lmdb.max_readers = 16;
  lmdb.map_bytes = std::size_t{4} << 20;
  lmdb.reserve_bytes = 0;
  return OpenLmdbStore(directory + "/store", lmdb);
}

absl::StatusOr<std::unique_ptr<Authority>> Open(const std::string& directory, bool create) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenRows(directory);
  if (!store.ok()) return store.status();
  AuthorityOptions options;
  options.create_if_missing = create;
  if (create) options.prefixes = {"damaged_"};
  return Authority::Open(*std::move(store), Keyring::File(directory + "/keyring"), options);
}

// A token, and the most it ever was.
struct Known {
  std::uint64_t id;
  std::string text;
  std::string account;
  PermissionSet permissions;
  bool active;  // now; each was so once
};

struct Found {
  std::atomic<std::uint64_t> looked_at, opened, accepted, replayed, raised, stubborn, lied, crashed,
      hung;
  std::array<std::atomic<std::uint64_t>, kProcesses> file;
  std::array<std::atomic<std::uint64_t>, 64> crashed_files;
  std::array<char, 400> complaint;
};

class DamagedFiles : public testing::Test {
 protected:
  void SetUp() override {
    auto authority = Open(made_.path(), /*create=*/true);
    ASSERT_TRUE(authority.ok()) << authority.status();
    const std::string accounts[] = {"alice", "bob", "an account with a long name"};
    for (std::size_t i = 0; i < 12; ++i) Make(authority->get(), i, accounts[i % 3]);
    for (std::size_t i = 0; i < 12; ++i) Settle(authority->get(), i);
    authority->reset();
    std::ifstream file(made_ / "store/data.mdb", std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), {});
    NoteRecords();
  }

  void Make(Authority* authority, std::size_t i, const std::string& account) {
    IssueRequest request;
    request.account = account;
    request.description = std::string(i * 30 % 100 + 1, 'd');
    request.scopes = {i % 2 == 0 ? "repo:read" : "repo:write"};
    request.attributes = {{"ip", std::string(i * 80, '1')}};
    const absl::StatusOr<Issued> issued = authority->Issue(request);
    ASSERT_TRUE(issued.ok()) << issued.status();
    const std::string text(issued->text.Reveal());
    RecordIssuedSecret(text);
    known_.push_back({issued->token.id, text, account, issued->token.permissions, true});
  }

  // A third of them inactive, a third deleted.
  void Settle(Authority* authority, std::size_t i) {
    if (i % 3 == 1) {
      EXPECT_TRUE(authority->Deactivate(known_[i].id).ok());
    } else if (i % 3 == 2) {
      EXPECT_TRUE(authority->Delete(known_[i].id).ok());
    }
    known_[i].active = i % 3 == 0;
  }

  void NoteRecords() {
    auto rows = OpenRows(made_.path());
    ASSERT_TRUE(rows.ok());
    for (const Known& token : known_) {
      TokenRecord record;
      ASSERT_EQ((*rows)->Find(token.id, &record), Store::Lookup::kFound);
      const std::string bytes(record.bytes.begin(), record.bytes.end());
      for (std::size_t at = whole_.find(bytes); at != whole_.npos;
           at = whole_.find(bytes, at + 1)) {
        records_.push_back(at);
      }
    }
    ASSERT_GE(records_.size(), known_.size());
  }

  // ---- The processes that open them

  void LookAtAll(std::size_t process, std::uint64_t files) {
    mallopt(M_MMAP_THRESHOLD, 1 << 17);  // LMDB asks for 2 MiB of zeros that it never looks at
    const std::string directory = made_ / std::to_string(process);
    std::filesystem::create_directories(directory + "/store");
    std::filesystem::permissions(directory + "/store", std::filesystem::perms(0700));
    std::filesystem::copy(made_ / "keyring", directory + "/keyring",
                          std::filesystem::copy_options::overwrite_existing);
    for (std::atomic<std::uint64_t>& file = found_->file[process]; file < files;
         file += kProcesses) {
      const itimerval most{{0, 0}, {0, 60000}};  // of work, else 2 ms: LMDB can go in circles
      setitimer(ITIMER_PROF, &most, nullptr);
      const Damage damage(file, whole_, records_);
      Write(directory, damage.bytes());
      LookAt(directory, damage);
      ++found_->looked_at;
    }
    _exit(0);
  }

  static void Write(const std::string& directory, const std::string& bytes) {
    std::ofstream(directory + "/store/data.mdb", std::ios::binary | std::ios::trunc) << bytes;
    std::filesystem::permissions(directory + "/store/data.mdb", std::filesystem::perms(0600));
  }

  void LookAt(const std::string& directory, const Damage& damage) {
    auto opened = Open(directory, /*create=*/false);
    if (!opened.ok()) return;
    ++found_->opened;
    for (const Known& token : known_) {
      Judge((*opened)->Verify(token.text), token, damage);
      if ((*opened)->Verify(WrongSecret(token.text)).principal() != nullptr) {
        ++found_->raised;
        Complain(damage, "a wrong secret was accepted");
      }
    }
    for (const Known& token : known_) Revoke(opened->get(), token, damage);
  }

  void Judge(const Decision& decision, const Known& token, const Damage& damage) {
    const Principal* const who = decision.principal();
    if (who == nullptr) return;
    ++found_->accepted;
    if (!token.active) {
      ++found_->replayed;
      if (damage.kind() == Damage::Kind::kRecordBits) {
        ++found_->raised;
        Complain(damage, "flipped bits revived a token");
      }
    }
    if (who->account() != token.account || !token.permissions.Contains(who->permissions())) {
      ++found_->raised;
      Complain(damage, "more rights than it ever had");
    }
  }

  void Revoke(Authority* authority, const Known& token, const Damage& damage) {
    const absl::Status status = authority->Delete(token.id);
    if (authority->Verify(token.text).principal() == nullptr) return;
    ++(status.ok() ? found_->lied : found_->stubborn);
    if (status.ok() || damage.is_of_records()) {
      ++found_->lied;
      Complain(damage, "could not be revoked: " + status.ToString());
    }
  }

  // The same token's selector with another secret, and a checksum that fits.
  static std::string WrongSecret(std::string text) {
    char& last = text[text.size() - 7];
    last = last == 'a' ? 'b' : 'a';
    char* const checksum = text.data() + text.size() - 6;
    token_text_internal::EncodeChecksum(Crc32(std::string_view(text).substr(0, text.size() - 6)),
                                        checksum);
    return text;
  }

  void Complain(const Damage& damage, const std::string& what) {
    if (found_->complaint[0] != '\0') return;
    const std::string text = damage.ToString() + ": " + what + "\n";
    std::strncpy(found_->complaint.data(), text.c_str(), found_->complaint.size() - 1);
  }

  pid_t Start(std::size_t process, std::uint64_t files) {
    const pid_t child = fork();
    if (child == 0) LookAtAll(process, files);
    return child;
  }

  void RunAll(std::uint64_t files) {
    std::map<pid_t, std::size_t> running;
    for (std::size_t process = 0; process < kProcesses; ++process) {
      found_->file[process] = process;
      running[Start(process, files)] = process;
    }
    while (!running.empty()) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, 0);
      const std::size_t process = running.at(ended);
      running.erase(ended);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      found_->hung += WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF ? 1 : 0;
      const std::uint64_t n = found_->crashed++;
      if (n < found_->crashed_files.size()) found_->crashed_files[n] = found_->file[process].load();
      found_->file[process] += kProcesses;
      running[Start(process, files)] = process;
    }
  }

  // The exit status of patctl doctor; minus the signal that ended it.
  int Doctor(std::uint64_t file) {
    Write(made_.path(), Damage(file, whole_, records_).bytes());
    const std::string store = made_ / "store";
    const std::string keyring = made_ / "keyring";
    const char* const argv[] = {PAT_BIN_DIR "/patctl", "--store", store.c_str(), "--keyring",
                                keyring.c_str(),       "doctor",  nullptr};
    pid_t pid = 0;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    EXPECT_EQ(posix_spawn(&pid, argv[0], &quiet, nullptr, const_cast<char**>(argv), environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  const TempDir made_ = TempDir::InMemory();
  std::vector<Known> known_;
  std::string whole_;
  std::vector<std::size_t> records_;
  const SharedMemory<Found> found_;
};

TEST_F(DamagedFiles, NothingIsRaisedAndRecordsCanBeRevoked) {
  const char* const wanted = std::getenv("PAT_DAMAGED_FILES");  // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t files = wanted == nullptr ? 20000 : std::strtoull(wanted, nullptr, 10);
  RunAll(files);
  std::cout << files << " damaged files: " << found_->opened << " opened, " << found_->accepted
            << " tokens accepted, " << found_->replayed << " of them as they were before, "
            << found_->stubborn << " not to be revoked (pages), " << found_->crashed
            << " ended the process (" << found_->hung << " by going on for ever)\n"
            << found_->complaint.data();
  EXPECT_EQ(found_->raised, 0U);
  EXPECT_EQ(found_->lied, 0U);
  EXPECT_GT(found_->opened, files / 2);
  EXPECT_LT(found_->accepted, found_->opened * 4) << "the damage hit no token";
  EXPECT_EQ(found_->looked_at + found_->crashed, files);
  int noticed = 0;  // it does not see damage that only a writer meets, in the list of free pages
  const std::uint64_t n = std::min<std::uint64_t>(found_->crashed, 20);
  for (std::uint64_t i = 0; i < n; ++i) {
    const int status = Doctor(found_->crashed_files[i]);
    EXPECT_TRUE(status == 0 || status == 1) << "file " << found_->crashed_files[i];
    noticed += status;
  }
  std::cout << "of " << n << " that did, patctl doctor named " << noticed << "\n";
  EXPECT_GT(noticed, 0);
}

// Somebody with the keyring could do this; the check must see it.
TEST_F(DamagedFiles, ControlARaisedTokenIsNoticed) {
  for (Known& token : known_) token.permissions = PermissionSet();
  RunAll(100);
  EXPECT_GT(found_->raised, 0U);
}

}  // namespace
}  // namespace pat
