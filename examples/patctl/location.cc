// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "location.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "pat/keyring.h"
#include "pat/lmdb_store.h"
#include "pat/scope.h"
#include "text.h"

namespace patctl {
namespace {

/// An option, or else an environment variable; empty if neither says anything.
std::string Setting(const Arguments& arguments, std::string_view option, const char* variable) {
  if (const auto value = arguments.Value(option)) return *value;
  const char* const value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

absl::Status NoStore(const Location& location) {
  return absl::FailedPreconditionError(
      Cat({"there is no store in ", location.store, ": make one with 'patctl init'"}));
}

}  // namespace

absl::StatusOr<Location> Location::Of(const Arguments& arguments) {
  Location location;
  location.store = Setting(arguments, "store", "PAT_STORE");
  if (location.store.empty()) {
    return absl::InvalidArgumentError("name the store: --store DIR, or PAT_STORE");
  }
  location.keyring = Setting(arguments, "keyring", "PAT_KEYRING");
  if (location.keyring.empty()) location.keyring = location.store + "/keyring";
  return location;
}

bool Location::keyring_is_beside_store() const {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(keyring).parent_path();
  return std::filesystem::equivalent(parent.empty() ? "." : parent, store, error) && !error;
}

absl::StatusOr<std::unique_ptr<pat::Authority>> OpenAuthority(const Arguments& arguments) {
  absl::StatusOr<Location> location = Location::Of(arguments);
  if (!location.ok()) return location.status();
  pat::LmdbOptions lmdb;
  lmdb.flush_interval = absl::ZeroDuration();  // closing flushes
  auto store = pat::OpenLmdbStore(location->store, lmdb);
  if (absl::IsNotFound(store.status())) return NoStore(*location);
  if (!store.ok()) return store.status();
  if (absl::IsNotFound((*store)->ReadMeta("header").status())) return NoStore(*location);
  pat::AuthorityOptions options;
  options.scopes = pat::ScopeSet();  // whatever this store's host declared
  return pat::Authority::Open(std::move(*store), pat::Keyring::File(location->keyring), options);
}

}  // namespace patctl
