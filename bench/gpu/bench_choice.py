#!/usr/bin/env python3
"""How far the schedule that the compiler chooses unasked is from the best found.

    python3 bench/gpu/bench_choice.py --build build/dev --json choice.jsonl

Shapes and workloads are drawn at random, always the same ones in the same order
for a seed: prefill and decode of the layer core, dense attention. For each op of
each of them the search of gsa-tune runs, and a JSON line is appended: times of the
choice and of the best. What --json holds already is not measured again, so a run
that ended goes on where it did. At the end the geometric mean of best over
choice is printed: 1 says that nothing is left to be found.
"""

import argparse
import math
import os
import random
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tools/gsa-tune"))
sys.path.insert(0, HERE)
import candidates  # noqa: E402
import gsa_tune  # noqa: E402
import modules  # noqa: E402
import records  # noqa: E402
import tuning  # noqa: E402
from workload_models import WORKLOADS  # noqa: E402

SEED = 11


def draw(seed):
    """The cases of a seed, without an end: {"kind", "workload", "shape"}, the
    latter arguments of modules.py."""
    generator = random.Random(seed)
    while True:
        kind = generator.choices(["prefill", "decode", "dense"],
                                 [5, 3, 2])[0]
        groups = generator.choice([1, 2, 4, 8])
        shape = {"groups": groups,
                 "heads": groups * generator.choice([1, 2, 4, 8]),
                 "dim": generator.choice([64, 128, 128, 192])}
        # Any length between powers of two, not those alone.
        length = int(2 ** generator.uniform(10, 16))
        if kind == "decode":
            shape |= {"keys": 2 * length, "queries": generator.choice([1, 1, 4]),
                      "batch": generator.choice([1, 2, 8, 32])}
        else:
            shape |= {"n": length}
        if kind != "dense":
            shape |= {"index_heads": generator.choice([2, 4, 8]),
                      "index_dim": generator.choice([64, 128]),
                      "slots": generator.choice([256, 512, 1024, 2048])}
        yield {"kind": kind, "workload": generator.choice(list(WORKLOADS)),
               "shape": shape}


def module_of(case):
    make = {"prefill": modules.sparse_core, "decode": modules.decode,
            "dense": modules.dense}[case["kind"]]
    return make(**case["shape"])


def read_done(path):
    """What --json holds: by the number of the case."""
    if not path or not os.path.exists(path):
        return {}
    done = {}
    for entry in records.read_log(path):
        if entry.get("bench") == "gpu_choice":
            done.setdefault((entry["seed"], entry["case"]), []).append(entry)
    return done


def measure(number, case, tuner):
    """The records of a case, one an op."""
    arguments, session = tuner.arguments, tuner.session
    arguments.workload = case["workload"]
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        module = module_of(case)
        file.write(module)
        file.flush()
        ops = candidates.explain(arguments.build, file.name, tuner.target)
        for op in ops:
            entry = {"bench": "gpu_choice", "seed": arguments.draw,
                     "case": number, "kind": case["kind"], "op": op["op"],
                     "class": op["class"], "workload": case["workload"],
                     "choice": op["schedule"], "best": op["schedule"],
                     "choice_us": None, "best_us": None, "ratio": None,
                     "error": None, "legal": len(op["legal"]),
                     "device": session.name, "commit": modules.commit(),
                     "with": session.version}
            try:
                result = tuner.tune(op, ops, module, file.name)
            except tuning.Unfit as error:
                entry["error"] = str(error)
            else:
                entry |= {"choice_us": result.default_us,
                          "best_us": result.best_us,
                          "best": result.best or op["schedule"],
                          "ratio": result.best_us / result.default_us,
                          "measured": len(result.times),
                          "unfit": len(result.unfit),
                          "ended_early": result.ended_early}
            yield entry


def summary(entries):
    """Of the records that were measured."""
    ratios = [entry["ratio"] for entry in entries if entry["ratio"]]
    if not ratios:
        return "nothing was measured"
    mean = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
    worst = min((e for e in entries if e["ratio"]), key=lambda e: e["ratio"])
    return (f"{len(ratios)} ops: best found / choice, geometric mean "
            f"{mean:.4f}, worst {worst['ratio']:.3f} ({worst['op']} of case "
            f"{worst['case']}), the choice is the best for "
            f"{sum(ratio == 1 for ratio in ratios)}; "
            f"{len(entries) - len(ratios)} without a measurement")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    gsa_tune.add_arguments(parser, "build/dev")
    parser.add_argument("--json", help="file for all times, a line an op")
    parser.add_argument("--draw", type=int, default=SEED,
                        help="seed of shapes and workloads")
    parser.add_argument("--cases", type=int, default=10 ** 6,
                        help="how many cases in all")
    parser.set_defaults(seconds=180.0, budget=6.0, most=12)
    arguments = parser.parse_args()
    arguments.log = None
    gsa_tune.complete(arguments)
    tuner = gsa_tune.Tuner(arguments, gsa_tune.open_session(arguments),
                           lambda done, text: None)
    done = read_done(arguments.json)
    entries = [entry for list_ in done.values() for entry in list_]
    for number, case in zip(range(arguments.cases), draw(arguments.draw)):
        if time.monotonic() > arguments.end:
            break
        if (arguments.draw, number) in done:
            continue
        # A case is written when all of it is there.
        measured = list(measure(number, case, tuner))
        for entry in measured:
            records.append(arguments.json, entry)
            print(f"case {number} {entry['kind']} {entry['op']}: " +
                  (entry["error"] or f"choice {entry['choice_us']:.1f} us, best "
                   f"{entry['best_us']:.1f} us, {entry['measured']} measured"),
                  flush=True)
        entries += measured
    print(summary(entries))


if __name__ == "__main__":
    main()
