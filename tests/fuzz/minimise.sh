#!/bin/sh
# minimise.sh BIN FOUND [NOUN...]: makes the corpora of the fuzz targets (all, or these) of the
# folder BIN anew: of what they hold and FOUND (see campaign.sh) holds, what it takes to go all the
# ways that all of it goes. Those made by hand, seed_*, stay.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=$1
found=$2
shift 2
[ $# -gt 0 ] || set -- account c_calls header keyring metadata scope seal token_text
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
for noun in "$@"; do
  mkdir "$new/$noun"
  "$bin/${noun}_fuzz" -merge=1 -use_counters=0 -max_len=1024 "$new/$noun" "$here/corpus/$noun" "$found/$noun" \
    > "$new/log" 2>&1 || { cat "$new/log"; exit 1; }
  cp "$here/corpus/$noun"/seed_* "$new/$noun" 2> /dev/null || true
  rm -rf "$here/corpus/$noun"
  cp -R "$new/$noun" "$here/corpus/$noun"
  echo "$noun: $(find "$here/corpus/$noun" -type f | wc -l) inputs," \
    "$(cat "$here/corpus/$noun"/* | wc -c) bytes"
done
