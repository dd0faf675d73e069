// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "pat/keyring.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "pat/authority.h"
#include "pat/lmdb_store.h"
#include "pat/memory_store.h"
#include "tests/authority_fixture.h"
#include "tests/forwarding_store.h"
#include "tests/issued_secrets.h"

namespace pat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRealm = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kSecret =
    "5ec7e7000000000000000000000000000000000000000000000000005ec7e7ab";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteAll(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
}

// The secrets of a keyring text, for the scan of the logs.
void Record(std::string_view keyring) {
  std::istringstream lines{std::string(keyring)};
  std::string kind;
  std::string number;
  std::string secret;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (words >> kind >> number >> secret && secret.size() == 64) RecordIssuedSecret(secret);
  }
}

std::string RealmOf(std::string_view keyring) {
  return std::string(keyring.substr(keyring.find("realm ") + 6, 32));
}

/// One store (the authorities on it come and go) and a folder for keyrings.
class KeyringTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Authority>> Open(const Keyring& keyring, bool create = true) {
    AuthorityOptions options;
    options.create_if_missing = create;
    options.prefixes = {"acme_pat_"};
    auto authority = Authority::Open(std::make_unique<ForwardingStore>(store_), keyring, options);
    if (authority.ok() && fs::exists(path_)) Record(ReadAll(path_));
    return authority;
  }

  bool StoreIsEmpty() { return absl::IsNotFound(store_->ReadMeta("header").status()); }

  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  static Issued Issue(Authority* authority) {
    IssueRequest request;
    request.account = "alice";
    request.description = "laptop";
    request.scopes = {"repo:read"};
    absl::StatusOr<Issued> issued = authority->Issue(request);
    EXPECT_TRUE(issued.ok()) << issued.status();
    if (!issued.ok()) return {};
    RecordIssuedSecret(issued->text.Reveal());
    return *std::move(issued);
  }

  static bool Accepted(Authority* authority, const Issued& issued) {
    return authority->Verify(issued.text.Reveal()).principal() != nullptr;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/keyring";
  std::shared_ptr<Store> store_ = NewMemoryStore();
};

// ---- Where it comes from

TEST_F(KeyringTest, AFileIsMadeWithANewStore) {
  const auto authority = Open(Keyring::File(path_));
  ASSERT_TRUE(authority.ok()) << authority.status();
  EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(info.st_nlink, 1U);
  EXPECT_TRUE(KeyringSource::Parse(ReadAll(path_)).ok());

  const Issued issued = Issue(authority->get());
  const auto again = Open(Keyring::File(path_), false);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(Accepted(again->get(), issued));
}

TEST_F(KeyringTest, GeneratedBytesAreKeptByTheHost) {
  const absl::StatusOr<std::string> text = Keyring::Generate();
  ASSERT_TRUE(text.ok()) << text.status();
  Record(*text);
  const auto authority = Open(Keyring::Bytes(*text));
  ASSERT_TRUE(authority.ok()) << authority.status();
  EXPECT_TRUE(Files().empty());
  const Issued issued = Issue(authority->get());
  int calls = 0;
  const auto again = Open(Keyring::Callback([&]() -> absl::StatusOr<std::string> {
                            ++calls;
                            return *text;
                          }),
                          false);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(Accepted(again->get(), issued));
}

TEST_F(KeyringTest, GenerateIsNeverTwiceTheSame) {
  const std::string one = *Keyring::Generate();
  const std::string two = *Keyring::Generate();
  Record(one);
  Record(two);
  EXPECT_NE(RealmOf(one), RealmOf(two));
  EXPECT_NE(one.substr(one.find("selector")), two.substr(two.find("selector")));
}

TEST_F(KeyringTest, ACallbacksErrorIsPassedOn) {
  const auto authority = Open(Keyring::Callback(
      []() -> absl::StatusOr<std::string> { return absl::UnauthenticatedError("kms says no"); }));
  EXPECT_EQ(authority.status(), absl::UnauthenticatedError("kms says no"));
  EXPECT_TRUE(StoreIsEmpty());
}

TEST_F(KeyringTest, NoKeyringAtAllIsRefused) {
  for (const Keyring& keyring :
       {Keyring::File(""), Keyring::Callback(nullptr), Keyring::File(std::string("key\0ring", 8)),
        Keyring::File(path_ + std::string("\0", 1))}) {
    EXPECT_EQ(Open(keyring).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(StoreIsEmpty());
    EXPECT_TRUE(Files().empty());
  }
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  EXPECT_EQ(Open(Keyring::File("")).status().code(), absl::StatusCode::kInvalidArgument);
}

// ---- What it says

TEST_F(KeyringTest, WhatIsNoKeyringIsRefusedAndNotShown) {
  const std::string first = "libpat keyring 1\n";
  const std::string realm = "realm " + std::string(kRealm) + "\n";
  const std::string selector = "selector 1 " + std::string(kSecret) + "\n";
  const std::string seal = "seal 1 " + std::string(kSecret) + "\n";
  const auto numbered = [](const std::string& kind, const std::string& number) {
    return kind + " " + number + " " + std::string(kSecret) + "\n";
  };
  ASSERT_TRUE(KeyringSource::Parse(first + realm + selector + seal).ok());
  ASSERT_TRUE(KeyringSource::Parse(first + seal + selector + realm).ok());
  ASSERT_TRUE(KeyringSource::Parse(first + realm + numbered("selector", "65535") + seal).ok());
  std::string eight = first + realm + selector;
  for (int i = 1; i <= 8; ++i) eight += numbered("seal", std::to_string(i));
  ASSERT_TRUE(KeyringSource::Parse(eight).ok());

  std::vector<std::string> bad = {
      "",
      "\n",
      std::string(kSecret),
      std::string(kSecret) + "\n",
      first,
      first + realm,
      first + realm + selector,
      first + realm + seal,
      first + selector + seal,
      realm + selector + seal,
      "libpat keyring 2\n" + realm + selector + seal,
      " " + first + realm + selector + seal,
      first + realm + realm + selector + seal,
      first + realm + selector + selector + seal,
      first + realm + selector + seal + "\n",
      first + realm + selector + seal + "# comment\n",
      first + realm + selector + seal.substr(0, seal.size() - 1),
      first + realm + selector + seal + std::string("\0", 1),
      first + realm + selector + numbered("seal", "0"),
      first + realm + selector + numbered("seal", "65536"),
      first + realm + selector + numbered("seal", "123456"),
      first + realm + selector + numbered("seal", "01"),
      first + realm + selector + numbered("seal", "-1"),
      first + realm + selector + numbered("seal", "+1"),
      first + realm + selector + numbered("seal", "1x"),
      first + realm + selector + numbered("seal", ""),
      first + realm + selector + numbered("seals", "1"),
      first + realm + selector + numbered("Seal", "1"),
      first + realm + selector + numbered("", "1"),
      first + realm + selector + numbered(" seal", "1"),
      first + realm + selector + seal + numbered("seal", "9"),  // eight apart: the same slot
      eight + numbered("seal", "9"),
      first + realm + selector + "seal 1 " + std::string(kSecret).substr(1) + "\n",
      first + realm + selector + "seal 1 " + std::string(kSecret) + "0\n",
      first + realm + selector + "seal 1 " + std::string(kSecret) + "\r\n",
      first + realm + selector + "seal 1  " + std::string(kSecret) + "\n",
      first + realm + selector + "seal 1\n",
      first + realm + selector + "seal\n",
      first + realm + selector + "seal " + std::string(kSecret) + "\n",
      first + "realm " + std::string(kRealm).substr(1) + "\n" + selector + seal,
      first + "realm " + std::string(kRealm) + "00\n" + selector + seal,
      first + "realm\n" + selector + seal,
      eight + std::string(5000, '\n'),
      std::string(1 << 20, 'a'),
      std::string(100, '\0'),
  };
  std::string upper(kSecret);
  upper[0] = 'A';
  bad.push_back(first + realm + selector + "seal 1 " + upper + "\n");
  upper[0] = 'g';
  bad.push_back(first + realm + selector + "seal 1 " + upper + "\n");

  for (std::size_t i = 0; i < bad.size(); ++i) {
    const absl::Status status = Open(Keyring::Bytes(bad[i])).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << i;
    EXPECT_FALSE(status.message().empty()) << i;
    EXPECT_EQ(status.message().find("5ec7e7"), std::string_view::npos) << i;
    EXPECT_EQ(status.message().find("000000"), std::string_view::npos) << i;
    EXPECT_TRUE(StoreIsEmpty()) << i;
  }
}

TEST_F(KeyringTest, TheNewestKeyIsTheHighestNumberInWhateverOrder) {
  const std::string head = "libpat keyring 1\nrealm " + std::string(kRealm) + "\n";
  const std::string secret(kSecret);
  const absl::StatusOr<KeyringContents> contents =
      KeyringSource::Parse(head + "seal 3 " + secret + "\nseal 5 " + secret + "\nselector 2 " +
                           secret + "\nseal 4 " + secret + "\nselector 9 " + secret + "\n");
  ASSERT_TRUE(contents.ok()) << contents.status();
  ASSERT_EQ(contents->seals.size(), 3U);
  EXPECT_EQ(contents->seals[0].number, 5);
  EXPECT_EQ(contents->seals[1].number, 4);
  EXPECT_EQ(contents->seals[2].number, 3);
  EXPECT_EQ(contents->selectors[0].number, 9);
}

// ---- Whose it is

TEST_F(KeyringTest, AMissingFileIsNeverReplaced) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  ASSERT_TRUE(fs::remove(path_));
  const auto authority = Open(Keyring::File(path_));
  EXPECT_EQ(authority.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Files().empty());
}

TEST_F(KeyringTest, AnExistingFileIsNotTakenForANewStore) {
  const std::string text = *Keyring::Generate();
  Record(text);
  WriteAll(path_, text);
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadAll(path_), text);
  EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
  EXPECT_TRUE(StoreIsEmpty());
}

TEST_F(KeyringTest, WithoutAFolderNothingIsMade) {
  const auto authority = Open(Keyring::File(folder_.path() + "/no/such/keyring"));
  EXPECT_EQ(authority.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StoreIsEmpty());
}

TEST_F(KeyringTest, AnotherStoresKeyringIsRefused) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  const std::string other = *Keyring::Generate();
  Record(other);
  WriteAll(path_, other);
  for (const Keyring& keyring : {Keyring::File(path_), Keyring::Bytes(other)}) {
    EXPECT_EQ(Open(keyring).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(ReadAll(path_), other);
}

TEST_F(KeyringTest, AnotherSecretUnderTheSameRealmIsRefused) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  const std::string text = ReadAll(path_);
  for (const std::size_t secret : {text.find("seal 1 ") + 7, text.find("selector 1 ") + 11}) {
    for (const std::size_t digit : {0U, 31U, 63U}) {
      std::string edited = text;
      edited[secret + digit] = edited[secret + digit] == '0' ? '1' : '0';
      Record(edited);
      EXPECT_EQ(Open(Keyring::Bytes(edited)).status().code(),
                absl::StatusCode::kFailedPrecondition);
    }
  }
  EXPECT_TRUE(Open(Keyring::Bytes(text)).ok());
}

TEST_F(KeyringTest, AFileThatOthersCanReadIsRefused) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0666U}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition)
        << mode;
  }
  ASSERT_EQ(chmod(path_.c_str(), 0400), 0);
  EXPECT_TRUE(Open(Keyring::File(path_)).ok());
}

TEST_F(KeyringTest, WhatIsNoRegularFileIsRefused) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  const std::string moved = folder_.path() + "/moved";
  fs::rename(path_, moved);
  ASSERT_EQ(symlink(moved.c_str(), path_.c_str()), 0);
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(fs::remove(path_));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);  // must not wait for a writer
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(fs::remove(path_));
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(KeyringTest, ADanglingLinkIsNotFollowedForANewStore) {
  ASSERT_EQ(symlink((folder_.path() + "/elsewhere").c_str(), path_.c_str()), 0);
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
  EXPECT_TRUE(StoreIsEmpty());
}

// ---- Cut short while it is made

TEST_F(KeyringTest, AStagedFileIsPublishedByTheNextOpen) {
  const auto authority = Open(Keyring::File(path_));
  ASSERT_TRUE(authority.ok());
  const Issued issued = Issue(authority->get());
  // As it is after the header's commit, before the file got its name.
  const std::string staged = path_ + ".new." + RealmOf(ReadAll(path_));
  fs::rename(path_, staged);
  const auto again = Open(Keyring::File(path_), false);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(Accepted(again->get(), issued));
  EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
}

TEST_F(KeyringTest, ASecondNameOfAPublishedFileGoesWithTheNextOpen) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  // As it is after the file got its name, before it lost the other.
  fs::create_hard_link(path_, path_ + ".new." + RealmOf(ReadAll(path_)));
  ASSERT_TRUE(Open(Keyring::File(path_), false).ok());
  EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
}

TEST_F(KeyringTest, AStagedFileOfAStoreThatNeverCameToBeIsIgnored) {
  const std::string text = *Keyring::Generate();
  Record(text);
  const std::string staged = path_ + ".new." + RealmOf(text);
  WriteAll(staged, text);
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  EXPECT_NE(RealmOf(ReadAll(path_)), RealmOf(text));
  EXPECT_EQ(ReadAll(staged), text);
}

TEST_F(KeyringTest, AStagedFileOfAnotherRealmIsNotPublished) {
  ASSERT_TRUE(Open(Keyring::File(path_)).ok());
  const std::string other = *Keyring::Generate();
  Record(other);
  ASSERT_TRUE(fs::remove(path_));
  WriteAll(path_ + ".new." + RealmOf(other), other);
  EXPECT_EQ(Open(Keyring::File(path_)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(path_));
}

// ---- Several at once

TEST_F(KeyringTest, ThreadsThatCreateAtOnceAllOpenOneStore) {
  for (int round = 0; round < 20; ++round) {
    store_ = NewMemoryStore();
    fs::remove(path_);
    std::atomic<int> waiting{0};
    std::vector<std::unique_ptr<Authority>> authorities(4);
    std::vector<absl::Status> statuses(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        AuthorityOptions options;
        options.create_if_missing = true;
        options.prefixes = {"acme_pat_"};
        auto store = std::make_unique<ForwardingStore>(store_);
        ++waiting;
        while (waiting.load() < 4) std::this_thread::yield();
        auto authority = Authority::Open(std::move(store), Keyring::File(path_), options);
        statuses[i] = authority.status();
        if (authority.ok()) authorities[i] = *std::move(authority);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& status : statuses) ASSERT_TRUE(status.ok()) << status;
    Record(ReadAll(path_));
    EXPECT_EQ(Files(), std::vector<std::string>{"keyring"});
    const Issued issued = Issue(authorities[0].get());
    for (const auto& authority : authorities) EXPECT_TRUE(Accepted(authority.get(), issued));
  }
}

TEST_F(KeyringTest, ProcessesThatCreateAtOnceAllOpenOneStore) {
  for (int round = 0; round < 5; ++round) {
    const std::string directory = folder_.path() + "/store" + std::to_string(round);
    const std::string keyring = folder_.path() + "/keyring" + std::to_string(round);
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        close(ready[1]);
        char c = 0;
        if (read(ready[0], &c, 1) != 0) _exit(1);  // until the parent closes it
        LmdbOptions options;
        options.create_if_missing = true;
        options.map_bytes = std::size_t{1} << 26;
        options.flush_interval = absl::ZeroDuration();
        auto store = OpenLmdbStore(directory, options);
        if (!store.ok()) _exit(2);
        AuthorityOptions authority_options;
        authority_options.create_if_missing = true;
        authority_options.prefixes = {"acme_pat_"};
        const auto authority =
            Authority::Open(*std::move(store), Keyring::File(keyring), authority_options);
        _exit(authority.ok() ? 0 : 3);
      }
      children.push_back(child);
    }
    close(ready[0]);
    close(ready[1]);
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status));
      EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    Record(ReadAll(keyring));
  }
}

// ---- The working keys

// What the child of a fork exits with: 0 if every call said that it has no keys.
int ForkedChild(Authority* authority, const Issued& issued) {
  const auto refused = [](const Decision& decision) {
    return decision.refusal() != nullptr &&
           decision.refusal()->reason() == RefusalReason::kUnavailable;
  };
  const auto failed = [](const absl::Status& status) {
    return status.code() == absl::StatusCode::kFailedPrecondition;
  };
  const std::string_view text = issued.text.Reveal();
  const std::uint64_t id = issued.token.id;
  IssueRequest request;
  request.account = "alice";
  request.description = "laptop";
  request.scopes = {"repo:read"};
  if (!refused(authority->Verify(text))) return 1;
  if (!refused(authority->Authenticate(text, {}, false, [](auto) { return true; }))) return 2;
  if (!failed(authority->Issue(request).status())) return 3;
  if (!failed(authority->Get(id).status())) return 4;
  if (!failed(authority->List("alice").status())) return 5;
  if (!failed(authority->Count("alice").status())) return 6;
  if (!failed(authority->IdOf(issued.token.public_id).status())) return 7;
  if (!failed(authority->Update(id, {}).status())) return 8;
  if (!failed(authority->Activate(id)) || !failed(authority->Deactivate(id))) return 9;
  if (!failed(authority->Delete(id))) return 10;
  if (!failed(authority->Purge(absl::Now()).status())) return 11;
  if (!failed(authority->Health())) return 12;
  return 0;
}

TEST_F(KeyringTest, AForkedChildHasNoKeys) {
  const auto authority = Open(Keyring::File(path_));
  ASSERT_TRUE(authority.ok());
  const Issued issued = Issue(authority->get());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(ForkedChild(authority->get(), issued));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Accepted(authority->get(), issued));  // the parent has them still
  EXPECT_EQ((*authority)->List("alice")->tokens.size(), 1U);
}

TEST_F(KeyringTest, KeysLieOnPagesKeptFromDumpsAndChildren) {
  const std::string text = *Keyring::Generate();
  Record(text);
  const absl::StatusOr<KeySet> keys = KeySet::Derive(*KeyringSource::Parse(text));
  ASSERT_TRUE(keys.ok()) << keys.status();
  for (const void* place : {static_cast<const void*>(&keys->selector(0)),
                            static_cast<const void*>(&keys->newest_seal()),
                            static_cast<const void*>(&keys->public_id_decrypt())}) {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    std::ifstream smaps("/proc/self/smaps");
    bool inside = false;
    std::string flags;
    for (std::string line; std::getline(smaps, line);) {
      std::uintptr_t begin = 0;
      std::uintptr_t end = 0;
      char dash = 0;
      std::istringstream range(line);
      if (range >> std::hex >> begin >> dash >> end && dash == '-') {
        inside = begin <= address && address < end;
      } else if (inside && line.rfind("VmFlags:", 0) == 0) {
        flags = line + ' ';
      }
    }
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // MADV_DONTDUMP
    EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;  // MADV_WIPEONFORK
  }
}

}  // namespace
}  // namespace pat
