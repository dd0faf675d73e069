#!/bin/sh
# leak_scan.sh SECRETS_FILE FILE...: no FILE may hold a secret that the tests made.
#
# SECRETS_FILE has one secret a line: a token's whole text, or a key in hexadecimal.
# Of a token its 27 secret characters alone are searched for too (they stand before
# the 6 characters of checksum), of a key both cases. Prints file:line of each hit,
# never the secret. Exit 0 if there is none, 1 if there is one, 2 if the scan itself
# could not be done (no secrets recorded, a file missing).
set -eu
export LC_ALL=C
umask 077
if [ $# -lt 2 ]; then
  echo "usage: leak_scan.sh SECRETS_FILE FILE..." >&2
  exit 2
fi
SECRETS=$1
shift
if [ ! -s "$SECRETS" ]; then
  echo "leak_scan.sh: no secrets recorded in $SECRETS" >&2
  exit 2
fi
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 2' HUP INT TERM

awk '
  length($0) < 16 { if (length($0)) short++; next }
  /_[0-9A-Za-z]+$/ && match($0, /[0-9A-Za-z]+$/) && RLENGTH >= 55 {
    print; print substr($0, length($0) - 32, 27); next
  }
  /^[0-9A-Fa-f]+$/ { print tolower($0); print toupper($0); next }
  { print }
  END { if (short) exit 3 }' "$SECRETS" > "$TMP/patterns.all" || {
  echo "leak_scan.sh: a line of $SECRETS is too short to be a secret" >&2
  exit 2
}
sort -u "$TMP/patterns.all" > "$TMP/patterns"

hits=0
for file in "$@"; do
  if [ ! -r "$file" ]; then
    echo "leak_scan.sh: cannot read $file" >&2
    exit 2
  fi
  grep -a -n -F -f "$TMP/patterns" -- "$file" > "$TMP/hits" || [ $? -eq 1 ]
  while IFS=: read -r line _; do
    printf '%s:%s: a secret\n' "$file" "$line"
    hits=$((hits + 1))
  done < "$TMP/hits"
done
echo "$(wc -l < "$TMP/patterns") patterns, $# files, $hits hits"
[ "$hits" -eq 0 ]
