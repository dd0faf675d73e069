# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Token text without a store or key, for scanners."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from ._native import ffi, lib
from .convert import Texts, secret_bytes
from .errors import InvalidArgument


class TextCheck(str, enum.Enum):
    OK = "ok"
    NOT_TOKEN = "not_token"
    BAD_SELECTOR = "bad_selector"
    BAD_CHECKSUM = "bad_checksum"

    def __str__(self) -> str:
        return self.value


_CHECKS = list(TextCheck)


def check_text(text: str | bytes, prefixes: Iterable[str]) -> tuple[TextCheck, bytes | None]:
    """Whether a text has the form of a token, and of a good one the 16 bytes of the selector. Says
    nothing about whether such a token exists. Search for <prefix>[0-9A-Za-z]{55}."""
    presented, accepted = secret_bytes(text), Texts("a prefix", prefixes)
    selector = ffi.new("unsigned char[16]")
    code = lib.pat_check_text(presented, len(presented), accepted.array, accepted.count, selector)
    if code < 0:
        raise InvalidArgument("a prefix is no valid one")
    check = _CHECKS[code]
    return check, bytes(selector) if check is TextCheck.OK else None
