#!/bin/sh
# wheel_test.sh CMAKE BUILD_DIR ROOT PYTHON [bench]: installs the C library into a fresh prefix, builds the
# sdist, from that the wheel, and runs the tests on the wheel in a virtual environment, with prefix
# and sources gone. Needs no package index: what Python needs comes from the system's packages.
set -eu
export LC_ALL=C.UTF-8
CMAKE=$1 BUILD=$2 ROOT=$3 PYTHON=$4
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM
unset PYTHONPATH PYTHONHOME LD_LIBRARY_PATH PAT_PREFIX PKG_CONFIG_PATH 2> /dev/null || true
export HOME="$TMP" PYTHONDONTWRITEBYTECODE=1
export PIP_NO_INDEX=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# quietly COMMAND...: its output is shown only if it fails.
quietly() {
  "$@" > "$TMP/log" 2>&1 || {
    cat "$TMP/log"
    exit 1
  }
}

echo "== install"
PREFIX="$TMP/a prefix"
quietly "$CMAKE" --install "$BUILD" --prefix "$PREFIX"
cp -RL "$ROOT/bindings/python" "$TMP/source"
cp -R "$ROOT/tests/vectors" "$TMP/vectors"
cd "$TMP"
"$PYTHON" -m venv --system-site-packages build-venv

echo "== sdist, libpat found by pkg-config"
pc=$(find "$PREFIX" -name libpat.pc)
(
  cd source
  PKG_CONFIG_PATH=${pc%/*} quietly ../build-venv/bin/python -c \
    'import setuptools.build_meta as build; build.build_sdist("../dist")'
)
mkdir unpacked
tar -xzf dist/libpat-*.tar.gz -C unpacked --strip-components=1
rm -rf source

echo "== wheel, libpat found by PAT_PREFIX"
PAT_PREFIX="$PREFIX" quietly build-venv/bin/pip wheel --no-build-isolation --no-deps -w dist ./unpacked
if PAT_PREFIX="$TMP/nowhere" build-venv/bin/pip wheel --no-build-isolation --no-deps -w none \
  ./unpacked > log 2>&1 || ! grep -q 'libpat is not installed there' log; then
  cat log
  echo "a missing libpat is not said clearly"
  exit 1
fi
rm -rf "$PREFIX" build-venv unpacked/src unpacked/build

echo "== what is in the wheel"
"$PYTHON" -m zipfile -l dist/libpat-*.whl | awk 'NR > 1 { print $1, $NF }' | tee contents
for file in libpat/libpat.so. libpat/_native. libpat/py.typed libpat/_native.pyi /LICENSE; do
  grep -q -F "$file" contents || { echo "not in the wheel: $file"; exit 1; }
done

"$PYTHON" -m venv --system-site-packages venv
quietly venv/bin/pip install --no-deps dist/libpat-*.whl
echo "== the library is the wheel's own"
(cd / && "$TMP/venv/bin/python" -I - "$TMP/venv/" << 'END')
import sys

import libpat

loaded = {line.split()[-1] for line in open("/proc/self/maps") if "libpat" in line}
assert any("/libpat.so." in path for path in loaded)
assert all(path.startswith(sys.argv[1]) for path in loaded)
assert libpat.__file__.startswith(sys.argv[1])
print("libpat", libpat.__version__)
END

cd unpacked
if [ "${5-}" = bench ]; then
  ../venv/bin/python bench.py
  exit
fi
echo "== pytest"
mkdir "$TMP/sealed"
"$BUILD/bin/sealed_stores" "$TMP/vectors/sealed_tokens.txt" "$TMP/sealed"
PAT_TEST_VECTORS_DIR="$TMP/vectors" PAT_TEST_SEALED_STORES="$TMP/sealed" \
  PAT_TEST_OLD_RECORD="$BUILD/bin/old_record" ../venv/bin/python -m pytest -q
echo "== mypy --strict"
export MYPY_CACHE_DIR="$TMP/mypy" MYPYPATH="examples:tests"
../venv/bin/python -m mypy -p libpat
../venv/bin/python -m mypy examples/*.py tests/*.py
