#!/bin/sh
# constant_time.sh BUILD INCLUDES ABSEIL LIBRARY...: compiles constant_time.cc and the parts of libpat
# it is about with gcc and clang at -O2 and -O3 and runs each under valgrind. INCLUDES: folders
# between colons. ABSEIL: the folder of its archives. LIBRARY: what else is linked.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$here/../..
build=$1
includes=$(printf '%s' "$2" | sed 's/:/ -isystem /g; s/^/-isystem /')
abseil=$3
shift 3
failed=0
for compiler in g++ clang++-14; do
  for level in -O2 -O3; do
    program="$build/constant_time_$compiler$level"
    # -gdwarf-4: valgrind 3.19 does not read clang's DWARF 5.
    # shellcheck disable=SC2086  # a list of options
    "$compiler" -std=c++17 $level -gdwarf-4 -DNDEBUG -DBORINGSSL_PREFIX=pat_bssl -I "$root" \
      -I "$root/include" $includes -o "$program" "$here/constant_time.cc" "$root/lib/crypto.cc" \
      "$root/lib/seal.cc" "$@" -Wl,--start-group "$abseil"/libabsl_*.a -Wl,--end-group -lpthread
    echo "== $compiler $level"
    if ! valgrind --quiet --error-limit=no --log-file="$program.log" "$program"; then
      cat "$program.log"
      failed=1
    fi
  done
done
exit $failed
