#!/bin/sh
# leak_scan_test.sh ROOT: .ci/leak_scan.sh passes a clean log and notices each planted leak,
# without printing the secret itself.
set -eu
SCAN="$1/.ci/leak_scan.sh"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

SELECTOR=AAAAAAAAAAAAAAAAAAAAAA
SECRET=bbbbbbbbbCCCCCCCCC012345678
TOKEN="acme_pat_${SELECTOR}${SECRET}000000"
KEY=00112233445566778899aabbccddeeff
printf '%s\n%s\n' "$TOKEN" "$KEY" > "$TMP/secrets"
printf 'first line\nacme_pat_%s***\n' "$SELECTOR" > "$TMP/clean"

sh "$SCAN" "$TMP/secrets" "$TMP/clean"
# noticed TEXT: a log with TEXT in its third line fails with exactly that place.
noticed() {
  { cat "$TMP/clean"; printf 'x %s y\n' "$1"; } > "$TMP/log"
  if sh "$SCAN" "$TMP/secrets" "$TMP/log" > "$TMP/out" 2>&1; then
    echo "control: a planted leak was not noticed"
    exit 1
  fi
  if ! grep -q -F "$TMP/log:3:" "$TMP/out" || grep -q -F "$1" "$TMP/out"; then
    echo "control: wrong place, or the secret itself was printed"
    exit 1
  fi
}
noticed "$TOKEN"
noticed "$SECRET"
noticed "$KEY"
noticed "$(printf '%s' "$KEY" | tr a-f A-F)"

# A scan that knows no secret proves nothing: it is an error, not a pass.
: > "$TMP/empty"
for secrets in "$TMP/empty" "$TMP/absent"; do
  if sh "$SCAN" "$secrets" "$TMP/clean" 2> /dev/null; then
    echo "control: a scan without secrets passed"
    exit 1
  fi
done
if sh "$SCAN" "$TMP/secrets" "$TMP/absent" 2> /dev/null; then
  echo "control: a scan of a missing log passed"
  exit 1
fi
echo "4 planted leaks noticed, 3 void scans refused"
