#!/bin/sh
# testing_page.sh ROOT: the tests that docs/testing.md names are there.
set -eu
ROOT=$1

# missing PAGE: the names in it that no test has. Programs stand in backquotes, ended by _test; tests
# are words of several capitals, cut by "...".
missing() {
  grep -o '`[a-z_]*_test`' "$1" | tr -d '`' | sort -u | while read -r program; do
    find "$ROOT/tests" -name "$program.cc" | grep -q . || echo "$program"
  done
  grep -o -E '\b[A-Z][a-z]+([A-Z][a-z]*){2,}' "$1" | sort -u | while read -r name; do
    grep -rqE "^(TEST|TEST_F|TEST_P|class)[( ].*$name" "$ROOT/tests" || echo "$name"
  done
}

lost=$(missing "$ROOT/docs/testing.md")
if [ -n "$lost" ]; then
  echo "docs/testing.md names what is not there: $lost"
  exit 1
fi

# The control: names that are not there are missed.
page=$(mktemp)
trap 'rm -f "$page"' EXIT
echo '`made_up_test` NobodyWroteThisTest' > "$page"
[ "$(missing "$page" | wc -l)" -eq 2 ]
