#!/bin/sh
# five_minutes_check.sh ROOT: the five-minute programs are short, and README.md and
# docs/five_minutes.md show each byte for byte, and what they print. (That they print it, and that
# they can be built, is checked where the installed library is: tests/build/install_test.sh,
# tests/capi/install_test.sh, bindings/.) Then controls.
set -eu
export LC_ALL=C
ROOT=$1
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# shows DOCUMENT LANGUAGE FILE: whether one of its blocks is the file.
shows() {
  awk -v language="$2" -v dir="$TMP" '
    inside && /^```$/ { inside = 0; close(to); next }
    inside { print > to; next }
    /^```/ { inside = 1; to = "/dev/null"; if ($0 == "```" language) to = dir "/block." ++n }' "$1"
  found=1
  for block in "$TMP"/block.*; do
    if [ -e "$block" ] && cmp -s "$block" "$3"; then found=0; fi
    rm -f "$block"
  done
  return $found
}

status=0
for program in cpp:examples/five_minutes.cc c:examples/five_minutes.c \
  python:bindings/python/examples/five_minutes.py go:bindings/go/examples/five_minutes/main.go \
  text:examples/five_minutes.txt; do
  file="$ROOT/${program#*:}"
  [ "$(wc -l < "$file")" -lt 30 ] || { echo "$file is not short"; status=1; }
  for document in README.md docs/five_minutes.md; do
    shows "$ROOT/$document" "${program%%:*}" "$file" || { echo "$document does not show $file"; status=1; }
    sed 's/alice/carol/' "$file" > "$TMP/other"
    if ! grep -q carol "$TMP/other" || shows "$ROOT/$document" "${program%%:*}" "$TMP/other"; then
      echo "control: a changed program was not noticed"
      status=1
    fi
  done
done
exit $status
