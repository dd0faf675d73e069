#!/bin/sh
# apt_install.sh PACKAGE...: installs Debian packages, as root, asking nothing, starting no
# daemon, and waiting while another program holds one of the package locks.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
POLICY=/usr/sbin/policy-rc.d
SAVED=/usr/sbin/policy-rc.d.before-libpat
MARK='libpat: starts nothing while packages are being installed'
LOG=$(mktemp)

# While packages are installed, policy-rc.d (which maintainer scripts ask) says no to
# every start; whatever stood there before is put back.
restore() {
  if [ -e "$SAVED" ]; then
    mv -f "$SAVED" "$POLICY"
  elif grep -q -s -F "$MARK" "$POLICY"; then
    rm -f "$POLICY"
  fi
}
# One at a time: a second run must not take the first one's guard for the machine's own.
exec 9> /run/libpat-apt.lock
flock 9
trap 'restore; rm -f "$LOG"' EXIT
trap 'exit 1' HUP INT TERM
restore  # what a killed run left
if [ -e "$POLICY" ]; then mv -f "$POLICY" "$SAVED"; fi
printf '#!/bin/sh\n# %s\nexit 101\n' "$MARK" > "$POLICY"
chmod 755 "$POLICY"

# patiently COMMAND...: again while a lock is held, for ten minutes at most. (apt-get's own
# DPkg::Lock::Timeout does not cover the locks on its lists and archives.)
patiently() {
  tries=0
  until "$@" > "$LOG" 2>&1 9>&-; do
    if ! grep -q -E 'Could not get lock|Unable to (lock|acquire)' "$LOG" || [ $tries -ge 200 ]; then
      cat "$LOG" >&2
      return 1
    fi
    if [ $tries -eq 0 ]; then echo "waiting for another program's package lock"; fi
    tries=$((tries + 1))
    sleep 3
  done
}

# A third-party list that is broken is no reason to stop: the install decides.
patiently apt-get -q update -o Acquire::Retries=3 || echo "apt-get update failed; trying all the same" >&2
patiently apt-get -q install -y --no-install-recommends \
  -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confdef \
  -o Dpkg::Options::=--force-confold "$@"
