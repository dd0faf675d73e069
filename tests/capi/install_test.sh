#!/bin/sh
# install_test.sh CMAKE BUILD_DIR ROOT CC: installs the C library into a fresh prefix, moves it, and
# has foreign projects build and run tests/capi/api_test.c against the prefix alone: by find_package
# (component c, with no C++ package of ours or others), by pkg-config, and statically.
set -eu
export LC_ALL=C
CMAKE=$1 BUILD=$2 ROOT=$3 CC=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

"$CMAKE" --install "$BUILD" --prefix "$TMP/first" > "$TMP/log"
mv "$TMP/first" "$TMP/prefix"
PREFIX="$TMP/prefix"
if grep -r -l -F -e "$ROOT" -e "$BUILD" -e "$TMP/first" "$PREFIX/lib" --include='*.cmake' --include='*.pc'; then
  echo "the packages name another tree"
  exit 1
fi
mkdir "$TMP/host"
cp "$ROOT/tests/capi/api_test.c" "$ROOT/tests/capi/check.h" "$TMP/host/"

echo "== find_package"
cat > "$TMP/host/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(host C)
find_package(pat CONFIG REQUIRED COMPONENTS c)
add_executable(host api_test.c)
target_compile_definitions(host PRIVATE _GNU_SOURCE)
target_link_libraries(host PRIVATE pat::c)
END
"$CMAKE" -S "$TMP/host" -B "$TMP/build" -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$PREFIX" > "$TMP/log" 2>&1 &&
  "$CMAKE" --build "$TMP/build" >> "$TMP/log" 2>&1 || { cat "$TMP/log"; exit 1; }
"$TMP/build/host"

PKG_CONFIG_PATH=$(dirname "$(find "$PREFIX" -name libpat.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir libpat)
# shellcheck disable=SC2046  # lists of words
{
  echo "== pkg-config"
  "$CC" -D_GNU_SOURCE "$TMP/host/api_test.c" $(pkg-config --cflags --libs libpat) \
    -Wl,-rpath,"$libdir" -o "$TMP/shared"
  "$TMP/shared"
  "$CC" -Wall -Wextra -Werror "$ROOT/examples/five_minutes.c" $(pkg-config --cflags --libs libpat) \
    -Wl,-rpath,"$libdir" -o "$TMP/five_minutes"
  "$TMP/five_minutes" "$TMP/tokens" "$TMP/keyring" | diff "$ROOT/examples/five_minutes.txt" -
  echo "== pkg-config, libpat.a inside"
  "$CC" -D_GNU_SOURCE "$TMP/host/api_test.c" $(pkg-config --cflags --libs libpat-static) -o "$TMP/inside"
  if readelf -d "$TMP/inside" | grep 'NEEDED.*libpat'; then
    echo "libpat-static.pc links libpat.so"
    exit 1
  fi
  "$TMP/inside"
  echo "== pkg-config --static, nothing dynamic"
  "$CC" -D_GNU_SOURCE -static "$TMP/host/api_test.c" $(pkg-config --static --cflags --libs libpat) \
    -o "$TMP/static"
  if readelf -d "$TMP/static" | grep NEEDED; then exit 1; fi
  "$TMP/static"
}
