// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_PRIVATE_FILE_H_
#define PATCTL_PRIVATE_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace patctl {

/// The text of a small file that holds secrets: wipe it.
absl::StatusOr<std::string> ReadPrivate(const std::string& path);

/// Makes a file of mode 0600, which must not exist, durably.
absl::Status WritePrivate(const std::string& path, std::string_view text);

/// Makes the names in a directory durable.
absl::Status SyncDirectory(const std::string& path);

/// "<doing>: <what errno says>"
absl::Status SystemError(const std::string& doing);

void Wipe(std::string* text);

}  // namespace patctl

#endif  // PATCTL_PRIVATE_FILE_H_
