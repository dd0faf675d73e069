# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""suite.py BIN_DIR OUT_DIR: runs the benchmarks and merges what they say.

OUT_DIR gets each program's JSON, summary.json and table.md; --plot FILE also a drawing. What takes
long to make (stores of a million tokens) is kept in OUT_DIR for the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import merge
import plot
import servers
import table

SMALL, LARGE, HUGE = 10_000, 1_000_000, 10_000_000


def machine() -> str:
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"


def commit(tree: Path) -> str:
    git = ["git", "-C", str(tree)]
    found = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    if found.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True)
    return found.stdout.strip()[:12] + ("+" if changed.stdout.strip() else "")


class Suite:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.out: Path = options.out
        self.environment = dict(os.environ)
        self.environment["PAT_BENCH_DIR"] = str(self.out)
        self.environment["PAT_BENCH_SIZES"] = ",".join(str(size) for size in options.sizes)

    def run(self, program: str, name: str, *flags: str, **environment: str) -> None:
        """Runs one program; its JSON goes to NAME.json, what it prints to NAME.log."""
        servers.say(f"{program} {' '.join(flags)}".rstrip())
        result = self.out / f"{name}.json"
        result.unlink(missing_ok=True)
        command = [
            str(self.options.bin / program),
            f"--benchmark_out={result}",
            "--benchmark_out_format=json",
            f"--benchmark_repetitions={self.options.repetitions}",
            "--benchmark_enable_random_interleaving=true",
            f"--benchmark_min_time={self.options.min_time}",
            *flags,
        ]
        with open(self.out / f"{name}.log", "wb") as log:
            done = subprocess.run(
                command, stdout=log, stderr=log, env={**self.environment, **environment}
            )
        if done.returncode != 0:
            sys.stderr.write((self.out / f"{name}.log").read_text(errors="replace")[-4000:])
            raise SystemExit(f"suite: {program} failed ({done.returncode})")

    def run_all(self) -> None:
        with servers.all_servers() as found:
            self.run("verify_bench", "verify", **found)
        self.run("verify_bench", "small_pages", PAT_BENCH_SMALL_PAGES="1")
        self.run("latency_bench", "latency")
        self.run("write_bench", "write")
        self.run("open_bench", "open")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--full", action="store_true", help="also 10M tokens; all peers must be there")
    parser.add_argument("--sizes", help="other numbers of tokens, for trying the suite itself")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=0.4, help="seconds of a repetition")
    parser.add_argument("--bindings", type=Path, help="a file of JSON lines: what bindings add")
    parser.add_argument("--merge-only", action="store_true", help="merge what OUT_DIR has already")
    parser.add_argument("--plot", type=Path, help="where to draw verify time by number of tokens")
    options = parser.parse_args()
    options.sizes = (
        [int(size) for size in options.sizes.split(",")]
        if options.sizes
        else [SMALL, LARGE, *([HUGE] if options.full else [])]
    )
    return options


def verdict(summary: dict[str, Any], options: argparse.Namespace) -> int:
    """Says what is missing. A peer may be, unless all were asked for; so may what bindings add if
    nobody measured it."""
    missing = merge.missing(summary)
    if missing:
        servers.say("not measured: " + ", ".join(missing))
    allowed = [] if options.full else [f"peers_ns.{peer}" for peer in merge.PEERS]
    if options.bindings is None:
        allowed += merge.BINDINGS
    return 1 if set(missing) - set(allowed) else 0


def main() -> int:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.merge_only:
        Suite(options).run_all()
    tree = Path(__file__).resolve().parent.parent
    found = merge.Results(options.out, machine(), commit(tree), options.bindings)
    summary = merge.summary(found)
    (options.out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    (options.out / "table.md").write_text(table.table(found, summary))
    if options.plot:
        options.plot.write_text(plot.draw(found.curves()))
    print((options.out / "table.md").read_text())
    return verdict(summary, options)


if __name__ == "__main__":
    sys.exit(main())
