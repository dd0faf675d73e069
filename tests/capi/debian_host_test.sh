#!/bin/sh
# debian_host_test.sh CXX PROTOC LIBRARY ARCHIVE ROOT: tests/capi/debian_host.cc, a host with the
# system's Protobuf, Abseil, LMDB and OpenSSL, these dynamic and static, over libpat.so and over
# libpat.a, in both link orders; and all of it in one static program.
set -eu
export LC_ALL=C
CXX=$1 PROTOC=$2 LIBRARY=$3 ARCHIVE=$4 ROOT=$5
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
HERE="$ROOT/tests/capi"

"$PROTOC" -I"$HERE" --cpp_out="$TMP" debian_host.proto
for source in "$HERE/debian_host.cc" "$TMP/debian_host.pb.cc"; do
  # absl's headers are built for the C++ that Debian built its library with
  "$CXX" -std=c++17 -O1 -I"$ROOT/include" -I"$TMP" -c "$source" -o "$TMP/$(basename "$source").o"
done
absl=$(pkg-config --libs absl_flat_hash_map absl_status absl_statusor absl_strings absl_synchronization absl_time)
dynamic="-lprotobuf $absl -llmdb -lssl -lcrypto"
static="-Wl,-Bstatic $dynamic -Wl,-Bdynamic -lz -ldl"

hosts=0
# host LIBRARY...: links and runs.
host() {
  "$CXX" "$TMP"/*.o "$@" -pthread -o "$TMP/host"
  mkdir "$TMP/dir"
  "$TMP/host" "$TMP/dir" > "$TMP/out" || { echo "failed: $*"; exit 1; }
  rm -rf "$TMP/dir"
  hosts=$((hosts + 1))
}
# shellcheck disable=SC2086  # lists of words
for theirs in "$dynamic" "$static"; do
  for ours in "$LIBRARY -Wl,-rpath,$(dirname "$LIBRARY")" "$ARCHIVE"; do
    host $ours $theirs
    host $theirs $ours
  done
done
# shellcheck disable=SC2086
host -static -Wl,--no-warnings $ARCHIVE $dynamic -lz
echo "$hosts hosts"
