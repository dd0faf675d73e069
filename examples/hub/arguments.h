// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_ARGUMENTS_H_
#define HUB_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hub {

/// What a verb takes.
struct VerbSyntax {
  std::string_view name;
  std::vector<std::string_view> options;   ///< With a value: --name value, or --name=value.
  std::vector<std::string_view> flags;     ///< Without.
  std::vector<std::string_view> required;  ///< Those of the options that must be given.
  std::size_t operands = 0;
};

/// A command line, read. Options may be given again: the last counts, but for All().
class Arguments {
 public:
  /// `line` without the program's name and the verb. InvalidArgument says what is wrong, repeating
  /// nothing of the line but what the syntax knows.
  static absl::StatusOr<Arguments> Parse(const VerbSyntax& syntax,
                                         absl::Span<const std::string> line);

  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::string Value(std::string_view name, std::string_view otherwise = {}) const;
  std::vector<std::string> All(std::string_view name) const;
  /// A whole number of lowest..highest; `otherwise` if it is not given.
  absl::StatusOr<std::int64_t> Number(std::string_view name, std::int64_t otherwise,
                                      std::int64_t lowest, std::int64_t highest) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> operands_;
};

}  // namespace hub

#endif  // HUB_ARGUMENTS_H_
