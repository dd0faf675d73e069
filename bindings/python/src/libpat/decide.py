# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Reads what C decided."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, overload

from ._native import ffi, lib
from .callbacks import raise_pending
from .convert import ORIGINS, account_bytes
from .errors import REASONS, RefusalReason, Refused, error_of
from .principal import Claim, Method, Principal
from .scope import Declared

# pat_decision in one piece: reading it field by field costs more than deciding. Zeros follow.
SIZE: int = ffi.sizeof("pat_decision")
_FIELDS = struct.Struct("@NiiiiQQN136s")
LAYOUT = struct.Struct(f"{_FIELDS.format}{SIZE - _FIELDS.size}x")
for _name, _offset in (("accepted", 8), ("token_id", 24), ("permissions", 32), ("account", 48)):
    if ffi.offsetof("pat_decision", _name) != _offset:
        raise ImportError("libpat._native was built for another machine")

_ACCEPTED = 8 // 4

_METHODS = {lib.PAT_METHOD_TOKEN: Method.TOKEN, lib.PAT_METHOD_PASSWORD: Method.PASSWORD}
_REFUSALS = (lib.PAT_UNAUTHENTICATED, lib.PAT_PERMISSION_DENIED, lib.PAT_UNAVAILABLE)

NO_CLAIM = (lib.PAT_CLAIM_NONE, b"")
_UNKNOWN = (lib.PAT_CLAIM_UNKNOWN, b"")

_new, _set = object.__new__, object.__setattr__

# size, accepted, refusal, method, origin, token_id, permissions, account_len, account
Fields = tuple[Any, ...]


def claim_of(account: str | bytes | Claim | None) -> tuple[int, bytes]:
    """PAT_CLAIM_... and the account id's bytes."""
    if account is None:
        return NO_CLAIM
    if account is Claim.UNKNOWN_ACCOUNT:
        return _UNKNOWN
    return lib.PAT_CLAIM_ACCOUNT, account_bytes(account)


def principal_of(fields: Fields, declared: Declared) -> Principal:
    _, _, _, method, origin, token_id, bits, length, account = fields
    who = _new(Principal)
    # All fields at once: Principal() sets each by object.__setattr__, which takes thrice as long.
    _set(
        who,
        "__dict__",
        {
            "account": account[:length].decode("utf-8", "surrogateescape"),
            "method": _METHODS[method],
            "token_id": token_id or None,
            "origin": ORIGINS.get(origin),
            "permissions": declared.known.get(bits) or declared.names(bits),
            "_bits": bits,
            "_declared": declared,
        },
    )
    return who


def refused_of(refusal: int) -> Refused:
    return Refused(REASONS.get(refusal, RefusalReason.UNKNOWN))


class Decisions:
    """Room for n decisions."""

    __slots__ = ("c", "bytes")

    def __init__(self, n: int = 1) -> None:
        self.c = ffi.new("pat_decision[]", n)
        self.c[0].size = SIZE
        self.bytes = ffi.buffer(self.c)


def decided(code: int, room: Decisions, declared: Declared) -> Principal:
    """What a deciding call returned: who came in, or raises."""
    fields: Fields = LAYOUT.unpack_from(room.bytes)
    if code == 0 and fields[1] == 1:
        return principal_of(fields, declared)
    if code in _REFUSALS:
        raise refused_of(fields[2])
    raise error_of(code)


class Verdicts(Sequence[Principal | Refused]):
    """What verify_many decided, in the order asked; made into values when looked at."""

    __slots__ = ("_bytes", "_declared", "_count")

    def __init__(self, room: Decisions | None, declared: Declared) -> None:
        self._bytes = b"" if room is None else memoryview(room.bytes)
        self._declared = declared
        self._count = len(self._bytes) // SIZE

    def accepted(self) -> list[bool]:
        """Of each, whether it was accepted: faster than looking at each."""
        numbers: list[int] = memoryview(self._bytes).cast("i")[_ACCEPTED :: SIZE // 4].tolist()
        return [number == 1 for number in numbers]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Principal | Refused: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Principal | Refused, ...]: ...
    def __getitem__(
        self, at: int | slice
    ) -> Principal | Refused | tuple[Principal | Refused, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(self._count)))
        index = range(self._count)[at]
        return self._value(LAYOUT.unpack_from(self._bytes, index * SIZE))

    def __iter__(self) -> Iterator[Principal | Refused]:
        return map(self._value, LAYOUT.iter_unpack(self._bytes))

    def _value(self, fields: Fields) -> Principal | Refused:
        return principal_of(fields, self._declared) if fields[1] == 1 else refused_of(fields[2])

    def __repr__(self) -> str:
        return f"<{self._count} verdicts, {sum(self.accepted())} accepted>"
