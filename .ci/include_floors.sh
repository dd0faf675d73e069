#!/bin/sh
# include_floors.sh [TREE]: checks which files may include what (docs/design.md).
#
#   F0  version permission scope lifecycle token auto_token base62 crc32 token_body token_text principal:
#       the standard library, Abseil and F0
#   F1  keys keyring store memory_store lmdb_store: F0 and F1
#   F2  authority pat: F0 to F2
#   F4  c_types c c_keys c_store: the C standard library and each other
#   lib/      include/pat, lib/, and at most one third party a file: <openssl/*> only in
#             crypto.cc, protobuf only in codec.cc, <lmdb.h> only in lmdb_*
#   capi/     include/pat, capi/
#   examples/ bindings/   public headers (Python's too);  bench/ also lib/;  examples/hub, which is a
#             whole host, also what a host has (OpenSSL, an HTTP server);  bench/peer*, which are what
#             libpat is compared with, also what those are made of
#
# Prints each edge that breaks a rule; exit 1 if there is one.
set -eu
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}"

# Each include as "file<TAB>included", the quotes or brackets kept.
edges() {
  find include lib capi bindings bench examples \
    \( -name '*.h' -o -name '*.cc' -o -name '*.c' \) -type f 2> /dev/null | sort |
    while IFS= read -r file; do
      sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1/p' "$file" |
        while IFS= read -r included; do printf '%s\t%s\n' "$file" "$included"; done
    done
}

edges | awk -F '\t' '
  BEGIN {
    n = split("version permission scope lifecycle token auto_token base62 crc32 token_body token_text principal", name, " ")
    for (i = 1; i <= n; i++) floor["pat/" name[i] ".h"] = 0
    n = split("keys keyring store memory_store lmdb_store", name, " ")
    for (i = 1; i <= n; i++) floor["pat/" name[i] ".h"] = 1
    floor["pat/authority.h"] = floor["pat/pat.h"] = 2
    n = split("c_types c c_keys c_store", name, " ")
    for (i = 1; i <= n; i++) floor["pat/" name[i] ".h"] = 4
  }
  function kind(included) {  # std, absl, pat, lib, openssl, protobuf, lmdb, benchmark, ...
    if (included ~ /^<[a-z0-9_]+>$/ || included ~ /^<(sys|linux|netinet|arpa)\/[a-z0-9_.]+>$/)
      return "std"
    if (included ~ /^<(assert|ctype|dirent|errno|fcntl|float|inttypes|limits|locale|math|poll|pthread|sched|setjmp|signal|spawn|stdarg|stddef|stdint|stdio|stdlib|string|strings|time|ucontext|unistd|immintrin|emmintrin|cpuid)\.h>$/)
      return "std"
    path = substr(included, 2, length(included) - 2)
    if (path ~ /^absl\//) return "absl"
    if (path ~ /^pat\//) return "pat"
    if (path ~ /^openssl\//) return "openssl"
    if (path ~ /^google\/protobuf\// || path ~ /\.pb\.h$/) return "protobuf"
    if (path == "lmdb.h") return "lmdb"
    if (path ~ /^benchmark\//) return "benchmark"
    if (path ~ /^(lib|capi|bench|examples|bindings)\//) return substr(path, 1, index(path, "/") - 1)
    if (included ~ /^"[a-z0-9_]+\.h"$/) return "sibling"
    return "other"
  }
  function bad(why) { printf "%s includes %s: %s\n", $1, $2, why; failed = 1 }
  {
    k = kind($2)
    where = substr($1, 1, index($1, "/") - 1)
    path = substr($2, 2, length($2) - 2)
    base = $1; sub(/.*\//, "", base)
    edge_count++
    if (k == "pat" && !(path in floor)) { bad("unknown public header"); next }
    if (where == "include") {
      own = $1; sub(/^include\//, "", own)
      if (!(own in floor)) bad("the including header has no floor")
      else if (k == "std") next
      else if (floor[own] == 4) { if (k != "pat" || floor[path] != 4) bad("the C headers include the C standard library and each other alone") }
      else if (k == "pat") { if (floor[path] > floor[own]) bad("upward") }
      else if (k != "absl") bad("public headers include std, Abseil and include/pat alone")
    } else if (where == "lib") {
      if (k == "std" || k == "absl" || k == "pat" || k == "lib") { if (k == "pat" && floor[path] == 4) bad("upward") }
      else if (k == "openssl") { if (base != "crypto.cc") bad("<openssl/*> belongs in lib/crypto.cc") }
      else if (k == "protobuf") { if (base != "codec.cc") bad("protobuf belongs in lib/codec.cc") }
      else if (k == "lmdb") { if (base !~ /^lmdb_[a-z0-9_]+\.(h|cc)$/) bad("<lmdb.h> belongs in lib/lmdb_*") }
      else bad("not for lib/")
    } else if (where == "capi") {
      if (k != "std" && k != "absl" && k != "pat" && k != "capi" && k != "sibling") bad("capi/ sees include/pat alone")
    } else {
      if (k == "std" || k == "absl" || k == "pat" || k == "sibling" || k == where) next
      if (where == "bench" && (k == "lib" || k == "benchmark")) next
      if ($1 ~ /^bindings\/python\// && (path == "Python.h" || path == "structmember.h")) next
      if ($1 ~ /^bench\/peer[a-z0-9_]*\.(h|cc)$/) next
      if ($1 ~ /^examples\/hub\// && k != "lib" && k != "lmdb" && k != "protobuf") next  # a host: it has its own
      bad(where "/ sees public headers alone" (where == "bench" ? " (and lib/)" : ""))
    }
  }
  END {
    if (edge_count == 0) { print "no includes found"; exit 1 }
    if (!failed) printf "%d include edges, none against the floors\n", edge_count
    exit failed
  }'
