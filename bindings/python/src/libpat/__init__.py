# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Personal access tokens for an auth server: issue, verify, revoke. Begin with Authority."""

from ._native import ffi as _ffi
from ._native import lib as _lib
from .authority import Authority
from .decide import Verdicts
from .errors import Error, InvalidArgument, NotFound, Refused, RefusalReason
from .keyring import Keyring
from .keys import KeyInfo, KeyKind, PassProgress
from .principal import UNKNOWN_ACCOUNT, Claim, Method, Principal
from .scope import ScopeSet
from .store import LmdbStore, MemoryStore, StoreStats
from .token import Counts, DeleteReason, Issued, IssueRequest, Origin, Page, State, Token
from .token_text import TextCheck, check_text

#: The version of the library behind this package.
__version__: str = _ffi.string(_lib.pat_version()).decode()

__all__ = [
    "UNKNOWN_ACCOUNT",
    "Authority",
    "Claim",
    "Counts",
    "DeleteReason",
    "Error",
    "InvalidArgument",
    "IssueRequest",
    "Issued",
    "KeyInfo",
    "KeyKind",
    "Keyring",
    "LmdbStore",
    "MemoryStore",
    "Method",
    "NotFound",
    "Origin",
    "Page",
    "PassProgress",
    "Principal",
    "RefusalReason",
    "Refused",
    "ScopeSet",
    "State",
    "StoreStats",
    "TextCheck",
    "Token",
    "Verdicts",
    "__version__",
    "check_text",
]
