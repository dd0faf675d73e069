# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What a host declares: its permissions, and the scopes that bundle them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .errors import InvalidArgument


@dataclass(frozen=True)
class ScopeSet:
    """Permissions by name, each with a bit of its own (0..63) that is fixed for the life of the
    store; and scopes, what a user picks, by name. A later open may add, never change. Empty: what
    the store declares already.

        ScopeSet({"doc:read": 0, "doc:write": 1}, {"reader": ["doc:read"]})
    """

    permissions: Mapping[str, int] = field(default_factory=dict, hash=False)
    scopes: Mapping[str, Iterable[str]] = field(default_factory=dict, hash=False)



class Declared:
    """The declaration of an open authority, names to bits and back."""

    __slots__ = ("needs", "known", "_bit_names")

    def __init__(self, permissions: Mapping[str, int], needs: Mapping[str, int]) -> None:
        self.needs = needs  # what each name, of a scope or a permission, stands for
        self._bit_names = {1 << bit: name for name, bit in permissions.items()}
        self.known: dict[int, frozenset[str]] = {}  # answers of names()

    def names(self, bits: int) -> frozenset[str]:
        """The permissions in a set of bits."""
        found = self.known.get(bits)
        if found is None:
            found = frozenset(name for bit, name in self._bit_names.items() if bits & bit)
            if len(self.known) < 4096:
                self.known[bits] = found
        return found

    def need(self, names: str | Iterable[str]) -> int:
        """What the names stand for together where something is required."""
        bits = 0
        for name in (names,) if isinstance(names, str) else names:
            if name not in self.needs:
                raise InvalidArgument(f"neither a scope nor a permission is named {name!r}")
            bits |= self.needs[name]
        return bits
