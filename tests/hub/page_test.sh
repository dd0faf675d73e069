#!/bin/sh
# page_test.sh PYTHON BIN_DIR MODULES_DIR: page_test.py with the packages of browser/package.json,
# installed into MODULES_DIR as its lock file has them, without running a script of theirs.
set -eu
PYTHON=$1 BIN=$2 DIR=$3
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if ! cmp -s "$HERE/browser/package-lock.json" "$DIR/installed.json"; then
  mkdir -p "$DIR"
  cp "$HERE/browser/package.json" "$HERE/browser/package-lock.json" "$DIR"
  (cd "$DIR" && npm ci --ignore-scripts --no-audit --no-fund)
  cp "$DIR/package-lock.json" "$DIR/installed.json"
fi
exec "$PYTHON" -B "$HERE/page_test.py" "$BIN" "$DIR/node_modules"
