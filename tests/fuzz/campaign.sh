#!/bin/sh
# campaign.sh BIN FOUND SECONDS [NOUN...]: runs the fuzz targets (all, or these) of the folder BIN
# one after the other, each for SECONDS, from their corpora and what earlier runs kept in FOUND.
# What breaks one is kept in FOUND too. Ends with how many inputs were run; fails if one broke.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=$1
found=$2
seconds=$3
shift 3
[ $# -gt 0 ] || set -- account c_calls header keyring metadata scope seal token_text hub_request
broken=0
for noun in "$@"; do
  corpus="$here/corpus/$noun"
  if [ "$noun" = hub_request ]; then corpus="$here/../hub/request_corpus"; fi
  mkdir -p "$found/$noun"
  if "$bin/${noun}_fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=20 -print_final_stats=1 \
    -verbosity=0 -print_funcs=0 \
    -artifact_prefix="$found/$noun." "$found/$noun" "$corpus" > "$found/$noun.log" 2>&1; then
    sed -n "s/^stat::number_of_executed_units: */$noun: inputs run: /p" "$found/$noun.log"
  else
    echo "$noun: FAILED"
    tail -n 60 "$found/$noun.log"
    broken=1
  fi
done
exit $broken
