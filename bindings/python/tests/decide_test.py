# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""verify, verify_many, authenticate, and what they say."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from datetime import timedelta
from typing import Any

import pytest
from host import PREFIX, Clock, issue, note_secret

import libpat
from libpat import RefusalReason


def reason_of(authority: libpat.Authority, text: str | bytes, **how: Any) -> RefusalReason | None:
    try:
        authority.verify(text, **how)
    except libpat.Refused as refused:
        return refused.reason
    return None


def mistyped(text: str) -> str:
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def test_a_good_token_tells_who_it_is(authority: libpat.Authority) -> None:
    issued = issue(authority)
    who = authority.verify(issued.text)
    assert who.account == "alice" and who.token_id == issued.token.id
    assert who.method is libpat.Method.TOKEN and who.origin is libpat.Origin.MANUAL
    assert who.permissions == {"repo:public_read", "repo:read", "repo:write"}
    assert who == authority.verify(issued.text.encode())
    who.require()
    who.require("repo:write", "repo:read")
    with pytest.raises(libpat.Refused) as caught:
        who.require("repo:admin")
    assert caught.value.reason is RefusalReason.MISSING_PERMISSION
    with pytest.raises(libpat.InvalidArgument):
        who.require("no:such")
    with pytest.raises(libpat.Refused):
        who.require_account_admin()
    with pytest.raises(dataclasses.FrozenInstanceError):
        who.account = "bob"  # type: ignore[misc]


def test_a_principal_is_a_frozen_dataclass(authority: libpat.Authority) -> None:
    who = authority.verify(issue(authority).text)
    assert dataclasses.is_dataclass(who)
    values = {f.name: getattr(who, f.name) for f in dataclasses.fields(who)}
    assert list(values) == ["account", "method", "token_id", "origin", "permissions"]
    assert repr(who) == f"Principal({', '.join(f'{n}={v!r}' for n, v in values.items())})"
    same = pickle.loads(pickle.dumps(who))
    assert same == who and hash(same) == hash(who) and len({same, who}) == 1
    same.require("repo:write")
    assert who != authority.verify(issue(authority).text)
    for name in ("account", "_bits", "other"):
        with pytest.raises(AttributeError):
            setattr(who, name, 1)
    for made in (b"", same._raw[:-1], bytes(len(same._raw))):
        with pytest.raises(ValueError):
            libpat.Principal(made, authority._declared)


def test_arguments_are_named_and_none_is_lost(authority: libpat.Authority) -> None:
    text = issue(authority).text
    any_authority: Any = authority
    verify = any_authority.verify
    assert verify(text=text, account="alice", need="repo:read", ip=b"::1", user_agent="x")
    assert verify(text, account=None, need=()) == verify(text.encode(), account=b"alice")
    wrong: list[Any] = [
        lambda: verify(),
        lambda: verify(text, "alice"),
        lambda: verify(text, text=text),
        lambda: verify(text, acount="bob"),
        lambda: verify(text, need=["repo:write"], neeed="repo:admin"),
        lambda: any_authority.verify_many([text], "bob"),
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()
    signature = inspect.signature(libpat.Authority.verify)
    assert list(signature.parameters) == ["self", "text", "account", "need", "ip", "user_agent"]


def test_a_child_class_may_have_its_own_verify(keyring: libpat.Keyring) -> None:
    class Counting(libpat.Authority):
        calls = 0

        def verify(self, text: str | bytes, **how: Any) -> libpat.Principal:
            self.calls += 1
            return super().verify(text, **how)

    store = libpat.MemoryStore()
    authority = Counting(store, keyring, prefixes=[PREFIX], create=True)
    with authority:
        assert authority.verify(issue(authority).text, need="repo:read").account == "alice"
        assert reason_of(authority, "x") is RefusalReason.NOT_TOKEN and authority.calls == 2


def test_every_way_to_be_refused(authority: libpat.Authority, clock: Clock) -> None:
    issued = issue(authority)
    text, id = issued.text, issued.token.id
    assert reason_of(authority, "hello") is RefusalReason.NOT_TOKEN
    assert reason_of(authority, "") is RefusalReason.NOT_TOKEN
    assert reason_of(authority, text[:-1] + "~") is RefusalReason.NOT_TOKEN
    assert reason_of(authority, mistyped(text)) is RefusalReason.BAD_CHECKSUM
    assert reason_of(authority, text, account="bob") is RefusalReason.WRONG_ACCOUNT
    assert reason_of(authority, text, account="") is RefusalReason.WRONG_ACCOUNT
    unknown = libpat.UNKNOWN_ACCOUNT
    assert reason_of(authority, text, account=unknown) is RefusalReason.UNKNOWN_ACCOUNT
    assert reason_of(authority, text, need="repo:admin") is RefusalReason.MISSING_PERMISSION
    assert reason_of(authority, text, account="alice", need=["repo:read"]) is None
    authority.deactivate(id, owner="alice")
    assert reason_of(authority, text) is RefusalReason.INACTIVE
    authority.delete(id, owner="alice")
    assert reason_of(authority, text) is RefusalReason.DELETED
    short = authority.issue("a", "b", ["repo:read"], expires_at=clock.now + timedelta(seconds=9))
    note_secret(short.text)
    assert reason_of(authority, short.text) is None
    clock.advance(9)
    assert reason_of(authority, short.text) is RefusalReason.EXPIRED


def test_a_refusal_says_what_to_answer(authority: libpat.Authority) -> None:
    with pytest.raises(libpat.Refused) as caught:
        authority.verify("hello")
    refused = caught.value
    assert (refused.http_status, refused.oauth_error) == (401, "invalid_token")
    assert isinstance(refused, libpat.Error) and not refused
    assert refused.reason == "not_token" and str(refused) == "refused: not_token"
    assert "token" in refused.public_message
    lacking = libpat.Refused(RefusalReason.MISSING_PERMISSION)
    assert (lacking.http_status, lacking.oauth_error) == (403, "insufficient_scope")
    for reason in (RefusalReason.UNAVAILABLE, RefusalReason.UNKNOWN):
        assert libpat.Refused(reason).http_status == 503
    assert pickle.loads(pickle.dumps(refused)).reason is RefusalReason.NOT_TOKEN


def test_all_names_are_those_of_c() -> None:
    from libpat._native import ffi, lib
    from libpat.convert import DELETE_REASONS, STATES
    from libpat.errors import REASONS
    from libpat.token import ORIGINS

    numbered: list[tuple[Any, dict[int, Any]]] = [
        (lib.pat_refusal_name, REASONS),
        (lib.pat_state_name, STATES),
        (lib.pat_origin_name, ORIGINS),
        (lib.pat_reason_name, DELETE_REASONS),
    ]
    for function, names in numbered:
        for number, name in names.items():
            assert ffi.string(function(number)).decode() == name
        assert ffi.string(function(len(names) + 1)) == b"unknown"


def test_many_at_once_are_judged_like_one_by_one(authority: libpat.Authority) -> None:
    texts = [issue(authority, f"user{i}").text for i in range(20)]
    texts[3:3] = ["", "hello", "\udcff", texts[0][:-1]]
    judged = authority.verify_many(texts)
    assert len(judged) == len(texts)
    for text, one in zip(texts, judged):
        if isinstance(one, libpat.Refused):
            assert not one and reason_of(authority, text) is one.reason
        else:
            assert one == authority.verify(text)
    assert sum(map(bool, judged)) == 20
    assert judged.accepted() == [bool(one) for one in judged] and judged.accepted()[0]
    assert judged[0] == authority.verify(texts[0]) and not judged[3]
    assert judged[-1] == authority.verify(texts[-1])
    assert [bool(one) for one in judged[2:5]] == [True, False, False]
    with pytest.raises(IndexError):
        judged[len(judged)]
    assert repr(judged) == "<24 verdicts, 20 accepted>"
    assert list(authority.verify_many([])) == [] and authority.verify_many([]).accepted() == []
    mixed: list[str | bytes] = [texts[0], texts[1].encode(), "\u00e9", texts[2]]
    assert authority.verify_many(mixed).accepted() == [True, True, False, True]
    lacking = authority.verify_many([texts[0]], need="repo:admin")[0]
    assert isinstance(lacking, libpat.Refused)
    assert lacking.reason is RefusalReason.MISSING_PERMISSION
    assert authority.verify_many([texts[0], texts[1]], account="user1")[1]


def test_one_password_field_takes_both(authority: libpat.Authority) -> None:
    issued = issue(authority)
    asked: list[str | bytes] = []

    def check(password: str) -> bool:
        asked.append(password)
        return password == "correct horse"

    how: dict[str, Any] = {"account": "alice", "two_factor": False}
    who = authority.authenticate("correct horse", check, **how)
    assert who.method is libpat.Method.PASSWORD and who.token_id is None and who.origin is None
    assert who.account == "alice"
    who.require("repo:admin")
    who.require_account_admin()
    with pytest.raises(libpat.Refused, match="wrong_password"):
        authority.authenticate("wrong", check, **how)
    with pytest.raises(libpat.Refused, match="password_refused"):
        authority.authenticate("correct horse", check, account="alice", two_factor=True)
    with pytest.raises(libpat.Refused, match="unknown_account"):
        authority.authenticate("x", check, account=libpat.UNKNOWN_ACCOUNT, two_factor=False)
    assert asked == ["correct horse", "wrong", "correct horse", "x"]
    assert authority.authenticate(issued.text, check, **how).token_id == issued.token.id
    with pytest.raises(libpat.Refused, match="bad_checksum"):
        authority.authenticate(mistyped(issued.text), check, **how)
    assert len(asked) == 4  # a token's text never reaches the password check


def test_a_password_reaches_the_check_as_it_was_given(authority: libpat.Authority) -> None:
    given: list[object] = []

    def check(password: str | bytes) -> bool:
        given.append(password)
        return False

    with pytest.raises(libpat.Refused, match="wrong_password"):
        authority.authenticate("\udcff\0p\u00e9", check, account="alice", two_factor=False)
    with pytest.raises(libpat.Refused, match="wrong_password"):
        authority.authenticate(b"\xff\0p", check, account="alice", two_factor=False)
    assert given == ["\udcff\0p\u00e9", b"\xff\0p"]


@pytest.mark.parametrize("answer", [1, "yes", None, object(), libpat.Keyring])
def test_only_a_bool_is_an_answer(authority: libpat.Authority, answer: Any) -> None:
    check: Any = lambda _: answer  # noqa: E731
    with pytest.raises(TypeError, match="returns a bool"):
        authority.authenticate("x", check, account="alice", two_factor=False)


def test_what_a_password_check_raises_is_raised(authority: libpat.Authority) -> None:
    def broken(_: str) -> bool:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            authority.authenticate("x", broken, account="alice", two_factor=False)
    assert reason_of(authority, "x") is RefusalReason.NOT_TOKEN  # nothing is left over


def test_last_use_is_noted(authority: libpat.Authority, clock: Clock) -> None:
    issued = issue(authority)
    assert issued.token.last_used_at is None
    authority.verify(issued.text, ip="198.51.100.7", user_agent="git/2 \udcff")
    token = authority.get(issued.token.id, owner="alice")
    assert token.last_used_at == clock.now and token.last_used_ip == "198.51.100.7"
    assert token.last_used_user_agent == "git/2 ?"


def test_bad_unicode_lets_nobody_in(authority: libpat.Authority) -> None:
    text = issue(authority).text
    for odd in ("\udcff", "\ud800", "\0", "\u0430", "\U0001f511", "\n", " "):
        assert reason_of(authority, odd + text) is RefusalReason.NOT_TOKEN
        assert reason_of(authority, text + odd) is RefusalReason.NOT_TOKEN
        assert reason_of(authority, text[:20] + odd + text[21:]) is RefusalReason.NOT_TOKEN
    assert reason_of(authority, text.encode("utf-16")) is RefusalReason.NOT_TOKEN
    assert text.startswith(PREFIX) and reason_of(authority, text) is None


def test_account_ids_are_bytes_and_never_taken_for_each_other(authority: libpat.Authority) -> None:
    accounts: list[str | bytes] = [b"\xff\x00\xfe", "\u00e9\U0001f511", b"\xc3\xa9", "x" * 128]
    for account in accounts:
        issued = issue(authority, account)
        who = authority.verify(issued.text, account=account)
        assert who.account == issued.token.account
        assert authority.verify(issued.text, account=who.account) == who
        assert authority.count(account).active == authority.count(who.account).active == 1
    assert authority.verify(issue(authority, "\u00e9").text).account == "\u00e9"
    for wrong in ("\udcc3\udca9", "\ud800", "a\udfff"):
        with pytest.raises(libpat.InvalidArgument):
            authority.verify("x", account=wrong)
        with pytest.raises(libpat.InvalidArgument):
            authority.count(wrong)
