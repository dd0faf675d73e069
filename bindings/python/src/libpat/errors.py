# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What libpat raises. No message holds a secret or a description."""

from __future__ import annotations

import enum

from ._native import ffi, lib


def _text(chars: object) -> str:
    text: str = ffi.string(chars).decode()
    return text


class Error(Exception):
    """The root: whatever libpat itself raises is one. `code` says which kind in a word:
    "failed_precondition" (the keyring is not this store's, ...), "data_loss", "unavailable", ..."""

    def __init__(self, message: str, code: str = "unknown") -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.code)


class InvalidArgument(Error, ValueError):
    """The call was wrong; nothing was changed."""

    def __init__(self, message: str, code: str = "invalid_argument") -> None:
        super().__init__(message, code)


class NotFound(Error, LookupError):
    """No such token; or it is deleted, or not the owner's."""

    def __init__(self, message: str, code: str = "not_found") -> None:
        super().__init__(message, code)


class RefusalReason(str, enum.Enum):
    """Why a presented secret was refused. For logs and metrics: the client gets
    Refused.public_message, the same for all."""

    NOT_TOKEN = "not_token"
    BAD_CHECKSUM = "bad_checksum"
    FORGED = "forged"
    UNKNOWN_TOKEN = "unknown_token"
    WRONG_SECRET = "wrong_secret"
    DELETED = "deleted"
    EXPIRED = "expired"
    INACTIVE = "inactive"
    WRONG_ACCOUNT = "wrong_account"
    UNKNOWN_ACCOUNT = "unknown_account"
    MISSING_PERMISSION = "missing_permission"
    WRONG_PASSWORD = "wrong_password"
    PASSWORD_REFUSED = "password_refused"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"  # of a newer libpat.so than this package knows

    def __str__(self) -> str:
        return self.value


class Refused(Error):
    """The presented secret is refused, or may not do this. False as a condition."""

    #: The one sentence for every refused sign-in: it tells an attacker nothing.
    public_message: str = _text(lib.pat_refusal_message())

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(f"refused: {reason}", "permission_denied")
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.reason,)

    def __bool__(self) -> bool:
        return False

    @property
    def http_status(self) -> int:
        """After RFC 6750: 401; 403 for a good token that lacks a permission; 503 if unavailable."""
        status: int = lib.pat_refusal_http_status(_NUMBERS.get(self.reason, -1))
        return status

    @property
    def oauth_error(self) -> str:
        """Likewise: "invalid_token", "insufficient_scope" or "temporarily_unavailable"."""
        return _text(lib.pat_refusal_oauth_error(_NUMBERS.get(self.reason, -1)))


# C numbers the reasons from 1 on, in this order; the names are C's own.
REASONS = {number: reason for number, reason in enumerate(list(RefusalReason)[:-1], 1)}
_NUMBERS = {reason: number for number, reason in REASONS.items()}
_KINDS = {lib.PAT_INVALID_ARGUMENT: InvalidArgument, lib.PAT_NOT_FOUND: NotFound}


def error_of(code: int, message: str | None = None) -> Error:
    name = _text(lib.pat_code_name(code))
    return _KINDS.get(code, Error)(message or name.replace("_", " "), name)


def check(code: int, error: object = None) -> None:
    """Raises what a C function returned, unless it is PAT_OK. `error`: its pat_error**, freed."""
    if code == lib.PAT_OK:
        return
    message = None
    if error is not None:
        pointer = error[0]  # type: ignore[index]
        if pointer != ffi.NULL:
            message = ffi.string(lib.pat_error_message(pointer)).decode("utf-8", "replace")
            lib.pat_error_free(pointer)
    raise error_of(code, message)
