#!/bin/sh
# add_subdirectory_test.sh CMAKE ROOT DEPS_DIR CXX: a foreign project takes the source tree in: at first
# only the header-only part is built, then the C library with all it rests on, and nothing of libpat's
# tests.
set -eu
export LC_ALL=C
CMAKE=$1 ROOT=$2 DEPS=$3 CXX=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
HOST="$TMP/host"

# quietly COMMAND...: its output is shown only if it fails.
quietly() { "$@" > "$TMP/log" 2>&1 || { cat "$TMP/log"; exit 1; }; }

quietly "$CMAKE" -S "$ROOT/tests/build/install" -B "$HOST" -DCMAKE_CXX_COMPILER="$CXX" \
  -DHOST_LIBPAT_SOURCE="$ROOT" -DPAT_DEPS_DIR="$DEPS" -DHOST_MODEL_ONLY=ON -DCMAKE_BUILD_TYPE=Debug
echo "== pat::model"
quietly "$CMAKE" --build "$HOST"
"$HOST/model_host"
if find "$HOST" -name '*pat_core*.a' -o -name '*pat_c*.a' | grep .; then
  echo "more than the header-only part was built"
  exit 1
fi
echo "== pat::c"
quietly "$CMAKE" --build "$HOST" --target c_host -j "$(nproc)"
"$HOST/c_host" "$TMP/tokens" "$TMP/keyring" | diff "$ROOT/examples/five_minutes.txt" -
find "$HOST" -name 'libpat_core.a' | grep -q . || { echo "no library was built"; exit 1; }
for made in "$HOST"/*test* "$HOST/libpat/tests"; do
  if [ -e "$made" ]; then
    echo "libpat's tests were built inside a host: $made"
    exit 1
  fi
done
echo "OK"
