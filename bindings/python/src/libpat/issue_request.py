# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""An IssueRequest as C takes it."""

from __future__ import annotations

from collections.abc import Iterable

from ._native import ffi
from .convert import ORIGIN_NUMBERS, Texts, account_bytes, text_bytes, unix_seconds
from .errors import InvalidArgument
from .token import IssueRequest, Origin


def listed(scopes: Iterable[str]) -> tuple[str, ...]:
    if isinstance(scopes, (str, bytes)):  # else it would be taken letter by letter
        raise TypeError("scopes are a list of names")
    return tuple(scopes)


class Request:
    """A pat_issue_request, and what keeps its parts alive."""

    __slots__ = ("c", "_parts")

    def __init__(self, request: IssueRequest) -> None:
        c = self.c = ffi.new("pat_issue_request*")
        c.size = ffi.sizeof("pat_issue_request")
        account = account_bytes(request.account)
        owner = ffi.from_buffer(account)
        description = ffi.new("char[]", text_bytes("a description", request.description))
        scopes = Texts("a scope's name", listed(request.scopes))
        pairs = [
            tuple(ffi.new("char[]", text_bytes("an attribute", text)) for text in pair)
            for pair in request.attributes.items()
        ]
        attributes = ffi.new("pat_attribute[]", pairs)
        c.account, c.account_len = owner, len(account)
        c.description = description
        c.scopes, c.scope_count = scopes.array, scopes.count
        c.attributes, c.attribute_count = attributes, len(pairs)
        c.origin = ORIGIN_NUMBERS[Origin(request.origin)]
        if request.expires_at is not None:
            c.expires_unix_s = unix_seconds(request.expires_at)
            if c.expires_unix_s <= 0:  # in C, 0 is never
                raise InvalidArgument("an expiry lies in the future")
        self._parts = (account, owner, description, scopes, pairs, attributes)
