#!/bin/sh
# sha_ni_linked.sh OBJDUMP PROGRAM: PROGRAM, which links libpat's BoringSSL, holds its
# SHA-NI code (x86-64), whatever this machine's CPU can do.
set -eu
count=$("$1" --disassemble "$2" | grep -c sha256rnds2) || true
echo "$count sha256rnds2 instructions"
[ "$count" -ge 32 ]
