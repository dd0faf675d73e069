#!/bin/sh
# coverage.sh ROOT BUILD PROFILES [RULES]: what of lib/ and include/pat/ ran, by the profiles that the
# programs of BUILD/bin (made with PAT_COVERAGE) left in PROFILES, and whether that is enough.
set -eu
root=$1
build=$2
profiles=$3
rules=${4:-$root/.ci/coverage_rules}
report=$build/coverage.json

llvm-profdata-14 merge --sparse -o "$build/coverage.profdata" "$profiles"/*.profraw
# Each program that has counters: the first by position, the others as -object.
set --
for program in "$build"/bin/*; do
  if [ -f "$program" ] && [ -x "$program" ] &&
    llvm-readelf-14 -S "$program" 2> /dev/null | grep -q __llvm_covmap; then
    set -- "$@" -object "$program"
  fi
done
if [ $# -eq 0 ]; then
  echo "coverage.sh: no program in $build/bin counts what runs" >&2
  exit 2
fi
shift
llvm-cov-14 export --skip-functions --skip-expansions \
  --instr-profile "$build/coverage.profdata" "$@" > "$report"
python3 -B "$root/.ci/coverage_check.py" "$report" "$root" "$build" "$rules"
