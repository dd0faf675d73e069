# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Where an authority gets its master secrets from."""

from __future__ import annotations

import os
from collections.abc import Callable

from ._native import ffi, lib
from .convert import secret_bytes
from .errors import check
from .keys import KeyKind, key_number, kind_number


def _made(function: Callable[..., int], *arguments: object) -> bytes:
    """What a function that makes a keyring text made."""
    room, length = ffi.new("char[]", lib.PAT_KEYRING_CAPACITY), ffi.new("size_t*")
    error = ffi.new("pat_error**")
    try:
        check(function(*arguments, room, len(room), length, error), error)
        made: bytes = ffi.unpack(room, length[0])
        return made
    finally:
        lib.pat_wipe(room, len(room))


class Keyring:
    """A keyring is a small text. Who has it and can write the store can make tokens; who loses it
    has lost all tokens. Keep it apart from the store and from the store's backups."""

    __slots__ = ("path", "text", "load")

    def __init__(
        self,
        path: str | None = None,
        text: bytes = b"",
        load: Callable[[], bytes | str] | None = None,
    ) -> None:
        """Not for direct use: see the class methods."""
        self.path = path
        self.text = text
        self.load = load

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Keyring:
        """A file, mode 0600. Written together with a new store, and only then."""
        return cls(path=os.fspath(path))

    @classmethod
    def from_text(cls, text: bytes | str) -> Keyring:
        """The text itself, from a secret manager say. A process that has to know a new key is opened
        with the new text before that key is used."""
        return cls(text=secret_bytes(text))

    @classmethod
    def from_callback(cls, load: Callable[[], bytes | str]) -> Keyring:
        """A function that returns the text. Called when the authority opens; and later, in the
        thread of whatever call notices it first, when another process uses a key that was not in the
        text: others wait meanwhile, so it must not take long, nor use the authority. What it raises,
        that call raises."""
        return cls(load=load)

    @staticmethod
    def generate() -> bytes:
        """A new keyring text."""
        return _made(lib.pat_keyring_generate)

    @staticmethod
    def add_key(text: bytes | str, kind: KeyKind) -> bytes:
        """The text with one more key: hand it to all processes first, then Authority.rotate_key.
        Error "failed_precondition": the text is none, or has 8 of the kind."""
        given = secret_bytes(text)
        return _made(lib.pat_keyring_add_key, given, len(given), kind_number(kind))

    @staticmethod
    def remove_key(text: bytes | str, kind: KeyKind, number: int) -> bytes:
        """The text without a key, after Authority.retire_key: only this makes retiring final.
        NotFound: it has no such key. Error "failed_precondition": it is the newest of its kind."""
        given = secret_bytes(text)
        which = kind_number(kind), key_number(number)
        return _made(lib.pat_keyring_remove_key, given, len(given), *which)

    def __repr__(self) -> str:
        return f"<Keyring {'in a file' if self.path is not None else 'held by the program'}>"
