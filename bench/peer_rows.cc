// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "bench/peer_rows.h"

#include <openssl/sha.h>

namespace pat::bench {

RowKey KeyOf(std::string_view token) {
  RowKey key;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), key.data());
  return key;
}

}  // namespace pat::bench
