#!/bin/sh
# debian_host_test.sh CXX PROTOC LIBRARY ARCHIVE ROOT: tests/capi/debian_host.cc, a host with the
# system's Protobuf, Abseil, LMDB and OpenSSL, these dynamic and static, over libpat.so and over
# libpat.a, in both link orders; and all of it in one static program. Then controls: the host must fail
# over a libpat.a that shows its private copies under their usual names, and where a trap stands in
# every function of one of the four.
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

# ---- Controls

mkdir "$TMP/leak"
(
  cd "$TMP/leak"
  ar x "$ARCHIVE"
  # "old new": namespace absl::pat_absl is Debian's absl::debian..., the others have no prefix.
  namespace=$(nm -D --defined-only "$("$CXX" -print-file-name=libabsl_status.so)" |
    sed -n 's/.*_ZN4absl\([0-9]*debian[0-9]*\)6Status.*/\1/p' | sed -n 1p)
  [ -n "$namespace" ] || { echo "Debian's namespace of Abseil is not found"; exit 1; }
  nm --defined-only pat.o | awk '{ print $NF }' | sort -u > names
  sed -e "s/8pat_absl/$namespace/g" -e 's/12pat_protobuf/8protobuf/g' -e 's/^pat_mdb_/mdb_/' \
    -e 's/^pat_bssl_//' names | paste -d ' ' names - | awk '$1 != $2' > renamed
  for part in mdb_env_open EVP_sha256 _ZN6google8protobuf "_ZN4absl$namespace"; do
    grep -q " $part" renamed || { echo "control: no name $part to leak"; exit 1; }
  done
  objcopy --redefine-syms=renamed pat.o renamed.o
  awk '{ print "--globalize-symbol=" $2 }' renamed > globals
  objcopy @globals renamed.o leaking.o
)
# shellcheck disable=SC2086
"$CXX" "$TMP"/*.o "$TMP/leak/leaking.o" -Wl,--allow-multiple-definition $dynamic -pthread -o "$TMP/leaking"
mkdir "$TMP/dir"
if "$TMP/leaking" "$TMP/dir" > "$TMP/out" 2>&1; then
  echo "control: the host did not notice names that leak"
  exit 1
fi

# shellcheck disable=SC2086
"$CXX" "$TMP"/*.o "$ARCHIVE" $dynamic -pthread -o "$TMP/host"
for library in libprotobuf libabsl_ liblmdb libcrypto; do
  ldd "$TMP/host" | awk -v name="/$library" 'index($3, name) { print $3 }' > "$TMP/libraries"
  xargs nm -D --defined-only < "$TMP/libraries" | awk '$2 ~ /^[TW]$/ { sub(/@.*/, "", $3); print $3 }' |
    sort -u | awk '{ printf ".globl %s\n%s:\n", $1, $1; n++ } END { print "ud2"; exit n < 20 }' > "$TMP/traps.s" ||
    { echo "control: few names in $library"; exit 1; }
  { echo .text; cat "$TMP/traps.s"; echo '.section .note.GNU-stack,"",@progbits'; } > "$TMP/t.s"
  "$CXX" -shared -nostdlib "$TMP/t.s" -o "$TMP/traps.so"
  rm -rf "$TMP/dir"
  mkdir "$TMP/dir"
  if (LD_PRELOAD="$TMP/traps.so" "$TMP/host" "$TMP/dir") > "$TMP/out" 2>&1; then
    echo "control: a trap in $library was not met"
    exit 1
  fi
done
echo "$hosts hosts; 5 controls failed"
