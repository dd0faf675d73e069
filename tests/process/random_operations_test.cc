// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Whatever is done, in whatever order, by whichever of two handles in this process and another
// process: an authority on LMDB answers as one on the memory store does, and now and then all that
// can be seen of both is compared. What one of them answers, LMDB's page directory included, is
// never taken from the other.
//
// PAT_OPERATIONS: how many (20,000). PAT_SEED: from which seed (1).
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pat/memory_store.h"
#include "pat/token_text.h"
#include "tests/process/child.h"
#include "tests/process/clerk.h"
#include "tests/process/forwarding_store.h"
#include "tests/process/operations.h"
#include "tests/process/puppet.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using pat::Authority;
using Fields = std::vector<std::string>;

constexpr std::int64_t kStart = 1'800'000'000;

// The model gives the ids that LMDB gave: which ones is a store's own affair, but lists and
// evictions go by them.
class GivenIds : public ForwardingStore {
 public:
  GivenIds(std::unique_ptr<pat::Store> base, const std::uint64_t* first)
      : ForwardingStore(std::move(base)), first_(first) {}
  absl::StatusOr<std::uint64_t> ReserveTokenIds(std::uint32_t) override { return *first_; }

 private:
  const std::uint64_t* first_;
};

class Comparison {
 public:
  enum Who { kA, kB, kOtherProcess };  // A and B share an environment, not an authority

  // `wrap` goes around A's store, `flaw` into the other process's page directory.
  Comparison(std::uint64_t seed, WrapStore wrap, std::string flaw)
      : operations_(seed), wrap_(std::move(wrap)), flaw_(std::move(flaw)) {
    board_->now_unix_s = kStart;
    handles_[kA] = Open(/*create=*/true, wrap_);
    handles_[kB] = Open();
    StartProcess();
    pat::AuthorityOptions options = Options();
    options.create_if_missing = true;
    options.prefixes = {kTestPrefix};
    auto model = Authority::Open(std::make_unique<GivenIds>(pat::NewMemoryStore(), &first_id_),
                                 pat::Keyring::File(scratch_.directory() + "/model"), options);
    EXPECT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
  }

  // Does `n` operations, or as many as it takes until the answers differ: then says how.
  std::string Run(std::uint64_t n) {
    for (done_ = 0; done_ < n && difference_.empty(); ++done_) {
      Do(operations_.Next(board_->now_unix_s), static_cast<Who>(operations_.Draw(3)));
      if (done_ % 5000 == 4999) CompareAll(done_ % 10'000 == 4999 ? kOtherProcess : kA);
    }
    if (difference_.empty()) CompareAll(kOtherProcess);
    return difference_;
  }

  std::uint64_t done() const { return done_; }
  std::string Summary() const {
    std::string text;
    for (const auto& [verb, n] : answers_) absl::StrAppend(&text, "  ", n, " ", verb, "\n");
    return text;
  }

 private:
  pat::AuthorityOptions Options() {
    pat::AuthorityOptions options;
    options.clock = [this] { return absl::FromUnixSeconds(board_->now_unix_s.load()); };
    return options;
  }

  std::unique_ptr<Authority> Open(bool create = false, const WrapStore& wrap = nullptr) {
    pat::AuthorityOptions options = Options();
    options.create_if_missing = create;
    if (create) options.prefixes = {kTestPrefix};
    auto authority = OpenScratch(scratch_.directory(), wrap, options);
    EXPECT_TRUE(authority.ok()) << authority.status();
    return *std::move(authority);
  }

  void StartProcess() {
    process_ =
        std::make_unique<Child>(Fields{"clerk", scratch_.directory(), board_.fd(), ""}, flaw_);
    EXPECT_EQ(process_->Receive(), Fields{"ok"});
  }

  // `told` with the texts of one side in their places.
  Fields WithTexts(const Fields& told, const std::vector<std::string>& texts) {
    Fields full = told;
    for (std::string& field : full) {
      if (field[0] != '$') continue;
      char* end = nullptr;
      const std::string& text = texts[std::strtoull(field.c_str() + 1, &end, 10)];
      const char how = *end;
      if (how == '\0') {
        field = text;
      } else if (how == 'c') {
        field = text;
        field.back() = field.back() == 'a' ? 'b' : 'a';
      } else {
        const std::string prefixes[] = {kTestPrefix};
        pat::ParsedToken parsed;
        EXPECT_EQ(pat::ParseTokenText(text, prefixes, &parsed), pat::ParseResult::kOk);
        std::string secret(27, 'x');
        if (how == 's') {
          secret =
              texts[std::strtoull(end + 1, nullptr, 10)].substr(sizeof kTestPrefix - 1 + 22, 27);
        }
        field = std::string(pat::ComposeTokenText(kTestPrefix, parsed.selector, secret).Reveal());
      }
    }
    return full;
  }

  // Takes texts of new tokens out of an answer.
  static void KeepTexts(Fields* answer, std::vector<std::string>* texts) {
    for (std::string& field : *answer) {
      if (field.rfind(kTestPrefix, 0) != 0) continue;
      texts->push_back(std::exchange(field, "TEXT"));
    }
  }

  Fields AskLmdb(Who who, const Fields& told) {
    const Fields full = WithTexts(told, texts_[0]);
    Fields answer = who == kOtherProcess ? process_->Ask(full) : DoAsTold(*handles_[who], full);
    KeepTexts(&answer, &texts_[0]);
    return answer;
  }

  Fields AskModel(const Fields& told) {
    Fields answer = DoAsTold(*model_, WithTexts(told, texts_[1]));
    KeepTexts(&answer, &texts_[1]);
    return answer;
  }

  void Do(const Fields& told, Who who) {
    if (told[0] == "advance") {
      board_->now_unix_s += std::stoll(told[1]);
    } else if (told[0] == "reopen" || told[0] == "restart") {
      Reopen(told);
    } else {
      Compare(told, who);
    }
    ++answers_[told[0]];
  }

  // Places of use reach the other process with a flush, times at once.
  void FlushFor(Who who) {
    const bool process = who != kOtherProcess;
    bool& dirty = process ? process_dirty_ : handles_dirty_;
    if (!dirty) return;
    if (AskLmdb(process ? kOtherProcess : kB, {"flush"}) != Fields{"ok"}) difference_ = "no flush";
    dirty = false;
  }

  void Compare(const Fields& told, Who who) {
    if (told[0] == "verify" && !told[4].empty()) {
      (who == kOtherProcess ? process_dirty_ : handles_dirty_) = true;
    } else if (told[0] != "verify") {
      FlushFor(who);
    }
    const Fields answer = AskLmdb(who, told);
    if (told[0] == "issue" && answer.size() > 1) first_id_ = std::stoull(answer[1].substr(1));
    const Fields model = AskModel(told);
    if (answer != model) {
      difference_ = absl::StrCat(
          "operation ", done_, " by ", who, ", told: ", absl::StrJoin(told, "|"),
          "\n  lmdb:  ", absl::StrJoin(answer, "|"), "\n  model: ", absl::StrJoin(model, "|"));
    } else {
      operations_.Learn(told, answer);
      ++answers_[told[0] == "verify" ? "verify: " + answer.at(answer.size() == 2 ? 1 : 0)
                                     : told[0] + ": " + answer[0]];
    }
  }

  void Reopen(const Fields& told) {
    if (told[0] == "restart") {
      FlushFor(kA);
      process_->Kill();
      StartProcess();
      return;
    }
    FlushFor(kOtherProcess);
    const bool a = told[1] != "b";
    const bool b = told[1] != "a";
    if (a) handles_[kA] = nullptr;
    if (b) handles_[kB] = nullptr;
    if (a) handles_[kA] = Open(false, wrap_);
    if (b) handles_[kB] = Open();
  }

  void CompareAll(Who who) {
    FlushFor(who);
    for (const Fields& told : operations_.Everything()) {
      Compare(told, who);
      if (!difference_.empty()) return;
    }
    ++answers_["whole state"];
  }

  const ScratchStore scratch_{ScratchStore::Where::kMemory};
  const SharedMemory<PuppetBoard> board_;
  Operations operations_;
  const WrapStore wrap_;
  const std::string flaw_;
  std::array<std::unique_ptr<Authority>, 2> handles_;
  std::unique_ptr<Child> process_;
  std::uint64_t first_id_ = 0;
  std::unique_ptr<Authority> model_;
  std::array<std::vector<std::string>, 2> texts_;  // LMDB's, the model's
  bool handles_dirty_ = false;
  bool process_dirty_ = false;
  std::uint64_t done_ = 0;
  std::string difference_;
  std::map<std::string, std::uint64_t> answers_;
};

std::uint64_t Seed() { return static_cast<std::uint64_t>(NumberFromEnv("PAT_SEED", 1)); }

std::string Differing(std::uint64_t n, const WrapStore& wrap = nullptr,
                      const std::string& flaw = {}) {
  Comparison comparison(Seed(), wrap, flaw);
  std::string difference = comparison.Run(n);
  std::cout << comparison.done() << " operations from seed " << Seed() << "\n"
            << (difference.empty() ? comparison.Summary() : difference + "\n");
  return difference;
}

TEST(RandomOperations, LmdbAnswersAsTheModelDoes) {
  EXPECT_EQ(Differing(static_cast<std::uint64_t>(NumberFromEnv("PAT_OPERATIONS", 20'000))), "");
}

// ---- Controls: the difference of one change among thousands is found.

constexpr std::uint64_t kMost = 20'000;

class LosesABatch : public ForwardingStore {
 public:
  LosesABatch(std::unique_ptr<pat::Store> base, int* until)
      : ForwardingStore(std::move(base)), until_(until) {}
  absl::Status Apply(const pat::Batch& batch) override {
    return --*until_ == 0 ? absl::OkStatus() : ForwardingStore::Apply(batch);
  }

 private:
  int* until_;
};

TEST(RandomOperations, ControlALostBatchIsFound) {
  int until = 500;
  EXPECT_NE(Differing(kMost,
                      [&](std::unique_ptr<pat::Store> base) {
                        return std::make_unique<LosesABatch>(std::move(base), &until);
                      }),
            "");
  EXPECT_LE(until, 0);
}

// Gives the record that stood before, a hundred times from the 40th changed one on.
class GivesAnOlderRecord : public ForwardingStore {
 public:
  struct Seen {
    std::unordered_map<std::uint64_t, pat::TokenRecord> records;
    int until = 40;
  };
  GivesAnOlderRecord(std::unique_ptr<pat::Store> base, Seen* seen)
      : ForwardingStore(std::move(base)), seen_(seen) {}
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    const Lookup found = ForwardingStore::Find(id, record, meta_version);
    if (found != Lookup::kFound) return found;
    pat::TokenRecord& before = seen_->records.emplace(id, *record).first->second;
    if (before != *record && --seen_->until <= 0 && seen_->until > -60) {
      *record = before;
    } else {
      before = *record;
    }
    return found;
  }

 private:
  Seen* seen_;
};

TEST(RandomOperations, ControlAnOlderRecordIsFound) {
  GivesAnOlderRecord::Seen seen;
  EXPECT_NE(Differing(kMost,
                      [&](std::unique_ptr<pat::Store> base) {
                        return std::make_unique<GivesAnOlderRecord>(std::move(base), &seen);
                      }),
            "");
}

class FlawedDirectory : public testing::TestWithParam<const char*> {};

// Nobody commits while another reads here, so a guard by mdb_env_info does hold.
INSTANTIATE_TEST_SUITE_P(Control, FlawedDirectory, testing::Values("no_guard", "not_caught_up"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(FlawedDirectory, IsFound) { EXPECT_NE(Differing(kMost, nullptr, GetParam()), ""); }

}  // namespace
