# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What is wrong is said, and changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from host import PREFIX, Clock, issue

import libpat

WRONG = (libpat.InvalidArgument, TypeError, ValueError)


@pytest.mark.parametrize(
    "how",
    [
        {"account": ""},
        {"account": b"x" * 129},
        {"account": "\ud800"},
        {"account": 7},
        {"account": None},
        {"description": ""},
        {"description": "x" * 101},
        {"description": "a\0b"},
        {"description": "\udcff"},
        {"description": b"bytes"},
        {"scopes": []},
        {"scopes": "repo:read"},
        {"scopes": b"repo:read"},
        {"scopes": ["repo:read", "repo:read"]},
        {"scopes": ["repo:read\0"]},
        {"scopes": ["no:such"]},
        {"scopes": [None]},
        {"expires_at": datetime(2099, 1, 1)},
        {"expires_at": datetime(1970, 1, 1, tzinfo=timezone.utc)},
        {"expires_at": datetime(1969, 1, 1, tzinfo=timezone.utc)},
        {"expires_at": datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=1)},
        {"expires_at": datetime(2020, 1, 1, tzinfo=timezone.utc)},
        {"expires_at": datetime.max.replace(tzinfo=timezone.utc)},
        {"origin": "nonsense"},
        {"attributes": {"": "x"}},
        {"attributes": {"a\0": "x"}},
        {"attributes": {"a": "x" * 1024}},
        {"attributes": {"a": 1}},
    ],
    ids=repr,
)
def test_a_wrong_request_makes_no_token(authority: libpat.Authority, how: dict[str, Any]) -> None:
    good: dict[str, Any] = {"account": "alice", "description": "x", "scopes": ["repo:read"]}
    with pytest.raises(WRONG):
        authority.issue(**{**good, **how})
    with pytest.raises(WRONG):
        authority.issue_many([libpat.IssueRequest(**good), libpat.IssueRequest(**{**good, **how})])
    assert authority.count("alice").active == 0


@pytest.mark.parametrize("owner", ["", b"", "bob", "\ud800", 7])
def test_a_wrong_owner_is_never_no_check(authority: libpat.Authority, owner: Any) -> None:
    issued = issue(authority)
    calls: list[Any] = [authority.activate, authority.deactivate, authority.delete]
    for call in [*calls, authority.update, authority.get]:
        with pytest.raises((libpat.NotFound, libpat.InvalidArgument, TypeError)):
            call(issued.token.id, owner=owner)
        with pytest.raises(TypeError):
            call(issued.token.id)
    assert authority.verify(issued.text)


def test_wrong_arguments_of_every_call(authority: libpat.Authority, clock: Clock) -> None:
    issued = issue(authority)
    any_authority: Any = authority
    id = issued.token.id
    calls: list[Any] = [
        lambda: any_authority.verify(None),
        lambda: any_authority.verify(7),
        lambda: any_authority.verify(bytearray(b"x")),
        lambda: any_authority.verify("x", account=7),
        lambda: any_authority.verify("x", need="no:such"),
        lambda: any_authority.verify("x", need=7),
        lambda: any_authority.verify(issued.text, need=None),
        lambda: any_authority.verify(issued.text, need=""),
        lambda: any_authority.verify(issued.text, need=[""]),
        lambda: any_authority.verify_many([issued.text], need=None),
        lambda: any_authority.verify("x", ip=None),
        lambda: any_authority.verify_many("x"),
        lambda: any_authority.verify_many([None]),
        lambda: any_authority.verify_many(None),
        lambda: any_authority.authenticate("x", None, account="alice", two_factor=False),
        lambda: any_authority.authenticate("x", lambda _: True),
        lambda: any_authority.get(-1, owner=None),
        lambda: any_authority.get(1 << 64, owner=None),
        lambda: any_authority.get("1", owner=None),
        lambda: any_authority.list("alice", limit=0),
        lambda: any_authority.list("alice", limit=1001),
        lambda: any_authority.list("alice", limit=-1),
        lambda: any_authority.list("alice", after="nonsense"),
        lambda: any_authority.list("alice", after="\0"),
        lambda: any_authority.list("alice", text="\0"),
        lambda: any_authority.list("alice", state="nonsense"),
        lambda: any_authority.list(""),
        lambda: any_authority.count(""),
        lambda: any_authority.id_of("nonsense"),
        lambda: any_authority.id_of(None),
        lambda: any_authority.public_id_of(1 << 63),
        lambda: any_authority.update(id, owner="alice", scopes=[]),
        lambda: any_authority.update(id, owner="alice", scopes="repo:read"),
        lambda: any_authority.update(id, owner="alice", description=""),
        lambda: any_authority.delete(id, owner="alice", reason="nonsense"),
        lambda: any_authority.purge(datetime(2020, 1, 1)),
        lambda: any_authority.purge(clock.now, limit=0),
        lambda: any_authority.purge(123),
    ]
    for number, call in enumerate(calls):
        with pytest.raises((*WRONG, AttributeError)):
            call()
            pytest.fail(f"call {number} was taken")
    assert authority.get(id, owner="alice") == issued.token


def test_wrong_ways_to_open(tmp_path: Path, keyring: libpat.Keyring) -> None:
    memory = libpat.MemoryStore()
    good: dict[str, Any] = {"prefixes": [PREFIX], "create": True}
    wrongs: list[dict[str, Any]] = [
        {"prefixes": PREFIX},
        {"prefixes": ["has-a-dash_"]},
        {"prefixes": ["nul\0_"]},
        {"prefixes": []},
        {"prefixes": [f"p{i}_" for i in range(9)]},
        {"max_auto_tokens": 0},
        {"max_auto_tokens": 65},
        {"auto_scopes": []},
        {"auto_scopes": ["no:such"]},
        {"scopes": libpat.ScopeSet({"a": 64}, {"s": ["a"]})},
        {"scopes": libpat.ScopeSet({"a": -1}, {"s": ["a"]})},
        {"scopes": libpat.ScopeSet({"a": 0, "b": 0}, {"s": ["a"]})},
        {"scopes": libpat.ScopeSet({"a": 0}, {"s": ["b"]})},
        {"scopes": libpat.ScopeSet({"account": 0}, {"s": ["account"]})},
    ]
    for wrong in wrongs:
        with pytest.raises(WRONG):
            libpat.Authority(memory, keyring, **{**good, **wrong})
    with pytest.raises(libpat.Error):
        libpat.Authority(tmp_path / "none", keyring, prefixes=[PREFIX])
    with pytest.raises(libpat.InvalidArgument):
        libpat.Authority("a\0b", keyring, **good)
    with pytest.raises(libpat.InvalidArgument):
        libpat.Authority(memory, "a\0b", **good)
    with pytest.raises(TypeError):
        libpat.Authority(7, keyring, **good)  # type: ignore[arg-type]
    low = {"map_bytes": 0, "max_readers": -1, "flush_interval_s": -1, "reserve_bytes": -1}
    for name, number in {**low, "write_deadline_s": 0}.items():
        lmdb: dict[str, Any] = {name: number}
        store = libpat.LmdbStore(tmp_path / "t", **lmdb)
        with pytest.raises(libpat.InvalidArgument):
            libpat.Authority(store, keyring, **good)
    with pytest.raises(libpat.InvalidArgument):
        libpat.check_text("x", ["has-a-dash_"])
    with pytest.raises(TypeError):
        libpat.check_text("x", "acme_")


def test_one_root_for_all_errors() -> None:
    assert issubclass(libpat.InvalidArgument, libpat.Error)
    assert issubclass(libpat.InvalidArgument, ValueError)
    assert issubclass(libpat.NotFound, libpat.Error) and issubclass(libpat.NotFound, LookupError)
    assert issubclass(libpat.Refused, libpat.Error)
    assert set(libpat.__all__) <= set(dir(libpat))
