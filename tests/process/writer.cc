// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/writer.h"

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/issued_secrets.h"
#include "tests/process/acks.h"
#include "tests/process/commit_phase.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

// Tokens a writer issues in one life: the number of tokens grows with that of kills, not with time.
constexpr std::uint32_t kIssuesOfALife = 4;

class Writer {
 public:
  Writer(std::unique_ptr<pat::Authority> authority, AckTable* table, std::uint32_t number,
         bool early)
      : authority_(std::move(authority)),
        table_(table),
        mine_(&table->writers[number]),
        number_(number),
        life_(mine_->lives),
        early_(early),
        random_(1000 * life_ + number) {}

  void Write() {
    mine_->issuing = 0;
    Issue();
    Settle();
    for (;;) {
      const std::uint32_t what = Below(100);
      if (issued_ < kIssuesOfALife && what < 10) {
        Issue();
      } else if (!live_.empty()) {
        Change(what);
      }
    }
  }

 private:
  std::uint32_t Below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  void Complain(const char* doing, const absl::Status& status) {
    table_->Complain(absl::StrCat("writer ", number_, " cannot ", doing, ": ", status.ToString()));
  }

  void Issue() {
    ++issued_;
    const std::uint32_t index = mine_->tokens;
    if (index == kMostTokensOfAWriter) return;
    AckedToken& token = mine_->token[index];
    pat::IssueRequest request;
    token.account =
        life_ % 8 == 0 ? kCommonAccounts + life_ * kWriters + number_ : Below(kCommonAccounts);
    token.automatic = Below(4) == 0;
    request.account = AckedAccount(token.account);
    request.description = NameOf(1);
    if (!token.automatic) request.scopes = {"repo:write"};
    request.origin = token.automatic ? pat::Origin::kAuto : pat::Origin::kManual;

    mine_->issuing = token.account + 1;
    const absl::StatusOr<pat::Issued> issued = authority_->Issue(request);
    if (!issued.ok()) return Complain("issue", issued.status());
    RecordIssuedSecret(issued->text.Reveal());
    token.id = issued->token.id;
    const std::string_view text = issued->text.Reveal();
    if (text.size() >= token.text.size()) return Complain("keep", absl::InternalError("too long"));
    std::memcpy(token.text.data(), text.data(), text.size());
    Promise promise;
    promise.acknowledged = {Seen::kActive, 1};
    mine_->tokens = index + 1;
    token.promise = promise.Pack();  // from here on it must not be lost
    mine_->issuing = 0;
    ++mine_->issues;
    live_.push_back(index);
  }

  // Finds out how a change ended that a killed life had under way. What this life's first Issue
  // did is part of it: with the write lock taken once, what is read is final.
  void Settle() {
    for (std::uint32_t index = 0; index < mine_->tokens; ++index) {
      AckedToken& token = mine_->token[index];
      Promise promise = Promise::Unpack(token.promise);
      if (promise.acknowledged.state == Seen::kNone) continue;
      if (promise.under_way.has_value()) {
        const std::optional<Seen> seen = Look(authority_.get(), token, table_);
        if (!seen.has_value()) continue;
        if (!promise.Allows(*seen, token.automatic)) {
          table_->Complain(absl::StrCat("token ", token.id, ": a change is neither done nor not"));
        }
        promise.acknowledged = *seen;
        promise.under_way.reset();
        ++promise.change;
        token.promise = promise.Pack();
      }
      if (promise.acknowledged.state != Seen::kDeleted && index + 1 < mine_->tokens) {
        live_.push_back(index);
      }
    }
  }

  void Change(std::uint32_t what) {
    const std::uint32_t at = Below(static_cast<std::uint32_t>(live_.size()));
    AckedToken& token = mine_->token[live_[at]];
    Promise promise = Promise::Unpack(token.promise);
    Seen wish = promise.acknowledged;
    pat::TokenUpdate update;
    if (what < 20 && live_.size() > 4) {
      wish.state = Seen::kDeleted;
    } else if (what < 30) {
      return Check(token, promise);
    } else {
      if (what < 60) {
        wish.name = promise.acknowledged.name % 1000 + 1;
        update.description = NameOf(wish.name);
      }
      if (what >= 45) {  // from 45 to 59 both: all of it or nothing
        update.active = wish.state == Seen::kInactive;
        wish.state = *update.active ? Seen::kActive : Seen::kInactive;
      }
    }
    Note(&token, &promise, wish);
    const absl::Status status = wish.state == Seen::kDeleted
                                    ? authority_->Delete(token.id, AckedAccount(token.account))
                                    : authority_->Update(token.id, update).status();
    if (token.automatic && absl::IsNotFound(status)) {
      wish.state = Seen::kDeleted;  // evicted
    } else if (!status.ok()) {
      return Complain("change a token", status);
    }
    Acknowledge(&token, &promise, wish);
    ++(wish.state == Seen::kDeleted ? mine_->deletions : mine_->changes);
    if (wish.state == Seen::kDeleted) live_.erase(live_.begin() + at);
  }

  void Note(AckedToken* token, Promise* promise, Seen wish) {
    if (early_) return Acknowledge(token, promise, wish);
    promise->under_way = wish;
    ++promise->change;
    token->promise = promise->Pack();
  }

  static void Acknowledge(AckedToken* token, Promise* promise, Seen wish) {
    promise->acknowledged = wish;
    promise->under_way.reset();
    ++promise->change;
    token->promise = promise->Pack();
  }

  void Check(const AckedToken& token, const Promise& promise) {
    const std::optional<Seen> seen = Look(authority_.get(), token, table_);
    if (seen.has_value() && !promise.Allows(*seen, token.automatic)) {
      table_->Complain(absl::StrCat("token ", token.id, " is not as its writer left it"));
    }
  }

  std::unique_ptr<pat::Authority> authority_;
  AckTable* table_;
  AckedWriter* mine_;
  const std::uint32_t number_;
  const std::uint32_t life_;
  const bool early_;
  std::mt19937_64 random_;
  std::uint32_t issued_ = 0;
  std::vector<std::uint32_t> live_;  // tokens that are not deleted
};

}  // namespace

int RunWriter(const char* directory, const char* table_fd, const char* which) {
  const SharedMemory<AckTable> table(table_fd);
  const auto number = static_cast<std::uint32_t>(which[0] - '0');
  AckedWriter& mine = table->writers[number];
  ++mine.lives;
  absl::StatusOr<std::unique_ptr<pat::Authority>> authority =
      OpenScratch(directory, [&mine](std::unique_ptr<pat::Store> base) {
        return std::make_unique<PhaseNotingStore>(std::move(base), &mine.phase);
      });
  if (!authority.ok()) {
    table->Complain("a new process cannot open the store: " + authority.status().ToString());
    return 1;
  }
  ++mine.opened;
  Writer(*std::move(authority), &*table, number, which[1] == 'e').Write();
  return 0;
}

int RunWatcher(const char* directory, const char* table_fd) {
  const SharedMemory<AckTable> table(table_fd);
  const absl::StatusOr<std::unique_ptr<pat::Authority>> authority = OpenScratch(directory);
  if (!authority.ok()) {
    table->Complain("the watcher cannot open the store: " + authority.status().ToString());
    return 1;
  }
  while (!table->stop_watching) {
    for (AckedWriter& writer : table->writers) {
      const std::uint32_t tokens = writer.tokens;
      for (std::uint32_t i = 0; i < tokens && !table->stop_watching; ++i) {
        AckedToken& token = writer.token[i];
        const std::uint64_t before = token.promise;
        if (before == 0) continue;
        std::optional<Seen> seen = Present(authority->get(), token, &*table);
        if (!seen.has_value() || token.promise != before) continue;
        Promise promise = Promise::Unpack(before);
        promise.acknowledged.name = 0;  // presenting does not show it
        if (promise.under_way.has_value()) promise.under_way->name = 0;
        if (!promise.Allows(*seen, token.automatic)) {
          table->Complain(absl::StrCat("token ", token.id, " is not as promised, to the watcher"));
        }
        ++table->watched;
      }
    }
    // The two processors are for the writers.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return 0;
}
