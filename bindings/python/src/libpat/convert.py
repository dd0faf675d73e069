# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Python values to C and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from ._native import ffi
from .errors import InvalidArgument
from .scope import Declared
from .token import ORIGINS, DeleteReason, State, Token

# C numbers these from 1 on, in this order, as it does ORIGINS.
STATES = dict(enumerate(State, 1))
DELETE_REASONS = dict(enumerate(DeleteReason, 1))
STATE_NUMBERS = {state: number for number, state in STATES.items()}
ORIGIN_NUMBERS = {origin: number for number, origin in ORIGINS.items()}
DELETE_REASON_NUMBERS = {reason: number for number, reason in DELETE_REASONS.items()}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)


def account_bytes(account: str | bytes) -> bytes:
    """An account id's bytes. A str stands for its UTF-8; what account_text makes of other bytes
    stands for them. No two texts stand for the same bytes."""
    if isinstance(account, bytes):
        return account
    if not isinstance(account, str):
        raise TypeError(f"an account id is str or bytes, not {type(account).__name__}")
    try:
        return account.encode()
    except UnicodeEncodeError:
        pass
    try:
        encoded = account.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = b""
    if encoded.decode("utf-8", "surrogateescape") != account:
        raise InvalidArgument("the account id is no valid Unicode text")
    return encoded


def account_text(account: bytes) -> str:
    return account.decode("utf-8", "surrogateescape")


def secret_bytes(secret: str | bytes) -> bytes:
    """A presented secret's bytes. What is no Unicode becomes '?', which is in no token."""
    if isinstance(secret, str):
        try:
            return secret.encode()
        except UnicodeEncodeError:
            return secret.encode("utf-8", "replace")
    if isinstance(secret, bytes):
        return secret
    raise TypeError(f"a secret is str or bytes, not {type(secret).__name__}")


def note_bytes(note: str | bytes) -> bytes:
    """An address or user agent, for display only."""
    return note.encode("utf-8", "replace") if isinstance(note, str) else bytes(note)


def text_bytes(what: str, text: str) -> bytes:
    """A text that ends in NUL in C, so that it cannot have one inside."""
    if not isinstance(text, str):
        raise TypeError(f"{what} is a str, not {type(text).__name__}")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"{what} is no valid Unicode text") from None
    if b"\0" in encoded:
        raise InvalidArgument(f"{what} contains no NUL")
    return encoded


def path_bytes(path: str | bytes | os.PathLike[str]) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise InvalidArgument("a path contains no NUL")
    return encoded


def token_id(value: int) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a token's id is an int, not {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise InvalidArgument("a token's id is a number of 64 bits")
    return value


def whole(what: str, value: int, low: int, high: int = (1 << 31) - 1) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{what} is an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise InvalidArgument(f"{what} is out of range")
    return value


def unix_seconds(time: datetime) -> int:
    """Cut to whole seconds. A naive time would be read in whatever zone the machine is in."""
    if time.utcoffset() is None:
        raise InvalidArgument("a time needs a time zone")
    return (time - _EPOCH) // _SECOND


def moment(unix_s: int) -> datetime:
    return _EPOCH + timedelta(seconds=unix_s)


def _moment_or_none(unix_s: int) -> datetime | None:
    return moment(unix_s) if unix_s else None


def _text(chars: object) -> str:
    text: str = ffi.string(chars).decode("utf-8", "replace")
    return text


class Texts:
    """An array of NUL-terminated texts, and what keeps it alive."""

    __slots__ = ("array", "count", "_texts")

    def __init__(self, what: str, texts: Iterable[str]) -> None:
        if isinstance(texts, (str, bytes)):  # else it would be taken letter by letter
            raise TypeError(f"give a list, each element of which is {what}")
        self._texts = [ffi.new("char[]", text_bytes(what, text)) for text in texts]
        self.array = ffi.new("const char*[]", self._texts)
        self.count = len(self._texts)


def evicted_ids(c: Any) -> tuple[int, ...]:
    """Of a pat_token that was issued."""
    return tuple(ffi.unpack(c.evicted, c.evicted_count)) if c.evicted_count else ()


def take_token(c: Any, declared: Declared) -> Token:
    """Copies a pat_token."""
    return Token(
        id=c.id,
        public_id=_text(c.public_id),
        account=account_text(ffi.unpack(c.account, c.account_len)),
        description=_text(c.description),
        scopes=tuple(_text(c.scopes[i]) for i in range(c.scope_count)),
        permissions=declared.names(c.permissions),
        state=STATES[c.state],
        origin=ORIGINS[c.origin],
        created_at=moment(c.created_unix_s),
        expires_at=_moment_or_none(c.expires_unix_s),
        last_used_at=_moment_or_none(c.last_used_unix_s),
        last_used_ip=_text(c.last_used_ip),
        last_used_user_agent=_text(c.last_used_user_agent),
        deleted_at=_moment_or_none(c.deleted_unix_s),
        delete_reason=DELETE_REASONS.get(c.delete_reason),
        attributes={
            _text(c.attributes[i].name): _text(c.attributes[i].value)
            for i in range(c.attribute_count)
        },
        damaged=c.damaged != 0,
    )
