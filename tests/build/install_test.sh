#!/bin/sh
# install_test.sh CMAKE BUILD_DIR ROOT DEPS_DIR CXX: installs libpat into a fresh prefix and
# builds and runs foreign projects against it, then one that takes the source tree in.
set -eu
export LC_ALL=C
CMAKE=$1 BUILD=$2 ROOT=$3 DEPS=$4 CXX=$5
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

# By default only the header-only part is built; then the C library, with all it rests on.
foreign add_subdirectory -DHOST_LIBPAT_SOURCE="$ROOT" -DPAT_DEPS_DIR="$DEPS" -DHOST_MODEL_ONLY=ON \
  -DCMAKE_BUILD_TYPE=Debug
"$TMP/add_subdirectory/model_host"
echo "== pat::c by add_subdirectory"
"$CMAKE" --build "$TMP/add_subdirectory" --target c_host -j "$(nproc)" > "$TMP/log" 2>&1 ||
  { cat "$TMP/log"; exit 1; }
"$TMP/add_subdirectory/c_host" "$TMP/c-tokens" "$TMP/c-keyring" |
  diff "$ROOT/examples/five_minutes.txt" -
for made in "$TMP"/add_subdirectory/*test* "$TMP"/add_subdirectory/libpat/tests; do
  if [ -e "$made" ]; then
    echo "libpat's tests were built inside a host: $made"
    exit 1
  fi
done
echo "OK"
