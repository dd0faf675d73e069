// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "text.h"

namespace patctl {
namespace {

enum class Takes { kNothing, kOne, kOneEachTime, kSeveral };

struct OptionSyntax {
  std::string_view name;
  Takes takes;
};

constexpr OptionSyntax kOptions[] = {
    {"account", Takes::kOne},     {"after", Takes::kOne},       {"attr", Takes::kSeveral},
    {"auto", Takes::kNothing},    {"before", Takes::kOne},      {"count", Takes::kOne},
    {"description", Takes::kOne}, {"expires", Takes::kOne},     {"help", Takes::kNothing},
    {"force", Takes::kNothing},   {"json", Takes::kNothing},    {"keyring", Takes::kOne},
    {"limit", Takes::kOne},       {"new-keyring", Takes::kOne}, {"output", Takes::kOne},
    {"need", Takes::kOne},        {"origin", Takes::kOne},      {"prefix", Takes::kOneEachTime},
    {"scope", Takes::kSeveral},   {"state", Takes::kOne},       {"store", Takes::kOne},
    {"stdout", Takes::kNothing},  {"text", Takes::kOne},        {"version", Takes::kNothing},
    {"why", Takes::kNothing},
};

const OptionSyntax* FindOption(std::string_view name) {
  for (const OptionSyntax& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

const VerbSyntax* FindVerb(std::string_view name) {
  for (const VerbSyntax& verb : Verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// `text` for an error message, if it reads like a mistyped word; what might be a token or another
/// secret is not repeated.
std::string Quoted(std::string_view text) {
  const bool is_word = text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || c == '-';
                       });
  return is_word ? Cat({" '", text, "'"}) : std::string();
}

bool StartsWithDashes(std::string_view text) { return text.substr(0, 2) == "--"; }

bool LooksLikeOption(std::string_view text) { return text.size() > 1 && text.front() == '-'; }

}  // namespace

const std::vector<VerbSyntax>& Verbs() {
  static const auto* const verbs = new std::vector<VerbSyntax>{
      {"init", "--prefix P...", {"prefix"}, {"prefix"}},
      {"issue",
       "--account A --description D --scope S... [--expires RFC3339|30d]\n"
       "               [--auto] [--attr K=V...] [--count N]",
       {"account", "description", "scope", "expires", "auto", "attr", "count"},
       {"account", "description"}},
      {"verify",
       "[--need S] [--account A] [--why]     (token on stdin)",
       {"need", "account", "why"},
       {}},
      {"list",
       "--account A [--state S] [--origin O] [--text T] [--limit N]\n"
       "               [--after CURSOR]",
       {"account", "state", "origin", "text", "limit", "after"},
       {"account"}},
      {"show", "ID", {}, {}, 1, 1},
      {"rename", "ID TEXT", {}, {}, 2, 2},
      {"set-scopes", "ID S...", {}, {}, 2, 64},
      {"activate", "ID", {}, {}, 1, 1},
      {"deactivate", "ID", {}, {}, 1, 1},
      {"delete", "ID", {}, {}, 1, 1},
      {"purge", "--before RFC3339|30d", {"before"}, {"before"}},
      {"stats", "", {}, {}},
      {"doctor", "", {}, {}},
      {"keyring",
       "list | rotate selector|seal | reseal | retire selector|seal NUMBER\n"
       "               [--force] | export --output FILE|--stdout",
       {"force", "output", "stdout"},
       {},
       1,
       3},
      {"new-realm", "[--new-keyring FILE]     (offline)", {"new-keyring"}, {}},
  };
  return *verbs;
}

/// Reads a line word by word into an Arguments.
class Arguments::Reader {
 public:
  Reader(absl::Span<const std::string> line, Arguments* arguments)
      : line_(line), arguments_(*arguments) {}

  absl::Status Read() {
    while (next_ < line_.size()) {
      const std::string& word = line_[next_++];
      if (word == "--" && !ended_) {
        ended_ = true;
      } else if (!ended_ && LooksLikeOption(word)) {
        if (absl::Status s = ReadOption(word); !s.ok()) return s;
      } else if (arguments_.verb_.empty()) {
        arguments_.verb_ = word;
      } else {
        arguments_.operands_.push_back(word);
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadOption(const std::string& word) {
    std::string_view name = word;
    if (word == "-h") name = "--help";
    if (!StartsWithDashes(name)) {
      return absl::InvalidArgumentError(
          "unknown option (before operands that begin with '-' put '--')");
    }
    name.remove_prefix(2);
    const std::size_t equals = name.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string value(has_value ? name.substr(equals + 1) : std::string_view());
    name = name.substr(0, equals);
    const OptionSyntax* option = FindOption(name);
    if (option == nullptr) {
      return absl::InvalidArgumentError(Cat({"unknown option", Quoted(name)}));
    }
    if (option->takes == Takes::kOne && arguments_.Has(name)) {
      return absl::InvalidArgumentError(Cat({"--", name, " is given twice"}));
    }
    std::vector<std::string>& values = arguments_.options_[std::string(name)];
    if (option->takes == Takes::kNothing) {
      if (!has_value) return absl::OkStatus();
      return absl::InvalidArgumentError(Cat({"--", name, " takes no value"}));
    }
    return ReadValues(*option, has_value ? &value : nullptr, &values);
  }

  absl::Status ReadValues(const OptionSyntax& option, const std::string* first,
                          std::vector<std::string>* values) {
    const std::size_t before = values->size();
    // Before the verb, a list has one value: the next word may be the verb.
    const bool several = option.takes == Takes::kSeveral && !arguments_.verb_.empty();
    if (first != nullptr) values->push_back(*first);
    while (next_ < line_.size() && (several || values->size() == before)) {
      const std::string& word = line_[next_];
      if (option.takes == Takes::kSeveral ? LooksLikeOption(word) : StartsWithDashes(word)) {
        break;
      }
      values->push_back(word);
      ++next_;
    }
    if (values->size() > before) return absl::OkStatus();
    return absl::InvalidArgumentError(Cat({"--", option.name, " needs a value"}));
  }

  absl::Span<const std::string> line_;
  Arguments& arguments_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

absl::StatusOr<Arguments> Arguments::Parse(absl::Span<const std::string> line) {
  Arguments arguments;
  if (absl::Status s = Reader(line, &arguments).Read(); !s.ok()) return s;
  if (arguments.verb_ == "help") {
    arguments.options_["help"];
    arguments.verb_ = arguments.operands_.empty() ? "" : arguments.operands_.front();
  }
  if (arguments.help() || arguments.version()) return arguments;
  if (absl::Status s = arguments.Check(); !s.ok()) return s;
  return arguments;
}

absl::Status Arguments::Check() const {
  if (verb_.empty()) return absl::InvalidArgumentError("no verb is given");
  const VerbSyntax* verb = FindVerb(verb_);
  if (verb == nullptr) return absl::InvalidArgumentError(Cat({"unknown verb", Quoted(verb_)}));
  for (const auto& [name, values] : options_) {
    const bool is_global = name == "json" || name == "store" || name == "keyring";
    if (!is_global && !Contains(verb->options, name)) {
      return absl::InvalidArgumentError(Cat({verb_, " has no option --", name}));
    }
  }
  for (std::string_view name : verb->required) {
    if (!Has(name)) return absl::InvalidArgumentError(Cat({verb_, " needs --", name}));
  }
  if (verb_ == "verify" && !operands_.empty()) {
    return absl::InvalidArgumentError(
        "verify reads the token from stdin: on the command line everybody on the machine sees it");
  }
  if (operands_.size() < verb->min_operands) {
    return absl::InvalidArgumentError(Cat({verb_, " needs more operands"}));
  }
  if (operands_.size() > verb->max_operands) {
    return absl::InvalidArgumentError(Cat({verb_, " has too many operands"}));
  }
  return absl::OkStatus();
}

std::optional<std::string> Arguments::Value(std::string_view option) const {
  const auto found = options_.find(option);
  if (found == options_.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::vector<std::string> Arguments::Values(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

std::string Usage(std::string_view verb) {
  if (const VerbSyntax* one = FindVerb(verb)) {
    return Cat(
        {"usage: patctl ", one->name, one->synopsis.empty() ? "" : " ", one->synopsis, "\n"});
  }
  std::string text = "usage: patctl [--store DIR] [--keyring FILE] [--json] VERB ...\n\n";
  for (const VerbSyntax& each : Verbs()) {
    const std::size_t padding = 12 - std::min<std::size_t>(11, each.name.size());
    text += Cat({"  ", each.name});
    if (!each.synopsis.empty()) text += Cat({std::string(padding, ' '), each.synopsis});
    text += "\n";
  }
  text +=
      "\n"
      "ID is a token's number or UUID. The store may also be named by PAT_STORE and the\n"
      "keyring by PAT_KEYRING; without a name the keyring is the file 'keyring' in the store.\n"
      "'--' ends the options. 'patctl help' and 'patctl --version' do what they say.\n"
      "Exit status: 0 done or accepted, 1 refused or not found (doctor: there are problems),\n"
      "2 usage or store error.\n";
  return text;
}

}  // namespace patctl
