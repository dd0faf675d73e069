#!/bin/sh
# include_floors_test.sh ROOT: the tree keeps to its floors, and .ci/include_floors.sh
# notices each kind of edge that must not be (controls, in a scratch tree).
set -eu
ROOT=$1
CHECK="$ROOT/.ci/include_floors.sh"
sh "$CHECK" "$ROOT"

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
# refused FILE INCLUDED: a tree with this edge alone must fail.
refused() {
  rm -rf "$TMP/tree"
  mkdir -p "$TMP/tree/$(dirname "$1")"
  printf '#include %s\n' "$2" > "$TMP/tree/$1"
  if sh "$CHECK" "$TMP/tree" > /dev/null; then
    echo "control: $1 including $2 was not noticed"
    exit 1
  fi
}
refused include/pat/scope.h '"pat/store.h"'
refused include/pat/store.h '"pat/authority.h"'
refused include/pat/keyring.h '<openssl/aes.h>'
refused include/pat/lmdb_store.h '<lmdb.h>'
refused include/pat/token.h '"lib/seal.h"'
refused include/pat/authority.h '<google/protobuf/message_lite.h>'
refused lib/seal.cc '<openssl/cmac.h>'
refused lib/codec.cc '"openssl/sha.h"'
refused lib/crypto.cc '"records.pb.h"'
refused lib/memory_store.cc '<lmdb.h>'
refused lib/authority.cc '"pat/c.h"'
refused examples/quickstart.cc '"lib/seal.h"'
refused examples/patctl/main.cc '<lmdb.h>'
refused examples/hub/main.cc '"lib/seal.h"'
refused examples/patctl/main.cc '<openssl/ssl.h>'
refused capi/c.cc '"lib/seal.h"'
refused include/pat/c_store.h '"pat/store.h"'
refused include/pat/pat.h '"pat/c.h"'
refused lib/authority.cc '"pat/c_types.h"'
refused bench/verify_bench.cc '<openssl/aes.h>'
echo "20 controls noticed"
