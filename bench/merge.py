# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""From the benchmarks' JSON: summary.json, for programs, and a table, for people.

Every figure is the median of the repetitions. Times of what runs in one thread alone are that
thread's processor time, so that other work on the machine disturbs less; where somebody is waited
for (servers, disk, other threads) it is the time that passed.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

PEERS = [
    "hs256_floor",
    "libjwt_hs256",
    "libmacaroons",
    "redis_unix",
    "postgres_unix",
    "sqlite",
    "pbkdf2_10k",
]
SERVERS = ["redis_unix", "postgres_unix"]
PARTS = ["decode", "selector_aes", "miss", "sha256", "cmac", "compare", "clock"]
FILES = ["verify", "small_pages", "latency", "write", "open"]
BINDINGS = ["c_abi_overhead_ns", "go_overhead_ns", "python_overhead_ns", "python_many_ratio"]


def rounded(value: float | None) -> float | None:
    """Four digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def in_us(ns: float | None) -> float | None:
    return None if ns is None else rounded(ns / 1000)


def ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else rounded(one / other)


class Results:
    def __init__(self, out: Path, machine: str, commit: str, bindings: Path | None) -> None:
        self.machine, self.commit = machine, commit
        self.runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.context: dict[str, dict[str, str]] = {}
        self.errors: dict[str, str] = {}
        self.sizes: list[int] = []
        for name in FILES:
            if (out / f"{name}.json").exists():
                self._read(name, json.loads((out / f"{name}.json").read_text()))
        if not self.sizes:
            raise SystemExit(f"merge: no verify was measured in {out}")
        self.bindings: dict[str, float] = {}
        if bindings is not None and bindings.exists():
            for line in bindings.read_text().splitlines():
                if line.startswith("{"):
                    self.bindings.update(json.loads(line))

    def _read(self, file: str, found: dict[str, Any]) -> None:
        self.context[file] = found["context"]
        for run in found["benchmarks"]:
            # "verify/10000/real_time/threads:2", "issue/10000/iterations:200"
            name = re.sub(r"/(real_time|manual_time|[a-z]+:[0-9]+)\b", "", run["run_name"])
            if run.get("error_occurred"):
                self.errors[name] = run.get("error_message", "")
            elif run["run_type"] == "iteration":
                self.runs.setdefault((file, name), []).append(run)
        self.sizes = sorted(
            {int(name.split("/")[1]) for file, name in self.runs if name.startswith("verify/")}
        )

    def value(self, file: str, name: str, key: str) -> float | None:
        runs = self.runs.get((file, name))
        return rounded(statistics.median(run[key] for run in runs)) if runs else None

    def cpu(self, name: str, file: str = "verify") -> float | None:
        return self.value(file, name, "cpu_time")

    def wall(self, name: str, file: str = "verify") -> float | None:
        return self.value(file, name, "real_time")

    def wall_us(self, name: str, file: str = "write") -> float | None:
        return in_us(self.wall(name, file))

    def peer(self, peer: str, size: int) -> float | None:
        name = f"peer/{peer}/{size}"
        return self.wall(name) if peer in SERVERS else self.cpu(name)

    @property
    def main_size(self) -> int:
        """The size that most is measured at: a million, or the second of those tried."""
        return self.sizes[min(1, len(self.sizes) - 1)]

    def curves(self) -> dict[str, dict[int, float]]:
        """Nanoseconds by number of tokens: libpat, the limits and the peers."""
        found: dict[str, dict[int, float | None]] = {
            "libpat": {size: self.cpu(f"verify/{size}") for size in self.sizes},
            "flat limit": {size: self.cpu(f"limit/{size}") for size in self.sizes},
            "physical limit": {size: self.cpu(f"physical/{size}") for size in self.sizes},
        }
        for peer in PEERS:
            found[peer] = {size: self.peer(peer, size) for size in self.sizes}
        curves = {
            label: {size: ns for size, ns in curve.items() if ns is not None}
            for label, curve in found.items()
        }
        return {label: curve for label, curve in curves.items() if curve}


def of_size(found: Results, size: int) -> dict[str, float | None]:
    entry = {"verify_ns": found.cpu(f"verify/{size}")}
    for percentile in ("p99", "p999"):
        entry[f"verify_{percentile}_ns"] = found.value(
            "latency", f"latency/verify/idle/{size}", f"{percentile}_ns"
        )
    entry["limit_ns"] = found.cpu(f"limit/{size}")
    for percentile in ("p99", "p999"):
        entry[f"limit_{percentile}_ns"] = found.value(
            "latency", f"latency/limit/idle/{size}", f"{percentile}_ns"
        )
    entry["physical_ns"] = found.cpu(f"physical/{size}")
    return entry


def writes(found: Results) -> dict[str, Any]:
    main = found.main_size
    both = found.sizes[:2]

    def by_size(what: str, time: Callable[..., float | None] = found.wall) -> dict[str, float | None]:
        return {str(size): in_us(time(f"{what}/{size}", "write")) for size in both}

    speedups = []
    batches = []
    for change in ("issue", "deactivate"):
        one, many = (
            found.value("write", f"group/{change}/{callers}/{main}", "changes_per_second")
            for callers in (1, 64)
        )
        speedups.append(ratio(many, one))
        batches.append(
            found.value("write", f"group/{change}/64/{main}", "batches_per_commit")
        )
    # The worse of the two changes counts.
    worst = lambda values: None if None in values else min(values)  # noqa: E731
    return {
        "issue_pages": found.value("write", f"issue/{main}", "pages"),
        "deactivate_pages": found.value("write", f"deactivate/{main}", "pages"),
        "issue_us": found.wall_us(f"issue/{main}"),
        "deactivate_us": by_size("deactivate"),
        "lmdb_bare_commit_us": found.wall_us(f"lmdb_bare/{main}"),
        "lmdb_same_pages_commit_us": found.wall_us(f"lmdb_same_pages/{main}"),
        "group_commit_64_speedup": worst(speedups),
        "batches_per_commit": worst(batches),
        "list_page_us": by_size("list_page", found.cpu),
        "counts_us": by_size("counts", found.cpu),
        "evict_us": by_size("evict"),
    }


def under_writer(found: Results) -> dict[str, float | None]:
    main = found.main_size
    return {
        "under_writer_p999_ns": found.value("latency", f"latency/verify/writer/{main}", "p999_ns"),
        "limit_under_writer_p999_ns": found.value(
            "latency", f"latency/limit/writer/{main}", "p999_ns"
        ),
        "under_writer_ratio": ratio(
            found.cpu(f"under_writer/verify/{main}", "latency"),
            found.cpu(f"under_writer/limit/{main}", "latency"),
        ),
        "catchup_us_per_commit": found.value("latency", f"catchup/{main}", "us_per_commit"),
    }


def summary(found: Results) -> dict[str, Any]:
    main = found.main_size
    parts = [found.cpu(f"part/{part}") for part in PARTS]
    whole: dict[str, Any] = {"machine": found.machine, "commit": found.commit}
    whole["fdatasync_us"] = found.wall_us("fdatasync")
    whole["tokens"] = {str(size): of_size(found, size) for size in found.sizes}
    whole["refused_forged_ns"] = found.cpu(f"refused/forged/{main}")
    whole["refused_wrong_secret_ns"] = found.cpu(f"refused/wrong_secret/{main}")
    whole["sha256_block_ns"] = found.cpu("part/sha256")
    whole["limit_parts_ns"] = None if None in parts else rounded(sum(p for p in parts if p))
    whole.update(under_writer(found))
    whole["two_threads_speedup"] = ratio(
        found.wall(f"verify/{main}"), found.wall(f"verify_2_threads/{main}")
    )
    whole["zipf_ns"] = found.cpu(f"verify_zipf/{main}")
    whole["peers_ns"] = {peer: found.peer(peer, main) for peer in PEERS}
    whole.update(writes(found))
    whole["open_ms"] = {}
    for size in found.sizes[1:] or found.sizes:
        ns = found.wall(f"open/{size}", "open")
        whole["open_ms"][str(size)] = None if ns is None else rounded(ns / 1e6)
    for size_figure in ("hot_bytes_per_token", "store_bytes_per_token", "private_rss_mib"):
        whole[size_figure] = found.value("open", f"open/{main}", size_figure)
    for binding in BINDINGS:
        whole[binding] = found.bindings.get(binding)
    whole["c_abi_overhead_ns"] = found.value("verify", f"c_abi/{found.sizes[0]}", "overhead_ns")
    return whole


def missing(whole: Any, path: str = "") -> list[str]:
    """The names of all that is null."""
    if whole is None:
        return [path]
    if not isinstance(whole, dict):
        return []
    return [
        name
        for key, value in whole.items()
        for name in missing(value, f"{path}.{key}" if path else key)
    ]
