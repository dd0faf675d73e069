# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Opening: stores, and the options of an authority as C takes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ._native import ffi, lib
from .callbacks import raise_pending
from .convert import Texts, path_bytes, text_bytes, unix_seconds, whole
from .errors import InvalidArgument, check
from .keyring import Keyring
from .scope import Declared, ScopeSet
from .store import LmdbStore, MemoryStore

Clock = Callable[[], datetime]


def open_store(store: LmdbStore | MemoryStore | str | os.PathLike[str], create: bool) -> Any:
    out, error = ffi.new("pat_store**"), ffi.new("pat_error**")
    if isinstance(store, MemoryStore):
        check(lib.pat_store_new_memory(out, error), error)
        return out[0]
    if not isinstance(store, LmdbStore):
        store = LmdbStore(store)
    directory = path_bytes(store.directory)
    options = ffi.new("pat_lmdb_options*")
    options.size = ffi.sizeof("pat_lmdb_options")
    options.create_if_missing = create
    options.exclusive = bool(store.exclusive)
    for name, most in (
        ("concurrent_reads", 1 << 30),
        ("map_bytes", 1 << 62),
        ("max_readers", 1 << 30),
        ("write_deadline_s", 1 << 30),
    ):
        value = getattr(store, name)
        if value is not None:
            setattr(options, name, whole(name, value, 1, most))
    if store.flush_interval_s is not None:
        options.flush_interval_s = whole("flush_interval_s", store.flush_interval_s, 0) or -1
    if store.reserve_bytes is not None:
        options.reserve_bytes = whole("reserve_bytes", store.reserve_bytes, 0, 1 << 62) or -1
    check(lib.pat_store_open_lmdb(directory, options, out, error), error)
    return out[0]


class Options:
    """A pat_options, and what keeps its parts alive."""

    def __init__(self) -> None:
        self.c = ffi.new("pat_options*")
        self.c.size = ffi.sizeof("pat_options")
        self._parts: list[object] = []
        self.alive: list[object] = []  # as long as the authority
        self.clock: Callable[[], int] | None = None

    def _keep(self, part: Any) -> Any:
        self._parts.append(part)
        return part

    def set_prefixes(self, prefixes: Iterable[str]) -> None:
        texts = self._keep(Texts("a prefix", prefixes))
        self.c.prefixes, self.c.prefix_count = texts.array, texts.count

    def set_keyring(self, keyring: Keyring | str | os.PathLike[str]) -> None:
        if not isinstance(keyring, Keyring):
            keyring = Keyring.file(keyring)
        if keyring.path is not None:
            self.c.keyring_path = self._keep(ffi.new("char[]", path_bytes(keyring.path)))
        elif keyring.load is not None:
            handle = ffi.new_handle(keyring.load)
            self.alive.append(handle)
            self.c.keyring_load, self.c.keyring_context = lib.libpat_keyring_load, handle
        else:
            self.c.keyring_text = self._keep(ffi.from_buffer(keyring.text))
            self.c.keyring_text_len = len(keyring.text)

    def _named_bits(self, what: str, named: Iterable[tuple[str, int]]) -> tuple[Any, int]:
        pairs = [(self._keep(ffi.new("char[]", text_bytes(what, n))), bits) for n, bits in named]
        return self._keep(ffi.new("pat_named_bits[]", pairs)), len(pairs)

    def set_scopes(self, scopes: ScopeSet | None) -> None:
        c = self.c
        if scopes is None:
            return
        if not scopes.permissions and not scopes.scopes:
            c.adopt_scopes = 1
            return
        bits = {n: 1 << whole("a bit", bit, 0, 63) for n, bit in scopes.permissions.items()}
        c.permissions, c.permission_count = self._named_bits("a permission's name", bits.items())
        declared = Declared(scopes.permissions, bits)
        bundles = [(name, declared.need(bundle)) for name, bundle in scopes.scopes.items()]
        c.scopes, c.scope_count = self._named_bits("a scope's name", bundles)

    def set_auto_tokens(self, most: int | None, scopes: Iterable[str] | None) -> None:
        if most is not None:
            self.c.max_auto_tokens = whole("max_auto_tokens", most, 1)
        if scopes is not None:
            texts = self._keep(Texts("a scope's name", scopes))
            if not texts.count:  # in C: the default
                raise InvalidArgument("auto tokens have at least one scope")
            self.c.auto_scopes, self.c.auto_scope_count = texts.array, texts.count

    def set_clock(self, clock: Clock | None) -> None:
        if clock is not None:
            given = clock
            self.clock = lambda: unix_seconds(given())
            handle = ffi.new_handle(self.clock)
            self.alive.append(handle)
            self.c.clock, self.c.clock_context = lib.libpat_clock, handle


def open_authority(store: Any, options: Options) -> Any:
    """Takes the store."""
    out, error = ffi.new("pat_authority**"), ffi.new("pat_error**")
    code = lib.pat_open(store, options.c, out, error)
    try:
        raise_pending()
    except BaseException:
        if error[0] != ffi.NULL:
            lib.pat_error_free(error[0])
        lib.pat_close(out[0])
        raise
    check(code, error)
    return out[0]


def read_declared(authority: Any) -> tuple[tuple[str, ...], ScopeSet, Declared]:
    """What an open authority declares."""
    count, need, error = ffi.new("size_t*"), ffi.new("uint64_t*"), ffi.new("pat_error**")

    def listed(function: Any) -> list[Any]:
        items = function(authority, count)
        return [items[i] for i in range(count[0])]

    def needed(name: bytes) -> int:
        check(lib.pat_need(authority, name, need, error), error)
        bits: int = need[0]
        return bits

    prefixes = tuple(ffi.string(p).decode() for p in listed(lib.pat_prefixes))
    permissions = {ffi.string(p.name): p.bits for p in listed(lib.pat_permissions)}
    scopes = {ffi.string(s.name): s.bits for s in listed(lib.pat_scopes)}
    bit_numbers = {name.decode(): bits.bit_length() - 1 for name, bits in permissions.items()}
    declared = Declared(
        bit_numbers, {name.decode(): needed(name) for name in permissions.keys() | scopes.keys()}
    )
    bundles = {
        name.decode(): tuple(n for n, bit in bit_numbers.items() if bits >> bit & 1)
        for name, bits in scopes.items()
    }
    return prefixes, ScopeSet(bit_numbers, bundles), declared
