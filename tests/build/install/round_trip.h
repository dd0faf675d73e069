// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_
#define PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "pat/pat.h"

/// A host's least use of libpat: issues a token in a fresh store, verifies it, deactivates it and
/// sees it refused. Records the token's text in the file PAT_TEST_SECRETS names, for the leak scan.
inline bool PatRoundTrip(std::unique_ptr<pat::Store> store, const pat::Keyring& keyring) {
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"host_pat_"};
  auto authority = pat::Authority::Open(std::move(store), keyring, options);
  if (!authority.ok()) return false;

  pat::IssueRequest request;
  request.account = "alice";
  request.description = "a foreign project";
  request.scopes = {"repo:read"};
  auto issued = (*authority)->Issue(request);
  if (!issued.ok()) return false;
  if (const char* path = std::getenv("PAT_TEST_SECRETS")) {
    const std::string line = std::string(issued->text.Reveal()) + "\n";
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (fd >= 0) close(fd);
    if (!written) return false;
  }

  const pat::Decision before = (*authority)->Verify(issued->text.Reveal());
  if (before.principal() == nullptr || before.principal()->account() != "alice") return false;
  if (!(*authority)->Deactivate(issued->token.id, "alice").ok()) return false;
  const pat::Decision after = (*authority)->Verify(issued->text.Reveal());
  return after.refusal() != nullptr && after.refusal()->reason() == pat::RefusalReason::kInactive;
}

#endif  // PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_
