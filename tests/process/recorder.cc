// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/recorder.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/issued_secrets.h"

namespace {

using Verb = Call::Verb;

struct Scope {
  const char* name;
  std::uint64_t permissions;
};
constexpr Scope kScopes[] = {{"repo:public_read", 1}, {"repo:read", 3}, {"repo:write", 7}};

ModelToken Seen(const pat::Token& token) {
  ModelToken seen;
  seen.id = token.id;
  seen.permissions = token.permissions.bits();
  if (!absl::SimpleAtoi(token.description, &seen.description)) seen.description = UINT64_MAX;
  seen.active = token.state == pat::State::kActive;
  seen.deleted = token.state == pat::State::kDeleted;
  return seen;
}

void Take(const absl::Status& status, Call* call) {
  call->ok = status.ok();
  call->answer = static_cast<std::uint64_t>(status.code());
}

class Recorder {
 public:
  Recorder(pat::Authority* authority, HistoryBoard* board, Draws draws)
      : authority_(*authority),
        board_(*board),
        number_(board->joined.fetch_add(1)),
        draws_(draws) {}

  void Round(std::uint64_t round) {
    random_.seed(round * 64 + static_cast<std::uint64_t>(number_));
    for (Call& call : board_.calls[static_cast<std::size_t>(number_)]) {
      if (draws_ == Draws::kVerify) AwaitAnother();
      Draw(&call);
      call.began = board_.sequence.fetch_add(1);
      Do(&call);
      call.returned = board_.sequence.fetch_add(1);
    }
  }

 private:
  // Or all would be verified before the first change is through.
  void AwaitAnother() {
    const std::uint64_t now = board_.sequence.load();
    for (int i = 0; i < 1000 && board_.sequence.load() == now; ++i) std::this_thread::yield();
  }

  std::size_t Draw(std::size_t below) { return random_() % below; }

  void Draw(Call* call) {
    static constexpr Verb kVerbs[] = {
        Verb::kVerify,     Verb::kVerify,   Verb::kVerify,   Verb::kVerify,
        Verb::kVerify,     Verb::kActivate, Verb::kActivate, Verb::kDeactivate,
        Verb::kDeactivate, Verb::kDelete,   Verb::kRescope,  Verb::kRename,
        Verb::kGet,        Verb::kCount,    Verb::kList,     Verb::kIssueAuto};
    *call = Call();
    if (draws_ == Draws::kAll) call->verb = kVerbs[Draw(std::size(kVerbs))];
    const auto taken = static_cast<std::size_t>(board_.taken.load());
    slot_ = Draw(std::min<std::size_t>(taken, kSlots));
    if (Draw(2) == 0) slot_ = 0;  // one that all use
    call->token = board_.slots[slot_].id.load();
    if (call->token == 0) call->token = board_.slots[slot_ = 0].id.load();
    if (call->verb == Verb::kDelete && slot_ == 0 && Draw(4) != 0) call->verb = Verb::kDeactivate;
    wish_ = Draw(std::size(kScopes));
    if (call->verb == Verb::kRescope) call->wish = kScopes[wish_].permissions;
    if (call->verb == Verb::kRename) call->wish = 1 + Draw(1000);
  }

  void Do(Call* call) {
    switch (call->verb) {
      case Verb::kVerify: return Verify(call);
      case Verb::kActivate: return Take(authority_.Activate(call->token), call);
      case Verb::kDeactivate: return Take(authority_.Deactivate(call->token), call);
      case Verb::kDelete: return Take(authority_.Delete(call->token), call);
      case Verb::kRescope:
      case Verb::kRename: return Update(call);
      case Verb::kGet: return Get(call);
      case Verb::kCount: return Count(call);
      case Verb::kList: return List(call);
      case Verb::kIssueAuto: return IssueAuto(call);
    }
  }

  void Verify(Call* call) {
    const pat::Decision decision = authority_.Verify(board_.slots[slot_].text.data());
    call->ok = decision.principal() != nullptr;
    call->answer = call->ok ? decision.principal()->permissions().bits()
                            : static_cast<std::uint64_t>(decision.refusal()->reason());
  }

  void Update(Call* call) {
    pat::TokenUpdate update;
    if (call->verb == Verb::kRename) update.description = absl::StrCat(call->wish);
    if (call->verb == Verb::kRescope) update.scopes = std::vector<std::string>{kScopes[wish_].name};
    Take(authority_.Update(call->token, update).status(), call);
  }

  void Get(Call* call) {
    const absl::StatusOr<pat::Token> token = authority_.Get(call->token);
    Take(token.status(), call);
    if (token.ok()) call->answer = TokenSum(Seen(*token));
  }

  void Count(Call* call) {
    const absl::StatusOr<pat::Counts> counts = authority_.Count(board_.account.data());
    Take(counts.status(), call);
    if (counts.ok()) call->answer = counts->active * 1000 + counts->inactive;
  }

  void List(Call* call) {
    pat::ListOptions options;
    options.limit = 1000;  // one page, so one moment
    const absl::StatusOr<pat::TokenPage> page = authority_.List(board_.account.data(), options);
    Take(page.status(), call);
    if (!page.ok()) return;
    std::vector<ModelToken> seen;
    for (const pat::Token& token : page->tokens) seen.push_back(Seen(token));
    std::reverse(seen.begin(), seen.end());
    call->answer = ListSum(seen);
  }

  void IssueAuto(Call* call) {
    pat::IssueRequest request;
    request.account = board_.account.data();
    request.description = "0";
    request.origin = pat::Origin::kAuto;
    const absl::StatusOr<pat::Issued> issued = authority_.Issue(request);
    Take(issued.status(), call);
    if (!issued.ok()) return;
    call->token = issued->token.id;
    std::vector<ModelToken> gone;
    for (const std::uint64_t id : issued->evicted) gone.emplace_back().id = id;
    call->answer = ListSum(gone);
    const std::string_view text = issued->text.Reveal();
    RecordIssuedSecret(text);
    const int slot = board_.taken.fetch_add(1);
    if (slot >= kSlots) return;
    HistoryBoard::Slot& mine = board_.slots[static_cast<std::size_t>(slot)];
    mine.text.fill('\0');
    std::memcpy(mine.text.data(), text.data(), std::min(text.size(), mine.text.size() - 1));
    mine.id.store(issued->token.id);
  }

  pat::Authority& authority_;
  HistoryBoard& board_;
  const int number_;
  const Draws draws_;
  std::mt19937_64 random_;
  std::size_t slot_ = 0;
  std::size_t wish_ = 0;
};

}  // namespace

void RecordCalls(pat::Authority* authority, HistoryBoard* board, Draws draws) {
  Recorder recorder(authority, board, draws);
  std::uint64_t last = 0;
  while (!board->stop.load()) {
    const std::uint64_t round = board->round.load();
    if (round == last) {
      std::this_thread::yield();
      continue;
    }
    recorder.Round(round);
    last = round;
    board->through.fetch_add(1);
  }
}
