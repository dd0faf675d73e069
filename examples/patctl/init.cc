// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "commands.h"
#include "json.h"
#include "location.h"
#include "pat/authority.h"
#include "pat/keyring.h"
#include "pat/lmdb_store.h"
#include "pat/token_text.h"

namespace patctl {
namespace {

/// The store's directory, with an empty store in it. One left behind by an init that failed half
/// way is taken up again; a complete one is FailedPrecondition.
absl::StatusOr<std::unique_ptr<pat::Store>> NewStore(const Location& location) {
  pat::LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  auto store = pat::OpenLmdbStore(location.store, options);
  if (!store.ok()) return store;
  const absl::Status header = (*store)->ReadMeta("header").status();
  if (absl::IsNotFound(header)) return store;
  if (!header.ok()) return header;
  return absl::FailedPreconditionError(
      Cat({location.store, " is a store already; nothing is changed"}));
}

void Report(const Arguments& arguments, const Location& location,
            const std::vector<std::string>& prefixes, Output& out) {
  if (arguments.json()) {
    JsonObject json;
    json.Text("store", location.store).Text("keyring", location.keyring);
    out.WriteLine(json.Raw("prefixes", JsonStrings(prefixes)).str());
  } else {
    out.WriteLine("store:    " + Escaped(location.store));
    out.WriteLine("keyring:  " + Escaped(location.keyring));
    for (const std::string& prefix : prefixes) out.WriteLine("prefix:   " + prefix);
    out.WriteLine("Keep a copy of the keyring in a safe place: without it all tokens are lost.");
  }
  if (location.keyring_is_beside_store()) {
    Say("WARNING: the keyring lies beside the store. Who can copy or edit the one has the other "
        "too, so the seals no longer protect the store from him: that gives up half of what they "
        "are for. For real use, name a file elsewhere with --keyring FILE");
  }
}

}  // namespace

absl::StatusOr<int> Init(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Location> location = Location::Of(arguments);
  if (!location.ok()) return location.status();
  pat::AuthorityOptions options;
  options.create_if_missing = true;
  options.prefixes = arguments.Values("prefix");
  for (const std::string& prefix : options.prefixes) {  // before anything is made
    if (absl::Status s = pat::ValidatePrefix(prefix); !s.ok()) return s;
  }
  if (options.prefixes.size() > pat::kMaxPrefixes) {
    return absl::InvalidArgumentError("a store has at most 8 prefixes");
  }
  auto store = NewStore(*location);
  if (!store.ok()) return store.status();
  const auto authority =
      pat::Authority::Open(std::move(*store), pat::Keyring::File(location->keyring), options);
  if (!authority.ok()) return authority.status();
  Report(arguments, *location, (*authority)->prefixes(), out);
  return kDone;
}

}  // namespace patctl
