# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The life of keys."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from host import PREFIX, issue, note_keyring, note_secret

import libpat
from libpat import KeyKind


def keys(authority: libpat.Authority, kind: KeyKind) -> dict[int, int | None]:
    return {key.number: key.dependents for key in authority.keys() if key.kind is kind}


def reason(authority: libpat.Authority, issued: libpat.Issued) -> str:
    try:
        authority.verify(issued.text)
    except libpat.Refused as refused:
        return str(refused.reason)
    return ""


def fails_with(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(libpat.Error) as caught:
        call()
    assert caught.value.code == code


def old_record(what: str, folder: Path, id: int) -> None:
    """As one who can write the store's files but has no keyring: keeps a token's rows, or puts them
    back."""
    program = os.environ["PAT_TEST_OLD_RECORD"]
    arguments = [str(folder / "tokens"), what, "alice", str(id), str(folder / "kept")]
    subprocess.run([program, *arguments], check=True)


def test_a_rotation_from_first_to_last(on_disk: libpat.Authority, tmp_path: Path) -> None:
    first = issue(on_disk)
    many = [libpat.IssueRequest("alice", "more", ("repo:read",))] * 600
    for made in on_disk.issue_many(many):
        note_secret(made.text)
    old_record("keep", tmp_path, first.token.id)
    on_disk.deactivate(first.token.id, owner="alice")

    key = on_disk.rotate_key(KeyKind.SEAL)
    note_keyring((tmp_path / "keyring").read_bytes())
    assert (key.kind, key.number, key.newest, key.dependents) == (KeyKind.SEAL, 2, True, None)
    second = issue(on_disk)
    assert key.created_at <= second.token.created_at
    assert reason(on_disk, first) == "inactive" and reason(on_disk, second) == ""
    old_record("put", tmp_path, first.token.id)
    assert reason(on_disk, first) == ""  # it was true once, and its key is live
    on_disk.deactivate(first.token.id, owner="alice")
    assert keys(on_disk, KeyKind.SEAL).keys() == {1, 2}
    fails_with("failed_precondition", lambda: on_disk.retire_key(KeyKind.SEAL, 1))

    seen: list[libpat.PassProgress] = []

    def stop(so_far: libpat.PassProgress) -> bool:
        seen.append(so_far)
        return False

    fails_with("cancelled", lambda: on_disk.reseal(stop))
    assert len(seen) == 1 and seen[0].accounts == 1
    done = on_disk.reseal(seen.append)
    assert len(seen) >= 4 and seen[-1] == done
    assert done.tokens == 602 and done.left == 0 and 0 < done.written <= 602
    assert done.next_token_id > second.token.id

    def fail(_: libpat.PassProgress) -> None:
        raise OSError("no paper")

    with pytest.raises(OSError, match="paper"):
        on_disk.reseal(fail)
    assert keys(on_disk, KeyKind.SEAL)[1] == 0
    on_disk.retire_key(KeyKind.SEAL, 1)
    on_disk.retire_key(KeyKind.SEAL, 1)
    assert keys(on_disk, KeyKind.SEAL) == {2: 603}
    old_record("put", tmp_path, first.token.id)
    assert reason(on_disk, first) == "wrong_secret"
    assert reason(on_disk, second) == ""


def test_a_selector_key_goes_with_its_tokens(authority: libpat.Authority, tmp_path: Path) -> None:
    keyring = tmp_path / "k"
    with libpat.Authority(
        libpat.MemoryStore(), keyring, prefixes=[PREFIX], create=True
    ) as opened:
        first = issue(opened)
        opened.rotate_key(KeyKind.SELECTOR)
        note_keyring(keyring.read_bytes())
        second = issue(opened)
        assert reason(opened, first) == reason(opened, second) == ""
        assert keys(opened, KeyKind.SELECTOR) == {1: 1, 2: 1}
        with pytest.raises(libpat.Error, match="^1 "):
            opened.retire_key(KeyKind.SELECTOR, 1)
        opened.retire_key(KeyKind.SELECTOR, 1, force=True)
        assert reason(opened, first) == "forged" and reason(opened, second) == ""
        fails_with("failed_precondition", lambda: opened.retire_key(KeyKind.SELECTOR, 2, force=True))
        with pytest.raises(libpat.NotFound):
            opened.retire_key(KeyKind.SELECTOR, 3)


def test_a_copy_is_another_realm(on_disk: libpat.Authority, keyring: libpat.Keyring) -> None:
    issued = issue(on_disk)
    seen: list[libpat.PassProgress] = []
    with libpat.Authority(
        libpat.MemoryStore(), keyring, prefixes=[PREFIX], create=True
    ) as target:
        done = on_disk.copy_to(target, seen.append)
        assert seen[-1] == done and (done.accounts, done.tokens, done.left) == (1, 1, 0)
        assert [token.public_id for token in target.list("alice").tokens] != []
        assert reason(target, issued) == "forged" and reason(on_disk, issued) == ""
        fails_with("failed_precondition", lambda: on_disk.copy_to(target))
    fails_with("failed_precondition", lambda: on_disk.copy_to(on_disk))
    with pytest.raises(ValueError, match="closed"):
        on_disk.copy_to(target)


def test_a_purge_tells_how_far_it_is(authority: libpat.Authority) -> None:
    for _ in range(3):
        authority.delete(issue(authority).token.id, owner="alice")
    later = issue(authority).token.created_at + timedelta(seconds=1)
    seen: list[libpat.PassProgress] = []
    fails_with("cancelled", lambda: authority.purge(later, 1, lambda _: False))
    assert authority.purge(later, progress=seen.append) == 2
    assert seen[-1].written == 2 and seen[-1].accounts == 0


class Vault:
    """A host that keeps the keyring text itself."""

    def __init__(self) -> None:
        self.text = libpat.Keyring.generate()
        note_keyring(self.text)
        self.loads = 0

    def __call__(self) -> bytes:
        self.loads += 1
        return self.text

    def add(self, kind: KeyKind) -> None:
        self.text = libpat.Keyring.add_key(self.text, kind)
        note_keyring(self.text)

    def open(self, folder: Path, keyring: libpat.Keyring | None = None) -> libpat.Authority:
        keyring = keyring or libpat.Keyring.from_callback(self)
        return libpat.Authority(folder / "tokens", keyring, prefixes=[PREFIX], create=True)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_texts_of_the_hosts_own(tmp_path: Path, kind: KeyKind) -> None:
    vault = Vault()
    with vault.open(tmp_path) as one, vault.open(tmp_path) as other:
        first = issue(one)
        fails_with("failed_precondition", lambda: one.rotate_key(kind))
        vault.add(kind)
        loads = vault.loads
        assert one.rotate_key(kind).number == 2
        second = issue(one)
        assert vault.loads > loads
        loads = vault.loads
        assert reason(other, first) == reason(other, second) == ""
        assert vault.loads == loads + 1  # a key that it did not have
        one.reseal()
        one.retire_key(kind, 1, force=True)
        removed = libpat.Keyring.remove_key(vault.text, kind, 1)
        assert libpat.Keyring.remove_key(vault.text.decode(), kind, 1) == removed
        assert len(removed) < len(vault.text)
        with pytest.raises(libpat.NotFound):
            libpat.Keyring.remove_key(removed, kind, 1)
        fails_with("failed_precondition", lambda: libpat.Keyring.remove_key(removed, kind, 2))
        gone = "forged" if kind is KeyKind.SELECTOR else ""
        assert reason(other, first) == gone and reason(other, second) == ""


def test_a_text_given_once_is_not_asked_for_again(tmp_path: Path) -> None:
    vault = Vault()
    fixed = libpat.Keyring.from_text(vault.text)
    with vault.open(tmp_path) as one, vault.open(tmp_path, fixed) as other:
        first = issue(one)
        vault.add(KeyKind.SEAL)
        one.rotate_key(KeyKind.SEAL)
        assert reason(other, first) == "unavailable"


def test_a_keyring_that_cannot_be_loaded_now(tmp_path: Path) -> None:
    vault = Vault()
    away = ConnectionError("the vault is away")

    def load() -> bytes:
        if broken:
            raise away
        return vault()

    broken = False
    with vault.open(tmp_path) as one, vault.open(
        tmp_path, libpat.Keyring.from_callback(load)
    ) as other:
        issued = issue(one)
        vault.add(KeyKind.SEAL)
        one.rotate_key(KeyKind.SEAL)
        broken = True
        with pytest.raises(ConnectionError, match="vault"):
            other.verify(issued.text)
        broken = False
        deadline = time.monotonic() + 60
        while reason(other, issued) == "unavailable":  # it asks again a second later
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert reason(other, issued) == ""


def test_a_load_amid_verifies_of_other_threads(tmp_path: Path) -> None:
    """The thread that loads holds a lock of C's and needs Python's; the one that verifies waits for
    C's, and must not hold Python's."""
    vault = Vault()
    asked, go_on = threading.Event(), threading.Event()

    def load() -> bytes:
        if opened:
            asked.set()
            assert go_on.wait(60)
        return vault()

    opened = False
    with vault.open(tmp_path, libpat.Keyring.from_callback(load)) as slow:
        opened = True
        with vault.open(tmp_path) as other:
            issued = issue(other)
            vault.add(KeyKind.SEAL)
            other.rotate_key(KeyKind.SEAL)
        found: list[object] = []
        counts = threading.Thread(target=lambda: found.append(slow.count("alice").active))
        verifies = threading.Thread(target=lambda: found.append(reason(slow, issued)))
        faulthandler.dump_traceback_later(50, exit=True)
        try:
            counts.start()
            assert asked.wait(60)
            verifies.start()
            while slow._handle.running < 2:
                time.sleep(0.001)
            time.sleep(0.05)
        finally:
            go_on.set()
        counts.join(60)
        verifies.join(60)
        faulthandler.cancel_dump_traceback_later()
        assert sorted(map(str, found)) == ["", "1"]


def test_wrong_arguments(authority: libpat.Authority, keyring: libpat.Keyring) -> None:
    any_authority: Any = authority
    any_keyring: Any = libpat.Keyring
    text = libpat.Keyring.generate()
    note_keyring(text)
    calls: list[Any] = [
        lambda: any_authority.rotate_key("seals"),
        lambda: any_authority.rotate_key(None),
        lambda: any_authority.retire_key(KeyKind.SEAL, 0),
        lambda: any_authority.retire_key(KeyKind.SEAL, 1 << 16),
        lambda: any_authority.retire_key(KeyKind.SEAL, "1"),
        lambda: any_authority.retire_key(KeyKind.SEAL, 1, True),
        lambda: any_authority.reseal(7),
        lambda: any_authority.purge(issue(authority).token.created_at, 1, 7),
        lambda: any_authority.copy_to(None),
        lambda: any_authority.copy_to(authority, 7),
        lambda: any_keyring.add_key(7, KeyKind.SEAL),
        lambda: any_keyring.add_key(text, "seals"),
        lambda: any_keyring.remove_key(text, KeyKind.SEAL, -1),
        lambda: any_keyring.from_text(7),
    ]
    for number, call in enumerate(calls):
        with pytest.raises((libpat.InvalidArgument, TypeError, ValueError)):
            call()
            pytest.fail(f"call {number} was taken")
    fails_with("failed_precondition", lambda: libpat.Keyring.add_key(b"nonsense", KeyKind.SEAL))
    assert keys(authority, KeyKind.SEAL).keys() == {1}
