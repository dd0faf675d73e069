// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// An authority over a store of one's own: see map_store.h. The authority brings all the rules and
// the seals; the store keeps rows. tests/store_conformance.h says whether a store is right.
#include <iostream>
#include <memory>
#include <string>

#include "map_store.h"
#include "pat/pat.h"

int main() {
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"acme_pat_"};
  const std::string keyring = pat::Keyring::Generate().value();  // from a secret manager, say
  const auto authority =
      pat::Authority::Open(std::make_unique<MapStore>(), pat::Keyring::Bytes(keyring), options)
          .value();

  pat::IssueRequest request;
  request.account = "alice";
  request.description = "build server";
  request.scopes = {"repo:read"};
  const pat::Issued issued = authority->Issue(request).value();

  const bool accepted = authority->Verify(issued.text.Reveal()).principal() != nullptr;
  const bool deleted = authority->Delete(issued.token.id, "alice").ok();
  const bool refused = authority->Verify(issued.text.Reveal()).refusal() != nullptr;
  std::cout << (accepted ? "accepted" : "refused") << ", " << (deleted ? "deleted" : "not deleted")
            << ", " << (refused ? "refused" : "accepted") << "\n";
  return accepted && deleted && refused ? 0 : 1;
}
