#!/bin/sh
# lmdb_versions.sh CMAKE ROOT: configuring warns of versions of LMDB with races at close, and of no
# other.
set -eu
CMAKE=$1
ROOT=$2
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
mkdir "$TMP/include"
: > "$TMP/liblmdb.so"
cat > "$TMP/CMakeLists.txt" << END
cmake_minimum_required(VERSION 3.20)
project(host LANGUAGES NONE)
list(APPEND CMAKE_MODULE_PATH "$ROOT/cmake")
add_library(LMDB::LMDB INTERFACE IMPORTED)  # so that none is made, which needs a compiler
find_package(LMDB REQUIRED)
END

# warns PATCH: whether 0.9.PATCH is warned of.
warns() {
  printf '#define MDB_VERSION_MAJOR 0\n#define MDB_VERSION_MINOR 9\n#define MDB_VERSION_PATCH %s\n' \
    "$1" > "$TMP/include/lmdb.h"
  rm -rf "$TMP/build"
  "$CMAKE" -S "$TMP" -B "$TMP/build" -DLMDB_INCLUDE_DIR="$TMP/include" \
    -DLMDB_LIBRARY="$TMP/liblmdb.so" > "$TMP/out" 2>&1 || {
    cat "$TMP/out"
    exit 2
  }
  grep -q "LMDB 0.9.$1 has races" "$TMP/out"
}

for patch in 26 31; do
  warns $patch || { echo "no warning of 0.9.$patch"; exit 1; }
done
for patch in 24 25 32; do
  if warns $patch; then
    echo "a warning of 0.9.$patch"
    exit 1
  fi
done
