#!/bin/sh
# merge.sh CXX OBJCOPY AR MAP BUILD OUT OBJECT...: links the objects and what they need of the
# archives in BUILD into one object, in which only the functions of MAP stay global, and makes OUT,
# an archive, of it. COMDAT groups are dissolved first: otherwise a linker would take the host's
# copy of a group for ours, whose symbols are local now.
set -eu
export LC_ALL=C
CXX=$1 OBJCOPY=$2 AR=$3 MAP=$4 BUILD=$5 OUT=$6
shift 6
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

sed -n 's/^ *\(pat_[a-z_]*\);$/\1/p' "$MAP" > "$TMP/names"
roots=$(sed 's/^/-Wl,--undefined=/' "$TMP/names")
find "$BUILD/lib" "$BUILD/boringssl" "$BUILD/bundle" -name '*.a' | sort > "$TMP/archives"
# shellcheck disable=SC2046,SC2086  # lists of words; cmake's build paths of archives hold no blanks
"$CXX" -r -nostdlib -Wl,--force-group-allocation -Wl,--gc-sections $roots -Wl,--entry=pat_version \
  -o "$TMP/pat.o" "$@" -Wl,--start-group "@$TMP/archives" -Wl,--end-group
"$OBJCOPY" --keep-global-symbols="$TMP/names" --strip-debug "$TMP/pat.o"
rm -f "$OUT"
"$AR" rcs "$OUT" "$TMP/pat.o"
