# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""The benchmarks' figures for people: first the ratios, with what they should be, then all else."""

from __future__ import annotations

import re
from typing import Any

from merge import PEERS, Results, ratio, rounded

Row = tuple[str, float | None, float | None, bool]  # what, figure, goal, whether more is better


def text(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}"


def verdict(row: Row) -> str:
    _, value, goal, more = row
    if value is None or goal is None:
        return ""
    return "yes" if (value >= goal if more else value <= goal) else "**no**"


def growth(found: Results, one: int, other: int) -> list[Row]:
    by_size = {
        what: ratio(found.cpu(f"{what}/{other}"), found.cpu(f"{what}/{one}"))
        for what in ("verify", "limit")
    }
    return [
        (f"verify, {one:,} to {other:,} tokens", by_size["verify"], 1.75, False),
        (
            "... against the limit's own growth",
            ratio(by_size["verify"], by_size["limit"]),
            1.1,
            False,
        ),
    ]


def verify_ratios(found: Results, whole: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    sizes = whole["tokens"]
    for size, goal in zip(found.sizes, (None, 1.15, 1.25)):
        at = sizes[str(size)]
        rows.append(
            (f"verify / limit, {size:,} tokens", ratio(at["verify_ns"], at["limit_ns"]), goal, False)
        )
    main = sizes[str(found.main_size)]
    small = {
        what: found.cpu(f"{what}/{found.main_size}", "small_pages") for what in ("verify", "limit")
    }
    rows += [
        ("... both with small pages", ratio(small["verify"], small["limit"]), None, False),
        (
            "verify of one of 64 at once / of one",
            ratio(
                found.cpu(f"verify_many_64/{found.main_size}"),
                64 * (main["verify_ns"] or 0),
            ),
            None,
            False,
        ),
        ("limit / sum of its parts", ratio(main["limit_ns"], whole["limit_parts_ns"]), 1.15, False),
        ("p99: verify / limit", ratio(main["verify_p99_ns"], main["limit_p99_ns"]), 1.3, False),
        ("p99.9: verify / limit", ratio(main["verify_p999_ns"], main["limit_p999_ns"]), 1.5, False),
        (
            "p99.9 under a writer: verify / limit",
            ratio(whole["under_writer_p999_ns"], whole["limit_under_writer_p999_ns"]),
            1.25,
            False,
        ),
        ("mean under a writer: verify / limit", whole["under_writer_ratio"], 1.25, False),
        ("catch-up after a commit, µs", whole["catchup_us_per_commit"], 5, False),
        ("refused, forged selector, ns", whole["refused_forged_ns"], 75, False),
        (
            "refused, wrong secret / accepted",
            ratio(whole["refused_wrong_secret_ns"], main["verify_ns"]),
            1.05,
            False,
        ),
        ("two threads / one", whole["two_threads_speedup"], 1.85, True),
    ]
    for one, other in zip(found.sizes, found.sizes[1:]):
        rows += growth(found, one, other)
    return rows


def peer_ratios(found: Results, whole: dict[str, Any]) -> list[Row]:
    verify = whole["tokens"][str(found.main_size)]["verify_ns"]
    goals = {"hs256_floor": 1, "libjwt_hs256": 18, "redis_unix": 60}
    rows: list[Row] = [
        (f"{peer} / verify", ratio(whole["peers_ns"][peer], verify), goals.get(peer), True)
        for peer in PEERS
    ]
    for extra in ("libjwt_rs256", "libjwt_es256"):
        rows.append((f"{extra} / verify", ratio(found.peer(extra, found.main_size), verify), None, True))
    rows.append(
        (
            "hs256_floor / one SHA-256 block",
            ratio(whole["peers_ns"]["hs256_floor"], whole["sha256_block_ns"]),
            8,
            False,
        )
    )
    if len(found.sizes) > 2:
        last = found.sizes[-1]
        rows.append(
            (
                f"verify / hs256_floor, {last:,} tokens",
                ratio(found.cpu(f"verify/{last}"), found.peer("hs256_floor", last)),
                1.25,
                False,
            )
        )
    return rows


def write_ratios(found: Results, whole: dict[str, Any]) -> list[Row]:
    main = str(found.main_size)
    worst_us = [whole["issue_us"], whole["deactivate_us"].get(main)]
    worse = None if None in worst_us else max(us for us in worst_us if us is not None)
    slow_disk = (whole["fdatasync_us"] or 0) >= 5000
    return [
        ("pages written by an issue", whole["issue_pages"], 16, False),
        ("pages written by a deactivation", whole["deactivate_pages"], 16, False),
        ("the slower / LMDB put and commit", ratio(worse, whole["lmdb_bare_commit_us"]), 1.8, False),
        (
            "the slower / LMDB commit of as many pages",
            ratio(worse, whole["lmdb_same_pages_commit_us"]),
            1.15,
            False,
        ),
        (
            "64 callers / one, changes a second",
            whole["group_commit_64_speedup"],
            25 if slow_disk else 6,
            True,
        ),
        ("batches a commit, 64 callers", whole["batches_per_commit"], 32, True),
    ]


def size_rows(whole: dict[str, Any]) -> list[Row]:
    rows: list[Row] = [
        ("hot table, bytes a token", whole["hot_bytes_per_token"], 60, False),
        ("whole store, bytes a token", whole["store_bytes_per_token"], 320, False),
        ("private memory, MiB", whole["private_rss_mib"], 8, False),
    ]
    for size, ms in whole["open_ms"].items():
        rows.append((f"open of {int(size):,} tokens, ms", ms, 50, False))
    for what in ("deactivate_us", "list_page_us", "counts_us", "evict_us"):
        small, large = list(whole[what].values())[0], list(whole[what].values())[-1]
        rows.append((f"{what[:-3]}, large store / small", ratio(large, small), None, False))
    goals = {"c_abi_overhead_ns": 10, "go_overhead_ns": 60, "python_overhead_ns": 200}
    rows += [(f"{name[:-12]} over C++, ns", whole[name], goal, False) for name, goal in goals.items()]
    rows.append(("python batch / C, a token", whole["python_many_ratio"], 1.3, False))
    return rows


def natural(name: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in re.split("([0-9]+)", name)]


def every_figure(found: Results) -> list[str]:
    lines = ["| benchmark | threads | time | processor time | more |", "|---|---|---|---|---|"]
    for file, name in sorted(found.runs, key=lambda run: [natural(part) for part in run]):
        one = found.runs[file, name][0]
        counters = [
            f"{key} {text(found.value(file, name, key))}"
            for key in one
            if isinstance(one[key], float) and key not in ("real_time", "cpu_time")
        ]
        shown = name if file != "small_pages" else f"{name}, small pages"
        times = [f"{text(found.value(file, name, key))} ns" for key in ("real_time", "cpu_time")]
        lines.append(f"| {shown} | {one['threads']} | {' | '.join(times)} | {', '.join(counters)} |")
    lines += [f"| {name} | | not measured: {error} | | |" for name, error in found.errors.items()]
    return lines


def table(found: Results, whole: dict[str, Any]) -> str:
    rows = [*verify_ratios(found, whole), *peer_ratios(found, whole)]
    rows += [*write_ratios(found, whole), *size_rows(whole)]
    lines = [
        f"Machine: {whole['machine']}. Commit: {whole['commit']}. Stores: "
        + ", ".join(f"{size:,}" for size in found.sizes)
        + f" tokens. fdatasync {text(whole['fdatasync_us'])} µs. One thread unless said; medians.",
        "",
        f"| ratio or figure, at {found.main_size:,} tokens unless said | measured | goal | met |",
        "|---|---|---|---|",
    ]
    for row in rows:
        goal = "" if row[2] is None else f"{'≥' if row[3] else '≤'} {row[2]:g}"
        lines.append(f"| {row[0]} | {text(rounded(row[1]))} | {goal} | {verdict(row)} |")
    pages = [
        f"{key} {value}"
        for key, value in found.context.get("verify", {}).items()
        if "PmdMapped" in key or key.startswith("locked") or "_kib" in key
    ]
    lines += ["", "Memory while verify was measured: " + "; ".join(pages) + ".", ""]
    return "\n".join([*lines, *every_figure(found), ""])
