#!/bin/sh
# abi.sh ROOT CC [--update]: compares the binary interface with capi/abi/libpat.abi.xml, which is
# made of the headers alone (a stub of each function), so it is small and the same everywhere; and
# the constants, which no library holds, with capi/abi/constants.txt.
# Prints "same", "additions" or "break"; anything but the first fails: after an addition run this
# with --update, after a break raise PAT_ABI as well (docs/abi.md). Then controls.
set -eu
export LC_ALL=C
ROOT=$1 CC=$2
BASELINE="$ROOT/capi/abi/libpat.abi.xml"
CONSTANTS="$ROOT/capi/abi/constants.txt"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# describe INCLUDE_DIR OUT
describe() {
  { printf '#include "pat/%s.h"\n' c_keys c_store
    cat "$1/pat/c.h" "$1/pat/c_keys.h" "$1/pat/c_store.h" | sed 's,//.*,,' | tr '\n' ' ' | tr ';' '\n' |
      sed -n 's/.*PAT_API\(_CHECKED\)\{0,1\} \([^(]*[ *]pat_[a-z0-9_]*(.*)\)$/\2 { __builtin_unreachable(); }/p'
  } > "$TMP/stub.c"
  "$CC" -std=c99 -w -g -O0 -fPIC -fvisibility=hidden -shared -Wl,-soname,libpat.so -I"$1" \
    "$TMP/stub.c" -o "$TMP/libpat.so"
  abidw --headers-dir "$1" --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$2" \
    "$TMP/libpat.so"
}

# constants INCLUDE_DIR
constants() {
  sed 's,//.*,,' "$1/pat/c_types.h" "$1/pat/c_keys.h" "$1/pat/c_store.h" | tr ',{}' '\n\n\n' |
    sed -n 's/^ *\(PAT_[A-Z0-9_]* = [0-9]*\) *$/\1/p' | sort
}

# constants_verdict OLD NEW
constants_verdict() {
  if cmp -s "$1" "$2"; then
    echo same
  elif [ -n "$(comm -23 "$1" "$2")" ]; then
    echo break
  else
    echo additions
  fi
}

# worse A B
worse() {
  case "$1 $2" in
    *error*) echo error ;;
    *break*) echo break ;;
    *additions*) echo additions ;;
    *) echo same ;;
  esac
}

# verdict OLD NEW: same, additions (functions, or fields at the end of a struct with a size) or break.
verdict() {
  code=0
  abidiff --no-show-locs "$1" "$2" > "$TMP/diff" 2> "$TMP/err" || code=$?
  if [ $((code & 3)) -ne 0 ]; then
    cat "$TMP/err" >&2
    echo error
  elif [ $code -eq 0 ]; then
    echo same
  elif [ $((code & 8)) -ne 0 ]; then
    echo break
  else
    grep -v -E "type size changed from|^$" "$TMP/diff" > "$TMP/rest"
    if grep -q -E -i "deletion|\[D\]|data member change|offset changed|changed from|return type changed|enumerator" "$TMP/rest"; then
      echo break
    else
      echo additions
    fi
  fi
}

describe "$ROOT/include" "$TMP/now.xml"
constants "$ROOT/include" > "$TMP/constants"
if [ "${3-}" = --update ]; then
  cp "$TMP/now.xml" "$BASELINE"
  cp "$TMP/constants" "$CONSTANTS"
  exit 0
fi
result=$(worse "$(verdict "$BASELINE" "$TMP/now.xml")" \
  "$(constants_verdict "$CONSTANTS" "$TMP/constants")")
if [ "$result" != same ]; then
  cat "$TMP/diff"
  echo "the binary interface has changed: $result"
  exit 1
fi

# control EXPECTED SED_SCRIPT: the headers so edited are EXPECTED.
control() {
  rm -rf "$TMP/include"
  mkdir -p "$TMP/include/pat"
  cp "$ROOT"/include/pat/c*.h "$TMP/include/pat/"
  sed -i "$2" "$TMP"/include/pat/c*.h
  if diff -r -q "$ROOT/include/pat/c_types.h" "$TMP/include/pat/c_types.h" > /dev/null &&
    diff -q "$ROOT/include/pat/c.h" "$TMP/include/pat/c.h" > /dev/null; then
    echo "control: nothing to edit for $2"
    exit 1
  fi
  describe "$TMP/include" "$TMP/control.xml"
  constants "$TMP/include" > "$TMP/constants"
  result=$(worse "$(verdict "$BASELINE" "$TMP/control.xml")" \
    "$(constants_verdict "$CONSTANTS" "$TMP/constants")")
  if [ "$result" != "$1" ]; then
    cat "$TMP/diff"
    echo "control: $2 is $result, not $1"
    exit 1
  fi
}
control additions 's/^PAT_API const char\* pat_version(void);/&\nPAT_API int32_t pat_later(int32_t x);/'
control additions 's/^  uint64_t inactive;/&\n  uint64_t expired;/'
control break 's/^PAT_API const char\* pat_version(void);//'
control break 's/pat_code_name(int32_t code)/pat_code_name(int64_t code)/'
control break 's/^PAT_API int32_t pat_error_code/PAT_API int64_t pat_error_code/'
control break 's/^  uint64_t active;/  uint64_t before;\n&/'
control break 's/^  uint64_t uses_dropped;/  uint32_t uses_dropped;/'
control break 's/^  int32_t damaged;//'
control break 's/PAT_REFUSAL_FORGED = 3/PAT_REFUSAL_FORGED = 33/'
control break 's/^  PAT_REASON_ADMIN = 6/  PAT_REASON_OTHER = 6/'
control additions 's/^  PAT_REASON_ADMIN = 6/&,\n  PAT_REASON_LATER = 7/'
echo "same as the baseline ($(wc -c < "$BASELINE") bytes); 11 controls told apart"
