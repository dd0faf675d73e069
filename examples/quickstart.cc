// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "pat/pat.h"

int main(int argc, char** argv) {
  char scratch[] = "/tmp/pat_quickstart_XXXXXX";
  const std::string dir = argc > 1 ? argv[1] : mkdtemp(scratch);

  // A store on disk, and the keyring that seals it. (In real life, keep them apart.)
  pat::LmdbOptions lmdb;
  lmdb.create_if_missing = true;
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"acme_pat_"};
  auto authority = pat::Authority::Open(pat::OpenLmdbStore(dir + "/tokens", lmdb).value(),
                                        pat::Keyring::File(dir + "/keyring"), options);

  // Alice makes a token. Its text is shown to her once; nothing that is kept can rebuild it.
  pat::IssueRequest request;
  request.account = "alice";
  request.description = "laptop";
  request.scopes = {"repo:write"};
  const pat::Issued issued = (*authority)->Issue(request).value();
  const std::string_view text = issued.text.Reveal();
  std::cout << "issued:   " << text.substr(0, 9) << "*** (" << issued.token.description << ")\n";

  // Later somebody presents it: who is it, and what may they do?
  const pat::Decision decision = (*authority)->Verify(text);
  if (const pat::Principal* who = decision.principal()) {
    const bool write = who->Require(pat::kRepoWrite).allowed();
    const bool remove = who->Require(pat::kRepoDelete).allowed();
    std::cout << "verified: " << who->account() << ", write " << (write ? "allowed" : "refused")
              << ", delete " << (remove ? "allowed" : "refused") << "\n";
  }

  // Revoked means revoked: from here on, in every process, and after a power cut.
  if (!(*authority)->Deactivate(issued.token.id, "alice").ok()) return 1;
  const pat::Decision after = (*authority)->Verify(text);
  if (after.refusal())
    std::cout << "refused:  " << pat::ToString(after.refusal()->reason()) << "\n";
  const pat::Counts counts = (*authority)->Count("alice").value();
  std::cout << "alice:    " << counts.active << " active, " << counts.inactive << " inactive\n";
}
