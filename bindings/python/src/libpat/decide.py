# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Reads what C decided. What happens for each token is in decide.c."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, overload

from . import _decide
from ._native import ffi, lib
from .convert import account_bytes
from .errors import REASONS, RefusalReason, Refused, error_of
from .principal import Claim, Principal
from .scope import Declared

_REFUSALS = (lib.PAT_UNAUTHENTICATED, lib.PAT_PERMISSION_DENIED, lib.PAT_UNAVAILABLE)

NO_CLAIM = (lib.PAT_CLAIM_NONE, b"")
_UNKNOWN = (lib.PAT_CLAIM_UNKNOWN, b"")


def claim_of(account: str | bytes | Claim | None) -> tuple[int, bytes]:
    """PAT_CLAIM_... and the account id's bytes."""
    if account is None:
        return NO_CLAIM
    if account is Claim.UNKNOWN_ACCOUNT:
        return _UNKNOWN
    return lib.PAT_CLAIM_ACCOUNT, account_bytes(account)


def refused_of(refusal: int) -> Refused:
    return Refused(REASONS.get(refusal, RefusalReason.UNKNOWN))


def raise_decided(code: int, refusal: int) -> NoReturn:
    """What a deciding call returned that accepted nobody."""
    raise refused_of(refusal) if code in _REFUSALS else error_of(code)


def new_decision() -> Any:
    """Room for a decision."""
    room = ffi.new("pat_decision*")
    room.size = ffi.sizeof("pat_decision")
    return room


def decided(code: int, room: Any, declared: Declared) -> Principal:
    """What a deciding call returned: who came in, or raises."""
    if code != lib.PAT_OK:
        raise_decided(code, room.refusal)
    return Principal(bytes(ffi.buffer(room)), declared)


class Verdicts(Sequence[Principal | Refused]):
    """What verify_many decided, in the order asked; made into values when looked at."""

    __slots__ = ("_decisions", "_declared", "_count")

    def __init__(self, decisions: bytes, declared: Declared) -> None:
        self._decisions = decisions
        self._declared = declared
        self._count = len(decisions) // _decide.DECISION_BYTES

    def accepted(self) -> list[bool]:
        """Of each, whether it was accepted: faster than looking at each."""
        return _decide.accepted(self._decisions)

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
        return self._value(range(self._count)[at])

    def __iter__(self) -> Iterator[Principal | Refused]:
        return map(self._value, range(self._count))

    def _value(self, at: int) -> Principal | Refused:
        value = _decide.value(self._decisions, at, Principal, self._declared)
        return value if isinstance(value, Principal) else refused_of(value)

    def __repr__(self) -> str:
        return f"<{self._count} verdicts, {sum(self.accepted())} accepted>"
