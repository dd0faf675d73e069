// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_ARGUMENTS_H_
#define PATCTL_ARGUMENTS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace patctl {

/// What one verb takes, beyond the options every verb has (--store, --keyring, --json).
struct VerbSyntax {
  std::string_view name;
  std::string_view synopsis;               ///< What follows the name, for the usage message.
  std::vector<std::string_view> options;   ///< Without the dashes.
  std::vector<std::string_view> required;  ///< Those of them that must be given.
  std::size_t min_operands = 0;
  std::size_t max_operands = 0;
};

/// The verbs, in the order the usage message lists them.
const std::vector<VerbSyntax>& Verbs();

/// A command line, read: a verb, its operands, and options given before or after the verb as
/// `--name value` or `--name=value`. `--scope` and `--attr` take one or more values, up to the
/// next option. `--` ends the options.
class Arguments {
 public:
  /// InvalidArgument says what is wrong with the command line. Its message repeats nothing that
  /// could be a secret pasted into the wrong place.
  static absl::StatusOr<Arguments> Parse(absl::Span<const std::string> line);

  const std::string& verb() const { return verb_; }  ///< One of Verbs(); empty if help is asked.
  const std::vector<std::string>& operands() const { return operands_; }

  bool Has(std::string_view option) const { return options_.find(option) != options_.end(); }
  /// The value of an option that takes one; none if it was not given.
  std::optional<std::string> Value(std::string_view option) const;
  /// The values of an option that takes several; empty if it was not given.
  std::vector<std::string> Values(std::string_view option) const;

  bool json() const { return Has("json"); }
  bool help() const { return Has("help"); }
  bool version() const { return Has("version"); }

 private:
  class Reader;
  absl::Status Check() const;

  std::string verb_;
  std::vector<std::string> operands_;
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

/// The usage message: of one verb, or of all if `verb` is none or not known.
std::string Usage(std::string_view verb = {});

}  // namespace patctl

#endif  // PATCTL_ARGUMENTS_H_
