# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The one object a program talks to."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from . import convert
from ._decide import Verifier
from ._native import ffi, lib
from .callbacks import raise_pending
from .convert import (
    Texts,
    account_bytes,
    note_bytes,
    secret_bytes,
    take_token,
    text_bytes,
)
from .decide import Verdicts, claim_of, decided, new_decision, raise_decided
from .errors import InvalidArgument, Refused, check
from .handle import Handle
from .issue_request import Request, listed
from .keyring import Keyring
from .keys import KeyLife, Pass, Progress
from .open_options import Clock, Options, open_authority, open_store, read_declared
from .principal import UNKNOWN_ACCOUNT, Claim, Principal
from .scope import ScopeSet
from .store import LmdbStore, MemoryStore, StoreStats
from .token import Counts, DeleteReason, Issued, IssueRequest, Origin, Page, State, Token

Secret = TypeVar("Secret", str, bytes)

_NO_NEED: tuple[str, ...] = ()
_NO_NOTE = b""


class Authority(Verifier, KeyLife):
    """Issues tokens, decides about presented ones, lets their owners manage them.

        with Authority("tokens", "keyring", prefixes=["acme_pat_"], create=True) as authority: ...

    Any method may be called from any thread; other threads run meanwhile. What a method that
    changes something returned from is durable and binds every process on the store at once. Methods
    raise Error and its children, TypeError for what is of no use at all, and ValueError after
    close(). After fork() only the parent may use it: the child opens its own.

    `owner`: the account that must own the token, else it is NotFound. None: not checked; for
    operators' tools only, a web handler always passes the signed-in account.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | LmdbStore | MemoryStore,
        keyring: str | os.PathLike[str] | Keyring,
        *,
        prefixes: Iterable[str] = (),
        create: bool = False,
        scopes: ScopeSet | None = None,
        max_auto_tokens: int | None = None,
        auto_scopes: Iterable[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Opens a store (a path: an LmdbStore) with its keyring (a path: a file).

        create: if the store is empty, make it, and a keyring file. prefixes: at most 8; the first
        issues, all are accepted; none: as the store has them. scopes: None is Docker Hub's,
        ScopeSet() what the store declares. auto_scopes: what a sign-in's tokens get that ask for
        none. clock: for tests, must neither block nor raise.

        Error "failed_precondition": the store is empty, the keyring is missing or not this
        store's, or the declared scopes contradict the store's.
        """
        options = Options()
        options.c.create_if_missing = bool(create)
        options.set_prefixes(prefixes)
        options.set_keyring(keyring)
        options.set_scopes(scopes)
        options.set_auto_tokens(max_auto_tokens, auto_scopes)
        options.set_clock(clock)
        self._clock = options.clock
        self._prefixes: tuple[str, ...] = ()
        self._handle = Handle(open_authority(open_store(store, create), options), options.alive)
        self._prefixes, self._scopes, self._declared = read_declared(self._handle.pointer)
        declared = self._declared
        calls_back = raise_pending if options.alive else None
        self._bind(
            self._handle, declared, declared.needs, Principal, UNKNOWN_ACCOUNT,
            secret_bytes, account_bytes, note_bytes, declared.need, raise_decided, calls_back,
        )  # fmt: skip

    def close(self) -> None:
        """Waits for calls under way in other threads, flushes and closes. Again: nothing."""
        self._handle.close()

    @property
    def closed(self) -> bool:
        return self._handle.shut

    def __enter__(self) -> Authority:
        if self._handle.shut:
            self._handle.refuse()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)  # None: opening failed
        if handle is not None and not handle.shut:
            handle.abandon()
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    def __repr__(self) -> str:
        return f"<libpat.Authority {self._prefixes} {'closed' if self.closed else 'open'}>"

    def __reduce__(self) -> str:
        raise TypeError("an authority cannot be pickled")

    @property
    def prefixes(self) -> tuple[str, ...]:
        """All accepted prefixes; the first issues."""
        return self._prefixes

    @property
    def scopes(self) -> ScopeSet:
        """What the store declares."""
        return self._scopes

    # ---- Deciding

    # verify is in decide.c: see _decide.pyi.

    def verify_many(
        self,
        texts: Sequence[str | bytes],
        *,
        account: str | bytes | Claim | None = None,
        need: str | Iterable[str] = _NO_NEED,
        ip: str | bytes = _NO_NOTE,
        user_agent: str | bytes = _NO_NOTE,
    ) -> Verdicts:
        """Judges many, in one call to the library: a sequence of Principal and Refused, which is
        false in a condition."""
        decisions = self._decisions(texts, account=account, need=need, ip=ip, user_agent=user_agent)
        return Verdicts(decisions, self._declared)

    def authenticate(
        self,
        secret: Secret,
        check_password: Callable[[Secret], bool],
        *,
        account: str | bytes | Claim,
        two_factor: bool,
        need: str | Iterable[str] = _NO_NEED,
        ip: str | bytes = _NO_NOTE,
        user_agent: str | bytes = _NO_NOTE,
    ) -> Principal:
        """Judges what came in a password field: the text of a token as verify does, any other by
        check_password, which then always runs. A good password is accepted only without two-factor
        authentication, and grants every permission. For an unknown account check_password must take
        as long as for a known one and return False. What it raises is raised."""
        if not callable(check_password):
            raise TypeError("check_password is a function")
        presented = secret_bytes(secret)
        how = self._presented(account, need, ip, user_agent)
        context = ffi.new_handle(lambda: check_password(secret))
        room = new_decision()
        with self._handle as pointer:
            code = lib.libpat_authenticate(
                pointer, presented, len(presented), bool(two_factor), context, *how, room
            )
        raise_pending()
        return decided(code, room, self._declared)

    def _presented(
        self,
        account: str | bytes | Claim | None,
        need: str | Iterable[str],
        ip: str | bytes,
        user_agent: str | bytes,
    ) -> tuple[int, bytes, int, int, bytes, int, bytes, int]:
        """As the functions of native_shim.c take it."""
        kind, who = claim_of(account)
        bits = 0 if need is _NO_NEED else self._declared.need(need)
        address, agent = note_bytes(ip), note_bytes(user_agent)
        return kind, who, len(who), bits, address, len(address), agent, len(agent)

    # ---- Creating

    def issue(
        self,
        account: str | bytes,
        description: str,
        scopes: Iterable[str] = (),
        *,
        expires_at: datetime | None = None,
        origin: Origin = Origin.MANUAL,
        attributes: Mapping[str, str] | None = None,
    ) -> Issued:
        """Makes a token. scopes: at least one; none for an auto token: auto_scopes. expires_at: in
        the future, with a time zone; None: never. attributes: the host's own texts."""
        wanted = IssueRequest(
            account, description, listed(scopes), expires_at, origin, attributes or {}
        )
        request, secret = Request(wanted), ffi.new("char[]", lib.PAT_SECRET_CAPACITY)
        out = _token_out()
        try:
            self._call(lib.pat_issue, request.c, secret, len(secret), out)
            evicted = convert.evicted_ids(out[0])
            return Issued(self._taken(out), ffi.string(secret).decode(), evicted)
        finally:
            lib.pat_wipe(secret, len(secret))

    def issue_many(self, requests: Iterable[IssueRequest]) -> tuple[Issued, ...]:
        """Makes up to 10,000 tokens: all or none."""
        wanted = [Request(request) for request in requests]
        size: int = lib.PAT_SECRET_CAPACITY
        secrets = ffi.new("char[]", max(1, size * len(wanted)))
        array, out = ffi.new("pat_issue_request*[]", [r.c for r in wanted]), _page_out()
        try:
            self._call(lib.pat_issue_many, array, len(wanted), secrets, len(secrets), out)
            tokens = self._taken_page(out).tokens
            texts = [ffi.string(secrets + i * size).decode() for i in range(len(wanted))]
            gone = [convert.evicted_ids(out[0].tokens[i]) for i in range(len(wanted))]
            return tuple(map(Issued, tokens, texts, gone))
        finally:
            lib.pat_wipe(secrets, len(secrets))

    # ---- Looking

    def get(self, id: int, *, owner: str | bytes | None) -> Token:
        out = _token_out()
        who = _owner(owner)
        self._call(lib.pat_get, convert.token_id(id), who, len(who), out)
        return self._taken(out)

    def list(
        self,
        account: str | bytes,
        *,
        state: State | None = None,
        origin: Origin | None = None,
        text: str = "",
        limit: int = 20,
        after: str = "",
    ) -> Page:
        """A page of the account's tokens. state: None is all but the deleted ones. text: in the
        description, ASCII letters match in either case. after: Page.next of the page before."""
        options = ffi.new("pat_list_options*")
        options.size = ffi.sizeof("pat_list_options")
        options.state = 0 if state is None else convert.STATE_NUMBERS[State(state)]
        options.origin = 0 if origin is None else convert.ORIGIN_NUMBERS[Origin(origin)]
        options.limit = convert.whole("limit", limit, 1)
        looked_for = ffi.new("char[]", text_bytes("text", text))
        last = ffi.new("char[]", text_bytes("after", after))
        options.text, options.after = looked_for, last
        out, who = _page_out(), account_bytes(account)
        self._call(lib.pat_list, who, len(who), options, out)
        return self._taken_page(out)

    def list_all(self, account: str | bytes, *, state: State | None = None) -> Iterator[Token]:
        """All of the account's tokens, page by page."""
        page = self.list(account, state=state, limit=1000)
        yield from page.tokens
        while page.next:
            page = self.list(account, state=state, limit=1000, after=page.next)
            yield from page.tokens

    def count(self, account: str | bytes) -> Counts:
        counts, who = ffi.new("pat_counts*"), account_bytes(account)
        counts.size = ffi.sizeof("pat_counts")
        self._call(lib.pat_count, who, len(who), counts)
        return Counts(counts.active, counts.inactive)

    def id_of(self, public_id: str) -> int:
        """The id behind a Token.public_id."""
        out, text = ffi.new("uint64_t*"), text_bytes("a public id", public_id)
        self._call(lib.pat_id_of, text, len(text), out)
        found: int = out[0]
        return found

    def public_id_of(self, id: int) -> str:
        out = ffi.new("char[]", lib.PAT_PUBLIC_ID_CAPACITY)
        self._call(lib.pat_public_id_of, convert.token_id(id), out, len(out))
        made: str = ffi.string(out).decode()
        return made

    # ---- Changing. A change that already holds is no error and writes nothing.

    def update(
        self,
        id: int,
        *,
        owner: str | bytes | None,
        description: str | None = None,
        scopes: Iterable[str] | None = None,
        active: bool | None = None,
    ) -> Token:
        """What is None stays. All of it happens or nothing. Returns the token as it is then."""
        update = ffi.new("pat_token_update*")
        update.size = ffi.sizeof("pat_token_update")
        if description is not None:
            name = ffi.new("char[]", text_bytes("a description", description))
            update.description = name
        if scopes is not None:
            texts = Texts("a scope's name", scopes)
            update.scopes, update.scope_count = texts.array, texts.count
        if active is not None:
            update.state = lib.PAT_STATE_ACTIVE if active else lib.PAT_STATE_INACTIVE
        out, who = _token_out(), _owner(owner)
        self._call(lib.pat_update, convert.token_id(id), who, len(who), update, out)
        return self._taken(out)

    def activate(self, id: int, *, owner: str | bytes | None) -> None:
        who = _owner(owner)
        self._call(lib.pat_activate, convert.token_id(id), who, len(who))

    def deactivate(self, id: int, *, owner: str | bytes | None) -> None:
        """A token whose rows are damaged is deleted instead, and Error "data_loss" raised."""
        who = _owner(owner)
        self._call(lib.pat_deactivate, convert.token_id(id), who, len(who))

    def delete(
        self,
        id: int,
        *,
        owner: str | bytes | None,
        reason: DeleteReason = DeleteReason.USER,
    ) -> None:
        """Final. Works on damaged tokens too."""
        who, why = _owner(owner), convert.DELETE_REASON_NUMBERS[DeleteReason(reason)]
        self._call(lib.pat_delete, convert.token_id(id), who, len(who), why)

    def purge(
        self, before: datetime, limit: int = 10000, progress: Progress | None = None
    ) -> int:
        """Forgets tokens that were deleted before a time; returns how many. Call again until it
        returns less than limit. Works in steps: after an error those before it stay done. progress:
        as of reseal."""
        out, limit, given = ffi.new("size_t*"), convert.whole("limit", limit, 1), Pass(progress)
        when = convert.unix_seconds(before)
        self._call(lib.pat_purge_pass, when, limit, given.callback, given.context, out)
        gone: int = out[0]
        return gone

    # ---- Keys: keys, rotate_key, reseal, retire_key and copy_to are in keys.py.

    # ---- Operating

    def flush(self) -> None:
        """Writes the noted places of use."""
        self._call(lib.pat_flush)

    def health(self) -> None:
        """Raises unless tokens can be verified now."""
        self._call(lib.pat_health)

    def stats(self) -> StoreStats:
        out = ffi.new("pat_store_stats*")
        out.size = ffi.sizeof("pat_store_stats")
        self._call(lib.pat_stats, out)
        return StoreStats(
            out.accounts, out.next_token_id, out.bytes, out.uses_dropped, out.readers, out.most_readers
        )

    # ----

    def _call(self, function: Callable[..., int], *arguments: object) -> None:
        error = ffi.new("pat_error**")
        if self._clock is not None and not self._handle.shut:
            self._clock()  # if it raises, let nothing be changed
        with self._handle as pointer:
            code = function(pointer, *arguments, error)
        try:
            raise_pending()
        except BaseException:
            lib.pat_error_free(error[0])
            raise
        check(code, error)

    def _taken(self, out: Any) -> Token:
        return take_token(out[0], self._declared)

    def _taken_page(self, out: Any) -> Page:
        page = out[0]
        tokens = [take_token(page.tokens[i], self._declared) for i in range(page.count)]
        return Page(tuple(tokens), ffi.string(page.next).decode())


def _token_out() -> Any:
    """Where C puts a token, which is freed with it."""
    return ffi.gc(ffi.new("pat_token**"), lambda out: lib.pat_token_free(out[0]))


def _page_out() -> Any:
    return ffi.gc(ffi.new("pat_page**"), lambda out: lib.pat_page_free(out[0]))


def _owner(owner: str | bytes | None) -> bytes:
    if owner is None:
        return b""
    if not owner:  # in C: not checked
        raise InvalidArgument("an owner has an account id; None: not checked")
    return account_bytes(owner)
