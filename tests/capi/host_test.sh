#!/bin/sh
# host_test.sh CC LIBRARY ARCHIVE ROOT: tests/capi/host.c with OpenSSL dynamic and static, and with
# Debian's LMDB, in both link orders, over libpat.so and over libpat.a. Then the poison test: a
# preloaded library that traps in every unprefixed name of LMDB and in BoringSSL's: libpat must not
# notice, a control that uses LMDB must die.
set -eu
export LC_ALL=C
CC=$1 LIBRARY=$2 ARCHIVE=$3 ROOT=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
DIR=$(dirname "$LIBRARY")

"$CC" -D_GNU_SOURCE -I"$ROOT/include" -c "$ROOT/tests/capi/host.c" -o "$TMP/host.o"
for ours in "$LIBRARY -Wl,-rpath,$DIR" "$ARCHIVE -lstdc++ -lm"; do
  for theirs in '-lssl -lcrypto -llmdb' '-l:libssl.a -l:libcrypto.a -l:liblmdb.a -ldl'; do
    for libraries in "$ours $theirs" "$theirs $ours"; do
      # shellcheck disable=SC2086  # lists of words
      "$CC" "$TMP/host.o" $libraries -pthread -o "$TMP/host"
      "$TMP/host" > "$TMP/out" || { echo "failed: $libraries"; exit 1; }
    done
  done
done

{
  sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)$/\1/p' "$ROOT/cmake/boringssl/prefix_symbols.txt"
  nm -D --defined-only "$("$CC" -print-file-name=liblmdb.so)" | awk '$3 ~ /^mdb_/ { print $3 }'
  for archive in protobuf-lite absl_status absl_strings absl_time absl_synchronization absl_base; do
    nm -g --defined-only "$("$CC" -print-file-name=lib$archive.a)" 2> /dev/null |
      awk '$3 ~ /^_ZN?K?(4absl|6google8protobuf)/ { print $3 }'
  done
} | sed 's/@.*//' | sort -u > "$TMP/names"
awk '{ printf ".globl %s\n%s:\n", $1, $1 } END { print "ud2" }' "$TMP/names" > "$TMP/poison.s"
{ echo .text; cat "$TMP/poison.s"; echo '.section .note.GNU-stack,"",@progbits'; } > "$TMP/p.s"
"$CC" -shared -nostdlib "$TMP/p.s" -o "$TMP/poison.so"
"$CC" -D_GNU_SOURCE -I"$ROOT/include" "$ROOT/tests/capi/api_test.c" "$LIBRARY" -Wl,-rpath,"$DIR" \
  -o "$TMP/api"
LD_PRELOAD="$TMP/poison.so" "$TMP/api" > "$TMP/out" || { echo "poisoned"; exit 1; }
# shellcheck disable=SC2086
"$CC" "$TMP/host.o" -lssl -lcrypto -llmdb "$LIBRARY" -Wl,-rpath,"$DIR" -pthread -o "$TMP/host"
if (LD_PRELOAD="$TMP/poison.so" "$TMP/host") > /dev/null 2>&1; then
  echo "control: a host that uses OpenSSL and LMDB did not die of the poison"
  exit 1
fi
echo "8 hosts; $(wc -l < "$TMP/names") poisoned names, the control died"
