// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef HUB_VERBS_H_
#define HUB_VERBS_H_

#include "absl/status/status.h"
#include "arguments.h"

// The program's verbs, one in a file each.

namespace hub {

/// Makes a signing key and its certificate in a directory.
VerbSyntax KeygenSyntax();
absl::Status Keygen(const Arguments& arguments);

/// Adds a user to the users' file, or replaces one.
VerbSyntax AddUserSyntax();
absl::Status AddUser(const Arguments& arguments);

/// Serves until SIGINT or SIGTERM.
VerbSyntax ServeSyntax();
absl::Status Serve(const Arguments& arguments);

/// The files that keygen writes and serve reads, in the directory of --keys.
inline constexpr char kKeyFile[] = "/token-key.pem";
inline constexpr char kCertificateFile[] = "/token-cert.pem";

}  // namespace hub

#endif  // HUB_VERBS_H_
