#!/bin/sh
# components_test.sh CMAKE CPP_BUILD C_BUILD ROOT CXX: installs the C++ library and the self-contained
# C library into one prefix, moves it, and builds a foreign project with the components model, core
# and c in one program.
set -eu
export LC_ALL=C
CMAKE=$1 CPP_BUILD=$2 C_BUILD=$3 ROOT=$4 CXX=$5
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
for build in "$CPP_BUILD" "$C_BUILD"; do
  "$CMAKE" --install "$build" --prefix "$TMP/first" > "$TMP/log" || { cat "$TMP/log"; exit 1; }
done
mv "$TMP/first" "$TMP/a prefix"
"$CMAKE" -S "$ROOT/tests/build/install" -B "$TMP/host" -DCMAKE_CXX_COMPILER="$CXX" \
  -DCMAKE_PREFIX_PATH="$TMP/a prefix" -DHOST_COMPONENTS='model;core;c' > "$TMP/log" 2>&1 &&
  "$CMAKE" --build "$TMP/host" --target all_host >> "$TMP/log" 2>&1 || { cat "$TMP/log"; exit 1; }
mkdir "$TMP/dir"
"$TMP/host/all_host" "$TMP/dir"
