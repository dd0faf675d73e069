#!/bin/sh
# bench.sh CMAKE BUILD_DIR SCRATCH: what Go adds to a verify, as one line of JSON (see bench/main.go),
# with the C library of a build. SCRATCH keeps Go's cache.
set -eu
export LC_ALL=C
CMAKE=$1 BUILD=$2 SCRATCH=$3
mkdir -p "$SCRATCH"
PREFIX="$SCRATCH/prefix"  # the same each time: Go's cache remembers where libraries were
"$CMAKE" --install "$BUILD" --prefix "$PREFIX" > "$SCRATCH/log" 2>&1 || {
  cat "$SCRATCH/log" >&2
  exit 1
}
pc=$(find "$PREFIX" -name libpat.pc)
PKG_CONFIG_PATH=${pc%/*}
export PKG_CONFIG_PATH
LD_LIBRARY_PATH=$(pkg-config --variable=libdir libpat)
export LD_LIBRARY_PATH GOCACHE="$SCRATCH/cache" GOENV=off GOWORK=off GOTOOLCHAIN=local GOPROXY=off
export GOPATH="$SCRATCH/path" GOFLAGS=-p=1
cd "$(dirname -- "$0")"
PATH="$PATH:/usr/lib/go-1.19/bin" go run ./bench
