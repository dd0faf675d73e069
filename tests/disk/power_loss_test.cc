// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Acknowledged means durable, after a loss of power: what a program writes while it creates a store
// and works with it is recorded, and then replayed up to each event, with what was not synced
// dropped, reordered and torn. Each such state is opened as after a restart, by LMDB and all of
// libpat: everything acknowledged must be there, of the change under way all or nothing.
//
// PAT_POWER_STATES: how many different states (100,000; a soak is 5 million). PAT_SEED: of what is
// dropped and torn.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pat/authority.h"
#include "pat/lmdb_store.h"
#include "tests/disk/crash_states.h"
#include "tests/disk/disk.h"
#include "tests/issued_secrets.h"
#include "tests/process/shared_memory.h"
#include "tests/temp_dir.h"

namespace pat {
namespace {

using disk::Event;

std::uint64_t FromEnv(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

absl::StatusOr<std::unique_ptr<Authority>> Open(const std::string& directory, bool create) {
  LmdbOptions lmdb;
  lmdb.create_if_missing = create;
  lmdb.flush_interval = absl::ZeroDuration();
  lmdb.concurrent_reads = 1;
  lmdb.max_readers = 16;
  lmdb.map_bytes = std::size_t{4} << 20;
  lmdb.reserve_bytes = 16384;
  absl::StatusOr<std::unique_ptr<Store>> store = OpenLmdbStore(directory + "/store", lmdb);
  if (!store.ok()) return store.status();
  AuthorityOptions options;
  options.create_if_missing = create;
  if (create) options.prefixes = {"power_"};
  options.auto_tokens.max_per_account = 2;
  return Authority::Open(*std::move(store), Keyring::File(directory + "/keyring"), options);
}

struct IssuedToken {
  std::uint64_t id;
  std::string text;
};

// What a token shows.
std::string Look(Authority* authority, const IssuedToken& token) {
  const Decision decision = authority->Verify(token.text);
  std::string seen = decision.principal() != nullptr
                         ? std::string("good")
                         : std::string(ToString(decision.refusal()->reason()));
  const absl::StatusOr<Token> view = authority->Get(token.id);
  if (view.ok()) seen += ":" + view->description;
  return seen + (view.ok() || absl::IsNotFound(view.status()) ? "" : view.status().ToString());
}

// What a token shows that there is not, or no longer.
std::string Unknown() { return std::string(ToString(RefusalReason::kUnknownToken)); }

std::string LookAtCounts(Authority* authority) {
  std::string seen;
  for (const char* account : {"alice", "an account with a long name"}) {
    const absl::StatusOr<Counts> counts = authority->Count(account);
    seen += counts.ok() ? std::to_string(counts->active) + "/" + std::to_string(counts->inactive)
                        : counts.status().ToString();
    seen += " ";
  }
  return seen;
}

// All that can be seen after some change was acknowledged.
struct Snapshot {
  std::vector<std::string> tokens;
  std::string counts;
};

// A program's life: makes a store, changes tokens, closes and opens it again.
class Life {
 public:
  explicit Life(int changes) : directory_(TempDir::InMemory()) {
    disk::Record(directory_.path());
    Reopen(/*create=*/true);
    Acknowledge();
    for (int i = 0; i < changes; ++i) {
      ChangeSomething();
      Acknowledge();
      if (i % 25 == 24) Reopen(/*create=*/false);
    }
    authority_.reset();
    events_ = disk::StopRecording();
    for (const IssuedToken& token : tokens_) RecordIssuedSecret(token.text);
  }

  std::vector<Event>& events() { return events_; }
  const std::vector<IssuedToken>& tokens() const { return tokens_; }
  const std::vector<Snapshot>& snapshots() const { return snapshots_; }

 private:
  void Reopen(bool create) {
    authority_.reset();
    auto opened = Open(directory_.path(), create);
    ASSERT_TRUE(opened.ok()) << opened.status();
    authority_ = *std::move(opened);
  }

  void Acknowledge() {
    disk::Mark(static_cast<std::int64_t>(snapshots_.size()));
    Snapshot now;
    for (const IssuedToken& token : tokens_) now.tokens.push_back(Look(authority_.get(), token));
    now.counts = LookAtCounts(authority_.get());
    snapshots_.push_back(std::move(now));
  }

  void Issue(Origin origin) {
    IssueRequest request;
    request.account = random_() % 2 == 0 ? "alice" : "an account with a long name";
    request.description = "token " + std::to_string(tokens_.size());
    request.origin = origin;
    if (origin == Origin::kManual) request.scopes = {"repo:read"};
    absl::StatusOr<Issued> issued = authority_->Issue(request);
    ASSERT_TRUE(issued.ok()) << issued.status();
    tokens_.push_back({issued->token.id, std::string(issued->text.Reveal())});
  }

  void ChangeSomething() {
    if (random_() % 6 == 0) return ChangeKeys();
    const std::uint64_t what = random_() % 10;
    if (tokens_.size() < 3 || (what == 0 && tokens_.size() < 20)) return Issue(Origin::kManual);
    if (what == 1 && tokens_.size() < 24) return Issue(Origin::kAuto);
    const std::uint64_t id = tokens_[random_() % tokens_.size()].id;
    if (what == 2) {
      EXPECT_TRUE(authority_->Purge(absl::Now() + absl::Hours(1)).ok());
    } else if (what == 3 && tokens_.size() > 10) {
      authority_->Delete(id).IgnoreError();  // may be gone
    } else if (what < 6) {
      authority_->Deactivate(id).IgnoreError();
    } else if (what < 8) {
      authority_->Activate(id).IgnoreError();
    } else {
      TokenUpdate update;
      update.description = std::string(1 + random_() % 90, 'x');
      authority_->Update(id, update).status().IgnoreError();
    }
  }

  // Nothing of it is seen in a token, but that a selector key retired by force ends its tokens.
  void ChangeKeys() {
    const KeyKind kind = random_() % 4 == 0 ? KeyKind::kSelector : KeyKind::kSeal;
    std::uint16_t& newest = newest_[kind == KeyKind::kSelector ? 0 : 1];
    const std::uint64_t what = random_() % 5;
    if (what < 2) {
      const absl::StatusOr<KeyInfo> info = authority_->RotateKey(kind);
      if (info.ok()) newest = info->number;  // else there are eight
    } else if (what == 2) {
      EXPECT_TRUE(authority_->Reseal().ok());
    } else if (newest > 1) {
      const bool force = kind == KeyKind::kSelector;
      ASSERT_TRUE(force || authority_->Reseal().ok());
      const auto older = static_cast<std::uint16_t>(newest - 1);
      EXPECT_TRUE(authority_->RetireKey(kind, older, force).ok());
    }
  }

  const TempDir directory_;
  std::mt19937_64 random_{7};
  std::uint16_t newest_[2] = {1, 1};  // selector, seal
  std::unique_ptr<Authority> authority_;
  std::vector<IssuedToken> tokens_;
  std::vector<Snapshot> snapshots_;
  std::vector<Event> events_;
};

constexpr std::size_t kProcesses = 2;

// Shared with the processes that look at the states: one that crashes is another's finding.
struct Found {
  std::atomic<std::uint64_t> states, repeated, lost, invalid, crashed, continued;
  std::array<std::atomic<std::uint64_t>, kProcesses> event, number;  // being looked at
  std::array<char, 400> complaint;
};

class PowerLoss {
 public:
  PowerLoss(Life* life, std::uint64_t states) : life_(life), wanted_(states) {}

  const Found& Run() {
    const auto begin = std::chrono::steady_clock::now();
    std::map<pid_t, std::size_t> running;
    for (std::size_t process = 0; process < kProcesses; ++process) {
      found_->event[process] = process;
      running[Start(process)] = process;
    }
    while (!running.empty()) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, 0);
      const std::size_t process = running.at(ended);
      running.erase(ended);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      ++found_->crashed;
      Complain(process, "crashed by signal " + std::to_string(WTERMSIG(status)));
      ++found_->number[process];
      running[Start(process)] = process;
    }
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    std::cout << found_->states << " states (" << found_->repeated << " repeated ones left out) of "
              << life_->events().size() << " events and " << life_->snapshots().size()
              << " changes: " << found_->lost << " lost a change, " << found_->invalid
              << " invalid, " << found_->crashed << " crashed; " << found_->continued
              << " worked on; " << time.count() << " ms\n"
              << found_->complaint.data();
    return *found_;
  }

 private:
  pid_t Start(std::size_t process) {
    const pid_t child = fork();
    if (child != 0) return child;
    mallopt(M_MMAP_THRESHOLD, 1 << 17);  // LMDB asks for 2 MiB of zeros that it never looks at
    process_ = process;
    directory_ /= std::to_string(process);
    std::filesystem::create_directories(directory_ / "store");
    std::filesystem::permissions(directory_ / "store", std::filesystem::perms(0700));
    LookAtAll();
    _exit(0);
  }

  void Complain(const std::string& what) { Complain(process_, what); }

  void Complain(std::size_t process, const std::string& what) {
    if (found_->complaint[0] != '\0') return;
    const std::string text = "event " + std::to_string(found_->event[process]) + ", state " +
                             std::to_string(found_->number[process]) + ": " + what + "\n";
    std::strncpy(found_->complaint.data(), text.c_str(), found_->complaint.size() - 1);
  }

  // From where the one before has left off.
  void LookAtAll() {
    const std::uint64_t from = found_->event[process_];
    disk::CrashStates states;
    std::int64_t acknowledged = -1;
    std::uint64_t open = 0;  // events with something to choose
    {
      disk::CrashStates counting;
      for (const Event& event : life_->events()) {
        counting.Play(event);
        open += counting.pending() > 0 ? 1 : 0;
      }
    }
    const std::uint64_t each = wanted_ * 11 / 10 / std::max<std::uint64_t>(open, 1) + 1;
    for (std::uint64_t i = 0; i < life_->events().size(); ++i) {
      const Event& event = life_->events()[i];
      states.Play(event);
      if (event.kind == Event::Kind::kMark) acknowledged = event.at;
      if (i < from || i % kProcesses != process_) continue;
      if (i > from) found_->number[process_] = 0;
      found_->event[process_] = i;
      LookAtEvent(states, acknowledged, states.pending() > 0 ? each : 1);
    }
  }

  void LookAtEvent(const disk::CrashStates& states, std::int64_t acknowledged, std::uint64_t n) {
    std::unordered_set<std::string> seen;
    const std::uint64_t event = found_->event[process_];
    std::atomic<std::uint64_t>& number = found_->number[process_];
    for (; number < 4 * n && seen.size() < n; ++number) {  // small ones have fewer states
      std::mt19937_64 random(FromEnv("PAT_SEED", 1) * 1000003 + event * 5000011 + number);
      std::string key;
      const disk::CrashStates::Files files =
          states.Make(static_cast<std::size_t>(number), &random, &key);
      if (!seen.insert(key).second) {
        ++found_->repeated;
        continue;
      }
      ++found_->states;
      alarm(20);  // endless loops are crashes too
      Restore(files, &random);
      LookAt(acknowledged, random() % 16 == 0);
      alarm(0);
    }
  }

  // As the disk is after the restart. What is not recorded is not synced: the files of locks and of
  // last use hold anything.
  void Restore(const disk::CrashStates::Files& files, std::mt19937_64* random) {
    for (const std::string& name : there_) {
      if (files.count(name) == 0) unlink((directory_ / name).c_str());
    }
    // What the look at the state before has made.
    if (files.count("keyring.rewrite") == 0) unlink((directory_ / "keyring.rewrite").c_str());
    if (files.count("keyring") == 0) unlink((directory_ / "keyring").c_str());
    if (files.count("store/data.mdb") == 0) unlink((directory_ / "store/data.mdb").c_str());
    there_.clear();
    for (const auto& [name, bytes] : files) there_.insert(name);
    for (const auto& [name, bytes] : files) {
      const bool scratch = name == "store/lock.mdb" || name == "store/write.lock" ||
                           name.rfind("store/lastuse", 0) == 0;
      if (scratch && (*random)() % 8 != 0) continue;  // mostly as the state before left it
      WriteFile(name, scratch ? std::string(8192, '\xFF') : bytes);
    }
  }

  void WriteFile(const std::string& name, const std::string& bytes) {
    const int fd = open((directory_ / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    if (!written || ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) std::abort();
    close(fd);
  }

  // `acknowledged`: the number of the last acknowledged change; -1: not even that the store is
  // there.
  void LookAt(std::int64_t acknowledged, bool work_on) {
    const auto opened = Open(directory_, /*create=*/acknowledged < 0);
    if (!opened.ok()) {
      ++found_->invalid;
      return Complain(opened.status().ToString());
    }
    Authority* const authority = opened->get();
    const auto& snapshots = life_->snapshots();
    const auto now = static_cast<std::size_t>(std::max<std::int64_t>(acknowledged, 0));
    const std::size_t next = std::min(now + (acknowledged < 0 ? 0 : 1), snapshots.size() - 1);
    if (!Is(authority, snapshots[now], snapshots[next]) &&
        !Is(authority, snapshots[next], snapshots[next])) {
      ++found_->lost;
      Complain("neither the state acknowledged nor the one under way: " + LookAtCounts(authority) +
               ", not " + snapshots[now].counts);
    }
    if (work_on) WorkOn(authority);
  }

  // True if what is seen of all tokens up to `last`'s is what `snapshot` says.
  bool Is(Authority* authority, const Snapshot& snapshot, const Snapshot& last) {
    if (LookAtCounts(authority) != snapshot.counts) return false;
    for (std::size_t i = 0; i < last.tokens.size(); ++i) {
      const std::string expected = i < snapshot.tokens.size() ? snapshot.tokens[i] : Unknown();
      if (Look(authority, life_->tokens()[i]) != expected) return false;
    }
    return true;
  }

  void WorkOn(Authority* authority) {
    IssueRequest request;
    request.account = "carol";
    request.description = "after the power cut";
    request.scopes = {"repo:read"};
    const absl::StatusOr<Issued> issued = authority->Issue(request);
    if (!issued.ok() || authority->Verify(issued->text.Reveal()).principal() == nullptr ||
        !authority->Deactivate(issued->token.id).ok() ||
        authority->Verify(issued->text.Reveal()).principal() != nullptr) {
      ++found_->invalid;
      return Complain("does not work on: " + issued.status().ToString());
    }
    ++found_->continued;
  }

  Life* const life_;
  const std::uint64_t wanted_;
  const TempDir made_ = TempDir::InMemory();
  std::filesystem::path directory_ = made_.path();  // each process has its own in there
  std::size_t process_ = 0;
  std::set<std::string> there_;
  const SharedMemory<Found> found_;
};

TEST(PowerLoss, LosesNothingAcknowledged) {
  Life life(150);
  const std::uint64_t wanted = FromEnv("PAT_POWER_STATES", 100000);
  PowerLoss loss(&life, wanted);
  const Found& found = loss.Run();
  EXPECT_EQ(found.lost, 0U);
  EXPECT_EQ(found.invalid, 0U);
  EXPECT_EQ(found.crashed, 0U);
  EXPECT_GT(found.continued, wanted / 20);
  EXPECT_GE(found.states, wanted);
}

void Drop(std::vector<Event>* events, const std::string& name,
          const std::function<bool(const Event&)>& which) {
  events->erase(
      std::remove_if(events->begin(), events->end(),
                     [&](const Event& event) { return event.name == name && which(event); }),
      events->end());
}

TEST(PowerLoss, ControlWithoutSyncsStatesAreBad) {
  Life life(60);
  Drop(&life.events(), "store/data.mdb", [](const Event& event) {
    return event.kind == Event::Kind::kSync || event.kind == Event::Kind::kSyncedWrite;
  });
  PowerLoss loss(&life, 500);
  const Found& found = loss.Run();
  EXPECT_GT(found.lost + found.invalid + found.crashed, found.states / 10);
}

TEST(PowerLoss, ControlWithoutSyncedMetaWritesChangesAreLost) {
  Life life(60);
  Drop(&life.events(), "store/data.mdb",
       [](const Event& event) { return event.kind == Event::Kind::kSyncedWrite; });
  PowerLoss loss(&life, 500);
  EXPECT_GT(loss.Run().lost, 0U);
}

// A key must be in the keyring for good before the header names it.
TEST(PowerLoss, ControlWithoutSyncsOfTheKeyringStatesAreBad) {
  Life life(60);
  const auto sync = [](const Event& event) { return event.kind == Event::Kind::kSync; };
  Drop(&life.events(), "keyring.rewrite", sync);
  PowerLoss loss(&life, 500);
  EXPECT_GT(loss.Run().invalid, 0U);
}

}  // namespace
}  // namespace pat
