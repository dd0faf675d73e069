#!/bin/sh
# functions.sh INCLUDE_DIR: the names of the functions that the C headers declare, sorted.
set -eu
export LC_ALL=C
cat "$1/pat/c.h" "$1/pat/c_keys.h" "$1/pat/c_store.h" | sed 's,//.*,,' | tr '\n' ' ' | tr ';' '\n' |
  sed -n 's/.*PAT_API\(_CHECKED\)\{0,1\} [^(]*[ *]\(pat_[a-z0-9_]*\)(.*/\2/p' | sort
