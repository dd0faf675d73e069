# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Keeps an open pat_authority from being closed while a call is under way, and from being used
after close or fork."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref

from ._decide import Gate
from ._native import ffi, lib
from .callbacks import inside_callback
from .errors import Error


class Handle(Gate):
    """A call is made inside `with handle as pointer`: it enters, looks whether the handle is shut,
    and leaves. Entering and leaving are atomic (see decide.c), and close() shuts before it looks at
    `running`: so either the call sees that the handle is shut, or close() sees the call."""

    __slots__ = ("alive", "_closed", "_forked", "_lock", "__weakref__")

    def __init__(self, pointer: object, alive: object) -> None:
        super().__init__(pointer, int(ffi.cast("uintptr_t", pointer)))
        self.alive = alive  # what C may call back into
        self._closed = False
        self._forked = False
        self._lock = threading.Lock()  # one closes
        _open.add(self)

    def refuse(self) -> None:
        """Raises why no call can be made any more."""
        if self._forked:
            raise Error(
                "this process was forked after the authority was opened: open it again here",
                "failed_precondition",
            )
        raise ValueError("the authority is closed")

    def close(self) -> None:
        """Waits for the calls under way, then closes. Again, or in a forked child: nothing."""
        if inside_callback():
            raise RuntimeError("an authority cannot be closed by a callback")
        self.shut = True
        with self._lock:
            if self._closed or self._forked:
                return
            pause_s = 0.0
            while self.running:
                time.sleep(pause_s)
                pause_s = min(pause_s + 0.0005, 0.01)
            self._closed = True
            _open.discard(self)
            lib.pat_close(self.pointer)

    def abandon(self) -> None:
        """Nobody can call any more, or the interpreter ends: closes unless something still runs."""
        self.shut = True
        if not self.running and self._lock.acquire(blocking=False):
            try:
                if not self._closed and not self._forked:
                    self._closed = True
                    lib.pat_close(self.pointer)
            finally:
                self._lock.release()

    def after_fork_in_child(self) -> None:
        # What the parent opened is not the child's: neither used nor closed, which would flush.
        self.shut = self._forked = True
        self._lock = threading.Lock()


_open: weakref.WeakSet[Handle] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for handle in list(_open):
        handle.after_fork_in_child()


def _at_exit() -> None:
    for handle in list(_open):
        handle.abandon()


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_after_fork_in_child)
