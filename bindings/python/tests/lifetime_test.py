# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Closing, threads, forks, memory."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from host import PREFIX, issue, note_keyring

import libpat

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)


def test_close_is_idempotent_and_final(on_disk: libpat.Authority) -> None:
    issued = issue(on_disk)
    with on_disk as same:
        assert same is on_disk and not on_disk.closed
    assert on_disk.closed
    on_disk.close()
    on_disk.close()
    calls: list[Callable[[], object]] = [
        lambda: on_disk.verify(issued.text),
        lambda: on_disk.verify("hello"),
        lambda: on_disk.verify_many(["hello"]),
        lambda: on_disk.authenticate("x", lambda _: True, account="alice", two_factor=False),
        lambda: on_disk.issue("alice", "x", ["repo:read"]),
        lambda: on_disk.issue_many([libpat.IssueRequest("alice", "x", ("repo:read",))]),
        lambda: on_disk.get(1, owner=None),
        lambda: on_disk.list("alice"),
        lambda: on_disk.count("alice"),
        lambda: on_disk.id_of(issued.token.public_id),
        lambda: on_disk.public_id_of(1),
        lambda: on_disk.update(1, owner="alice"),
        lambda: on_disk.activate(1, owner="alice"),
        lambda: on_disk.deactivate(1, owner="alice"),
        lambda: on_disk.delete(1, owner="alice"),
        lambda: on_disk.purge(issued.token.created_at),
        on_disk.keys,
        lambda: on_disk.rotate_key(libpat.KeyKind.SEAL),
        on_disk.reseal,
        lambda: on_disk.retire_key(libpat.KeyKind.SEAL, 1),
        lambda: on_disk.copy_to(on_disk),
        on_disk.flush,
        on_disk.health,
        on_disk.stats,
        on_disk.__enter__,
    ]
    for call in calls:
        with pytest.raises(ValueError, match="closed") as caught:
            call()
        assert not isinstance(caught.value, libpat.Error)
    assert on_disk.prefixes == (PREFIX,)
    assert "closed" in repr(on_disk)


def test_threads_share_an_authority_until_it_closes(on_disk: libpat.Authority) -> None:
    texts = [issue(on_disk, f"user{i}").text for i in range(8)]
    wrong: list[object] = []
    done: list[int] = []

    def work(own: int) -> None:
        judged = 0
        try:
            while True:
                if on_disk.verify(texts[own]).account != f"user{own}":
                    wrong.append(own)
                if not all(on_disk.verify_many(texts)):
                    wrong.append("many")
                if judged % 50 == own:
                    on_disk.update(own + 1, owner=f"user{own}", description=f"d{judged}")
                judged += 1
        except ValueError as error:
            if "closed" not in str(error):
                wrong.append(error)
        except BaseException as error:
            wrong.append(error)
        done.append(judged)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    closers = [threading.Thread(target=on_disk.close) for _ in range(3)]
    for thread in closers:
        thread.start()
    for thread in closers + threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == [] and len(done) == 8 and sum(done) > 8


def test_close_waits_for_calls_under_way_and_others_run_meanwhile(
    authority: libpat.Authority,
) -> None:
    inside, go_on, closed = threading.Event(), threading.Event(), threading.Event()
    result: list[object] = []

    def slow_check(_: str) -> bool:
        inside.set()
        assert go_on.wait(60)
        return True

    def sign_in() -> None:
        result.append(
            authority.authenticate("x", slow_check, account="alice", two_factor=False).account
        )

    def close() -> None:
        authority.close()
        closed.set()

    first, second = threading.Thread(target=sign_in), threading.Thread(target=close)
    first.start()
    assert inside.wait(60)
    assert authority.count("alice").active == 0  # another thread's call is no hindrance
    second.start()
    while not authority.closed:
        time.sleep(0.001)
    with pytest.raises(ValueError):
        authority.count("alice")
    assert not closed.wait(0.05)
    go_on.set()
    first.join(60)
    second.join(60)
    assert closed.is_set() and result == ["alice"]


def test_closing_in_a_callback_is_refused(authority: libpat.Authority) -> None:
    def check(_: str) -> bool:
        authority.close()
        return True

    with pytest.raises(RuntimeError, match="callback"):
        authority.authenticate("x", check, account="alice", two_factor=False)
    assert not authority.closed


def in_child(body: Callable[[], None]) -> int:
    """Runs body in a forked child; its exit status, 0 if body returned."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_gets_a_clear_error(on_disk: libpat.Authority, tmp_path: Path) -> None:
    issued = issue(on_disk)

    def child() -> None:
        calls: list[Callable[[], object]] = [
            lambda: on_disk.verify(issued.text),
            lambda: on_disk.count("alice"),
        ]
        for call in calls:
            with pytest.raises(libpat.Error, match="forked") as caught:
                call()
            assert not isinstance(caught.value, libpat.Refused)
        on_disk.close()
        on_disk.close()
        with libpat.Authority(libpat.MemoryStore(), tmp_path / "k2", prefixes=["b_"], create=True):
            note_keyring((tmp_path / "k2").read_bytes())

    assert in_child(child) == 0
    assert on_disk.verify(issued.text).account == "alice"  # the parent is not disturbed


def test_a_child_may_open_the_store_itself(on_disk: libpat.Authority, tmp_path: Path) -> None:
    """As workers should: the parent opened nothing."""
    text = issue(on_disk).text
    on_disk.close()

    def child() -> None:
        with libpat.Authority(tmp_path / "tokens", tmp_path / "keyring") as own:
            own.verify(text)

    assert in_child(child) == 0


def test_a_fork_amid_calls_of_other_threads(on_disk: libpat.Authority) -> None:
    text, stop = issue(on_disk).text, threading.Event()

    def work() -> None:
        while not stop.is_set():
            on_disk.verify(text)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            assert in_child(on_disk.close) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def test_an_authority_left_open_is_closed_with_a_warning(tmp_path: Path) -> None:
    def open_and_forget() -> None:
        opened = libpat.Authority(
            tmp_path / "tokens", tmp_path / "keyring", prefixes=[PREFIX], create=True
        )
        note_keyring((tmp_path / "keyring").read_bytes())
        del opened

    with pytest.warns(ResourceWarning, match="unclosed"):
        open_and_forget()
        gc.collect()


def test_an_interpreter_ends_well_with_all_open(tmp_path: Path) -> None:
    program = """
import sys, threading, libpat
authority = libpat.Authority(sys.argv[1] + "/t", sys.argv[1] + "/k", prefixes=["a_"], create=True)
def work():
    while True:
        authority.count("alice")
threading.Thread(target=work, daemon=True).start()
forgotten = [authority]; forgotten.append(forgotten)
authority.count("bob")
"""
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-I", "-c", program, str(tmp_path)], capture_output=True, timeout=60
        )
        assert ended.returncode == 0, ended.stderr.decode()
    note_keyring((tmp_path / "k").read_bytes())


def test_an_authority_is_not_pickled(authority: libpat.Authority) -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(authority)


def open_files(directory: Path) -> list[str]:
    found = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    return [path for path in found if path.startswith(str(directory))]


def test_close_lets_go_of_the_store(on_disk: libpat.Authority, tmp_path: Path) -> None:
    assert open_files(tmp_path)
    on_disk.close()
    assert not open_files(tmp_path)


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost",
    )]  # fmt: skip


def bytes_in_use() -> int:
    """Of the heap that C has; Python's small objects are elsewhere."""
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Mallinfo2
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


def test_calls_leave_memory_flat(authority: libpat.Authority) -> None:
    issued = issue(authority)
    id = issued.token.id
    many = [issued.text, "hello"] * 20

    def refused(call: Callable[[], object]) -> None:
        with pytest.raises(libpat.Error):
            call()

    def rounds(n: int) -> None:
        for _ in range(n):
            for _ in range(20):
                authority.verify(issued.text, account="alice", need="repo:read", ip="::1")
            authority.verify_many(many)
            authority.get(id, owner="alice")
            authority.list("alice")
            authority.update(id, owner="alice", scopes=["repo:write"], description="laptop")
            authority.authenticate("x", lambda _: True, account="alice", two_factor=False)
            refused(lambda: authority.verify("hello"))
            refused(lambda: authority.get(id, owner="bob"))
            refused(lambda: authority.issue("alice", "", ["repo:read"]))

    rounds(200)
    before = bytes_in_use()
    rounds(1000)
    assert bytes_in_use() - before < 32_000  # less than 32 bytes a round


def test_calls_keep_hold_of_nothing(authority: libpat.Authority) -> None:
    """What they were given, and what all principals share, is referred to as often as before."""
    any_authority: Any = authority
    texts: list[str | bytes] = ["hello", b"x", "\udcff"]
    text, ip, odd, agent = issue(authority).text, "198.51.100.7", "\udcff" * 3, "agent \udcff"
    watched: list[object] = [text, texts, *texts, ip, odd, agent, authority._declared, authority._handle]
    watched += [libpat.Principal, libpat.UNKNOWN_ACCOUNT, authority]

    def references() -> list[int]:
        gc.collect()
        return [sys.getrefcount(each) for each in watched]

    def rounds(n: int) -> None:
        for _ in range(n):
            authority.verify(text, account="alice", need=["repo:read"], ip=ip, user_agent=agent)
            authority.verify(text.encode(), need="repo:read")
            list(authority.verify_many(texts, account=libpat.UNKNOWN_ACCOUNT, user_agent=agent))
            calls: list[Callable[[], object]] = [
                lambda: any_authority.verify(odd),
                lambda: any_authority.verify(odd, account="\ud800"),
                lambda: any_authority.verify(text, ip=None),
                lambda: any_authority.verify(text, agent=ip),
                lambda: any_authority.verify(text, need="no:such", ip=ip, user_agent=agent),
                lambda: any_authority.verify_many([*texts, None]),
            ]
            for call in calls:
                with pytest.raises((libpat.Error, TypeError)):
                    call()

    rounds(100)
    before, blocks = references(), sys.getallocatedblocks()
    rounds(500)
    assert references() == before
    assert sys.getallocatedblocks() - blocks < 250


def test_an_authority_in_a_cycle_is_collected(keyring: libpat.Keyring) -> None:
    def open_and_forget() -> weakref.ref[object]:
        around: list[object] = []

        def clock() -> datetime:
            assert isinstance(around, list)
            return NOW

        store = libpat.MemoryStore()
        opened = libpat.Authority(store, keyring, prefixes=[PREFIX], create=True, clock=clock)
        opened.close()
        around.append(opened)
        return weakref.ref(opened._handle)

    handle = open_and_forget()
    gc.collect()
    assert handle() is None


def test_opening_and_closing_leave_memory_flat(keyring: libpat.Keyring, tmp_path: Path) -> None:
    def rounds(n: int) -> None:
        for _ in range(n):
            with libpat.Authority(tmp_path / "t", keyring, prefixes=[PREFIX], create=True) as opened:
                opened.count("alice")
            with pytest.raises(libpat.Error):
                libpat.Authority(tmp_path / "t", libpat.Keyring.from_text(b"x"))

    rounds(20)
    before = bytes_in_use()
    rounds(100)
    assert bytes_in_use() - before < 20_000
