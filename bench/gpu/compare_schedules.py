#!/usr/bin/env python3
"""Whether schedules are as fast as a record says, and give the same bits.

    python3 bench/gpu/compare_schedules.py --library build/portable/lib/libgsa.so \\
        --record bench/results/gpu.jsonl

Times again each schedule that bench_schedules.py has recorded, and prints for each:
old time, new time, their ratio, whether the bits are equal, and what that makes of
it: up to 2 % more is the same. A device is never twice as warm, so a record of
another day alone may miss that. With --old, a library of the commit to compare
with, both run in turns in this process; then the times are compared with its, and
the bits as well, also where the record has none. The exit status is 1 if a schedule
is slower, gives other bits or is not legal any more.
"""

import argparse
import concurrent.futures
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

LIMIT = 1.02
ROUNDS = 7


def read_rows(path, only=""):
    """The last record of each stage and schedule that ran."""
    rows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["bench"] == "gpu_schedule" and row["ms"] and \
                    only in row["schedule"]:
                rows[row["stage"], row["schedule"]] = row
    return list(rows.values())


def judge(old_ms, new_ms, same_bits):
    """(verdict, whether it is a good one); `same_bits` is None where nobody
    knows."""
    words = []
    if new_ms > LIMIT * old_ms:
        words.append("SLOWER")
    elif old_ms > LIMIT * new_ms:
        words.append("faster")
    else:
        words.append("the same time")
    if same_bits is False:
        words.append("OTHER BITS")
    return ", ".join(words), not {"SLOWER", "OTHER BITS"} & set(words)


def schedules_of(row):
    """Arguments of modules.sparse_core."""
    if row["schedule"] == "chosen":
        return {}
    name = {"select": "select_schedule",
            "sparse_attention": "attention_schedule"}[row["stage"]]
    return {name: row["schedule"]}


def compile_all(libraries, rows):
    """Plans by library and row, compiled side by side; an error in its place."""
    import bench_schedules
    import gsa_capi

    def compile_one(library, row):
        try:
            return bench_schedules.compile_module(library, row["n"],
                                                  schedules_of(row))
        except gsa_capi.GsaError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [[pool.submit(compile_one, library, row) for row in rows]
                for library in libraries]
    return [[job.result() for job in of] for of in jobs]


def measure(plans, case, stage):
    """[(median milliseconds, hash)] of plans that take turns."""
    import bench_schedules
    stages = [bench_schedules.Stage(plan, case, stage) for plan in plans]
    for timed in stages:
        timed.time()  # Warms up.
    times = [[] for _ in stages]
    for _ in range(ROUNDS):
        for of, timed in zip(times, stages):
            of.append(timed.time())
    return [(statistics.median(of), timed.bits())
            for of, timed in zip(times, stages)]


def compare_row(row, plans, case):
    """(old ms, new ms, same bits or None); `plans` are of the new library and, if
    there is one, of the old."""
    (new_ms, bits), *old = measure(plans, case, row["stage"])
    if old:
        return old[0][0], new_ms, old[0][1] == bits, bits
    known = row.get("bits")
    return row["ms"], new_ms, None if known is None else known == bits, bits


def print_row(row, old_ms, new_ms, same, verdict):
    bits = {True: "yes", False: "no", None: "no record"}[same]
    print(f"{old_ms:9.3f} {new_ms:9.3f} {new_ms / old_ms:6.3f}  {bits:<10}"
          f"{verdict:<26} {row['stage']} {row['schedule']}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--record", required=True, help="JSON lines")
    parser.add_argument("--old", help="libgsa.so to compare with")
    parser.add_argument("--only", default="", help="schedules with this text")
    parser.add_argument("--json", help="file to append new records to")
    arguments = parser.parse_args()
    import bench_forward
    import gsa_capi
    import modules
    import torch
    rows = read_rows(arguments.record, arguments.only)
    libraries = [gsa_capi.Library(path) for path in
                 (arguments.library, arguments.old) if path]
    plans = list(zip(*compile_all(libraries, rows)))
    device, cases, bad, slowest = torch.device("cuda", 0), {}, 0, 0.0
    print("   old ms    new ms  ratio  equal bits verdict")
    for row, of in zip(rows, plans):
        refused = [plan for plan in of if isinstance(plan, gsa_capi.GsaError)]
        if refused:
            bad += 1
            print(f"NOT LEGAL  {row['stage']} {row['schedule']}: "
                  + str(refused[0]).split("\n", 1)[0])
            continue
        inputs = (row["n"], row["workload"], row["seed"])
        if inputs not in cases:
            cases = {inputs: bench_forward.inputs(*inputs, device)}
        old_ms, new_ms, same, bits = compare_row(row, of, cases[inputs])
        verdict, good = judge(old_ms, new_ms, same)
        bad += not good
        slowest = max(slowest, new_ms / old_ms)
        print_row(row, old_ms, new_ms, same, verdict)
        if arguments.json:
            record = {**row, "bench": "gpu_schedule_again", "ms": new_ms,
                      "ratio": new_ms / old_ms, "old_ms": old_ms, "bits": bits,
                      "equal_bits": same, "old_commit": row["commit"],
                      "device": torch.cuda.get_device_name(0),
                      "commit": modules.commit(), "torch": torch.__version__}
            with open(arguments.json, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
    print(f"{len(rows)} schedules, {bad} not as they were; the largest ratio is "
          f"{slowest:.3f}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
