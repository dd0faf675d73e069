# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Who came in, and how a secret is said to belong to somebody."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from .errors import RefusalReason, Refused
from .scope import Declared
from .token import Origin


class Method(str, enum.Enum):
    TOKEN = "token"
    PASSWORD = "password"

    def __str__(self) -> str:
        return self.value


class Claim(enum.Enum):
    """UNKNOWN_ACCOUNT: a login name that the host does not know; always refused, after the same
    work."""

    UNKNOWN_ACCOUNT = enum.auto()


UNKNOWN_ACCOUNT = Claim.UNKNOWN_ACCOUNT


@dataclass(frozen=True)
class Principal:
    """Who came in. A copy of what was decided: it does not follow a later revocation, so do not
    keep it beyond the request."""

    account: str  #: The host's own account id. One that is not UTF-8 has surrogates (PEP 383).
    method: Method
    token_id: int | None  #: None for a password.
    origin: Origin | None  #: Of the token.
    permissions: frozenset[str]
    _bits: int = field(repr=False)
    _declared: Declared = field(repr=False, compare=False)

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
