// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_FUZZ_KEYS_H_
#define TESTS_FUZZ_FUZZ_KEYS_H_

#include <string>

#include "lib/key_set.h"
#include "lib/keyring_source.h"
#include "tests/fuzz/fuzz_input.h"

/// A keyring for fuzz targets, the same in every run: two keys of each kind.
inline std::string FuzzKeyring() {
  const auto line = [](const char* name, char digit) {
    return name + std::string(64, digit) + "\n";
  };
  return "libpat keyring 1\nrealm " + std::string(32, '5') + "\n" + line("selector 1 ", '1') +
         line("selector 2 ", '2') + line("seal 9 ", '9') + line("seal 12 ", 'c');
}

inline const pat::KeySet& FuzzKeys() {
  static const auto* const keys =
      new pat::KeySet(*pat::KeySet::Derive(*pat::KeyringSource::Parse(FuzzKeyring())));
  return *keys;
}

#endif  // TESTS_FUZZ_FUZZ_KEYS_H_
