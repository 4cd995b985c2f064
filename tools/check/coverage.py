#!/usr/bin/env python3
"""Which share of each folder's lines the tests run.

Reads what `llvm-cov export --summary-only` prints, and fails where a folder that must
have it has less than the least share. `./dev coverage` makes and passes the file.

Usage: coverage.py <coverage.json> [--root R] [--least 85]
"""

import argparse
import collections
import json
import os
import sys

MUST = ("dialect", "passes", "codegen", "runtime")
ALSO = ("tools", "bench")


def read_lines(text, root):
    """{folder: [(file, lines, lines that run), ...]} of the repository's sources."""
    folders = collections.defaultdict(list)
    for data in json.loads(text)["data"]:
        for file in data["files"]:
            path = os.path.relpath(file["filename"], root)
            folder = path.split(os.sep)[0]
            lines = file["summary"]["lines"]
            if folder in MUST + ALSO and lines["count"] > 0:
                folders[folder].append((path, lines["count"], lines["covered"]))
    return folders


def share(files):
    return (100.0 * sum(covered for _, _, covered in files) /
            sum(count for _, count, _ in files))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("export")
    parser.add_argument("--root", default=".")
    parser.add_argument("--least", type=float, default=85.0)
    arguments = parser.parse_args()
    with open(arguments.export) as file:
        folders = read_lines(file.read(), os.path.abspath(arguments.root))
    failed = False
    for folder in MUST + ALSO:
        files = folders.get(folder, [])
        if not files:
            if folder in MUST:
                print(f"{folder}: no lines")
                failed = True
            continue
        percent = share(files)
        low = folder in MUST and percent < arguments.least
        failed |= low
        print(f"{folder:8} {percent:5.1f} % of {sum(f[1] for f in files)} lines" +
              (f", expected {arguments.least:g} % or more" if low else ""))
        # Where most is left.
        for path, count, covered in sorted(files, key=lambda f: f[2] - f[1])[:5]:
            if covered < count:
                print(f"    {path}: {count - covered} of {count} lines do not run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
