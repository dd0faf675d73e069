#!/bin/sh
# readme_check.sh ROOT QUICKSTART: README.md's first ```cpp block is examples/quickstart.cc,
# byte for byte, and the output shown after it is what the program QUICKSTART prints on a
# fresh store. The output is the first fenced block after the ```cpp one that is ``` or ```text.
set -eu
export LC_ALL=C
ROOT=$1 QUICKSTART=$2
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

awk -v code="$TMP/code" -v output="$TMP/output" '
  inside && /^```[ \t]*$/ { inside = 0; next }
  inside { print > to; next }
  /^```/ {
    inside = 1; to = "/dev/null"
    if ($0 == "```cpp" && !seen) { seen = 1; to = code }
    else if (seen && !shown && ($0 == "```" || $0 == "```text")) { shown = 1; to = output }
  }' "$ROOT/README.md"
status=0
touch "$TMP/code" "$TMP/output"
if ! diff -u "$ROOT/examples/quickstart.cc" "$TMP/code"; then
  echo "README.md: the cpp block is not examples/quickstart.cc"
  status=1
fi
mkdir "$TMP/store"
if ! "$QUICKSTART" "$TMP/store" > "$TMP/printed"; then
  echo "$QUICKSTART failed"
  status=1
fi
if ! diff -u "$TMP/printed" "$TMP/output"; then
  echo "README.md: the output block is not what quickstart prints"
  status=1
fi
if [ ! -s "$TMP/code" ] || [ ! -s "$TMP/output" ]; then
  echo "README.md: no cpp block, or no output block after it"
  status=1
fi
exit $status
