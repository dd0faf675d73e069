#!/bin/sh
# bssl_symbols.sh NM SYMBOLS ARCHIVE: every global symbol that ARCHIVE defines, and
# every weak one it would look up in the host, starts with pat_bssl_; and nothing
# in it refers to an unprefixed symbol of SYMBOLS (the list of BoringSSL's names).
# Then the control: the same check on a list with one name unprefixed must fail.
set -eu
export LC_ALL=C
NM=$1 SYMBOLS=$2 ARCHIVE=$3
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# check FILE: FILE is nm's output; prints each offending symbol.
check() {
  awk -v symbols="$SYMBOLS" '
    BEGIN { while ((getline s < symbols) > 0) if (s !~ /^#/) ours[s] = 1 }
    NF == 2 || NF == 3 {
      type = $(NF - 1); name = $NF
      if (length(type) != 1 || name ~ /^pat_bssl_/) next
      if (type != "U" || name in ours) print type, name
    }' "$1"
}

"$NM" --extern-only "$ARCHIVE" > "$TMP/nm" 2> /dev/null
count=$(awk '$NF ~ /^pat_bssl_/ && $(NF - 1) ~ /^[A-TV-Z]$/ { n++ } END { print n + 0 }' "$TMP/nm")
hooks=$(awk '$1 == "w" { n++ } END { print n + 0 }' "$TMP/nm")
check "$TMP/nm" > "$TMP/bad"
if [ -s "$TMP/bad" ]; then
  echo "unprefixed symbols:"
  cat "$TMP/bad"
  exit 1
fi
if [ "$count" -lt 1000 ]; then
  echo "only $count symbols: is this BoringSSL?"
  exit 1
fi
if [ "$hooks" -lt 4 ]; then
  echo "only $hooks weak hooks: mem.c has four"
  exit 1
fi

# Controls: a defined symbol, a weak hook and a reference, each without its prefix.
for edit in 's/ T pat_bssl_SHA256$/ T SHA256/' 's/ w pat_bssl_sdallocx$/ w sdallocx/' \
  's/ U pat_bssl_OPENSSL_cleanse$/ U OPENSSL_cleanse/'; do
  sed "$edit" "$TMP/nm" > "$TMP/doctored"
  if cmp -s "$TMP/nm" "$TMP/doctored"; then
    echo "control: nothing to doctor for $edit"
    exit 1
  fi
  if [ -z "$(check "$TMP/doctored")" ]; then
    echo "control: $edit was not noticed"
    exit 1
  fi
done
echo "$count symbols and $hooks weak hooks, all prefixed; 3 controls noticed"
