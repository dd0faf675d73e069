// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <algorithm>

#include "absl/status/status.h"
#include "text.h"

namespace hub {
namespace {

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(const VerbSyntax& syntax,
                                           absl::Span<const std::string> line) {
  Arguments arguments;
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string_view word = line[i];
    if (!StartsWith(word, "--")) {
      arguments.operands_.emplace_back(word);
      continue;
    }
    word.remove_prefix(2);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const bool has_value = equals != std::string_view::npos;
    if (Contains(syntax.flags, name) && !has_value) {
      arguments.values_[std::string(name)] = {""};
      continue;
    }
    if (!Contains(syntax.options, name)) return absl::InvalidArgumentError("unknown option");
    if (!has_value && i + 1 == line.size()) {
      return absl::InvalidArgumentError(Cat({"--", name, " needs a value"}));
    }
    arguments.values_[std::string(name)].emplace_back(has_value ? word.substr(equals + 1)
                                                                : std::string_view(line[++i]));
  }
  for (std::string_view name : syntax.required) {
    if (!arguments.Has(name)) return absl::InvalidArgumentError(Cat({"--", name, " is missing"}));
  }
  if (arguments.operands_.size() != syntax.operands) {
    return absl::InvalidArgumentError("too many or too few words");
  }
  return arguments;
}

std::string Arguments::Value(std::string_view name, std::string_view otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

std::vector<std::string> Arguments::All(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<std::int64_t> Arguments::Number(std::string_view name, std::int64_t otherwise,
                                               std::int64_t lowest, std::int64_t highest) const {
  if (!Has(name)) return otherwise;
  const std::optional<std::int64_t> number = ParseNumber(Value(name));
  if (number && *number >= lowest && *number <= highest) return *number;
  return absl::InvalidArgumentError(Cat(
      {"--", name, " is a number from ", std::to_string(lowest), " to ", std::to_string(highest)}));
}

}  // namespace hub
