#!/bin/sh
# clients_test.sh PYTHON BIN_DIR CLI_DIR: clients_test.py with the docker CLI of Debian's docker.io
# package, unpacked into CLI_DIR if it is not there: its daemon and its other parts stay out.
set -eu
PYTHON=$1 BIN=$2 CLI=$3
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
if [ ! -x "$CLI/usr/bin/docker" ]; then
  TMP=$(mktemp -d)
  trap 'rm -rf "$TMP"' EXIT
  if ! (cd "$TMP" && { apt-get -q download docker.io ||
    { apt-get -q update && apt-get -q download docker.io; }; }) > "$TMP/log" 2>&1; then
    cat "$TMP/log" >&2
    echo "clients_test.sh: cannot download the docker.io package" >&2
    exit 1
  fi
  mkdir -p "$CLI"
  dpkg-deb --fsys-tarfile "$TMP"/docker.io_*.deb | tar -x -C "$CLI" ./usr/bin/docker
fi
exec "$PYTHON" -B "$HERE/clients_test.py" "$BIN" "$CLI/usr/bin/docker"
