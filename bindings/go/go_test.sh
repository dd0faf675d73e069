#!/bin/sh
# go_test.sh CMAKE BUILD_DIR GO SCRATCH: installs the C library into a fresh prefix and tests the Go
# package against that, in a copy, dynamically and statically. Needs no network. SCRATCH keeps Go's
# cache.
set -eu
export LC_ALL=C
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
CMAKE=$1 BUILD=$2 GO=$3 SCRATCH=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM

PREFIX="$TMP/prefix"
"$CMAKE" --install "$BUILD" --prefix "$PREFIX" > "$TMP/log" 2>&1 || {
  cat "$TMP/log"
  exit 1
}
cp -R "$HERE" "$TMP/source"
PAT_TEST_VECTORS_DIR="$HERE/../../tests/vectors"
PRINTS="$HERE/../../examples/five_minutes.txt"
PAT_TEST_SEALED_STORES="$TMP/sealed"
mkdir "$TMP/sealed"
"$BUILD/bin/sealed_stores" "$PAT_TEST_VECTORS_DIR/sealed_tokens.txt" "$TMP/sealed"
pc=$(find "$PREFIX" -name libpat.pc)
PKG_CONFIG_PATH=${pc%/*}
PAT_TEST_OLD_RECORD="$BUILD/bin/old_record"
export PAT_TEST_VECTORS_DIR PAT_TEST_SEALED_STORES PAT_TEST_OLD_RECORD PKG_CONFIG_PATH
LD_LIBRARY_PATH=$(pkg-config --variable=libdir libpat)
GOCACHE="$SCRATCH/cache" GOPATH="$SCRATCH/path" GOENV=off GOWORK=off GOTOOLCHAIN=local
GOPROXY=off GOSUMDB=off GOFLAGS='-p=1 -mod=mod' CGO_ENABLED=1
unset GOROOT CGO_CFLAGS CGO_LDFLAGS GOEXPERIMENT GODEBUG 2> /dev/null || true
export LD_LIBRARY_PATH GOCACHE GOPATH GOENV GOWORK GOTOOLCHAIN GOPROXY GOSUMDB GOFLAGS CGO_ENABLED
GOFMT="$("$GO" env GOROOT)/bin/gofmt"
cd "$TMP/source"

say() { echo "== $*"; }

say "$("$GO" version), libpat $(pkg-config --modversion libpat)"
say 'gofmt and vet'
unformatted=$("$GOFMT" -l .)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
"$GO" vet ./...
"$GO" vet -tags pat_static ./...

say 'libpat.so'
"$GO" test -count=1 ./...
say 'libpat.so, with the race detector'
"$GO" test -count=1 -race -short .
say 'libpat.so, with all of cgo'"'"'s checks'
if "$GO" version | grep -q 'go1\.\(19\|20\) \|go1\.\(19\|20\)\.'; then
  GODEBUG=cgocheck=2 "$GO" test -count=1 .
else
  GOEXPERIMENT=cgocheck2 "$GO" test -count=1 .
fi
say 'libpat.a'
LD_LIBRARY_PATH= "$GO" test -count=1 -tags pat_static ./...

# A module of its own, as README.md says.
say 'a foreign module'
HOST="$TMP/host"
mkdir "$HOST"
cp examples/five_minutes/main.go "$HOST/main.go"
(
  cd "$HOST"
  "$GO" mod init example.com/host 2> /dev/null
  "$GO" mod edit -require libpat@v0.0.0 -replace libpat="$TMP/source"
  "$GO" build -o dynamic .
  "$GO" build -tags pat_static -o static .
)
# needs PROGRAM: whether it needs libpat.so.
needs() { readelf -d "$1" | grep -q 'NEEDED.*libpat'; }
needs "$HOST/dynamic" || { echo 'the program does not use libpat.so'; exit 1; }
if needs "$HOST/static"; then echo 'the static program needs libpat.so'; exit 1; fi
mkdir "$TMP/one" "$TMP/two"
"$HOST/dynamic" "$TMP/one" | diff "$PRINTS" -
LD_LIBRARY_PATH= "$HOST/static" "$TMP/two" | diff "$PRINTS" -
echo 'all is well'
