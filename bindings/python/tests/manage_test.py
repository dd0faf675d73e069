# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Issuing, looking, changing, operating."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from host import PREFIX, Clock, issue, note_keyring, note_secret

import libpat


def test_an_issued_token_is_what_was_asked_for(authority: libpat.Authority, clock: Clock) -> None:
    expiry = clock.now + timedelta(days=1, microseconds=7)
    zone = timezone(timedelta(hours=5))
    issued = authority.issue(
        "alice",
        "l\u00e4ptop \U0001f511",
        ["repo:read", "repo:public_read"],
        expires_at=expiry.astimezone(zone),
        attributes={"client": "cli", "zone": "\u00e9"},
    )
    note_secret(issued.text)
    token = issued.token
    assert issued.text.startswith(PREFIX)
    assert token.description == "l\u00e4ptop \U0001f511"
    assert token.scopes == ("repo:read", "repo:public_read")
    assert token.permissions == {"repo:read", "repo:public_read"}
    assert token.state is libpat.State.ACTIVE and token.origin is libpat.Origin.MANUAL
    assert token.created_at == clock.now
    assert token.expires_at == expiry.replace(microsecond=0)
    assert token.expires_at.tzinfo is timezone.utc and token.created_at.tzinfo is timezone.utc
    assert token.last_used_at is None and token.deleted_at is None
    assert token.delete_reason is None
    assert token.attributes == {"client": "cli", "zone": "\u00e9"} and not token.damaged
    assert token == authority.get(token.id, owner="alice")
    assert authority.id_of(token.public_id) == token.id
    assert authority.public_id_of(token.id) == token.public_id
    with pytest.raises(dataclasses.FrozenInstanceError):
        token.account = "bob"  # type: ignore[misc]
    assert len({token, token}) == 1


def test_no_repr_shows_a_secret(authority: libpat.Authority, keyring: libpat.Keyring) -> None:
    issued = issue(authority)
    for shown in (repr(issued), str(issued), f"{issued}", repr([issued]), repr(authority)):
        shows = issued.text[-40:] in shown
        assert not shows
    assert repr(keyring) == "<Keyring held by the program>"


def test_a_token_lives_and_dies(authority: libpat.Authority, clock: Clock) -> None:
    id = issue(authority).token.id
    authority.deactivate(id, owner="alice")
    authority.deactivate(id, owner="alice")
    assert authority.get(id, owner="alice").state is libpat.State.INACTIVE
    assert authority.count("alice") == libpat.Counts(active=0, inactive=1)
    authority.activate(id, owner=None)
    changed = authority.update(
        id, owner="alice", description="desk", scopes=["repo:read"], active=False
    )
    assert (changed.description, changed.scopes) == ("desk", ("repo:read",))
    assert changed.state is libpat.State.INACTIVE
    assert authority.update(id, owner="alice") == changed
    assert authority.update(id, owner="alice", active=True).state is libpat.State.ACTIVE
    with pytest.raises(libpat.NotFound):
        authority.deactivate(id, owner="bob")
    authority.delete(id, owner="alice", reason=libpat.DeleteReason.LEAKED)
    gone = authority.get(id, owner="alice")
    assert gone.state is libpat.State.DELETED and gone.deleted_at == clock.now
    assert gone.delete_reason is libpat.DeleteReason.LEAKED
    with pytest.raises(LookupError) as caught:
        authority.activate(id, owner="alice")
    assert isinstance(caught.value, libpat.NotFound) and caught.value.code == "not_found"
    assert authority.purge(clock.now) == 0
    assert authority.purge(clock.now + timedelta(seconds=1)) == 1
    with pytest.raises(libpat.NotFound):
        authority.get(id, owner=None)


def test_many_are_issued_all_or_none(authority: libpat.Authority) -> None:
    wanted = [libpat.IssueRequest("bob", f"n{i}", ("repo:read",)) for i in range(30)]
    issued = authority.issue_many(wanted)
    for one in issued:
        note_secret(one.text)
    assert [one.token.description for one in issued] == [one.description for one in wanted]
    judged = authority.verify_many([one.text for one in issued])
    assert [who.token_id for who in judged if isinstance(who, libpat.Principal)] == [
        one.token.id for one in issued
    ]
    with pytest.raises(libpat.InvalidArgument):
        authority.issue_many([*wanted, libpat.IssueRequest("bob", "", ("repo:read",))])
    assert authority.count("bob").active == 30
    assert authority.issue_many([]) == ()


def test_pages_hold_all_tokens(authority: libpat.Authority) -> None:
    ids = [issue(authority).token.id for _ in range(25)]
    authority.deactivate(ids[4], owner="alice")
    authority.delete(ids[5], owner="alice")
    first = authority.list("alice")
    second = authority.list("alice", after=first.next)
    left = [id for id in ids if id != ids[5]]
    assert [t.id for t in first.tokens + second.tokens] == left[::-1]
    assert len(first.tokens) == 20 and second.next == ""
    assert [t.id for t in authority.list_all("alice")] == left[::-1]
    inactive = authority.list("alice", state=libpat.State.INACTIVE).tokens
    assert [t.id for t in inactive] == [ids[4]]
    assert len(authority.list("alice", limit=3).tokens) == 3
    assert len(authority.list("alice", text="LAP", limit=1000).tokens) == 24
    assert authority.list("alice", text="desk") == libpat.Page((), "")
    assert authority.list("alice", origin=libpat.Origin.AUTO).tokens == ()
    assert authority.list("nobody").tokens == ()


def test_a_sixth_sign_in_evicts_the_first(authority: libpat.Authority, clock: Clock) -> None:
    made = []
    for _ in range(6):
        made.append(authority.issue("alice", "phone", origin=libpat.Origin.AUTO))
        note_secret(made[-1].text)
        clock.advance(60)
    assert made[0].token.scopes == ("repo:admin",) and made[0].token.origin is libpat.Origin.AUTO
    evicted = authority.get(made[0].token.id, owner="alice")
    assert evicted.delete_reason is libpat.DeleteReason.EVICTED
    assert [issued.evicted for issued in made] == [()] * 5 + [(evicted.id,)]
    request = libpat.IssueRequest("alice", "phone", origin=libpat.Origin.AUTO)
    two = authority.issue_many([request, request])
    for issued in two:
        note_secret(issued.text)
    assert [len(issued.evicted) for issued in two] == [2, 0]


def test_stores_and_stats(on_disk: libpat.Authority, tmp_path: Path) -> None:
    issued = issue(on_disk)
    on_disk.verify(issued.text, ip="::1")
    on_disk.flush()
    on_disk.health()
    stats = on_disk.stats()
    assert stats.accounts == 1 and stats.bytes > 0 and 0 < stats.readers <= stats.most_readers
    with pytest.raises(libpat.Error) as caught:
        store = libpat.LmdbStore(tmp_path / "tokens", exclusive=True)
        libpat.Authority(store, tmp_path / "keyring")
    assert caught.value.code == "failed_precondition"
    assert (tmp_path / "keyring").stat().st_mode & 0o777 == 0o600
    on_disk.close()
    how: dict[str, Any] = {"flush_interval_s": 0, "reserve_bytes": 0, "write_deadline_s": 5}
    store = libpat.LmdbStore(tmp_path / "tokens", map_bytes=1 << 26, **how)
    with libpat.Authority(store, tmp_path / "keyring") as again:
        assert again.prefixes == (PREFIX,)
        assert again.verify(issued.text).account == "alice"
        assert again.get(issued.token.id, owner="alice").last_used_ip == "::1"


def test_keyrings_of_every_kind(tmp_path: Path) -> None:
    text = libpat.Keyring.generate()
    note_keyring(text)
    asked = []

    def load() -> bytes:
        asked.append(1)
        return text

    rings: list[libpat.Keyring] = [
        libpat.Keyring.from_text(text),
        libpat.Keyring.from_text(text.decode()),
        libpat.Keyring.from_callback(load),
    ]
    secret = ""
    for ring in rings:
        with libpat.Authority(tmp_path / "t", ring, prefixes=[PREFIX], create=True) as opened:
            secret = secret or issue(opened).text
            assert opened.verify(secret)
    assert asked == [1]

    other = libpat.Keyring.generate()
    note_keyring(other)
    with pytest.raises(libpat.Error) as caught:
        libpat.Authority(tmp_path / "t", libpat.Keyring.from_text(other))
    assert caught.value.code == "failed_precondition"

    def unreachable() -> bytes:
        raise ConnectionError("the vault is away")

    with pytest.raises(ConnectionError, match="vault"):
        libpat.Authority(tmp_path / "t", libpat.Keyring.from_callback(unreachable))
    wrong: Any = lambda: 7  # noqa: E731
    with pytest.raises(TypeError):
        libpat.Authority(tmp_path / "t", libpat.Keyring.from_callback(wrong))
    for bad in (b"", b"nonsense", b"x" * 5000):
        with pytest.raises(libpat.Error):
            libpat.Authority(tmp_path / "t", libpat.Keyring.from_text(bad))


def test_scopes_of_the_hosts_own(tmp_path: Path, keyring: libpat.Keyring) -> None:
    declared = libpat.ScopeSet(
        {"doc:read": 0, "doc:write": 63}, {"reader": ["doc:read"], "writer": ["doc:read", "doc:write"]}
    )
    how: dict[str, Any] = {"auto_scopes": ["reader"], "max_auto_tokens": 2}
    with libpat.Authority(
        tmp_path / "t", keyring, prefixes=["a_", "b_"], create=True, scopes=declared, **how
    ) as opened:
        assert opened.prefixes == ("a_", "b_")
        assert opened.scopes.permissions == {"doc:read": 0, "doc:write": 63}
        assert opened.scopes.scopes["writer"] == ("doc:read", "doc:write")
        issued = opened.issue("alice", "x", ["writer"])
        note_secret(issued.text)
        who = opened.verify(issued.text, need="doc:write")
        assert who.permissions == {"doc:read", "doc:write"}
        who.require("writer")
        automatic = opened.issue("alice", "x", origin=libpat.Origin.AUTO)
        note_secret(automatic.text)
        assert automatic.token.scopes == ("reader",)
    with libpat.Authority(tmp_path / "t", keyring, scopes=libpat.ScopeSet(), **how) as opened:
        assert opened.verify(issued.text, need=["reader", "writer"])
    changed = libpat.ScopeSet({"doc:read": 1}, {"reader": ["doc:read"]})
    with pytest.raises(libpat.Error) as caught:
        libpat.Authority(tmp_path / "t", keyring, scopes=changed, **how)
    assert caught.value.code == "failed_precondition"


def test_the_clock_is_the_hosts(keyring: libpat.Keyring) -> None:
    time: Any = datetime(2030, 1, 1, tzinfo=timezone.utc)

    def clock() -> datetime:
        if isinstance(time, Exception):
            raise time
        assert isinstance(time, datetime)
        return time

    memory = libpat.MemoryStore()
    with libpat.Authority(
        memory, keyring, prefixes=[PREFIX], create=True, clock=clock
    ) as authority:
        issued = issue(authority)
        assert issued.token.created_at == time
        good, time = time, OSError("no time")
        with pytest.raises(OSError, match="no time"):
            authority.verify(issued.text)
        with pytest.raises(OSError, match="no time"):
            authority.verify_many([issued.text])
        with pytest.raises(OSError, match="no time"):
            authority.issue("alice", "x", ["repo:read"])
        time = datetime(2030, 1, 1)  # naive
        with pytest.raises(libpat.InvalidArgument):
            authority.verify(issued.text)
        time = good
        assert authority.verify(issued.text)
        assert authority.count("alice").active == 1  # none was made without a time
