// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Auto-generated tokens: every sign-in of a device makes one, and nobody need come back to delete
// it. An account keeps five; the sixth pushes out the one that was least recently used. The clock
// is the example's own, so a year passes in no time.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pat/pat.h"

namespace {

/// The program's time, in the place of the system's.
class Calendar {
 public:
  std::function<absl::Time()> clock() {
    return [this] { return now_; };
  }
  void Pass(absl::Duration time) { now_ += time; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'767'225'600);  // 2026-01-01
};

void Check(bool expectation, const char* what) {
  if (expectation) return;
  std::cerr << "auto_tokens: not so: " << what << "\n";
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

pat::Issued SignIn(pat::Authority& authority, const std::string& device) {
  pat::IssueRequest request;
  request.account = "alice";
  request.description = device;
  request.origin = pat::Origin::kAuto;  // names no scopes: the policy's (read, write, delete)
  absl::StatusOr<pat::Issued> issued = authority.Issue(request);
  Check(issued.ok(), "a sign-in gets a token");
  std::cout << "sign-in from " << device << "\n";
  return *std::move(issued);
}

bool Accepted(pat::Authority& authority, const pat::Issued& device) {
  return authority.Verify(device.text.Reveal()).principal() != nullptr;
}

}  // namespace

int main() {
  Calendar calendar;
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = {"acme_pat_"};
  options.clock = calendar.clock();
  const std::string keyring = pat::Keyring::Generate().value();
  const auto authority =
      pat::Authority::Open(pat::NewMemoryStore(), pat::Keyring::Bytes(keyring), options).value();

  // A token that Alice made by hand: the oldest of all, never used. It counts for nothing here.
  pat::IssueRequest by_hand;
  by_hand.account = "alice";
  by_hand.description = "backup job";
  by_hand.scopes = {"repo:read"};
  const pat::Issued manual = authority->Issue(by_hand).value();

  std::vector<pat::Issued> devices;
  for (const char* name : {"laptop", "phone", "tablet", "desktop", "old laptop"}) {
    calendar.Pass(absl::Hours(24));
    devices.push_back(SignIn(*authority, name));
  }

  // All but the tablet go on being used. The old laptop was not used since it signed in either,
  // but it signed in after the tablet: a sign-in counts as a use.
  calendar.Pass(absl::Hours(24));
  for (const std::size_t used : {1, 0, 3}) Check(Accepted(*authority, devices[used]), "in use");

  calendar.Pass(absl::Hours(24));
  const pat::Issued sixth = SignIn(*authority, "new laptop");

  for (const pat::Issued& device : devices) {
    const bool accepted = Accepted(*authority, device);
    std::cout << device.token.description << ": " << (accepted ? "signed in" : "signed out")
              << "\n";
    Check(accepted == (device.token.description != "tablet"), "the tablet, and it alone, is out");
  }
  Check(Accepted(*authority, sixth), "the new laptop is in");
  Check(Accepted(*authority, manual), "a token made by hand is never pushed out");

  pat::ListOptions pushed_out;
  pushed_out.state = pat::State::kDeleted;
  const pat::TokenPage page = authority->List("alice", pushed_out).value();
  Check(page.tokens.size() == 1, "one token is deleted");
  Check(page.tokens.front().delete_reason == pat::DeleteReason::kEvicted, "and the reason is kept");
  const pat::Counts counts = authority->Count("alice").value();
  std::cout << counts.active << " active tokens: five automatic, one made by hand\n";
  return counts.active == 6 ? 0 : 1;
}
