# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The golden vectors that all languages share."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest

import libpat

HERE = Path(__file__).resolve().parent
VECTORS = Path(os.environ.get("PAT_TEST_VECTORS_DIR") or HERE.parents[2] / "tests" / "vectors")
if not VECTORS.is_dir() and "PAT_TEST_VECTORS_DIR" not in os.environ:
    pytest.skip("the golden vectors are in libpat's repository", allow_module_level=True)


def cases(name: str) -> list[list[str]]:
    lines = (VECTORS / name).read_text(encoding="ascii").splitlines()
    return [line.split(" ") for line in lines if line and not line.startswith("#")]


def cut(line: str) -> list[str]:
    return (line.split(" ") + ["", "", ""])[:3] if line and line[0] != "#" else ["", "", ""]


def unquoted(field: str) -> bytes:
    assert field[0] == field[-1] == '"'
    return re.sub(
        rb"\\x([0-9a-fA-F]{2})", lambda m: bytes.fromhex(m[1].decode()), field[1:-1].encode()
    )


def test_token_text() -> None:
    judged = 0
    for verdict, prefixes, quoted, *rest in cases("token_text.txt"):
        check, selector = libpat.check_text(unquoted(quoted), prefixes.split(","))
        assert check == verdict
        assert (selector.hex() if selector else None) == (rest[0] if rest else None)
        judged += 1
    assert judged > 100


@pytest.mark.skipif("PAT_TEST_SEALED_STORES" not in os.environ, reason="no stores of vectors")
def test_sealed_tokens_are_judged_like_this() -> None:
    """Each on a store that holds its record: see tests/vectors/sealed_stores.cc."""
    stores = Path(os.environ["PAT_TEST_SEALED_STORES"])
    lines = (VECTORS / "sealed_tokens.txt").read_text(encoding="ascii").splitlines()
    keyrings = {name: text for kind, name, text in map(cut, lines) if kind == "keyring"}
    seen: dict[str, int] = {}
    for store in stores.iterdir():
        fields = lines[int(store.name) - 1].split(" ")
        verdict, now = fields[0], datetime.fromtimestamp(int(fields[2]), timezone.utc)
        keyring = libpat.Keyring.from_text(unquoted(keyrings[fields[1]]))
        lmdb = libpat.LmdbStore(store, map_bytes=1 << 26, flush_interval_s=0, reserve_bytes=0)
        with libpat.Authority(lmdb, keyring, clock=lambda: now) as authority:
            text = unquoted(fields[7])
            (judged,) = authority.verify_many([text])
            if verdict == "accepted":
                who = authority.verify(text)
                assert who == judged and who.token_id == int(fields[3])
                assert who._bits == int(fields[8], 16)
                assert who.origin is list(libpat.Origin)[int(fields[9])]
                assert who.account.encode("utf-8", "surrogateescape") == unquoted(fields[10])
            else:
                with pytest.raises(libpat.Refused, match=f"refused: {verdict}$"):
                    authority.verify(text)
                assert isinstance(judged, libpat.Refused) and judged.reason == verdict
        seen[verdict] = seen.get(verdict, 0) + 1
    assert seen["accepted"] > 10 and len(seen) >= 7


def test_sealed_tokens_as_far_as_they_need_no_record() -> None:
    """Public ids under each keyring; and a selector that is not ours is forged, one of ours whose
    record is not there an unknown token."""
    lines = cases("sealed_tokens.txt")
    keyrings = {line[1]: unquoted(line[2]) for line in lines if line[0] == "keyring"}
    judged = 0
    for name, text in keyrings.items():
        with libpat.Authority(
            libpat.MemoryStore(),
            libpat.Keyring.from_text(text),
            prefixes=["acme_pat_"],
            create=True,
        ) as authority:
            for line in lines:
                if line[0] == "token" and line[1] == name:
                    assert authority.public_id_of(int(line[2])) == line[15]
                    assert authority.id_of(line[15]) == int(line[2])
                    with pytest.raises(libpat.Refused, match="unknown_token"):
                        authority.verify(unquoted(line[12]))
                    judged += 1
                if line[0] == "forged" and line[1] == name:
                    with pytest.raises(libpat.Refused, match="forged"):
                        authority.verify(unquoted(line[7]))
                    judged += 1
    assert judged > 20
