# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What Python adds to a verify, against the installed package: one line of JSON.

    python_verify_ns         Authority.verify of one token
    python_verify_many_ns    the same in verify_many with accepted(), a token
    python_principals_ns     the same with each principal looked at
    python_c_verify_ns       the same in C, as far as that can be told from here: pat_verify_many of
                             the library itself, a token
    python_overhead_ns       the first less the last
    python_many_ratio        the second by the last

Of several runs the fastest counts: the others were disturbed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import libpat
from libpat._native import ffi, lib

TOKENS = 1000
RUNS = 100


def fastest_ns(*calls: Callable[[], object]) -> list[float]:
    """A token's share of each call, which handles all of them. They take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(RUNS):
        for i, call in enumerate(calls):
            begin = time.perf_counter_ns()
            call()
            best[i] = min(best[i], time.perf_counter_ns() - begin)
    return [ns / TOKENS for ns in best]


def main() -> None:
    keyring = libpat.Keyring.from_text(libpat.Keyring.generate())
    store = libpat.MemoryStore()
    with libpat.Authority(store, keyring, prefixes=["acme_pat_"], create=True) as authority:
        requests = [
            libpat.IssueRequest(f"user{i}", "bench", ("repo:write",)) for i in range(TOKENS)
        ]
        texts = [issued.text for issued in authority.issue_many(requests)]
        joined, lengths = "".join(texts).encode(), ffi.new("size_t[]", [len(t) for t in texts])
        room, pointer = ffi.new("pat_decision[]", TOKENS), authority._handle.pointer
        room[0].size = ffi.sizeof("pat_decision")

        def in_c() -> None:
            lib.pat_verify_many(pointer, joined, lengths, TOKENS, ffi.NULL, room)

        def one_by_one() -> None:
            for text in texts:
                authority.verify(text)

        def many() -> None:
            assert all(authority.verify_many(texts).accepted())

        def principals() -> None:
            assert all(who for who in authority.verify_many(texts))

        single, batch, looked_at, c = fastest_ns(one_by_one, many, principals, in_c)
    print(
        json.dumps(
            {
                "python_verify_ns": round(single, 1),
                "python_verify_many_ns": round(batch, 1),
                "python_principals_ns": round(looked_at, 1),
                "python_c_verify_ns": round(c, 1),
                "python_overhead_ns": round(single - c, 1),
                "python_many_ratio": round(batch / c, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
