// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// patctl new-realm: makes a copied store one of its own. All is written into a new directory beside
// the store's, which then takes its place in one step: killed at any point before, the store is as
// it was, and the next run begins anew.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "commands.h"
#include "json.h"
#include "location.h"
#include "pat/authority.h"
#include "pat/keyring.h"
#include "pat/lmdb_store.h"
#include "private_file.h"

namespace patctl {
namespace {

namespace fs = std::filesystem;

/// Where everything is.
struct Places {
  std::string store;                     ///< The directory itself, not a link to it.
  std::string staged;                    ///< The new one, until it takes the store's place.
  std::string new_keyring;               ///< Where the new keyring goes; empty: into the store.
  std::string keyring_name = "keyring";  ///< In the store.
};

absl::StatusOr<Places> PlacesOf(const Arguments& arguments, const Location& location) {
  Places places;
  std::error_code error;
  places.store = fs::canonical(location.store, error).string();
  if (error) return absl::FailedPreconditionError("there is no directory " + location.store);
  places.staged = places.store + ".new-realm";
  places.new_keyring = arguments.Value("new-keyring").value_or("");
  if (location.keyring_is_beside_store()) {
    places.keyring_name = fs::path(location.keyring).filename().string();
  } else if (places.new_keyring.empty()) {
    return absl::InvalidArgumentError(
        "name the new keyring: --new-keyring FILE (the old one may still be another store's)");
  }
  if (!places.new_keyring.empty() &&
      fs::symlink_status(places.new_keyring).type() != fs::file_type::not_found) {
    return absl::FailedPreconditionError(places.new_keyring + " exists already");
  }
  return places;
}

/// An empty directory of the same owner as the store's.
absl::Status MakeStaged(const Places& places) {
  struct stat info {};
  std::error_code error;
  fs::remove_all(places.staged, error);  // of a run that was cut short
  if (error || ::stat(places.store.c_str(), &info) != 0 ||
      ::mkdir(places.staged.c_str(), 0700) != 0) {
    return SystemError("cannot make " + places.staged);
  }
  if (info.st_uid != ::geteuid() && ::chown(places.staged.c_str(), info.st_uid, info.st_gid) != 0) {
    return SystemError("cannot make " + places.staged);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<pat::Authority>> OpenAlone(const Location& location) {
  pat::LmdbOptions options;
  options.flush_interval = absl::ZeroDuration();
  options.exclusive = true;
  auto store = pat::OpenLmdbStore(location.store, options);
  if (!store.ok()) return store.status();
  pat::AuthorityOptions adopt;
  adopt.scopes = pat::ScopeSet();
  return pat::Authority::Open(*std::move(store), pat::Keyring::File(location.keyring), adopt);
}

absl::StatusOr<pat::PassProgress> Copy(pat::Authority& source, const Places& places) {
  pat::LmdbOptions options;
  options.create_if_missing = true;
  options.flush_interval = absl::ZeroDuration();
  auto store = pat::OpenLmdbStore(places.staged, options);
  if (!store.ok()) return store.status();
  pat::AuthorityOptions same;
  same.create_if_missing = true;
  same.prefixes = source.prefixes();
  same.scopes = source.scopes();
  const std::string keyring = places.staged + "/" + places.keyring_name;
  const auto target = pat::Authority::Open(*std::move(store), pat::Keyring::File(keyring), same);
  if (!target.ok()) return target.status();
  return source.CopyTo(target->get(), ShowProgress());
}

/// Gives the new keyring the old one's owner, and its place outside the store if it has one there.
absl::Status PlaceKeyring(const Location& location, const Places& places) {
  const std::string made = places.staged + "/" + places.keyring_name;
  std::string last = made;
  if (!places.new_keyring.empty()) {
    absl::StatusOr<std::string> text = ReadPrivate(made);
    if (!text.ok()) return text.status();
    absl::Status written = WritePrivate(places.new_keyring, *text);
    Wipe(&*text);
    if (!written.ok()) return written;
    ::unlink(made.c_str());
    last = places.new_keyring;
  }
  struct stat info {};
  if (::stat(location.keyring.c_str(), &info) != 0 ||
      (info.st_uid != ::geteuid() && ::lchown(last.c_str(), info.st_uid, info.st_gid) != 0)) {
    return SystemError("cannot give the new keyring the old one's owner");
  }
  return SyncDirectory(places.staged);
}

/// The two directories change places in one step.
absl::Status Exchange(const Places& places) {
  if (::renameat2(AT_FDCWD, places.staged.c_str(), AT_FDCWD, places.store.c_str(),
                  RENAME_EXCHANGE) != 0) {
    return SystemError("cannot put " + places.staged + " into the store's place");
  }
  return SyncDirectory(fs::path(places.store).parent_path().string());
}

}  // namespace

absl::StatusOr<int> NewRealm(const Arguments& arguments, Output& out) {
  const absl::StatusOr<Location> location = Location::Of(arguments);
  if (!location.ok()) return location.status();
  const absl::StatusOr<Places> places = PlacesOf(arguments, *location);
  if (!places.ok()) return places.status();
  auto source = OpenAlone(*location);
  if (!source.ok()) return source.status();
  if (absl::Status s = MakeStaged(*places); !s.ok()) return s;
  const absl::StatusOr<pat::PassProgress> copied = Copy(**source, *places);
  if (!copied.ok()) return copied.status();
  if (absl::Status s = PlaceKeyring(*location, *places); !s.ok()) return s;
  if (absl::Status s = Exchange(*places); !s.ok()) return s;
  source->reset();
  std::error_code error;
  fs::remove_all(places->staged, error);  // the old one
  if (error) Say(Cat({"the old rows are still in ", places->staged}));
  const std::string keyring = places->new_keyring.empty()
                                  ? places->store + "/" + places->keyring_name
                                  : places->new_keyring;
  if (arguments.json()) {
    JsonObject json;
    json.Text("store", places->store).Text("keyring", keyring);
    json.Number("accounts", copied->accounts).Number("tokens", copied->tokens);
    out.WriteLine(json.Number("left", copied->left).str());
    return kDone;
  }
  out.WriteLine("store:    " + Escaped(places->store));
  out.WriteLine("keyring:  " + Escaped(keyring));
  out.WriteLine(
      Cat({"tokens:   ", std::to_string(copied->tokens), ", of ", std::to_string(copied->accounts),
           " accounts: none of their texts is accepted here any more"}));
  if (copied->left != 0) {
    Say(Cat({std::to_string(copied->left),
             " tokens or accounts did not fit their seals and were left out"}));
  }
  return kDone;
}

}  // namespace patctl
