// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_COMMANDS_H_
#define PATCTL_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "arguments.h"
#include "pat/authority.h"
#include "pat/scope.h"
#include "text.h"

namespace patctl {

/// Exit statuses.
inline constexpr int kDone = 0;     ///< Or accepted.
inline constexpr int kRefused = 1;  ///< Or not found; of doctor: problems were found.
inline constexpr int kFailed = 2;   ///< Usage or store error.

/// Does what the command line says and leaves the result in `out`; returns the exit status.
/// An error is NotFound for kRefused, any other for kFailed.
absl::StatusOr<int> RunVerb(const Arguments& arguments, Output& out);

// One function a verb, or a family of verbs; each in the file of its name or in commands.cc.
absl::StatusOr<int> Init(const Arguments& arguments, Output& out);
absl::StatusOr<int> Issue(const Arguments& arguments, Output& out);
absl::StatusOr<int> Verify(const Arguments& arguments, Output& out);
absl::StatusOr<int> List(const Arguments& arguments, Output& out);
absl::StatusOr<int> Show(const Arguments& arguments, Output& out);
absl::StatusOr<int> Change(const Arguments& arguments, Output& out);
absl::StatusOr<int> Delete(const Arguments& arguments, Output& out);
absl::StatusOr<int> Purge(const Arguments& arguments, Output& out);
absl::StatusOr<int> Stats(const Arguments& arguments, Output& out);
absl::StatusOr<int> Doctor(const Arguments& arguments, Output& out);
absl::StatusOr<int> KeyringVerb(const Arguments& arguments, Output& out);
absl::StatusOr<int> NewRealm(const Arguments& arguments, Output& out);

/// Says something to the operator: "patctl: <message>" on standard error.
void Say(std::string_view message);

/// For what goes over the whole store: says how far it is if somebody looks on at a terminal.
pat::Authority::PassCallback ShowProgress();

/// The number `text` stands for: digits only. None if it is no number or 2^64 or more.
std::optional<std::uint64_t> ParseNumber(std::string_view text);

/// The value of a numeric option, `otherwise` if it is not given. InvalidArgument if it is no
/// number from 1 to `most`.
absl::StatusOr<std::uint64_t> NumberOption(const Arguments& arguments, std::string_view option,
                                           std::uint64_t most, std::uint64_t otherwise);

/// OK if `set` declares all these scopes; otherwise InvalidArgument, and says which there are.
absl::Status CheckScopes(const pat::ScopeSet& set, const std::vector<std::string>& names);

}  // namespace patctl

#endif  // PATCTL_COMMANDS_H_
