#!/bin/sh
# get_debian_source.sh DEST: unpacks into DEST what libpat builds of BoringSSL,
# from Debian's source package (pinned by its SHA-256). Its Debian patches concern other
# architectures and a test, so the upstream tarball is all that is needed.
set -eu
export LC_ALL=C
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
DEST=$1
PACKAGE=android-platform-external-boringssl
ORIG="${PACKAGE}_13.0.0+r24.orig.tar.xz"

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM
echo "583b7aeee1fca68b8244d086cea6fca23bd19d517bd63f0b9de714e048f92a7d  $ORIG" > "$TMP/pins"
sh "$HERE/../debian_source.sh" "$PACKAGE" "$TMP/pins" "$TMP"

mkdir -p "$(dirname "$DEST")"
NEW=$(mktemp -d "$DEST.XXXXXX")
tar -xJf "$TMP/$ORIG" -C "$NEW" --no-same-owner --strip-components=1 --wildcards \
  '*/android-sources.cmake' '*/err_data.c' '*/BORINGSSL_REVISION' '*/src/LICENSE' \
  '*/src/include' '*/src/crypto/*.c' '*/src/crypto/*.h' '*/src/crypto/*.S' \
  '*/src/third_party/fiat' '*/linux-x86_64' '*/linux-aarch64'
chmod 755 "$NEW"
# Another build may have been first: its tree is the same.
if [ -e "$DEST/android-sources.cmake" ]; then rm -rf "$NEW"; else mv "$NEW" "$DEST"; fi
