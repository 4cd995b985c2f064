"""The figures that a run of all GPU tests reaches, by name.

A step reports numbers: `figures` of a test program's GSA_SUMMARY, and lines
`figure NAME NUMBER` of a script. Steps and processes add up; of "largest ..." the
largest counts, of "least ..." the least.
"""

import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

# What has to be reached, and the steps that it comes from; a name that ends in a
# dash stands for all steps that begin so.
FIGURES = [
    # 1. Correct.
    ("random cases", 5000, ["differential-"]),
    ("poisoned runs", 500, ["differential-"]),
    ("sizes at and beside capacities", 40, ["capacities"]),
    ("largest number of elements", 2**31, ["large"]),
    ("largest offset in bytes", 2**32, ["large"]),
    # 2. The same bits.
    ("least launches with equal bits under load", 1000, ["repeats"]),
    ("kernels' schedules under load", 12, ["repeats"]),
    ("sequences alone", 15, ["batches"]),
    ("sequences in another order", 15, ["batches"]),
    ("sequences beside padding", 10, ["batches"]),
    ("devices with equal bits", 2, ["devices"]),
    # 3. For long.
    ("runs without growth of memory", 10**5, ["endurance"]),
    ("plans without growth of memory", 100, ["endurance"]),
]
# Of a schedule of this family so many cases ran; and where they count.
SCHEDULE = "schedule "
SCHEDULED = ["differential-", "gradients"]


def combine(name, a, b):
    if name.startswith("largest "):
        return max(a, b)
    return min(a, b) if name.startswith("least ") else a + b


def add(total, figures):
    for name, value in figures.items():
        total[name] = combine(name, total[name], value) if name in total else value


def read_lines(output):
    """Figures of a script's output."""
    total = {}
    for name, value in re.findall(r"^figure (.+) (\d+)$", output, re.M):
        add(total, {name: int(value)})
    return total


def find_schedules():
    """The families of schedules of a GPU that the dialect has."""
    names = set()
    for path in glob.glob(os.path.join(ROOT, "dialect", "Gsa", "*.td")):
        with open(path, encoding="utf-8") as file:
            names.update(re.findall(r'Gsa_ScheduleAttr<"\w+", "(\w+)"',
                                    file.read()))
    return sorted(names)


def entries_of(steps, entries):
    return [entry for entry in entries
            if any(entry["step"] == step or
                   step.endswith("-") and entry["step"].startswith(step)
                   for step in steps)]


def summarise(entries):
    """[{"figure", "value", "at_least", "met"}] of what the entries of steps
    report. `met` is None where not all of a figure's steps ran to their end."""
    def total_of(steps):
        ran, total = entries_of(steps, entries), {}
        for entry in ran:
            add(total, entry.get("figures", {}))
        ended = all(entries_of([step], ran) for step in steps) and all(
            e["status"] in ("passed", "failed") for e in ran)
        return total, ended

    rows = []
    for name, least, steps in FIGURES:
        total, ended = total_of(steps)
        rows.append({"figure": name, "value": total.get(name), "at_least": least,
                     "met": total.get(name, 0) >= least if ended else None})
    total, ended = total_of(SCHEDULED)
    cases = {name: total.get(SCHEDULE + name, 0) for name in find_schedules()}
    reached = sum(1 for count in cases.values() if count)
    rows.append({"figure": "families of schedules", "value": reached,
                 "at_least": len(cases), "cases": cases,
                 "met": reached == len(cases) if ended else None})
    return rows


def describe(row):
    met = {True: "reached", False: "MISSED", None: "not run"}[row["met"]]
    return (f"{met:<8} {row['figure']}: {row['value'] or 0} of "
            f"{row['at_least']}")
