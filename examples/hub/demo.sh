#!/bin/sh
# demo.sh BIN_DIR: hub and Debian's docker-registry on loopback, with a user `demo` who has a token
# of each kind; prints what to try, and cleans up on Ctrl-C.
set -eu
umask 077
BIN=$(CDPATH= cd -- "$1" && pwd)
HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
DIR=$(mktemp -d)
hub=
registry=
clean_up() {
  for child in $registry $hub; do kill "$child" 2> /dev/null || true; done
  wait
  rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 0' INT TERM HUP

# token SCOPE: a token of demo's with this scope.
token() {
  "$BIN/patctl" --store "$DIR/store" --keyring "$DIR/keyring" --json issue --account demo \
    --description "demo, $1" --scope "$1" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p'
}

"$BIN/hub" keygen --keys "$DIR/keys" 2> /dev/null
PASSWORD=$(head -c 12 /dev/urandom | od -A n -t x1 | tr -d ' \n')
echo "$PASSWORD" | "$BIN/hub" adduser demo --users "$DIR/users" --totp > "$DIR/totp"
: > "$DIR/hub.log"  # it is read before the server may have made it
# The page shows the registry's address before there is a registry: most likely this is free.
PORT=$((20000 + $(od -A n -N 2 -t u2 /dev/urandom) % 10000))
"$BIN/hub" serve --store "$DIR/store" --keyring "$DIR/keyring" --create --keys "$DIR/keys" \
  --users "$DIR/users" --listen 127.0.0.1:0 --service demo --issuer hub \
  --registry "127.0.0.1:$PORT" 2> "$DIR/hub.log" &
hub=$!
HUB_PORT=
while [ -z "$HUB_PORT" ]; do
  kill -0 "$hub" 2> /dev/null || { cat "$DIR/hub.log" >&2; exit 1; }
  HUB_PORT=$(sed -n 's/.*"listening","port":\([0-9]*\),.*/\1/p' "$DIR/hub.log")
  sleep 0.1
done
cat > "$DIR/registry.yml" << END
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $DIR/registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$PORT"}
auth:
  token:
    realm: http://127.0.0.1:$HUB_PORT/token
    service: demo
    issuer: hub
    rootcertbundle: $DIR/keys/token-cert.pem
END
: > "$DIR/registry.log"
env -i PATH="$PATH" docker-registry serve "$DIR/registry.yml" > "$DIR/registry.log" 2>&1 &
registry=$!
until grep -q "listening on 127\.0\.0\.1:$PORT" "$DIR/registry.log"; do
  kill -0 "$registry" 2> /dev/null || { cat "$DIR/registry.log" >&2; exit 1; }
  sleep 0.1
done

cat << END

A registry on 127.0.0.1:$PORT, with hub as its token server on 127.0.0.1:$HUB_PORT.

The settings page, where tokens are made and stopped: http://127.0.0.1:$HUB_PORT/
  user demo, password $PASSWORD, and a code of an authenticator app that knows the key
  $(sed 's/.*secret=\([A-Z2-7]*\).*/\1/' "$DIR/totp")    (oathtool --totp -b KEY makes one, too)

For the registry the password is refused, for demo has two-factor authentication on; tokens are not.

  read                 $(token repo:read)
  read, write          $(token repo:write)
  read, write, delete  $(token repo:admin)

Log in with one of them in place of the password, push, pull, delete:

  docker login --username demo 127.0.0.1:$PORT
or
  skopeo login --tls-verify=false --username demo 127.0.0.1:$PORT
  skopeo copy --dest-tls-verify=false oci:SOME_IMAGE docker://127.0.0.1:$PORT/demo/app
  skopeo inspect --tls-verify=false docker://127.0.0.1:$PORT/demo/app
  skopeo delete --tls-verify=false docker://127.0.0.1:$PORT/demo/app

A desktop's sign-in, which gets a token of its own (it asks for the password and the code):

  $HERE/desktop.py sign-in http://127.0.0.1:$HUB_PORT 127.0.0.1:$PORT demo --authfile auth.json
  skopeo inspect --authfile auth.json --tls-verify=false docker://127.0.0.1:$PORT/demo/app

Numbers for Prometheus: http://127.0.0.1:$HUB_PORT/metrics

See the tokens from the operator's side, and stop one (it is refused from that moment on):

  $BIN/patctl --store $DIR/store --keyring $DIR/keyring list --account demo
  $BIN/patctl --store $DIR/store --keyring $DIR/keyring deactivate 1

Ctrl-C ends it all and removes what it made. Requests so far and to come:
END
tail -n +2 -f "$DIR/hub.log" &
tail=$!
registry="$registry $tail"
wait "$hub"
