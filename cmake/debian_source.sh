#!/bin/sh
# debian_source.sh PACKAGE[=VERSION] PINS OUT: downloads a source package of Debian into the folder
# OUT; PINS is a file of lines "SHA-256  file": only exactly these files, all of them, will do.
#
# Reads the system's apt sources but changes nothing of the system's: lists,
# caches and configuration are private copies, and each source of Debian's main
# archive is tried by itself, so a broken third-party list does no harm.
set -eu
export LC_ALL=C
PACKAGE=$1
PINS=$(CDPATH= cd -- "$(dirname -- "$2")" && pwd)/$(basename -- "$2")
mkdir -p "$3"
OUT=$(CDPATH= cd -- "$3" && pwd)
SUITE=bookworm

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$TMP/cand" "$TMP/parts" "$TMP/lists/partial" "$TMP/cache/archives/partial" "$TMP/dl"

# The system's apt settings (proxy, credentials) without its hooks.
{
  apt-config dump | grep -vi 'invoke'
  echo 'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null";'
  echo "Dir::Etc::sourcelist \"/dev/null\"; Dir::Etc::sourceparts \"$TMP/parts\";"
  echo "Dir::State::lists \"$TMP/lists\"; Dir::Cache \"$TMP/cache\";"
  echo 'Dir::Cache::archives "archives"; APT::Sandbox::User "root"; Acquire::Retries "3";'
  echo 'Acquire::Languages "none"; APT::Get::List-Cleanup "true";'
} > "$TMP/apt.conf"
export APT_CONFIG="$TMP/apt.conf"

# One file in cand/ for each source of $SUITE main, with its keys and options.
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  if [ -r "$f" ]; then cat "$f"; echo; fi
done | sed -n "s/^[[:space:]]*deb\(-src\)\{0,1\}[[:space:]]\{1,\}\(.*[[:space:]]$SUITE\)[[:space:]]\{1,\}\(.*[[:space:]]\)\{0,1\}main\([[:space:]].*\)\{0,1\}\$/deb-src \2 main/p" |
  sort -u | awk -v dir="$TMP/cand" '{ print > (dir "/" NR ".list") }'
for f in /etc/apt/sources.list.d/*.sources; do
  if [ -r "$f" ]; then cat "$f"; echo; fi
done | awk -v RS= -v dir="$TMP/cand" -v suite="$SUITE" '
  {
    out = ""; main = here = off = 0
    n = split($0, line, "\n")
    for (i = 1; i <= n; i++) {
      if (line[i] ~ /^#/) continue
      if (line[i] ~ /^[^ \t]/) { field = tolower(line[i]); sub(/[ \t]*:.*/, "", field) }
      value = line[i]; sub(/^[^ \t:]+[ \t]*:/, "", value); value = " " value " "
      gsub(/[ \t]+/, " ", value)
      if (field == "components") { if (value ~ / main /) main = 1 }
      else if (field == "suites") { if (index(value, " " suite " ")) here = 1 }
      else if (field == "enabled") { if (tolower(value) ~ / (no|false|0) /) off = 1 }
      else if (field != "types") out = out line[i] "\n"
    }
    if (main && here && !off)
      printf "Types: deb-src\nSuites: %s\nComponents: main\n%s", suite, out > (dir "/" NR ".sources")
  }'

for f in "$TMP"/cand/*; do
  [ -e "$f" ] || break
  rm -rf "$TMP/parts"/* "$TMP/lists"/* "$TMP/dl"/*
  mkdir -p "$TMP/lists/partial"
  cp "$f" "$TMP/parts/"
  if apt-get -qq update >> "$TMP/log" 2>&1 &&
    (cd "$TMP/dl" && apt-get -qq source --download-only "$PACKAGE") >> "$TMP/log" 2>&1 &&
    (cd "$TMP/dl" && sha256sum -c --quiet "$PINS") >> "$TMP/log" 2>&1
  then
    got=yes
    break
  fi
done
if [ -z "${got-}" ]; then
  echo "$0: no source of Debian $SUITE main gave $PACKAGE with the pinned SHA-256 sums" >&2
  if [ -e "$TMP/log" ]; then cat "$TMP/log" >&2; fi
  exit 1
fi
while read -r _ file; do mv "$TMP/dl/$file" "$OUT/"; done < "$PINS"
