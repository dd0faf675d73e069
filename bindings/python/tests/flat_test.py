# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""PAT_CALLS calls (100,000 by default; `./dev soak` makes more), of every kind that a server makes
while it runs, leave resident memory as it was after the first of them."""

from __future__ import annotations

import gc
import os
from datetime import timedelta

import pytest
from host import Clock

import libpat

CALLS = int(os.environ.get("PAT_CALLS", "100000"))
MOST_KIB = 512


def resident_kib() -> int:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


class Load:
    def __init__(self, authority: libpat.Authority, clock: Clock, leak: bool) -> None:
        self.authority, self.clock, self.calls = authority, clock, 0
        # Many are made, none is shown: not noted for the scan of the logs.
        self.issued = authority.issue("alice", "laptop", ["repo:write"])
        self.kept: list[object] | None = [] if leak else None

    def decide(self) -> None:
        authority, text = self.authority, self.issued.text
        for _ in range(10):
            who = authority.verify(text, account="alice", need="repo:read", ip="198.51.100.7")
            who.require("repo:write")
        assert authority.verify_many([text, "hello", text.encode()]).accepted() == [1, 0, 1]
        for wrong in (text[:-1], "\udcff"):
            with pytest.raises(libpat.Refused):
                authority.verify(wrong, user_agent="agent \udcff")
        with pytest.raises(libpat.Refused):
            authority.authenticate("pw", lambda _: False, account="alice", two_factor=False)
        self.calls += 14

    def manage(self) -> None:
        authority, id = self.authority, self.issued.token.id
        token = authority.get(id, owner="alice")
        if self.kept is not None:
            self.kept += [token, bytearray(16384)]
        authority.list("alice")
        authority.update(id, owner="alice", description=f"laptop {self.calls}")
        with pytest.raises(libpat.NotFound):
            authority.get(id, owner="bob")
        made = authority.issue("alice", "phone", ["repo:read"])
        authority.delete(made.token.id, owner="alice")
        assert authority.purge(self.clock.now + timedelta(seconds=1)) == 1
        self.calls += 7

    def run(self, calls: int) -> None:
        rounds = 0
        while self.calls < calls:
            self.decide()
            rounds += 1
            if rounds % 10 == 0:
                self.manage()


def grown_kib(authority: libpat.Authority, clock: Clock, calls: int, leak: bool = False) -> int:
    load = Load(authority, clock, leak)
    load.run(calls // 10)
    before = resident_kib()
    load.run(calls)
    return resident_kib() - before


def test_resident_memory_stays_flat(authority: libpat.Authority, clock: Clock) -> None:
    assert grown_kib(authority, clock, CALLS) <= MOST_KIB


def test_a_leak_is_noticed(authority: libpat.Authority, clock: Clock) -> None:
    assert grown_kib(authority, clock, 100_000, leak=True) > MOST_KIB
