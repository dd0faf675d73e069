# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from host import PREFIX, Clock, note_keyring

import libpat


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring() -> libpat.Keyring:
    text = libpat.Keyring.generate()
    note_keyring(text)
    return libpat.Keyring.from_text(text)


@pytest.fixture
def authority(clock: Clock, keyring: libpat.Keyring) -> Iterator[libpat.Authority]:
    """In memory, with a clock of its own."""
    with libpat.Authority(
        libpat.MemoryStore(), keyring, prefixes=[PREFIX], create=True, clock=clock
    ) as opened:
        yield opened


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[libpat.Authority]:
    with libpat.Authority(
        tmp_path / "tokens", tmp_path / "keyring", prefixes=[PREFIX], create=True
    ) as opened:
        note_keyring((tmp_path / "keyring").read_bytes())
        yield opened
