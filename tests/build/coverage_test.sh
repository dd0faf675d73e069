#!/bin/sh
# coverage_test.sh CXX ROOT: .ci/coverage.sh on a small program: lets pass what ran, and names a line
# that did not, a branch that was never taken, and an exception that nobody needs.
set -eu
cxx=$1
root=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/lib" "$folder/build/bin"
cat > "$folder/lib/sign.h" << 'END'
inline int Sign(int n) {
  if (n < 0) {
    return -1;
  }
  return n > 0 ? 1 : 0;
}
template <typename T>
bool Both(T a, T b) {
  return a && b;
}
END
cat > "$folder/main.cc" << 'END'
#include <cstdlib>
#include "lib/sign.h"
int main(int argc, char** argv) {
  Both(1, argc);
  Both(1, 0);
  if (argc > 9) Both('x', 'y');
  return Both(false, true) ? 1 : Sign(std::atoi(argv[1])) * 0;
}
END
(cd "$folder" && "$cxx" -fprofile-instr-generate -fcoverage-mapping -I. main.cc -o build/bin/main)
mkdir -p "$folder/.ci"
cp "$root/.ci/coverage_check.py" "$folder/.ci"

# check RULES NUMBER...: runs with these numbers; the verdict is in $code, what was said in the file.
check() {
  printf '%s\n' "$1" > "$folder/rules"
  shift
  rm -rf "$folder/profiles"
  for number in "$@"; do
    LLVM_PROFILE_FILE="$folder/profiles/%m.profraw" "$folder/build/bin/main" "$number"
  done
  code=0
  sh "$root/.ci/coverage.sh" "$folder" "$folder/build" "$folder/profiles" "$folder/rules" \
    > "$folder/said" 2>&1 || code=$?
}
says() {
  if ! grep -qF "$1" "$folder/said"; then
    echo "not said: $1"
    cat "$folder/said"
    exit 1
  fi
}
wants() {
  if [ "$code" -ne "$1" ]; then
    echo "exit status $code, not $1"
    cat "$folder/said"
    exit 1
  fi
}

all='lines 100 lib/
branches lib/sign.h'
check "$all" -5 0 5
wants 0
says '100.00 % of '
check "$all" 0 5
wants 1
says 'lib/sign.h:3: not run: return -1;'
says 'lib/sign.h:2:7: never true: if (n < 0) {'
check "$all" -5 5
wants 1
says 'lib/sign.h:5:10: never false: return n > 0 ? 1 : 0;'
check 'lines 70 lib/' 0 5
wants 0
check "$all
except lib/sign.h: return n > 0 ? 1 : 0; # it is only a test" -5 5
wants 0
check "$all
except lib/sign.h: return n > 0 ? 1 : 0; # it is only a test" -5 0 5
wants 1
says 'an exception that is not needed'
check 'lines 1 lib/
branches lib/gone.h' 5
wants 1
says 'lib/gone.h: not in the report'
echo ok
