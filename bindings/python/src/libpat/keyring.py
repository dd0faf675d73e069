# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Where an authority gets its master secrets from."""

from __future__ import annotations

import os
from collections.abc import Callable

from ._native import ffi, lib
from .errors import check


class Keyring:
    """A keyring is a small text. Who has it and can write the store can make tokens; who loses it
    has lost all tokens. Keep it apart from the store and from the store's backups."""

    __slots__ = ("path", "load")

    def __init__(self, path: str | None, load: Callable[[], bytes | str] | None) -> None:
        """Not for direct use: see the class methods."""
        self.path = path
        self.load = load

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Keyring:
        """A file, mode 0600. Written together with a new store, and only then."""
        return cls(os.fspath(path), None)

    @classmethod
    def from_text(cls, text: bytes | str) -> Keyring:
        """The text itself, from a secret manager say."""
        return cls(None, lambda: text)

    @classmethod
    def from_callback(cls, load: Callable[[], bytes | str]) -> Keyring:
        """A function that returns the text, called when the authority opens, in that thread. What
        it raises, opening raises."""
        return cls(None, load)

    @staticmethod
    def generate() -> bytes:
        """A new keyring text."""
        text, length = ffi.new("char[]", lib.PAT_KEYRING_CAPACITY), ffi.new("size_t*")
        error = ffi.new("pat_error**")
        try:
            check(lib.pat_keyring_generate(text, len(text), length, error), error)
            made: bytes = ffi.unpack(text, length[0])
            return made
        finally:
            lib.pat_wipe(text, len(text))

    def __repr__(self) -> str:
        return f"<Keyring {'in a file' if self.path is not None else 'held by the program'}>"
