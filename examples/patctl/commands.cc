// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "json.h"
#include "location.h"
#include "pat/authority.h"
#include "times.h"
#include "token_view.h"

namespace patctl {
namespace {

absl::Status NoSuchToken() { return absl::NotFoundError("no such token"); }

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !is_hex) return false;
  }
  return true;
}

/// The token an operand names: by its number or its UUID.
absl::StatusOr<std::uint64_t> IdOf(const pat::Authority& authority, std::string text) {
  if (const std::optional<std::uint64_t> id = ParseNumber(text)) return *id;
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  if (IsUuid(text)) {
    const absl::StatusOr<std::uint64_t> id = authority.IdOf(text);
    return absl::IsInvalidArgument(id.status()) ? NoSuchToken() : id;
  }
  const bool all_digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (all_digits) return NoSuchToken();  // greater than any number
  return absl::InvalidArgumentError("a token is named by its number or its UUID");
}

/// The store, and the token that the first operand names.
struct Target {
  std::unique_ptr<pat::Authority> authority;
  std::uint64_t id = 0;

  static absl::StatusOr<Target> Of(const Arguments& arguments) {
    absl::StatusOr<std::unique_ptr<pat::Authority>> authority = OpenAuthority(arguments);
    if (!authority.ok()) return authority.status();
    const absl::StatusOr<std::uint64_t> id = IdOf(**authority, arguments.operands().front());
    if (!id.ok()) return id.status();
    return Target{*std::move(authority), *id};
  }
};

absl::StatusOr<pat::ListOptions> ReadListOptions(const Arguments& arguments) {
  pat::ListOptions options;
  if (const auto name = arguments.Value("state")) {
    for (pat::State state :
         {pat::State::kActive, pat::State::kInactive, pat::State::kExpired, pat::State::kDeleted}) {
      if (pat::ToString(state) == *name) options.state = state;
    }
    if (!options.state.has_value()) {
      return absl::InvalidArgumentError("a state is active, inactive, expired or deleted");
    }
  }
  if (const auto name = arguments.Value("origin")) {
    for (pat::Origin origin : {pat::Origin::kManual, pat::Origin::kAuto}) {
      if (pat::ToString(origin) == *name) options.origin = origin;
    }
    if (!options.origin.has_value()) {
      return absl::InvalidArgumentError("an origin is manual or auto");
    }
  }
  const absl::StatusOr<std::uint64_t> limit = NumberOption(arguments, "limit", 1000, 20);
  if (!limit.ok()) return limit.status();
  options.limit = static_cast<std::size_t>(*limit);
  options.text = arguments.Value("text").value_or("");
  options.after = arguments.Value("after").value_or("");
  return options;
}

/// `counts` is an error if the store's are damaged: the tokens must be shown all the same.
void ShowPage(const pat::TokenPage& page, const absl::StatusOr<pat::Counts>& counts, bool json,
              Output& out) {
  if (json) {
    std::string tokens;
    for (const pat::Token& token : page.tokens) {
      tokens += (tokens.empty() ? "" : ",") + TokenJson(token);
    }
    JsonObject list;
    list.Raw("active", counts.ok() ? std::to_string(counts->active) : "null");
    list.Raw("inactive", counts.ok() ? std::to_string(counts->inactive) : "null");
    list.Raw("tokens", Cat({"[", tokens, "]"}));
    list.TextOrNull("next", page.next.empty() ? std::optional<std::string>() : page.next);
    out.WriteLine(list.str());
    return;
  }
  out.Write(TokenTable(page.tokens));
  if (counts.ok()) {
    out.WriteLine(Cat({std::to_string(counts->active), " active, ",
                       std::to_string(counts->inactive), " inactive"}));
  }
  if (!page.next.empty()) out.WriteLine("more: --after " + Escaped(page.next));
}

void ShowChanged(const Arguments& arguments, const pat::Token& token, Output& out) {
  if (arguments.json()) {
    out.WriteLine(TokenJson(token));
  } else {
    out.Write(TokenBlock(token, "***"));
  }
}

/// Carries out rename, set-scopes, activate or deactivate.
absl::StatusOr<pat::Token> Apply(const Arguments& arguments, const Target& target) {
  const std::string& verb = arguments.verb();
  const std::vector<std::string>& operands = arguments.operands();
  pat::TokenUpdate update;
  if (verb == "rename") {
    update.description = operands[1];
  } else if (verb == "set-scopes") {
    update.scopes = std::vector<std::string>(operands.begin() + 1, operands.end());
    absl::Status s = CheckScopes(target.authority->scopes(), *update.scopes);
    if (!s.ok()) return s;
  } else if (verb == "activate") {
    if (absl::Status s = target.authority->Activate(target.id); !s.ok()) return s;
  } else if (absl::Status s = target.authority->Deactivate(target.id); !s.ok()) {
    return s;
  }
  if (verb == "activate" || verb == "deactivate") return target.authority->Get(target.id);
  return target.authority->Update(target.id, update);
}

}  // namespace

absl::StatusOr<int> RunVerb(const Arguments& arguments, Output& out) {
  const std::string& verb = arguments.verb();
  if (verb == "init") return Init(arguments, out);
  if (verb == "issue") return Issue(arguments, out);
  if (verb == "verify") return Verify(arguments, out);
  if (verb == "list") return List(arguments, out);
  if (verb == "show") return Show(arguments, out);
  if (verb == "delete") return Delete(arguments, out);
  if (verb == "purge") return Purge(arguments, out);
  if (verb == "stats") return Stats(arguments, out);
  if (verb == "doctor") return Doctor(arguments, out);
  if (verb == "keyring") return KeyringVerb(arguments, out);
  if (verb == "new-realm") return NewRealm(arguments, out);
  return Change(arguments, out);
}

absl::StatusOr<int> List(const Arguments& arguments, Output& out) {
  const absl::StatusOr<pat::ListOptions> options = ReadListOptions(arguments);
  if (!options.ok()) return options.status();
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  const std::string account = arguments.Value("account").value_or("");
  const absl::StatusOr<pat::TokenPage> page = (*authority)->List(account, *options);
  if (!page.ok()) return page.status();
  const absl::StatusOr<pat::Counts> counts = (*authority)->Count(account);
  if (!counts.ok() && !absl::IsDataLoss(counts.status())) return counts.status();
  ShowPage(*page, counts, arguments.json(), out);
  if (!counts.ok()) {
    Say(Cat({"the account's counts: ", std::string(counts.status().message())}));
    return kFailed;
  }
  return kDone;
}

absl::StatusOr<int> Show(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Target> target = Target::Of(arguments);
  if (!target.ok()) return target.status();
  const absl::StatusOr<pat::Token> token = target->authority->Get(target->id);
  if (!token.ok()) return token.status();
  ShowChanged(arguments, *token, out);
  return kDone;
}

absl::StatusOr<int> Change(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Target> target = Target::Of(arguments);
  if (!target.ok()) return target.status();
  const absl::StatusOr<pat::Token> token = Apply(arguments, *target);
  if (!token.ok()) return token.status();
  ShowChanged(arguments, *token, out);
  return kDone;
}

absl::StatusOr<int> Delete(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Target> target = Target::Of(arguments);
  if (!target.ok()) return target.status();
  absl::Status s = target->authority->Delete(target->id, {}, pat::DeleteReason::kAdmin);
  if (!s.ok()) return s;
  const absl::StatusOr<pat::Token> token = target->authority->Get(target->id);
  if (!token.ok()) return token.status();
  ShowChanged(arguments, *token, out);
  return kDone;
}

absl::StatusOr<int> Purge(const Arguments& arguments, Output& out) {
  const absl::StatusOr<absl::Time> before =
      ParseMoment(arguments.Value("before").value_or(""), absl::Now(), -1);
  if (!before.ok()) return before.status();
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<std::size_t> purged = (*authority)->Purge(*before, SIZE_MAX, ShowProgress());
  if (!purged.ok()) return purged.status();
  if (arguments.json()) {
    out.WriteLine(JsonObject().Number("purged", *purged).str());
  } else {
    out.WriteLine(Cat({"purged ", std::to_string(*purged)}));
  }
  return kDone;
}

absl::StatusOr<int> Stats(const Arguments& arguments, Output& out) {
  const auto authority = OpenAuthority(arguments);
  if (!authority.ok()) return authority.status();
  const absl::StatusOr<pat::StoreStats> stats = (*authority)->Stats();
  if (!stats.ok()) return stats.status();
  std::vector<std::string> scopes;
  for (const pat::Scope& scope : (*authority)->scopes().scopes()) scopes.push_back(scope.name);
  const std::vector<std::string>& prefixes = (*authority)->prefixes();
  if (arguments.json()) {
    JsonObject json;
    json.Number("accounts", stats->accounts);
    json.Text("next_token_id", std::to_string(stats->next_token_id));
    json.Number("bytes", stats->bytes).Number("uses_dropped", stats->uses_dropped);
    json.Raw("prefixes", JsonStrings(prefixes)).Raw("scopes", JsonStrings(scopes));
    out.WriteLine(json.str());
    return kDone;
  }
  std::vector<std::vector<std::string>> rows = {
      {"accounts:", std::to_string(stats->accounts)},
      {"next token id:", std::to_string(stats->next_token_id)},
      {"bytes:", std::to_string(stats->bytes)},
      {"uses dropped:", std::to_string(stats->uses_dropped)}};
  for (const std::string& prefix : prefixes) rows.push_back({"prefix:", Escaped(prefix)});
  for (const std::string& scope : scopes) rows.push_back({"scope:", Escaped(scope)});
  out.Write(Table(rows));
  return kDone;
}

void Say(std::string_view message) {
  const std::string line = Cat({"patctl: ", message, "\n"});
  // Where even this cannot be written, there is the exit status.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

pat::Authority::PassCallback ShowProgress() {
  const bool watched = ::isatty(STDERR_FILENO) == 1;
  return [watched](const pat::PassProgress& progress) {
    if (watched) {
      Say(Cat({std::to_string(progress.tokens), " tokens of at most ",
               std::to_string(progress.next_token_id - 1)}));
    }
    return true;
  };
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

absl::StatusOr<std::uint64_t> NumberOption(const Arguments& arguments, std::string_view option,
                                           std::uint64_t most, std::uint64_t otherwise) {
  const std::optional<std::string> text = arguments.Value(option);
  if (!text.has_value()) return otherwise;
  const std::optional<std::uint64_t> number = ParseNumber(*text);
  if (number.has_value() && *number >= 1 && *number <= most) return *number;
  return absl::InvalidArgumentError(
      Cat({"--", option, " is a number from 1 to ", std::to_string(most)}));
}

absl::Status CheckScopes(const pat::ScopeSet& set, const std::vector<std::string>& names) {
  std::string declared;
  for (const pat::Scope& scope : set.scopes()) {
    declared += (declared.empty() ? "" : ", ") + scope.name;
  }
  for (const std::string& name : names) {
    if (set.FindScope(name) != nullptr) continue;
    return absl::InvalidArgumentError(Cat({"no such scope; this store has ", declared}));
  }
  return absl::OkStatus();
}

}  // namespace patctl
