#!/bin/sh
# coverage.sh ROOT: each function of the C headers is called in a misuse*_test.c, and each struct that a
# caller makes (it begins with `size`, and a function or a struct takes it as const, or fills it) is in
# sizes_test.c in a newer and an older size. Then controls.
set -eu
export LC_ALL=C
ROOT=$1
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
SIZES="$ROOT/tests/capi/sizes_test.c"

# structs INCLUDE_DIR: the structs that begin with `size`.
structs() {
  cat "$1/pat/c_types.h" "$1/pat/c_keys.h" "$1/pat/c_store.h" | tr '\n' ' ' |
    grep -o 'typedef struct pat_[a-z_]* { *size_t size;' | sed 's/typedef struct \(pat_[a-z_]*\).*/\1/'
}

# missing INCLUDE_DIR: what is not tested.
missing() {
  sh "$ROOT/tests/capi/functions.sh" "$1" > "$TMP/functions"
  structs "$1" > "$TMP/structs"
  while read -r function; do
    cat "$ROOT"/tests/capi/misuse*_test.c | grep -q "\b$function(" || echo "in no misuse test: $function"
  done < "$TMP/functions"
  while read -r struct; do
    case $struct in
      pat_token | pat_page | pat_key_list | pat_batch | pat_account_row | pat_last_use) continue ;; # libpat makes them
      pat_store_ops) ;;  # its older sizes are in store_test.cc
      pat_decision | pat_presented | pat_counts) ;;  # spelt out
      *) grep -q "OLDER($struct, " "$SIZES" || echo "no older size in sizes_test.c: $struct" ;;
    esac
    grep -q "NEWER($struct, \|^    $struct [a-z]*;" "$SIZES" || echo "no newer size in sizes_test.c: $struct"
  done < "$TMP/structs"
}

missing "$ROOT/include" > "$TMP/missing"
cat "$TMP/missing"
[ ! -s "$TMP/missing" ]
[ "$(wc -l < "$TMP/functions")" -ge 50 ] && [ "$(wc -l < "$TMP/structs")" -ge 15 ]
echo "$(wc -l < "$TMP/functions") functions, $(wc -l < "$TMP/structs") structs"

# Controls: a new function and a new struct are missed.
mkdir -p "$TMP/include/pat"
cp "$ROOT"/include/pat/c*.h "$TMP/include/pat/"
{
  echo 'PAT_API int32_t pat_later(void);'
  printf 'typedef struct pat_later_options {\n  size_t size;\n} pat_later_options;\n'
} >> "$TMP/include/pat/c_store.h"
missing "$TMP/include" > "$TMP/missing"
if [ "$(wc -l < "$TMP/missing")" -ne 3 ]; then
  cat "$TMP/missing"
  echo "control: a function and a struct without tests were not noticed"
  exit 1
fi
