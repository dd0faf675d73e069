// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// A hostile writer at work while the authority reads, checks and writes.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/forwarding_store.h"
#include "tests/hostile_fixture.h"

namespace pat {
namespace {

// ---- Bytes of the page cache that change while Verify runs

// Changes the record's copies in the file's mapping and puts them right again, until it is killed.
[[noreturn]] void Scribble(const std::string& path, const TokenRecord& record, int ready) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) _exit(1);
  const auto size = static_cast<std::size_t>(info.st_size);
  void* map = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) _exit(2);
  auto* const bytes = static_cast<volatile unsigned char*>(map);
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at + record.bytes.size() <= size; at += 16) {
    if (std::equal(record.bytes.begin(), record.bytes.end(), bytes + at)) places.push_back(at);
  }
  const char found = places.empty() ? '0' : '1';
  if (write(ready, &found, 1) != 1) _exit(3);
  std::minstd_rand random(1);  // NOLINT
  for (;;) {
    for (const std::size_t place : places) {
      const std::size_t first = random() % record.bytes.size();
      const std::size_t count = 1 + random() % 8;
      for (std::size_t i = first; i < std::min(first + count, record.bytes.size()); ++i) {
        bytes[place + i] = static_cast<unsigned char>(record.bytes[i] ^ (1 + random() % 255));
      }
      for (unsigned wait = random() % 64; wait > 0; --wait) bytes[place + first];
      for (std::size_t i = 0; i < record.bytes.size(); ++i) bytes[place + i] = record.bytes[i];
      for (unsigned wait = random() % 256; wait > 0; --wait) bytes[place + first];
    }
  }
}

TEST_F(HostileStoreTest, BytesThatChangeWhileTheyAreJudgedAreNeverAccepted) {
  for (const std::string_view account : {std::string_view("alice"), kLongAccount}) {
    const Issued issued = Issue(account);
    const TokenRecord record = Record(issued.token.id);
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) Scribble(Directory() + "/data.mdb", record, ready[1]);
    close(ready[1]);
    char found = '0';
    EXPECT_EQ(read(ready[0], &found, 1), 1);
    EXPECT_EQ(found, '1') << "the record is not in the file as it is";
    close(ready[0]);
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    // On one processor the other process has to get its turns: go on until both were seen.
    for (int i = 0; i < 20000000 && (i < 300000 || accepted < 100 || refused < 100); ++i) {
      const Decision decision = authority_->Verify(issued.text.Reveal());
      const Principal* who = decision.principal();
      ++(who != nullptr ? accepted : refused);
      if (who == nullptr) continue;
      ASSERT_EQ(who->account(), account);
      ASSERT_EQ(who->permissions(), issued.token.permissions);
      ASSERT_EQ(who->origin(), Origin::kManual);
      ASSERT_EQ(who->token_id(), issued.token.id);
    }
    kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    EXPECT_GT(accepted, 0U);
    EXPECT_GT(refused, 0U);
  }
}

// ---- Changed between check and use

/// Runs `before_apply` right before each batch is applied, until it has run `times` times.
class MeddlingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status Apply(const Batch& batch) override {
    if (times > 0) {
      --times;
      before_apply(inner());
    }
    return inner()->Apply(batch);
  }

  std::function<void(Store*)> before_apply;
  int times = 0;
};

class CheckAndUseTest : public ::testing::Test {
 protected:
  CheckAndUseTest() {
    auto meddling = std::make_unique<MeddlingStore>(store_);
    meddling_ = meddling.get();
    const std::string keyring = *Keyring::Generate();
    RecordIssuedSecret(keyring.substr(keyring.find("selector 1 ") + 11, 64));
    RecordIssuedSecret(keyring.substr(keyring.find("seal 1 ") + 7, 64));
    AuthorityOptions options;
    options.create_if_missing = true;
    options.prefixes = {"acme_pat_"};
    authority_ = *Authority::Open(std::move(meddling), Keyring::Bytes(keyring), options);
    other_ = *Authority::Open(std::make_unique<ForwardingStore>(store_), Keyring::Bytes(keyring),
                              options);
  }

  Issued Issue(std::string_view account, const char* scope) {
    IssueRequest request;
    request.account = account;
    request.description = "laptop";
    request.scopes = {scope};
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    RecordIssuedSecret(issued->text.Reveal());
    return *std::move(issued);
  }

  TokenRecord Record(std::uint64_t id) {
    TokenRecord record;
    EXPECT_EQ(store_->Find(id, &record), Store::Lookup::kFound);
    return record;
  }

  static void PutRecord(Store* store, std::uint64_t id, const TokenRecord& record) {
    Batch batch;
    batch.tokens.push_back({id, record});
    ASSERT_TRUE(store->Apply(batch).ok());
  }

  // Whatever happened: no more than these rights.
  void ExpectAtMost(const Issued& issued, PermissionSet rights) {
    const Decision decision = authority_->Verify(issued.text.Reveal());
    if (decision.principal() == nullptr) return;
    EXPECT_TRUE(rights.Contains(decision.principal()->permissions()));
    EXPECT_EQ(decision.principal()->account(), issued.token.account);
  }

  std::shared_ptr<Store> store_ = NewMemoryStore();
  MeddlingStore* meddling_ = nullptr;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Authority> other_;
};

TEST_F(CheckAndUseTest, ARecordRaisedBeforeTheWriteIsNotResealed) {
  for (const std::size_t byte : {0U, 16U, 24U, 28U, 30U, 31U, 32U, 47U}) {
    SCOPED_TRACE(byte);
    const Issued issued = Issue("alice", "repo:read");
    TokenRecord raised = Record(issued.token.id);
    raised.bytes[byte] ^= 0x0CU;
    meddling_->times = 1;
    meddling_->before_apply = [&](Store* store) { PutRecord(store, issued.token.id, raised); };
    TokenUpdate update;
    update.description = "renamed";
    EXPECT_TRUE(absl::IsDataLoss(authority_->Update(issued.token.id, update).status()));
    EXPECT_EQ(Record(issued.token.id), raised);
    EXPECT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr);
    EXPECT_TRUE(authority_->Delete(issued.token.id).ok());
  }
}

TEST_F(CheckAndUseTest, ADeleteTriesAgainUntilItHolds) {
  const Issued issued = Issue("alice", "repo:read");
  const TokenRecord original = Record(issued.token.id);
  TokenRecord edited = original;
  edited.bytes[16] ^= 0xFFU;
  meddling_->times = 7;
  meddling_->before_apply = [&](Store* store) {
    PutRecord(store, issued.token.id, meddling_->times % 2 == 0 ? edited : original);
  };
  EXPECT_TRUE(authority_->Delete(issued.token.id, "alice").ok());
  EXPECT_EQ(meddling_->times, 0);
  EXPECT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr);
  EXPECT_EQ(authority_->Count("alice")->active, 0U);
}

TEST_F(CheckAndUseTest, AnotherTokensRecordBeforeTheWriteIsNotResealed) {
  const Issued mine = Issue("alice", "repo:read");
  const Issued admin = Issue("alice", "repo:admin");
  const TokenRecord admin_record = Record(admin.token.id);
  meddling_->times = 1;
  meddling_->before_apply = [&](Store* store) { PutRecord(store, mine.token.id, admin_record); };
  EXPECT_TRUE(absl::IsDataLoss(authority_->Deactivate(mine.token.id)));
  ExpectAtMost(mine, PermissionSet());
  EXPECT_EQ(authority_->Verify(mine.text.Reveal()).principal(), nullptr);
  EXPECT_NE(authority_->Verify(admin.text.Reveal()).principal(), nullptr);
}

TEST_F(CheckAndUseTest, ASpoiledAccountRowBeforeTheWriteStopsNoRevocation) {
  const Issued issued = Issue("alice", "repo:read");
  meddling_->times = 1;
  meddling_->before_apply = [&](Store* store) {
    Batch batch;
    batch.accounts.push_back({"alice", store->ReadAccount("alice")->number, "spoiled"});
    ASSERT_TRUE(store->Apply(batch).ok());
  };
  const absl::Status status = authority_->Deactivate(issued.token.id, "alice");
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr);
}

TEST_F(CheckAndUseTest, AnHonestChangeInBetweenIsNotLost) {
  const PermissionSet read = *authority_->scopes().Grant({{"repo:read"}});
  const Issued issued = Issue("alice", "repo:admin");
  TokenUpdate lower;
  lower.scopes = {{"repo:read"}};
  meddling_->times = 1;
  meddling_->before_apply = [&](Store*) {
    ASSERT_TRUE(other_->Update(issued.token.id, lower).ok());
  };
  TokenUpdate rename;
  rename.description = "renamed";
  const absl::StatusOr<Token> renamed = authority_->Update(issued.token.id, rename);
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_EQ(renamed->permissions, read);
  EXPECT_EQ(renamed->description, "renamed");
  ExpectAtMost(issued, read);

  meddling_->times = 1;
  meddling_->before_apply = [&](Store*) { ASSERT_TRUE(other_->Delete(issued.token.id).ok()); };
  rename.description = "again";
  EXPECT_TRUE(absl::IsNotFound(authority_->Update(issued.token.id, rename).status()));
  EXPECT_EQ(authority_->Verify(issued.text.Reveal()).principal(), nullptr);
}

TEST_F(CheckAndUseTest, OlderMetadataBeforeTheWriteChangesNothingThatCounts) {
  const Issued issued = Issue("alice", "repo:admin");
  const std::uint32_t number = store_->ReadAccount("alice")->number;
  const std::string older = *store_->ReadMetadata(number, issued.token.id);
  TokenUpdate lower;
  lower.scopes = {{"repo:read"}};
  ASSERT_TRUE(authority_->Update(issued.token.id, lower).ok());
  meddling_->times = 1;
  meddling_->before_apply = [&](Store* store) {
    Batch batch;
    batch.metadata.push_back({number, issued.token.id, older});
    ASSERT_TRUE(store->Apply(batch).ok());
  };
  TokenUpdate rename;
  rename.description = "renamed";
  EXPECT_TRUE(authority_->Update(issued.token.id, rename).ok());
  EXPECT_EQ(authority_->Get(issued.token.id)->scopes, std::vector<std::string>{"repo:read"});
  ExpectAtMost(issued, *authority_->scopes().Grant({{"repo:read"}}));
}

// ---- Garbage everywhere

class GarbageTest : public HostileStoreTest {
 protected:
  struct Kept {
    Issued issued;
    PermissionSet most;  // what it may have, at any time
  };

  void IssueSome() {
    const std::string accounts[] = {"alice", "bob", std::string(kLongAccount),
                                    std::string(kOtherLongAccount)};
    const char* scopes[] = {"repo:public_read", "repo:read", "repo:write"};
    for (int i = 0; i < 12; ++i) {
      IssueRequest request = Request(accounts[i % 4]);
      request.scopes = {scopes[i % 3]};
      if (i % 5 == 0) request.origin = Origin::kAuto;
      Issued issued = Issue(request);
      const PermissionSet most = issued.token.permissions;
      kept_.push_back({std::move(issued), most});
    }
  }

  // Overwrites, cuts, lengthens or moves a value of a table, by what is there.
  static void Spoil(RawTables& raw, std::minstd_rand& random) {
    static constexpr const char* kTables[] = {"hot", "acct", "name", "place"};
    const auto choice =
        static_cast<unsigned>(random() % 20);  // "meta" seldom: one edit there ends it all
    const char* table = choice == 0 ? "meta" : kTables[choice % 4];
    MDB_cursor* cursor = nullptr;
    RawTables::Must(mdb_cursor_open(raw.txn(), raw.Table(table), &cursor));
    std::vector<std::pair<std::string, std::string>> rows;
    MDB_val key{0, nullptr};
    MDB_val value{0, nullptr};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
      if (ViewOf(key) != "format") rows.emplace_back(ViewOf(key), ViewOf(value));
    }
    mdb_cursor_close(cursor);
    if (rows.empty()) return;
    auto& [name, bytes] = rows[random() % rows.size()];
    switch (random() % 8) {
      case 0: bytes = rows[random() % rows.size()].second; break;  // another row's
      case 1: bytes.resize(random() % (bytes.size() + 20), 'x'); break;
      case 2: bytes.clear(); break;  // gone
      case 3:                        // a run of one byte
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(random() % bytes.size()), 1,
                    static_cast<char>(random()));
        [[fallthrough]];
      default:
        for (unsigned n = 1 + random() % 4; n > 0 && !bytes.empty(); --n) {
          // In a page of tokens mostly where the tokens are.
          const std::size_t range =
              bytes.size() == kHotPageBytes ? 14 * kRecordBytes : bytes.size();
          bytes[random() % range] = static_cast<char>(random());
        }
    }
    raw.Put(table, ValueOf(name), bytes);
  }

  void ExpectNothingRaised() {
    for (const Kept& kept : kept_) {
      const Decision decision = authority_->Verify(kept.issued.text.Reveal());
      const Principal* who = decision.principal();
      if (who == nullptr) continue;
      ++accepted_;
      EXPECT_EQ(who->account(), kept.issued.token.account);
      EXPECT_EQ(who->origin(), kept.issued.token.origin);
      EXPECT_TRUE(kept.most.Contains(who->permissions()));
    }
  }

  // Errors are fine, what they are does not matter here.
  void UseEverything(std::minstd_rand& random) {
    ListOptions options;
    options.limit = 1 + random() % 5;
    for (const std::string_view account :
         {std::string_view("alice"), std::string_view("bob"), kLongAccount, kOtherLongAccount}) {
      (void)authority_->List(account, options);
      (void)authority_->Count(account);
    }
    Kept& kept = kept_[random() % kept_.size()];
    const std::uint64_t id = kept.issued.token.id;
    const std::string owner = random() % 2 == 0 ? "" : kept.issued.token.account;
    (void)authority_->Get(id, owner);
    TokenUpdate update;
    update.description = "renamed";
    switch (random() % 6) {
      case 0: (void)authority_->Update(id, update, owner); break;
      case 1: authority_->Activate(id, owner).IgnoreError(); break;
      case 2: authority_->Deactivate(id, owner).IgnoreError(); break;
      case 3: (void)authority_->Purge(absl::FromUnixSeconds(now_ - 100)); break;
      case 4: {
        absl::StatusOr<Issued> issued = authority_->Issue(Request(kept.issued.token.account));
        if (!issued.ok()) break;
        RecordIssuedSecret(issued->text.Reveal());
        const PermissionSet most = issued->token.permissions;
        kept_.push_back({*std::move(issued), most});
        break;
      }
      default: (void)authority_->Stats();
    }
    (void)authority_->Health();
    (void)authority_->Flush();
  }

  std::vector<Kept> kept_;
  int accepted_ = 0;
};

TEST_F(GarbageTest, AThousandRandomEditsCrashNothingAndRaiseNothing) {
  IssueSome();
  for (const Kept& kept : kept_) ExpectAccepted(kept.issued);
  ASSERT_TRUE(authority_->Flush().ok());
  Close();
  const std::string good = folder_.path() + "/good";
  std::filesystem::copy(Directory(), good, std::filesystem::copy_options::recursive);
  std::minstd_rand random(7);  // NOLINT
  int opened = 0;
  for (int round = 0; round < 50; ++round) {
    std::filesystem::remove_all(Directory());
    std::filesystem::copy(good, Directory(), std::filesystem::copy_options::recursive);
    kept_.erase(kept_.begin() + 12, kept_.end());
    auto authority =
        Authority::Open(OpenStore(Directory()), Keyring::File(KeyringPath()), Options());
    ASSERT_TRUE(authority.ok()) << authority.status();
    authority_ = *std::move(authority);
    for (int edit = 0; edit < 20; ++edit) {
      SCOPED_TRACE(std::to_string(round) + ", " + std::to_string(edit));
      Edit([&](RawTables& raw) {
        std::minstd_rand own(static_cast<unsigned>(round * 100 + edit + 1));  // NOLINT
        Spoil(raw, own);
      });
      ExpectNothingRaised();
      UseEverything(random);
      ExpectNothingRaised();
      if (HasFatalFailure()) return;
    }
    authority_.reset();
    // Opened again it either says what is wrong or serves what is left.
    LmdbOptions lmdb;
    lmdb.map_bytes = std::size_t{1} << 28;
    lmdb.flush_interval = absl::ZeroDuration();
    auto store = OpenLmdbStore(Directory(), lmdb);
    if (!store.ok()) continue;
    auto again = Authority::Open(*std::move(store), Keyring::File(KeyringPath()), Options());
    if (!again.ok()) continue;
    ++opened;
    authority_ = *std::move(again);
    ExpectNothingRaised();
    authority_.reset();
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(accepted_, 1000);
}

}  // namespace
}  // namespace pat
