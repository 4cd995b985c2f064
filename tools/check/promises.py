#!/usr/bin/env python3
"""Every promise of docs/determinism.md is held by a test that exists.

A cell of the table's last three columns is `no`, or names tests: `Suite.Test`, which
some source of test/unit defines, or the path of a file. A test that is skipped
unless the environment asks for it holds no promise.

Usage: promises.py <repository>
"""

import pathlib
import re
import sys

TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)\s*"
                  r"(\{(?:[^\n]*\}$|.*?^\}))", re.M | re.S)
FUNCTION = re.compile(r"^( *)(?:[\w:<>&*]+ )+(\w+)\([^;{}]*\)(?: const)? \{\n"
                      r"(.*?)^\1\}", re.M | re.S)


def asks(body):
    """Whether a function's body skips what the environment does not ask for."""
    return "getenv(" in body and "GTEST_SKIP(" in body


def read_tests(root):
    """{test: whether it, or a function of its file that it calls, asks}."""
    tests = {}
    for path in root.glob("test/unit/**/*.cc"):
        text = path.read_text()
        asking = {name for _, name, body in FUNCTION.findall(text) if asks(body)}
        for suite, test, body in TEST.findall(text):
            tests[f"{suite}.{test}"] = asks(body) or not asking.isdisjoint(
                re.findall(r"(\w+)\(", body))
    return tests


def check_cell(cell, tests, root):
    """What is wrong with a cell, in words."""
    names = re.findall(r"`([^`]*)`", cell)
    if not names:
        if not re.fullmatch(r"no( \(\d+\))?", cell.strip()):
            yield f"expected a test, or 'no', got '{cell.strip()}'"
    for name in names:
        if "/" in name:
            if not (root / name).is_file():
                yield f"no file '{name}'"
        elif name not in tests:
            yield f"no test '{name}'"
        elif tests[name]:
            yield f"'{name}' runs only where the environment asks for it"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    text = (root / "docs/determinism.md").read_text()
    tests, errors, promises = read_tests(root), [], 0
    rows = [line.strip().strip("|").split("|")
            for line in text.splitlines() if line.startswith("|")]
    for row in rows[2:]:
        where = " ".join(part.strip() for part in row[:2])
        if len(row) != len(rows[0]):
            errors.append(f"{where}: expected {len(rows[0])} columns, got {len(row)}")
            continue
        for column, cell in zip(rows[0][2:], row[2:]):
            promises += "`" in cell
            errors += [f"{where}, {column.strip()}: {error}"
                       for error in check_cell(cell, tests, root)]
    if not promises:
        errors.append("no promises found in docs/determinism.md")
    for number in set(re.findall(r"\((\d+)\)", "".join(map("".join, rows)))):
        if not re.search(rf"^{number}\. ", text, re.M):
            errors.append(f"no note ({number})")
    for error in errors:
        print(f"promises: {error}", file=sys.stderr)
    if not errors:
        print(f"promises: {promises} are held by tests")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
