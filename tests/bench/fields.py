# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""What build/bench/summary.json has to look like."""

from __future__ import annotations

from typing import Any

PEERS = {
    "hs256_floor",
    "libjwt_hs256",
    "libmacaroons",
    "redis_unix",
    "postgres_unix",
    "sqlite",
    "pbkdf2_10k",
}
OF_A_SIZE = {
    "verify_ns",
    "verify_p99_ns",
    "verify_p999_ns",
    "limit_ns",
    "limit_p99_ns",
    "limit_p999_ns",
    "physical_ns",
}
BY_SIZE = {"counts_us", "evict_us", "deactivate_us", "list_page_us"}
BINDINGS = {"go_overhead_ns", "python_overhead_ns", "python_many_ratio"}
DIFFERENCES = {"catchup_us_per_commit", "c_abi_overhead_ns", "go_overhead_ns", "python_overhead_ns"}
NUMBERS = {
    "fdatasync_us",
    "refused_forged_ns",
    "refused_wrong_secret_ns",
    "sha256_block_ns",
    "limit_parts_ns",
    "under_writer_p999_ns",
    "limit_under_writer_p999_ns",
    "catchup_us_per_commit",
    "two_threads_speedup",
    "under_writer_ratio",
    "zipf_ns",
    "issue_pages",
    "deactivate_pages",
    "issue_us",
    "lmdb_bare_commit_us",
    "lmdb_same_pages_commit_us",
    "group_commit_64_speedup",
    "batches_per_commit",
    "hot_bytes_per_token",
    "store_bytes_per_token",
    "private_rss_mib",
    "c_abi_overhead_ns",
} | BINDINGS


def faults(summary: dict[str, Any], sizes: list[str], may_be_null: set[str]) -> list[str]:
    """What is wrong with it; nothing if it is as it should be."""
    found: list[str] = []

    def number(name: str, value: Any) -> None:
        if value is None:
            if name not in may_be_null:
                found.append(f"{name} is null")
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            found.append(f"{name} is no number")
        elif name not in DIFFERENCES and not 0 < value < 1e12:
            found.append(f"{name} cannot be {value}")

    def names(where: str, value: Any, expected: set[str]) -> bool:
        if isinstance(value, dict) and set(value) == expected:
            return True
        found.append(f"{where} has not the fields it should have")
        return False

    whole = {"machine", "commit", "tokens", "peers_ns", "open_ms"} | BY_SIZE | NUMBERS
    if not names("summary", summary, whole):
        found.append(str(sorted(whole ^ set(summary))))
        return found
    found += [f"{text} is empty" for text in ("machine", "commit") if not summary[text]]
    for name in NUMBERS:
        number(name, summary[name])
    for name in BY_SIZE:
        if names(name, summary[name], set(sizes[:2])):
            for size, value in summary[name].items():
                number(f"{name}.{size}", value)
    if names("tokens", summary["tokens"], set(sizes)):
        for size, entry in summary["tokens"].items():
            if names(f"tokens.{size}", entry, OF_A_SIZE):
                for name, value in entry.items():
                    number(f"tokens.{size}.{name}", value)
    if names("peers_ns", summary["peers_ns"], PEERS):
        for name, value in summary["peers_ns"].items():
            number(f"peers_ns.{name}", value)
    if names("open_ms", summary["open_ms"], set(sizes[1:])):
        for size, value in summary["open_ms"].items():
            number(f"open_ms.{size}", value)
    return found
