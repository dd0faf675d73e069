// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "pat/pat.h"

int main(int, char** argv) {
  const std::string dir = argv[1];
  pat::LmdbOptions lmdb;
  lmdb.create_if_missing = true;
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"acme_pat_"};
  auto opened = pat::Authority::Open(pat::OpenLmdbStore(dir + "/tokens", lmdb).value(),
                                     pat::Keyring::File(dir + "/keyring"), options);
  pat::Authority& authority = **opened;
  pat::IssueRequest request;
  request.account = "alice";
  request.description = "laptop";
  request.scopes = {"repo:write"};
  const pat::Issued issued = authority.Issue(request).value();
  const std::string_view text = issued.text.Reveal();  // shown once
  std::cout << "issued:   " << text.substr(0, 9) << "*** (" << issued.token.description << ")\n";
  const pat::Decision who = authority.Verify(text);
  if (who.principal()) std::cout << "verified: " << who.principal()->account() << "\n";
  if (!authority.Deactivate(issued.token.id, "alice").ok()) return 1;
  const pat::Decision after = authority.Verify(text);
  if (after.refusal()) std::cout << "refused:  " << ToString(after.refusal()->reason()) << "\n";
}
