#!/bin/sh
# install_test.sh CMAKE BUILD_DIR ROOT CXX: installs libpat into a fresh prefix and builds and runs
# foreign projects against it.
set -eu
export LC_ALL=C
CMAKE=$1 BUILD=$2 ROOT=$3 CXX=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
PREFIX="$TMP/a prefix"

"$CMAKE" --install "$BUILD" --prefix "$PREFIX" > "$TMP/log"
for file in include/pat/pat.h include/pat/version.h bin/patctl; do
  [ -e "$PREFIX/$file" ] || { echo "not installed: $file"; exit 1; }
done
if find "$PREFIX" -path '*openssl*' -o -name '*boringssl*' | grep .; then
  echo "BoringSSL's headers reached the prefix"
  exit 1
fi
if grep -r -l -F -e "$ROOT" -e "$BUILD" "$PREFIX/lib" --include='*.cmake'; then
  echo "the package config names the build tree"
  exit 1
fi

# An installed tree must work where it is moved to.
mv "$PREFIX" "$TMP/moved prefix"
PREFIX="$TMP/moved prefix"

# foreign NAME cmake-arguments...: configures, builds and runs tests/build/install.
foreign() {
  name=$1
  shift
  echo "== $name"
  "$CMAKE" -S "$ROOT/tests/build/install" -B "$TMP/$name" -DCMAKE_CXX_COMPILER="$CXX" "$@" \
    > "$TMP/log" 2>&1 &&
    "$CMAKE" --build "$TMP/$name" >> "$TMP/log" 2>&1 || { cat "$TMP/log"; exit 1; }
}
foreign find_package -DCMAKE_PREFIX_PATH="$PREFIX" -DHOST_COMPONENTS="model;core"
"$TMP/find_package/model_host"
"$TMP/find_package/core_host" "$TMP/store"
mkdir "$TMP/five"
"$TMP/find_package/five_minutes" "$TMP/five" | diff "$ROOT/examples/five_minutes.txt" -

echo "== find_package refuses an unknown component"
if "$CMAKE" -S "$ROOT/tests/build/install" -B "$TMP/unknown" -DCMAKE_CXX_COMPILER="$CXX" \
  -DCMAKE_PREFIX_PATH="$PREFIX" -DHOST_COMPONENTS="nonsense" > "$TMP/log" 2>&1; then
  echo "component nonsense was found"
  exit 1
fi

echo "OK"
