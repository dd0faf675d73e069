# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""Which store an authority opens."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class LmdbStore:
    """The default store: a directory on a local disk, shared by any number of processes. None: the
    library's default."""

    directory: str | os.PathLike[str]
    concurrent_reads: int | None = None
    map_bytes: int | None = None
    max_readers: int | None = None
    flush_interval_s: int | None = None  #: 0: only Authority.flush and close flush.
    reserve_bytes: int | None = None  #: Disk space that only revocations may use. 0: none.
    write_deadline_s: int | None = None  #: A change waits this long for another process's.
    exclusive: bool = False  #: Nobody else may have the store open.


@dataclass(frozen=True)
class MemoryStore:
    """For tests: gone when the authority is closed."""


@dataclass(frozen=True)
class StoreStats:
    accounts: int
    next_token_id: int
    bytes: int
    uses_dropped: int  #: Places of use (not times) this process could not keep.
    readers: int  #: Most slots for reading ever taken at once, by all processes.
    most_readers: int  #: How many slots there are; 0: the store has no such thing.
