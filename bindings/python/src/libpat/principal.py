# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Who came in, and how a secret is said to belong to somebody."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ._decide import Decided
from ._native import lib
from .errors import RefusalReason, Refused
from .token import ORIGINS, Origin


class Method(str, enum.Enum):
    TOKEN = "token"
    PASSWORD = "password"

    def __str__(self) -> str:
        return self.value


METHODS = {lib.PAT_METHOD_TOKEN: Method.TOKEN, lib.PAT_METHOD_PASSWORD: Method.PASSWORD}


class Claim(enum.Enum):
    """UNKNOWN_ACCOUNT: a login name that the host does not know; always refused, after the same
    work."""

    UNKNOWN_ACCOUNT = enum.auto()


UNKNOWN_ACCOUNT = Claim.UNKNOWN_ACCOUNT


class _Decision(Decided):
    """What C decided, as values; made when looked at."""

    __slots__ = ()

    @property
    def method(self) -> Method:
        return METHODS[self._method]

    @property
    def origin(self) -> Origin | None:
        return ORIGINS.get(self._origin)

    @property
    def permissions(self) -> frozenset[str]:
        return self._declared.names(self._bits)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._raw, self._declared)


@dataclass(frozen=True, init=False)
class Principal(_Decision):
    """Who came in. A copy of what was decided: it does not follow a later revocation, so do not
    keep it beyond the request."""

    __slots__ = ()

    account: str  #: The host's own account id. One that is not UTF-8 has surrogates (PEP 383).
    method: Method
    token_id: int | None  #: None for a password.
    origin: Origin | None  #: Of the token.
    permissions: frozenset[str]

    def require(self, *needed: str) -> None:
        """Raises Refused unless they may do all that is needed: names of permissions or scopes. A
        name that is not declared is InvalidArgument."""
        if self._declared.need(needed) & ~self._bits:
            raise Refused(RefusalReason.MISSING_PERMISSION)

    def require_account_admin(self) -> None:
        """Raises Refused unless they may administer the account itself: change the password, manage
        tokens. Never those who came in by token."""
        if self.method is not Method.PASSWORD:
            raise Refused(RefusalReason.MISSING_PERMISSION)
