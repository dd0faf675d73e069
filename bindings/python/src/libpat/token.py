# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What is known of tokens: plain values, copies that do not follow later changes."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class Word(str, enum.Enum):
    def __str__(self) -> str:
        return str(self.value)


class State(Word):
    """The first of deleted, expired, inactive, active that applies."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    EXPIRED = "expired"
    DELETED = "deleted"


class Origin(Word):
    """Made by its user, or by a sign-in (then evicted when an account has too many)."""

    MANUAL = "manual"
    AUTO = "auto"


#: C numbers them from 1 on, in this order.
ORIGINS = dict(enumerate(Origin, 1))


class DeleteReason(Word):
    USER = "user"
    EVICTED = "evicted"
    ROTATED = "rotated"
    LEAKED = "leaked"
    IDLE = "idle"
    ADMIN = "admin"


@dataclass(frozen=True)
class Token:
    """All that is known of a token but its secret. Times are aware, UTC, in whole seconds."""

    id: int  #: Never reused. For URLs use public_id, which tells no volumes.
    public_id: str
    account: str  #: See Principal.account.
    description: str  #: User text: escape it for display.
    scopes: tuple[str, ...]
    permissions: frozenset[str]  #: What the scopes granted when they were set.
    state: State
    origin: Origin
    created_at: datetime
    expires_at: datetime | None  #: None: never.
    last_used_at: datetime | None  #: None: never used. Exact to a minute.
    last_used_ip: str
    last_used_user_agent: str
    deleted_at: datetime | None
    delete_reason: DeleteReason | None
    attributes: Mapping[str, str] = field(hash=False)
    damaged: bool  #: The store's rows were edited or lost: what is shown is unproved. Delete it.


@dataclass(frozen=True)
class Issued:
    """A new token and its text, which nothing can show again. Neither repr nor str shows it."""

    token: Token
    text: str = field(repr=False)
    evicted: tuple[int, ...] = ()  #: The ids of the auto tokens that went to make room.


@dataclass(frozen=True)
class IssueRequest:
    """See Authority.issue."""

    account: str | bytes
    description: str
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    origin: Origin = Origin.MANUAL
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Page:
    tokens: tuple[Token, ...]  #: Newest first.
    next: str  #: For `after`; empty at the end.


@dataclass(frozen=True)
class Counts:
    """Expired and deleted tokens are in neither number."""

    active: int
    inactive: int
