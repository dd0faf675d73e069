# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The Python functions that C calls: keyring, clock, password check, progress. What they raise waits here
until the C call has returned, and is raised then: see raise_pending."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ._native import ffi, lib
from .errors import InvalidArgument

# What a clock that fails shows to C: a time at which none that expires is good.
NO_TIME = (1 << 63) - 1


class _Pending(threading.local):
    error: BaseException | None = None
    depth = 0  # of callbacks in this thread


_pending = _Pending()


def inside_callback() -> bool:
    return _pending.depth > 0


def raise_pending() -> None:
    error, _pending.error = _pending.error, None
    if error is not None:
        raise error


class _Callback:
    """Around each call from C: nothing gets out, the first failure is kept."""

    def __enter__(self) -> None:
        _pending.depth += 1

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        _pending.depth -= 1
        if error is not None and _pending.error is None:
            _pending.error = error
        return True


_guarded = _Callback()


@ffi.def_extern()  # type: ignore[misc]
def libpat_keyring_load(context: object, text: object, capacity: int, length: object) -> int:
    with _guarded:
        load: Callable[[], bytes | str] = ffi.from_handle(context)
        loaded = load()
        if isinstance(loaded, str):
            loaded = loaded.encode()
        if not isinstance(loaded, (bytes, bytearray, memoryview)):
            raise TypeError("a keyring is bytes or str")
        if len(loaded) >= capacity:
            raise InvalidArgument("the keyring is too long")
        ffi.memmove(text, loaded, len(loaded))
        length[0] = len(loaded)  # type: ignore[index]
        return int(lib.PAT_OK)
    return int(lib.PAT_UNAVAILABLE)


@ffi.def_extern()  # type: ignore[misc]
def libpat_clock(context: object) -> int:
    with _guarded:
        clock: Callable[[], float] = ffi.from_handle(context)
        return int(clock())
    return NO_TIME


@ffi.def_extern()  # type: ignore[misc]
def libpat_password_check(context: object, password: object, length: int) -> int:
    with _guarded:
        check: Callable[[], object] = ffi.from_handle(context)
        fits = check()
        # A coroutine, a row or an error object is true in a condition: only a bool is an answer.
        if not isinstance(fits, bool):
            raise TypeError(f"a password check returns a bool, not {type(fits).__name__}")
        return 1 if fits else 0
    return 0


@ffi.def_extern()  # type: ignore[misc]
def libpat_pass_progress(context: object, so_far: object) -> int:
    with _guarded:
        report: Callable[[object], bool] = ffi.from_handle(context)
        if report(so_far):
            return int(lib.PAT_OK)
    return int(lib.PAT_CANCELLED)
