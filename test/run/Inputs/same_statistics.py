"""Do two reports of gsa-run hold the same statistics, up to rounding?"""

import json
import sys


def flat(value, path=""):
    """Every number and string below `value`, by path."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from flat(entry, f"{path}/{key}")
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from flat(entry, f"{path}/{i}")
    else:
        yield path, value


def main(first, second):
    reports = []
    for path in (first, second):
        with open(path, encoding="utf-8") as file:
            reports.append(dict(flat(json.load(file)["statistics"])))
    a, b = reports
    if a.keys() != b.keys():
        sys.exit(f"only in one report: {sorted(a.keys() ^ b.keys())}")
    kinds = [value for path, value in a.items() if path.endswith("/kind")]
    if kinds != ["selection", "gate", "gate"]:
        sys.exit(f"kinds are {kinds}")
    for path, value in a.items():
        other = b[path]
        same = (value == other if isinstance(value, (str, int))
                else abs(value - other) <= 1e-4)
        if not same:
            sys.exit(f"{path}: {value} and {other}")


main(*sys.argv[1:])
