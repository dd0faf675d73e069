// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef PATCTL_LOCATION_H_
#define PATCTL_LOCATION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "arguments.h"
#include "pat/authority.h"

namespace patctl {

/// Where a store and its keyring are.
struct Location {
  std::string store;  ///< --store, or else PAT_STORE.
  std::string
      keyring;  ///< --keyring, or else PAT_KEYRING, or else the file "keyring" in the store.

  /// InvalidArgument if no store is named.
  static absl::StatusOr<Location> Of(const Arguments& arguments);

  /// Whether the keyring lies in the store's directory, so that who steals one has both.
  bool keyring_is_beside_store() const;
};

/// Opens what is there and creates nothing. NotFound never: where there is no store it is
/// FailedPrecondition, and names `patctl init`.
absl::StatusOr<std::unique_ptr<pat::Authority>> OpenAuthority(const Arguments& arguments);

}  // namespace patctl

#endif  // PATCTL_LOCATION_H_
