# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""bench/suite.py --merge-only on what a run of small stores wrote (recorded/)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fields

HERE = Path(__file__).resolve().parent
SUITE = HERE.parent.parent / "bench" / "suite.py"
SIZES = ["500", "1000"]


class Merge(unittest.TestCase):
    def setUp(self) -> None:
        self.out = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.out)
        for recorded in (HERE / "recorded").glob("*.json"):
            shutil.copy(recorded, self.out)

    def merge(self, *flags: str) -> tuple[int, dict[str, Any], str]:
        (self.out / "summary.json").unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, str(SUITE), str(self.out), str(self.out), "--merge-only", *flags],
            capture_output=True,
            text=True,
        )
        summary = json.loads((self.out / "summary.json").read_text())
        return done.returncode, summary, done.stderr

    def drop(self, file: str, pattern: str) -> None:
        """Takes the runs with such a name out of a program's JSON."""
        path = self.out / f"{file}.json"
        found = json.loads(path.read_text())
        kept = [run for run in found["benchmarks"] if not re.search(pattern, run["run_name"])]
        self.assertLess(len(kept), len(found["benchmarks"]), "nothing to drop")
        found["benchmarks"] = kept
        path.write_text(json.dumps(found))

    def write_bindings(self) -> str:
        path = self.out / "bindings"
        path.write_text(
            'a line of another kind\n{"go_overhead_ns": 61.5, "go_verify_ns": 1}\n'
            '{"python_overhead_ns": 103, "python_many_ratio": 1.2}\n'
        )
        return str(path)

    def test_every_field_is_there(self) -> None:
        code, summary, _ = self.merge("--bindings", self.write_bindings(), "--full")
        self.assertEqual(fields.faults(summary, SIZES, may_be_null=set()), [])
        self.assertEqual(code, 0)
        self.assertEqual(summary["go_overhead_ns"], 61.5)
        self.assertEqual(summary["python_many_ratio"], 1.2)

    def test_figures_are_medians_of_the_repetitions(self) -> None:
        _, summary, _ = self.merge()
        runs = json.loads((self.out / "verify.json").read_text())["benchmarks"]
        times = sorted(r["cpu_time"] for r in runs if r["run_name"] == "limit/1000/real_time")
        self.assertEqual(len(times), 3)
        self.assertAlmostEqual(
            summary["tokens"]["1000"]["limit_ns"], times[1], delta=times[1] / 1000
        )

    def test_a_missing_peer_is_null_and_an_error_only_if_all_were_asked_for(self) -> None:
        self.drop("verify", "^peer/redis_unix/")
        bindings = self.write_bindings()
        code, summary, _ = self.merge("--bindings", bindings)
        self.assertIsNone(summary["peers_ns"]["redis_unix"])
        self.assertEqual(fields.faults(summary, SIZES, {"peers_ns.redis_unix"}), [])
        self.assertEqual(code, 0)
        code, summary, said = self.merge("--bindings", bindings, "--full")
        self.assertEqual(code, 1)
        self.assertIn("peers_ns.redis_unix", said)

    def test_a_peer_that_failed_is_missing_too(self) -> None:
        path = self.out / "verify.json"
        found = json.loads(path.read_text())
        for run in found["benchmarks"]:
            if run["run_name"].startswith("peer/sqlite/"):
                run.update(error_occurred=True, error_message="not there")
        path.write_text(json.dumps(found))
        code, summary, _ = self.merge("--full")
        self.assertIsNone(summary["peers_ns"]["sqlite"])
        self.assertEqual(code, 1)

    def test_anything_else_that_is_missing_is_an_error(self) -> None:
        for file, pattern, name in (
            ("verify", "^limit/1000/", "tokens.1000.limit_ns"),
            ("latency", "^catchup/", "catchup_us_per_commit"),
            ("write", "^group/issue/64/", "group_commit_64_speedup"),
        ):
            with self.subTest(name):
                shutil.copy(HERE / "recorded" / f"{file}.json", self.out)
                self.drop(file, pattern)
                code, summary, said = self.merge()
                self.assertEqual(code, 1)
                self.assertIn(name, said)
                self.assertIn(f"{name} is null", fields.faults(summary, SIZES, fields.BINDINGS))
                shutil.copy(HERE / "recorded" / f"{file}.json", self.out)

    def test_table_and_plot_show_the_figures(self) -> None:
        plot = self.out / "plot.svg"
        _, summary, _ = self.merge("--plot", str(plot))
        table = (self.out / "table.md").read_text()
        verify, limit = (summary["tokens"]["1000"][name] for name in ("verify_ns", "limit_ns"))
        self.assertIn(f"| verify / limit, 1,000 tokens | {verify / limit:.4g} | ≤ 1.15 |", table)
        self.assertIn(summary["machine"], table)
        drawing = ElementTree.parse(plot).getroot()
        words = "\n".join(drawing.itertext())
        for label in ("libpat", "flat limit", "hs256 floor", "redis unix", "tokens in the store"):
            self.assertIn(label, words)


if __name__ == "__main__":
    unittest.main()
