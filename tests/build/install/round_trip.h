// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_
#define PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_

#include <memory>
#include <utility>

#include "pat/pat.h"
#include "tests/issued_secrets.h"

/// A host's least use of libpat: issues a token in a fresh store, verifies it, deactivates it and
/// sees it refused.
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
  RecordIssuedSecret(issued->text.Reveal());

  const pat::Decision before = (*authority)->Verify(issued->text.Reveal());
  if (before.principal() == nullptr || before.principal()->account() != "alice") return false;
  if (!(*authority)->Deactivate(issued->token.id, "alice").ok()) return false;
  const pat::Decision after = (*authority)->Verify(issued->text.Reveal());
  return after.refusal() != nullptr && after.refusal()->reason() == pat::RefusalReason::kInactive;
}

#endif  // PAT_TESTS_BUILD_INSTALL_ROUND_TRIP_H_
