# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""suite_test.py BIN_DIR: every benchmark program, on stores of a thousand tokens, for seconds; no
time is judged. A peer that this machine lacks is null."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import fields

SIZES = ["500", "1000"]
TEXT_BYTES = 64


def record_secrets(out: Path) -> None:
    """Tells the scan of the logs what must not be in them."""
    path = os.environ.get("PAT_TEST_SECRETS")
    if not path:
        return
    secrets = []
    for texts in out.glob("tokens-*/accepted"):
        text = texts.read_text()
        secrets += [text[i : i + TEXT_BYTES] for i in range(0, len(text), TEXT_BYTES)]
    for keyring in out.glob("tokens-*/keyring"):
        secrets += [line.split()[2] for line in keyring.read_text().splitlines()[2:]]
    with open(path, "a", encoding="ascii") as file:
        file.writelines(f"{secret}\n" for secret in secrets)


def main() -> int:
    suite = Path(__file__).resolve().parent.parent.parent / "bench" / "suite.py"
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "bench"
        flags = ["--sizes", ",".join(SIZES), "--repetitions", "1", "--min-time", "0.002"]
        done = subprocess.run([sys.executable, str(suite), sys.argv[1], str(out), *flags])
        record_secrets(out)
        if done.returncode != 0:
            return done.returncode
        summary = json.loads((out / "summary.json").read_text())
        left = [path.name for path in out.iterdir() if "scratch" in path.name]
    always = {"hs256_floor", "pbkdf2_10k"}
    may_be_null = fields.BINDINGS | {f"peers_ns.{peer}" for peer in fields.PEERS - always}
    found = fields.faults(summary, SIZES, may_be_null)
    found += [f"{name} is left behind" for name in left]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
