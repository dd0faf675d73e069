# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The life of a store's keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ._native import ffi, lib
from .convert import moment, whole
from .handle import Handle
from .token import Word


class KeyKind(Word):
    """A selector key makes the readable id in a token's text, so it lives as long as its tokens; a
    seal key proves the rows of the store, which Authority.reseal brings under the newest."""

    SELECTOR = "selector"
    SEAL = "seal"


# C numbers them from 1 on, in this order.
_KINDS = dict(enumerate(KeyKind, 1))
_NUMBERS = {kind: number for number, kind in _KINDS.items()}


@dataclass(frozen=True)
class KeyInfo:
    """A live key: named in the store's header, at most 8 of a kind."""

    kind: KeyKind
    number: int
    created_at: datetime
    newest: bool  #: The one in use.
    #: What would be lost with it. Of a selector key: its tokens that are neither deleted nor expired,
    #: and all damaged ones. Of a seal key: tokens and account rows under its seal. None: not counted.
    dependents: int | None


@dataclass(frozen=True)
class PassProgress:
    """How far a pass over the whole store has come."""

    accounts: int  #: Looked at.
    tokens: int  #: Looked at.
    next_token_id: int  #: All ids are below this.
    written: int  #: Tokens and account rows.
    left: int  #: Likewise, as they are: they do not fit their seals.


#: Called between the batches of a pass. False ends it: Error "cancelled"; what it raises does too,
#: and is raised.
Progress = Callable[[PassProgress], "bool | None"]


def kind_number(kind: KeyKind) -> int:
    return _NUMBERS[KeyKind(kind)]


def key_number(number: int) -> int:
    return whole("a key's number", number, 1, 0xFFFF)


def take_key(c: Any, counted: bool) -> KeyInfo:
    dependents = c.dependents if counted else None
    return KeyInfo(_KINDS[c.kind], c.number, moment(c.created_unix_s), bool(c.newest), dependents)


def take_progress(c: Any) -> PassProgress:
    return PassProgress(c.accounts, c.tokens, c.next_token_id, c.written, c.left)


class Pass:
    """What a pass is given, and where it says how far it came."""

    __slots__ = ("out", "callback", "context")

    def __init__(self, progress: Progress | None) -> None:
        self.out = ffi.new("pat_pass_progress*")
        self.out.size = ffi.sizeof("pat_pass_progress")
        self.callback = self.context = ffi.NULL
        if progress is None:
            return
        if not callable(progress):
            raise TypeError("progress is a function")
        report = progress
        self.context = ffi.new_handle(lambda c: report(take_progress(c)) is not False)
        self.callback = lib.libpat_pass_progress


class KeyLife:
    """The part of an Authority that looks after its keys."""

    __slots__ = ()
    _call: Callable[..., None]
    _handle: Handle

    def keys(self) -> tuple[KeyInfo, ...]:
        """The live keys with what depends on each: reads the whole store."""
        out = ffi.gc(ffi.new("pat_key_list**"), lambda out: lib.pat_key_list_free(out[0]))
        self._call(lib.pat_keys, out)
        return tuple(take_key(out[0].keys[i], True) for i in range(out[0].count))

    def rotate_key(self, kind: KeyKind) -> KeyInfo:
        """Begins to use a new key; tokens under older ones stay good. A keyring file gets one; a
        text that the host keeps must have one (Keyring.add_key), else Error "failed_precondition";
        so is it with 8 live keys of the kind."""
        out = ffi.new("pat_key_info*")
        out.size = ffi.sizeof("pat_key_info")
        self._call(lib.pat_rotate_key, kind_number(kind), out)
        return take_key(out, False)

    def reseal(self, progress: Progress | None = None) -> PassProgress:
        """Rewrites every row that an older key seals under the newest, in short batches that
        disturb nobody. Cut short, call it again."""
        given = Pass(progress)
        self._call(lib.pat_reseal, given.callback, given.context, given.out)
        return take_progress(given.out)

    def retire_key(self, kind: KeyKind, number: int, *, force: bool = False) -> None:
        """Ends a key and all older ones of its kind, for every process. Error "failed_precondition",
        with the count, while something depends on them, unless forced; for the newest always. Final
        once the secret is out of the keyring: of a file it is taken out here; where the host keeps
        the text, with Keyring.remove_key. After an error call it again."""
        self._call(lib.pat_retire_key, kind_number(kind), key_number(number), bool(force))

    def copy_to(self, target: KeyLife, progress: Progress | None = None) -> PassProgress:
        """Copies accounts, tokens and last uses into `target`, an authority on a new store of the
        same scopes with a keyring of its own. What is copied can be listed and deleted there, but
        no token of this store is accepted there. Nobody may change this store meanwhile; cut short,
        throw the target away."""
        if not isinstance(target, KeyLife):
            raise TypeError("the target is an authority")
        given = Pass(progress)
        with target._handle as there:
            self._call(lib.pat_copy_to, there, given.callback, given.context, given.out)
        return take_progress(given.out)
