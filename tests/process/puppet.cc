// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/puppet.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "tests/issued_secrets.h"
#include "tests/process/forwarding_store.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using Fields = std::vector<std::string>;

class FindNotingStore : public ForwardingStore {
 public:
  FindNotingStore(std::unique_ptr<pat::Store> base, std::atomic<int>* inside)
      : ForwardingStore(std::move(base)), inside_(inside) {}
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    inside_->store(1);
    const Lookup found = ForwardingStore::Find(id, record, meta_version);
    inside_->store(0);
    return found;
  }

 private:
  std::atomic<int>* inside_;
};

// The control: sees no change of the store's meta rows, so no new and no retired key.
class FrozenStore : public ForwardingStore {
 public:
  explicit FrozenStore(std::unique_ptr<pat::Store> base)
      : ForwardingStore(std::move(base)), version_(ForwardingStore::MetaVersion()) {}
  Lookup Find(std::uint64_t id, pat::TokenRecord* record,
              std::uint64_t* meta_version) noexcept override {
    const Lookup found = ForwardingStore::Find(id, record, meta_version);
    *meta_version = version_;
    return found;
  }
  std::uint64_t MetaVersion() noexcept override { return version_; }

 private:
  const std::uint64_t version_;
};

Fields Answer(const absl::Status& status) {
  return {status.ok() ? "ok" : absl::StatusCodeToString(status.code())};
}

std::uint64_t Id(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

std::string UnixS(const std::optional<absl::Time>& time) {
  return absl::StrCat(time.has_value() ? absl::ToUnixSeconds(*time) : 0);
}

class Puppet {
 public:
  Puppet(std::unique_ptr<pat::Authority> authority, PuppetBoard* board)
      : authority_(std::move(authority)), board_(board) {}

  Fields Do(const Fields& told) {
    static const std::map<std::string, Fields (Puppet::*)(const Fields&)> kVerbs = {
        {"issue", &Puppet::Issue},
        {"burst", &Puppet::Burst},
        {"verify", &Puppet::Verify},
        {"get", &Puppet::Get},
        {"list", &Puppet::List},
        {"count", &Puppet::Count},
        {"rename", &Puppet::Rename},
        {"scope", &Puppet::Scope},
        {"activate", &Puppet::Activate},
        {"deactivate", &Puppet::Deactivate},
        {"delete", &Puppet::Delete},
        {"flush", &Puppet::Flush},
        {"declared", &Puppet::Declared},
        {"rename_often", &Puppet::RenameOften},
        {"verify_forever", &Puppet::VerifyForever},
        {"rotate", &Puppet::Rotate},
        {"reseal", &Puppet::Reseal},
        {"retire", &Puppet::Retire},
        {"turn_keys", &Puppet::TurnKeys},
    };
    const auto verb = kVerbs.find(told[0]);
    if (verb == kVerbs.end()) return {"no such verb"};
    Fields full = told;
    full.resize(6);  // what is left out is empty
    return (this->*verb->second)(full);
  }

 private:
  Fields Issue(const Fields& told) {
    pat::IssueRequest request;
    request.account = told[1];
    request.origin = told[2] == "auto" ? pat::Origin::kAuto : pat::Origin::kManual;
    if (request.origin == pat::Origin::kManual) request.scopes = {"repo:read"};
    request.description = told[3];
    if (Id(told[4]) != 0) {
      request.expires_at = absl::FromUnixSeconds(static_cast<std::int64_t>(Id(told[4])));
    }
    const absl::StatusOr<pat::Issued> issued = authority_->Issue(request);
    if (!issued.ok()) return Answer(issued.status());
    RecordIssuedSecret(issued->text.Reveal());
    return {"ok", absl::StrCat(issued->token.id), std::string(issued->text.Reveal())};
  }

  Fields Burst(const Fields& told) {
    std::vector<Fields> answers(Id(told[2]));
    std::vector<std::thread> threads;
    for (Fields& answer : answers) {
      threads.emplace_back([this, &told, &answer] {
        board_->waiting.fetch_add(1);
        while (!board_->open.load()) std::this_thread::yield();
        answer = Issue({"", told[1], "auto", "sign-in", "0"});
        if (answer[0] != "ok") return;
        // At once used; unless others have pushed it out already.
        const Fields used = Verify({"", answer[2], "", ""});
        if (used[0] != "accepted" && used[1] != "deleted") answer = {used[1]};
      });
    }
    for (std::thread& thread : threads) thread.join();
    Fields all = {"ok"};
    for (const Fields& answer : answers) {
      if (answer[0] != "ok") return answer;
      all.insert(all.end(), answer.begin() + 1, answer.end());
    }
    return all;
  }

  Fields Verify(const Fields& told) {
    pat::Presented presented;
    presented.ip = told[2];
    presented.user_agent = told[3];
    const pat::Decision decision = authority_->Verify(told[1], presented);
    if (const pat::Principal* who = decision.principal()) {
      return {"accepted", absl::StrCat(who->token_id()), std::string(who->account())};
    }
    return {"refused", std::string(pat::ToString(decision.refusal()->reason()))};
  }

  Fields VerifyForever(const Fields& told) {
    for (;;) {
      if (Verify(told)[0] != "accepted") return {"refused"};
    }
  }

  Fields Get(const Fields& told) {
    const absl::StatusOr<pat::Token> token = authority_->Get(Id(told[1]));
    if (!token.ok()) return Answer(token.status());
    const std::string_view reason =
        token->delete_reason.has_value() ? pat::ToString(*token->delete_reason) : "";
    return {"ok",
            std::string(pat::ToString(token->state)),
            std::string(pat::ToString(token->origin)),
            token->description,
            std::string(reason),
            UnixS(token->last_used_at),
            token->last_used_ip,
            token->last_used_user_agent};
  }

  Fields List(const Fields& told) {
    pat::ListOptions options;
    options.limit = 1000;  // one page, so one moment
    const absl::StatusOr<pat::TokenPage> page = authority_->List(told[1], options);
    if (!page.ok()) return Answer(page.status());
    Fields answer = {"ok"};
    for (const pat::Token& token : page->tokens) {
      answer.push_back(absl::StrCat(token.id));
      answer.emplace_back(pat::ToString(token.state));
      answer.emplace_back(pat::ToString(token.origin));
    }
    return answer;
  }

  Fields Count(const Fields& told) {
    const absl::StatusOr<pat::Counts> counts = authority_->Count(told[1]);
    if (!counts.ok()) return Answer(counts.status());
    return {"ok", absl::StrCat(counts->active), absl::StrCat(counts->inactive)};
  }

  Fields Rename(const Fields& told) {
    pat::TokenUpdate update;
    update.description = told[2];
    return Answer(authority_->Update(Id(told[1]), update).status());
  }

  Fields Scope(const Fields& told) {
    pat::TokenUpdate update;
    update.scopes = Fields{told[2]};
    return Answer(authority_->Update(Id(told[1]), update).status());
  }

  Fields RenameOften(const Fields& told) {
    for (std::uint64_t i = 0; i < Id(told[2]); ++i) {
      const Fields answer = Rename({"", told[1], absl::StrCat("name ", i)});
      if (answer[0] != "ok") return answer;
    }
    const absl::StatusOr<pat::StoreStats> stats = authority_->Stats();
    if (!stats.ok()) return Answer(stats.status());
    return {"ok", absl::StrCat(stats->bytes)};
  }

  Fields Activate(const Fields& told) { return Answer(authority_->Activate(Id(told[1]))); }
  Fields Deactivate(const Fields& told) { return Answer(authority_->Deactivate(Id(told[1]))); }
  Fields Delete(const Fields& told) { return Answer(authority_->Delete(Id(told[1]))); }
  Fields Flush(const Fields&) { return Answer(authority_->Flush()); }

  static pat::KeyKind Kind(const std::string& name) {
    return name == "selector" ? pat::KeyKind::kSelector : pat::KeyKind::kSeal;
  }

  Fields Rotate(const Fields& told) {
    const absl::StatusOr<pat::KeyInfo> info = authority_->RotateKey(Kind(told[1]));
    if (!info.ok()) return Answer(info.status());
    return {"ok", absl::StrCat(info->number)};
  }

  Fields Reseal(const Fields&) { return Answer(authority_->Reseal().status()); }

  Fields Retire(const Fields& told) {
    return Answer(authority_->RetireKey(Kind(told[1]), static_cast<std::uint16_t>(Id(told[2]))));
  }

  // Without end: no answer unless something fails.
  Fields TurnKeys(const Fields&) {
    for (;;) {
      const absl::StatusOr<pat::KeyInfo> info = authority_->RotateKey(pat::KeyKind::kSeal);
      if (!info.ok()) return Answer(info.status());
      if (const absl::Status s = authority_->Reseal().status(); !s.ok()) return Answer(s);
      const auto older = static_cast<std::uint16_t>(info->number - 1);
      const absl::Status s = authority_->RetireKey(pat::KeyKind::kSeal, older);
      if (!s.ok()) return Answer(s);
    }
  }

  Fields Declared(const Fields&) {
    Fields scopes;
    for (const auto& scope : authority_->scopes().scopes()) scopes.emplace_back(scope.name);
    return {"ok", absl::StrJoin(authority_->prefixes(), ","), absl::StrJoin(scopes, ",")};
  }

  std::unique_ptr<pat::Authority> authority_;
  PuppetBoard* board_;
};

}  // namespace

int RunPuppet(const char* directory, const char* board_fd, const char* how) {
  const SharedMemory<PuppetBoard> board(board_fd);
  pat::AuthorityOptions options;
  options.clock = [&board] { return absl::FromUnixSeconds(board->now_unix_s.load()); };
  options.create_if_missing = how == std::string_view("create");
  if (options.create_if_missing) options.prefixes = {kTestPrefix};
  if (how == std::string_view("adopt")) options.scopes = pat::ScopeSet();
  pat::LmdbOptions lmdb;
  lmdb.concurrent_reads = 8;
  lmdb.max_readers = 40;  // so that slots of killed processes are missed soon
  absl::StatusOr<std::unique_ptr<pat::Authority>> authority = OpenScratch(
      directory,
      [&board, how](std::unique_ptr<pat::Store> base) -> std::unique_ptr<pat::Store> {
        if (how == std::string_view("frozen")) {
          return std::make_unique<FrozenStore>(std::move(base));
        }
        return std::make_unique<FindNotingStore>(std::move(base), &board->inside_find);
      },
      options, lmdb);
  std::cout << absl::StrJoin(Answer(authority.status()), "\t") << std::endl;
  if (!authority.ok()) return 1;
  Puppet puppet(*std::move(authority), &*board);
  for (std::string line; std::getline(std::cin, line);) {
    const Fields told = absl::StrSplit(line, '\t');
    std::cout << absl::StrJoin(puppet.Do(told), "\t") << std::endl;
  }
  return 0;
}
