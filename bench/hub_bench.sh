#!/bin/sh
# hub_bench.sh BIN_DIR [SECONDS]: how many token requests a second examples/hub answers, with the
# load generator (wrk) on the same machine: each is a GET /token with Basic credentials, judged by
# libpat, and answered with a signed JWT. On loopback, on a store of its own.
set -eu
umask 077
BIN=$(CDPATH= cd -- "$1" && pwd)
SECONDS_LONG=${2:-5}
DIR=$(mktemp -d)
hub=
clean_up() {
  if [ -n "$hub" ]; then kill "$hub" 2> /dev/null || true; wait; fi
  rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

"$BIN/hub" keygen --keys "$DIR/keys" 2> /dev/null
head -c 12 /dev/urandom | od -A n -t x1 | "$BIN/hub" adduser bench --users "$DIR/users"
: > "$DIR/hub.log"  # it is read before the server may have made it
"$BIN/hub" serve --store "$DIR/store" --keyring "$DIR/keyring" --create --keys "$DIR/keys" \
  --users "$DIR/users" --listen 127.0.0.1:0 2> "$DIR/hub.log" &
hub=$!
PORT=
while [ -z "$PORT" ]; do
  kill -0 "$hub" 2> /dev/null || { cat "$DIR/hub.log" >&2; exit 1; }
  PORT=$(sed -n 's/.*"listening","port":\([0-9]*\),.*/\1/p' "$DIR/hub.log")
  sleep 0.1
done
TOKEN=$("$BIN/patctl" --store "$DIR/store" --keyring "$DIR/keyring" --json issue --account bench \
  --description bench --scope repo:write | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
# In a file: a command line can be read by everybody.
printf 'wrk.headers["Authorization"] = "Basic %s"\n' \
  "$(printf 'bench:%s' "$TOKEN" | base64 -w 0)" > "$DIR/load.lua"
URL="http://127.0.0.1:$PORT/token?account=bench&service=registry&scope=repository:bench/app:pull,push"
wrk --threads 1 --connections 32 --duration "${SECONDS_LONG}s" --latency -s "$DIR/load.lua" "$URL" \
  > "$DIR/out"
awk '
  /50%|99%/ { latency[$1] = $2 }
  /Non-2xx/ { bad = $0 }
  /Requests\/sec/ { rate = $2 }
  END {
    if (bad != "") { print "hub_bench.sh:" bad; exit 1 }
    printf "hub: %.0f token requests/s, p50 %s, p99 %s (%s CPUs, load generator included)\n",
      rate, latency["50%"], latency["99%"], cpus
  }' cpus="$(nproc)" "$DIR/out"
