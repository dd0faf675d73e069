#!/usr/bin/env python3
"""coverage_check.py REPORT ROOT BUILD RULES: judges what `llvm-cov export` says (JSON).

Of the lines of the files that RULES (.ci/coverage_rules) calls `lines`, taken together, its share
must have run. In the files it calls `branches` every condition must have been true and false. Each
line or branch that is missing is named. An `except` names a source line, with a reason; one that
fits no missing line or branch is an error itself, so that none outlives its reason.

A line counts if the compiler put code into it. A branch counts once, however often its function is
compiled: what runs in any of its copies has run.
"""
import json
import os
import sys


def lines_of(segments):
    """{line: count}, as llvm-cov counts: the highest count of the regions that begin in a line, or
    else that of the region it lies in."""
    counts = {}
    by_line = {}
    for segment in segments:
        by_line.setdefault(segment[0], []).append(segment)
    if not by_line:
        return counts
    around = None
    for line in range(min(by_line), max(by_line) + 1):
        here = by_line.get(line, [])
        starts = [s for s in here if s[3] and s[4] and not s[5]]
        skipped = bool(here) and not here[0][3] and here[0][4]
        if not skipped and (starts or (around is not None and around[3])):
            found = [s[2] for s in starts]
            if around is not None and around[3]:
                found.append(around[2])
            counts[line] = max(found)
        if here:
            around = here[-1]
    return counts


def branches_of(branches):
    """{(line, column): [times true, times false]}"""
    counts = {}
    for branch in branches:
        seen = counts.setdefault((branch[0], branch[1]), [0, 0])
        seen[0] += branch[4]
        seen[1] += branch[5]
    return counts


class Rules:
    def __init__(self, path):
        self.share = None
        self.lines = []
        self.branches = []
        self.excepted = {}  # (file, text of the line): used
        with open(path, encoding="utf-8") as file:
            for row in file:
                word, _, rest = row.strip().partition(" ")
                if word == "lines":
                    share, *self.lines = rest.split()
                    self.share = float(share)
                elif word == "branches":
                    self.branches += rest.split()
                elif word == "except":
                    name, _, rest = rest.partition(": ")
                    text, _, reason = rest.rpartition(" # ")
                    if not reason:
                        sys.exit(f"{path}: an exception without a reason: {row.strip()}")
                    self.excepted[name, text.strip()] = False
                elif word and not word.startswith("#"):
                    sys.exit(f"{path}: not a rule: {row.strip()}")

    def excepts(self, name, text):
        if (name, text) not in self.excepted:
            return False
        self.excepted[name, text] = True
        return True


def judge(report, root, build, rules):
    complaints = []
    missing_lines = []
    total = ran = conditions = 0
    seen = set()
    for file in report["data"][0]["files"]:
        path = os.path.realpath(os.path.join(build, file["filename"]))
        name = os.path.relpath(path, root)
        if name.startswith("..") or os.path.relpath(path, build)[:2] != "..":
            continue  # not ours, or generated
        if not any(name.startswith(prefix) for prefix in rules.lines):
            continue
        seen.add(name)
        with open(path, encoding="utf-8") as source:
            text = [row.strip() for row in source]
        for line, count in sorted(lines_of(file["segments"]).items()):
            total += 1
            ran += count > 0
            if count == 0:
                if rules.excepts(name, text[line - 1]):
                    total -= 1
                else:
                    missing_lines.append(f"{name}:{line}: not run: {text[line - 1]}")
        if name not in rules.branches:
            continue
        for (line, column), (true, false) in sorted(branches_of(file["branches"]).items()):
            conditions += 1
            if (true and false) or rules.excepts(name, text[line - 1]):
                continue
            never = "true" if not true and false else "false" if true else "reached"
            complaints.append(f"{name}:{line}:{column}: never {never}: {text[line - 1]}")
    for name in rules.branches:
        if name not in seen:
            complaints.append(f"{name}: not in the report")
    for (name, text), used in rules.excepted.items():
        if not used:
            complaints.append(f"{name}: an exception that is not needed: {text}")
    share = 100.0 * ran / total if total else 0.0
    if rules.share is None or share < rules.share:
        complaints = missing_lines + complaints
        complaints.append(f"less than {rules.share} % of lines")
    return share, total, conditions, complaints


def main():
    report, root, build, rules_path = sys.argv[1:]
    with open(report, encoding="utf-8") as file:
        rules = Rules(rules_path)
        found = judge(json.load(file), os.path.realpath(root), os.path.realpath(build), rules)
    share, total, conditions, complaints = found
    for complaint in complaints:
        print(complaint)
    print(f"{share:.2f} % of {total} lines; {conditions} conditions in files of all branches")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
