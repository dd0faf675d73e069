// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl keyring: the life of a store's keys. Shows numbers and times, a secret only on `export`.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "json.h"
#include "location.h"
#include "pat/authority.h"
#include "private_file.h"
#include "times.h"

namespace patctl {
namespace {

std::string_view NameOf(pat::KeyKind kind) {
  return kind == pat::KeyKind::kSelector ? "selector" : "seal";
}

absl::StatusOr<pat::KeyKind> KindOf(std::string_view name) {
  for (const pat::KeyKind kind : {pat::KeyKind::kSelector, pat::KeyKind::kSeal}) {
    if (NameOf(kind) == name) return kind;
  }
  return absl::InvalidArgumentError("a key is of the kind selector or seal");
}

std::string KeyJson(const pat::KeyInfo& key, bool counted) {
  JsonObject json;
  json.Text("kind", NameOf(key.kind)).Number("number", key.number);
  json.Text("created_at", Rfc3339(key.created_at)).Bool("newest", key.newest);
  if (counted) json.Number("dependents", key.dependents);
  return json.str();
}

absl::StatusOr<int> ListKeys(const Arguments& arguments, pat::Authority& authority, Output& out) {
  const absl::StatusOr<std::vector<pat::KeyInfo>> keys = authority.Keys();
  if (!keys.ok()) return keys.status();
  if (arguments.json()) {
    std::string list;
    for (const pat::KeyInfo& key : *keys) list += (list.empty() ? "" : ",") + KeyJson(key, true);
    JsonObject json;
    json.Raw("keys", Cat({"[", list, "]"}));
    out.WriteLine(json.str());
    return kDone;
  }
  std::vector<std::vector<std::string>> rows = {{"KIND", "NUMBER", "CREATED", "", "DEPENDENTS"}};
  for (const pat::KeyInfo& key : *keys) {
    rows.push_back({std::string(NameOf(key.kind)), std::to_string(key.number),
                    Rfc3339(key.created_at), key.newest ? "newest" : "",
                    std::to_string(key.dependents)});
  }
  out.Write(Table(rows));
  return kDone;
}

absl::StatusOr<int> Rotate(const Arguments& arguments, pat::Authority& authority, Output& out) {
  const absl::StatusOr<pat::KeyKind> kind = KindOf(arguments.operands()[1]);
  if (!kind.ok()) return kind.status();
  const absl::StatusOr<pat::KeyInfo> key = authority.RotateKey(*kind);
  if (!key.ok()) return key.status();
  if (arguments.json()) {
    out.WriteLine(KeyJson(*key, false));
  } else {
    out.WriteLine(Cat({NameOf(*kind), " key ", std::to_string(key->number), " is in use"}));
  }
  return kDone;
}

absl::StatusOr<int> Reseal(const Arguments& arguments, pat::Authority& authority, Output& out) {
  const auto done = authority.Reseal(ShowProgress());
  if (!done.ok()) return done.status();
  if (arguments.json()) {
    JsonObject json;
    json.Number("accounts", done->accounts).Number("tokens", done->tokens);
    out.WriteLine(json.Number("resealed", done->written).Number("left", done->left).str());
    return kDone;
  }
  out.WriteLine(
      Cat({"resealed ", std::to_string(done->written), " rows of ", std::to_string(done->tokens),
           " tokens and ", std::to_string(done->accounts), " accounts"}));
  if (done->left != 0) {
    Say(Cat({std::to_string(done->left),
             " tokens or accounts do not fit their seals and were left as they are"}));
  }
  return kDone;
}

absl::StatusOr<int> Retire(const Arguments& arguments, pat::Authority& authority, Output& out) {
  const std::vector<std::string>& operands = arguments.operands();
  const absl::StatusOr<pat::KeyKind> kind = KindOf(operands[1]);
  if (!kind.ok()) return kind.status();
  const std::optional<std::uint64_t> number = ParseNumber(operands[2]);
  if (!number.has_value() || *number < 1 || *number > 0xFFFF) {
    return absl::InvalidArgumentError("a key's number is from 1 to 65535");
  }
  const absl::Status retired =
      authority.RetireKey(*kind, static_cast<std::uint16_t>(*number), arguments.Has("force"));
  if (!retired.ok()) return retired;
  if (arguments.json()) {
    JsonObject json;
    json.Text("kind", NameOf(*kind)).Number("retired", *number);
    out.WriteLine(json.str());
  } else {
    out.WriteLine(Cat({NameOf(*kind), " keys up to ", operands[2], " are retired"}));
  }
  return kDone;
}

absl::StatusOr<int> Export(const Arguments& arguments, Output& out) {
  const auto file = arguments.Value("output");
  if (file.has_value() == arguments.Has("stdout")) {
    return absl::InvalidArgumentError("export writes to --output FILE or to --stdout");
  }
  const absl::StatusOr<Location> location = Location::Of(arguments);
  if (!location.ok()) return location.status();
  // Also says whether the keyring is this store's.
  if (const auto authority = OpenAuthority(arguments); !authority.ok()) return authority.status();
  absl::StatusOr<std::string> text = ReadPrivate(location->keyring);
  if (!text.ok()) return text.status();
  absl::Status written;
  if (file.has_value()) {
    written = WritePrivate(*file, *text);
  } else {
    out.Write(*text);
  }
  Wipe(&*text);
  if (!written.ok()) return written;
  if (file.has_value() && arguments.json()) {
    out.WriteLine(JsonObject().Text("output", *file).str());
  } else if (file.has_value()) {
    out.WriteLine(Cat({"wrote ", Escaped(*file), ": whoever has it can make tokens"}));
  }
  return kDone;
}

}  // namespace

absl::StatusOr<int> KeyringVerb(const Arguments& arguments, Output& out) {
  using Run = absl::StatusOr<int> (*)(const Arguments&, pat::Authority&, Output&);
  struct Action {
    std::string_view name;
    std::size_t operands;
    Run run;
  };
  static constexpr std::array<Action, 5> kActions = {{{"list", 1, ListKeys},
                                                      {"rotate", 2, Rotate},
                                                      {"reseal", 1, Reseal},
                                                      {"retire", 3, Retire},
                                                      {"export", 1, nullptr}}};
  for (const Action& action : kActions) {
    if (action.name != arguments.operands().front()) continue;
    if (arguments.operands().size() != action.operands) {
      return absl::InvalidArgumentError(Cat(
          {"keyring ", action.name, " has ", std::to_string(action.operands - 1), " operands"}));
    }
    if (arguments.Has("force") && action.name != "retire") {
      return absl::InvalidArgumentError("--force is for keyring retire");
    }
    const bool exports = action.run == nullptr;
    if (!exports && (arguments.Has("output") || arguments.Has("stdout"))) {
      return absl::InvalidArgumentError("--output and --stdout are for keyring export");
    }
    if (exports) return Export(arguments, out);
    const auto authority = OpenAuthority(arguments);
    if (!authority.ok()) return authority.status();
    return action.run(arguments, **authority, out);
  }
  return absl::InvalidArgumentError("keyring does: list, rotate, reseal, retire, export");
}

}  // namespace patctl
