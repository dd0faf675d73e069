// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// core_host DIR: links pat::core and uses the default store, made in DIR.
#include <cstdio>
#include <string>
#include <utility>

#include "pat/pat.h"
#include "round_trip.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string directory = argv[1];
  pat::LmdbOptions options;
  options.create_if_missing = true;
  auto store = pat::OpenLmdbStore(directory, options);
  const bool ok =
      store.ok() && PatRoundTrip(std::move(*store), pat::Keyring::File(directory + "-keyring"));
  std::puts(ok ? "core: ok" : "core: WRONG");
  return ok ? 0 : 1;
}
