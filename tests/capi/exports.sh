#!/bin/sh
# exports.sh NM READELF STRIP LIBRARY ARCHIVE ROOT ABI: libpat.so exports exactly the functions of
# the C headers, each under its symbol version; SONAME, what it needs and its size are as promised;
# libpat.a shows the same functions and nothing else. Then controls.
set -eu
export LC_ALL=C
NM=$1 READELF=$2 STRIP=$3 LIBRARY=$4 ARCHIVE=$5 ROOT=$6 ABI=$7
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
fail() {
  echo "$*"
  exit 1
}

sh "$ROOT/tests/capi/functions.sh" "$ROOT/include" > "$TMP/declared"
[ "$(wc -l < "$TMP/declared")" -ge 40 ] || fail "too few functions found in the headers"
sed -n 's/^ *\(pat_[a-z0-9_]*\);$/\1/p' "$ROOT/capi/pat.map" | sort > "$TMP/mapped"
diff "$TMP/declared" "$TMP/mapped" || fail "pat.map and the headers differ"

# exported FILE: names with versions of all that a shared object defines.
exported() { "$NM" -D --defined-only "$1" | awk '{ print $NF }' | grep -v "^PAT_[0-9.]*@*" | sort; }
exported "$LIBRARY" | sed 's/@.*//' > "$TMP/exported"
diff "$TMP/declared" "$TMP/exported" || fail "the exports and the headers differ"
if exported "$LIBRARY" | grep -v "@@PAT_$ABI"; then fail "symbols without the version PAT_$ABI"; fi

"$NM" -g --defined-only "$ARCHIVE" | awk 'NF == 3 { print $3 }' | sort > "$TMP/archived"
diff "$TMP/declared" "$TMP/archived" || fail "libpat.a shows other symbols than the headers declare"

"$READELF" -d "$LIBRARY" > "$TMP/dynamic"
grep -q "SONAME.*\[libpat\.so\.$ABI\]" "$TMP/dynamic" || fail "wrong SONAME"
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$TMP/dynamic" | sort | tr '\n' ' ')
for one in $needed; do
  case $one in
    libstdc++.so.6 | libm.so.6 | libgcc_s.so.1 | libc.so.6 | ld-linux*.so.*) ;;
    *) fail "needs $one" ;;
  esac
done
if grep -q TEXTREL "$TMP/dynamic"; then fail "has text relocations"; fi
grep -q BIND_NOW "$TMP/dynamic" || fail "not bound at load time"
"$STRIP" -o "$TMP/stripped" "$LIBRARY"
size=$(wc -c < "$TMP/stripped")
[ "$size" -le 1200000 ] || fail "$size bytes stripped"

# Controls: a function too many in the library, and one too many in the header, are noticed.
{ cat "$TMP/exported"; echo pat_secret_door; } > "$TMP/more"
if diff "$TMP/declared" "$TMP/more" > /dev/null; then fail "control: an added export was not noticed"; fi
mkdir -p "$TMP/include/pat"
cp "$ROOT"/include/pat/c*.h "$TMP/include/pat/"
echo 'PAT_API int32_t pat_later(void);' >> "$TMP/include/pat/c.h"
sh "$ROOT/tests/capi/functions.sh" "$TMP/include" > "$TMP/later"
if diff "$TMP/later" "$TMP/exported" > /dev/null; then fail "control: a function not exported was not noticed"; fi
echo "$(wc -l < "$TMP/declared") functions; $size bytes stripped; needs $needed"
