// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "tests/process/clerk.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "tests/issued_secrets.h"
#include "tests/process/puppet.h"
#include "tests/process/scratch_store.h"
#include "tests/process/shared_memory.h"

namespace {

using Fields = std::vector<std::string>;
using pat::Authority;

std::uint64_t Number(const std::string& text) {
  return std::strtoull(text.c_str() + (text[0] == '#' ? 1 : 0), nullptr, 10);
}
std::string Id(std::uint64_t id) { return absl::StrCat("#", id); }

absl::Time Time(const std::string& text) {
  return absl::FromUnixSeconds(static_cast<std::int64_t>(Number(text)));
}
std::string UnixS(const std::optional<absl::Time>& time) {
  return absl::StrCat(time.has_value() ? absl::ToUnixSeconds(*time) : 0);
}

Fields Scopes(const std::string& text) {
  return text.empty() ? Fields() : Fields(absl::StrSplit(text, ','));
}
pat::KeyKind Kind(const std::string& name) {
  return name == "selector" ? pat::KeyKind::kSelector : pat::KeyKind::kSeal;
}
pat::Origin OriginOf(const std::string& name) {
  return name == "auto" ? pat::Origin::kAuto : pat::Origin::kManual;
}

Fields Answer(const absl::Status& status) {
  return {status.ok() ? "ok" : absl::StatusCodeToString(status.code())};
}

void Add(const Fields& more, Fields* answer) {
  answer->insert(answer->end(), more.begin(), more.end());
}

Fields View(Authority& authority, const pat::Token& token) {
  const absl::StatusOr<std::uint64_t> id = authority.IdOf(token.public_id);
  const std::string_view reason =
      token.delete_reason.has_value() ? pat::ToString(*token.delete_reason) : "";
  Fields view = {Id(token.id),
                 id.ok() && *id == token.id ? "named" : "misnamed",
                 token.account,
                 token.description,
                 absl::StrJoin(token.scopes, ","),
                 absl::StrCat(token.permissions.bits()),
                 std::string(pat::ToString(token.state)),
                 std::string(pat::ToString(token.origin)),
                 UnixS(token.created_at),
                 UnixS(token.expires_at),
                 UnixS(token.last_used_at),
                 token.last_used_ip,
                 token.last_used_user_agent,
                 UnixS(token.deleted_at),
                 std::string(reason),
                 token.damaged ? "damaged" : "whole"};
  for (const auto& [name, value] : token.attributes) view.push_back(name + "=" + value);
  return view;
}

Fields Told(const pat::Decision& decision) {
  const pat::Principal* const who = decision.principal();
  if (who == nullptr) return {"refused", std::string(ToString(decision.refusal()->reason()))};
  return {"accepted", Id(who->token_id()), std::string(who->account()),
          absl::StrCat(who->permissions().bits()), std::string(ToString(who->origin()))};
}

pat::Claim ClaimOf(const std::string& text) {
  if (text == "?") return pat::Claim::Unknown();
  return text.empty() ? pat::Claim::None() : pat::Claim::Account(text);
}

pat::Presented PresentedAs(const std::string& claim, const std::string& need) {
  pat::Presented presented;
  presented.claim = ClaimOf(claim);
  presented.need = pat::PermissionSet::FromBits(Number(need));
  return presented;
}

Fields Verify(Authority& authority, const Fields& told) {
  pat::Presented presented = PresentedAs(told[2], told[3]);
  presented.ip = told[4];
  presented.user_agent = told[5];
  return Told(authority.Verify(told[1], presented));
}

Fields VerifyMany(Authority& authority, const Fields& told) {
  const std::vector<std::string_view> texts(told.begin() + 3, told.end());
  Fields answer = {"ok"};
  authority.VerifyMany(
      texts, PresentedAs(told[1], told[2]),
      [&](std::size_t, const pat::Decision& decision) { Add(Told(decision), &answer); });
  return answer;
}

Fields Authenticate(Authority& authority, const Fields& told) {
  return Told(authority.Authenticate(told[1], PresentedAs(told[2], "0"), told[3] == "1",
                                     [](std::string_view password) { return password == "good"; }));
}

Fields Issue(Authority& authority, const Fields& told) {
  std::vector<pat::IssueRequest> requests;
  for (std::size_t i = 1; i + 6 <= told.size(); i += 6) {
    pat::IssueRequest request;
    request.account = told[i];
    request.origin = OriginOf(told[i + 1]);
    request.description = told[i + 2];
    if (told[i + 3] != "0") request.expires_at = Time(told[i + 3]);
    request.scopes = Scopes(told[i + 4]);
    if (!told[i + 5].empty()) request.attributes = {{"note", told[i + 5]}};
    requests.push_back(std::move(request));
  }
  std::vector<pat::Issued> all;
  if (requests.size() == 1) {
    absl::StatusOr<pat::Issued> issued = authority.Issue(requests[0]);
    if (!issued.ok()) return Answer(issued.status());
    all.push_back(*std::move(issued));
  } else {
    absl::StatusOr<std::vector<pat::Issued>> issued = authority.IssueMany(requests);
    if (!issued.ok()) return Answer(issued.status());
    all = *std::move(issued);
  }
  Fields answer = {"ok"};
  for (const pat::Issued& issued : all) {
    RecordIssuedSecret(issued.text.Reveal());
    Add({Id(issued.token.id), std::string(issued.text.Reveal())}, &answer);
    answer.push_back(absl::StrCat(issued.evicted.size()));
    for (const std::uint64_t id : issued.evicted) answer.push_back(Id(id));
    Add(View(authority, issued.token), &answer);
  }
  return answer;
}

Fields Viewed(Authority& authority, const absl::StatusOr<pat::Token>& token) {
  Fields answer = Answer(token.status());
  if (token.ok()) Add(View(authority, *token), &answer);
  return answer;
}

Fields Get(Authority& authority, const Fields& told) {
  return Viewed(authority, authority.Get(Number(told[1]), told[2]));
}

Fields List(Authority& authority, const Fields& told) {
  pat::ListOptions options;
  for (const pat::State state :
       {pat::State::kActive, pat::State::kInactive, pat::State::kExpired, pat::State::kDeleted}) {
    if (told[2] == ToString(state)) options.state = state;
  }
  if (!told[3].empty()) options.origin = OriginOf(told[3]);
  options.text = told[4];
  options.limit = Number(told[5]);
  if (!told[6].empty()) {
    const absl::StatusOr<std::string> after = authority.PublicIdOf(Number(told[6]));
    if (!after.ok()) return Answer(after.status());
    options.after = *after;
  }
  const absl::StatusOr<pat::TokenPage> page = authority.List(told[1], options);
  Fields answer = Answer(page.status());
  if (!page.ok()) return answer;
  const absl::StatusOr<std::uint64_t> next = authority.IdOf(page->next);
  answer.push_back(page->next.empty() ? "" : next.ok() ? Id(*next) : "no cursor");
  for (const pat::Token& token : page->tokens) Add(View(authority, token), &answer);
  return answer;
}

Fields Count(Authority& authority, const Fields& told) {
  const absl::StatusOr<pat::Counts> counts = authority.Count(told[1]);
  if (!counts.ok()) return Answer(counts.status());
  return {"ok", absl::StrCat(counts->active), absl::StrCat(counts->inactive)};
}

Fields Update(Authority& authority, const Fields& told) {
  pat::TokenUpdate update;
  if (!told[3].empty()) update.description = told[3];
  if (!told[4].empty()) update.scopes = Scopes(told[4]);
  if (!told[5].empty()) update.active = told[5] == "1";
  return Viewed(authority, authority.Update(Number(told[1]), update, told[2]));
}

Fields Activate(Authority& authority, const Fields& told) {
  return Answer(authority.Activate(Number(told[1]), told[2]));
}
Fields Deactivate(Authority& authority, const Fields& told) {
  return Answer(authority.Deactivate(Number(told[1]), told[2]));
}
Fields Delete(Authority& authority, const Fields& told) {
  return Answer(
      authority.Delete(Number(told[1]), told[2], static_cast<pat::DeleteReason>(Number(told[3]))));
}

Fields Purge(Authority& authority, const Fields& told) {
  const absl::StatusOr<std::size_t> purged = authority.Purge(Time(told[1]), Number(told[2]));
  Fields answer = Answer(purged.status());
  if (purged.ok()) answer.push_back(absl::StrCat(*purged));
  return answer;
}

Fields Keys(Authority& authority, const Fields&) {
  const absl::StatusOr<std::vector<pat::KeyInfo>> keys = authority.Keys();
  Fields answer = Answer(keys.status());
  if (!keys.ok()) return answer;
  for (const pat::KeyInfo& key : *keys) {
    Add({key.kind == pat::KeyKind::kSelector ? "selector" : "seal", absl::StrCat(key.number),
         UnixS(key.created_at), key.newest ? "1" : "0", absl::StrCat(key.dependents)},
        &answer);
  }
  return answer;
}

Fields Rotate(Authority& authority, const Fields& told) {
  const absl::StatusOr<pat::KeyInfo> info = authority.RotateKey(Kind(told[1]));
  Fields answer = Answer(info.status());
  if (info.ok()) answer.push_back(absl::StrCat(info->number));
  return answer;
}

Fields Reseal(Authority& authority, const Fields&) {
  const absl::StatusOr<pat::PassProgress> pass = authority.Reseal();
  if (!pass.ok()) return Answer(pass.status());
  return {"ok", absl::StrCat(pass->accounts), absl::StrCat(pass->tokens),
          absl::StrCat(pass->written), absl::StrCat(pass->left)};
}

Fields Retire(Authority& authority, const Fields& told) {
  return Answer(authority.RetireKey(Kind(told[1]), static_cast<std::uint16_t>(Number(told[2])),
                                    told[3] == "1"));
}

Fields Flush(Authority& authority, const Fields&) { return Answer(authority.Flush()); }
Fields Health(Authority& authority, const Fields&) { return Answer(authority.Health()); }

Fields Stats(Authority& authority, const Fields&) {
  const absl::StatusOr<pat::StoreStats> stats = authority.Stats();
  if (!stats.ok()) return Answer(stats.status());
  return {"ok", absl::StrCat(stats->accounts), absl::StrCat(stats->uses_dropped)};
}

}  // namespace

std::vector<std::string> DoAsTold(Authority& authority, const Fields& told) {
  static const std::map<std::string, Fields (*)(Authority&, const Fields&)> kVerbs = {
      {"verify", Verify},
      {"verify_many", VerifyMany},
      {"authenticate", Authenticate},
      {"issue", Issue},
      {"get", Get},
      {"list", List},
      {"count", Count},
      {"update", Update},
      {"activate", Activate},
      {"deactivate", Deactivate},
      {"delete", Delete},
      {"purge", Purge},
      {"keys", Keys},
      {"rotate", Rotate},
      {"reseal", Reseal},
      {"retire", Retire},
      {"flush", Flush},
      {"health", Health},
      {"stats", Stats}};
  const auto verb = kVerbs.find(told[0]);
  if (verb == kVerbs.end()) return {"no such verb"};
  return verb->second(authority, told);
}

int RunClerk(const char* directory, const char* board_fd) {
  const SharedMemory<PuppetBoard> board(board_fd);
  pat::AuthorityOptions options;
  options.clock = [&board] { return absl::FromUnixSeconds(board->now_unix_s.load()); };
  const absl::StatusOr<std::unique_ptr<Authority>> authority =
      OpenScratch(directory, nullptr, options);
  std::cout << absl::StrJoin(Answer(authority.status()), "\t") << std::endl;
  if (!authority.ok()) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    const Fields told = absl::StrSplit(line, '\t');
    std::cout << absl::StrJoin(DoAsTold(**authority, told), "\t") << std::endl;
  }
  return 0;
}
