// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef CAPI_HANDLES_H_
#define CAPI_HANDLES_H_

#include <memory>
#include <string>
#include <vector>

#include "pat/authority.h"
#include "pat/c.h"
#include "pat/store.h"

/// What the opaque types of pat/c.h are.

struct pat_error {
  int32_t code;
  const char* message;  // behind the struct, in the same block; or static
};

struct pat_store {
  std::unique_ptr<pat::Store> store;
};

struct pat_authority {
  std::unique_ptr<pat::Authority> authority;
  std::vector<std::string> auto_scopes;
  // What the authority declares, as C shows it.
  std::vector<const char*> prefixes;
  std::vector<pat_named_bits> permissions;
  std::vector<pat_named_bits> scopes;
};

#endif  // CAPI_HANDLES_H_
