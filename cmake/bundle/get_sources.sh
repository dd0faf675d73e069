#!/bin/sh
# get_sources.sh DEST: unpacks Debian's source packages of Abseil, LMDB and Protobuf, with their
# patches, into DEST/abseil, DEST/lmdb and DEST/protobuf; pins.txt says which exactly.
set -eu
export LC_ALL=C
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
DEST=$1

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$DEST"
for dsc in $(sed -n 's/^[0-9a-f]*  \(.*\.dsc\)$/\1/p' "$HERE/pins.txt"); do
  package=${dsc%%_*}
  version=${dsc#*_}
  version=${version%.dsc}
  if [ -e "$DEST/$package/debian/rules" ]; then continue; fi
  grep "  ${package}_" "$HERE/pins.txt" > "$TMP/pins"
  sh "$HERE/../debian_source.sh" "$package=$version" "$TMP/pins" "$TMP/$package"
  # dpkg-source applies the patches; the sums above are what the files are checked by.
  (cd "$TMP/$package" && dpkg-source --no-check -x "$dsc" tree > log 2>&1) || {
    cat "$TMP/$package/log" >&2
    exit 1
  }
  NEW=$(mktemp -d "$DEST/$package.XXXXXX")
  cp -R "$TMP/$package/tree" "$NEW/tree"
  # Another build may have been first: its tree is the same.
  if [ ! -e "$DEST/$package" ]; then mv "$NEW/tree" "$DEST/$package"; fi
  rm -rf "$NEW"
done
