# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What the tests share."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import libpat

PREFIX = "acme_pat_"
EXAMPLES = Path(__file__).parent.parent / "examples"


def note_secret(secret: str) -> None:
    """For the scan of the logs: no secret of a test may be in any."""
    path = os.environ.get("PAT_TEST_SECRETS")
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(secret + "\n")


def note_keyring(text: bytes) -> None:
    for key in re.findall(rb" ([0-9a-f]{64})$", text, re.MULTILINE):
        note_secret(key.decode())


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def issue(
    authority: libpat.Authority, account: str | bytes = "alice", scope: str = "repo:write"
) -> libpat.Issued:
    issued = authority.issue(account, "laptop", [scope])
    note_secret(issued.text)
    return issued
