// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_EXAMINE_H_
#define PATCTL_EXAMINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "location.h"

namespace patctl {

/// Something that is not as it should be.
struct Finding {
  bool problem;       ///< Or else only worth knowing.
  std::string check;  ///< What was looked at: "files", "keyring", "structure", "seals", ...
  std::string what;
};

/// What a look at a store found.
struct Findings {
  std::vector<Finding> all;
  std::uint64_t tokens = 0;
  std::uint64_t accounts = 0;

  void Problem(std::string check, std::string what) {
    all.push_back({true, std::move(check), std::move(what)});
  }
  void Warning(std::string check, std::string what) {
    all.push_back({false, std::move(check), std::move(what)});
  }
  std::size_t problems() const;
};

/// Looks at the directory, its files and the keyring's from outside, opening nothing: modes,
/// owners, what does not belong there, room on the disk. NotFound: there is no store.
absl::Status ExamineFiles(const Location& location, Findings* findings);

/// Opens the store and reads all that is in it, checking rows, seals and counts. In a child
/// process: a crafted or damaged file may end that, which is then a finding. Changes nothing. An
/// error: no child could be had.
absl::Status ExamineStore(const Location& location, Findings* findings);

}  // namespace patctl

#endif  // PATCTL_EXAMINE_H_
