#!/usr/bin/env python3
"""Checks result files of gsa-bench-cpu.

  check_results.py FILE...        checks files
  check_results.py --run TOOL DIR runs TOOL --quick into DIR and checks that

Every line must parse, hold every field, and hold finite numbers that fit each
other: a floor is never the work of an empty stage, a ratio is the quotient of
its two times, and nothing runs ten times faster than the machine can.
"""

import json
import math
import os
import subprocess
import sys

FIELDS = {
    "schema_version", "bench", "device", "commit", "date", "seed", "policy",
    "n", "shape", "workload", "ours_ms", "ours", "stages_ms", "dense_ms",
    "dense", "ratio", "J", "U32", "mean_k", "counts", "floors_ms", "bound",
    "percent_of_bound", "percent_of_bound_cpu", "rates"
}
DEVICE = {"cpu", "threads", "vector_bits", "target"}
RATES = {
    "fma", "fma_one_thread", "exp", "exp_loop", "exp_compiled", "sigmoid",
    "sigmoid_loop", "sigmoid_compiled", "sincos"
}
BENCHES = {
    "rates", "select", "gather_attention", "dense_attention", "rope", "gate",
    "projection", "core", "compile", "compile_from_disk", "layer"
}


def require(condition, message):
  if not condition:
    raise ValueError(message)


def positive(value, name):
  require(isinstance(value, (int, float)) and math.isfinite(value) and
          value > 0, f"{name}: expected a positive number, got {value!r}")


def check_rates(rates):
  require(RATES <= rates.keys(), f"rates lack {RATES - rates.keys()}")
  for name in RATES:
    positive(rates[name], name)
  for kind in ("read_bytes", "copy_bytes"):
    for level in ("l2", "l3", "memory"):
      positive(rates[kind][level], f"{kind} {level}")


def check_line(line):
  require(line.keys() == FIELDS,
          f"fields differ: {sorted(line.keys() ^ FIELDS)}")
  require(line["device"].keys() == DEVICE, "device: other fields than expected")
  if line["bench"] == "rates":
    return check_rates(line["rates"])
  positive(line["n"], "n")
  positive(line["ours_ms"], "ours_ms")
  ours = line["ours"]
  require(ours["min"] <= ours["median"] <= ours["max"],
          f"median outside its range: {ours}")
  if line["bench"] == "core":
    positive(line["dense_ms"], "dense_ms")
    positive(line["ratio"], "ratio")
    require(math.isclose(line["ratio"], line["dense_ms"] / line["ours_ms"]),
            "ratio is not dense_ms / ours_ms")
    require(0 < line["J"] <= 1, f"J: {line['J']}")
    require(1 <= line["U32"] <= 32, f"U32: {line['U32']}")
    require({"select", "sparse_attention"} <= line["stages_ms"].keys(),
            f"stages of the core: {line['stages_ms']}")
  if line["bench"] == "compile_from_disk":
    require(set(line["stages_ms"]) == {"parse", "from disk", "first run"},
            f"steps of a plan from disk: {line['stages_ms']}")
  if line["bench"].startswith("compile"):
    require(line["bound"] is None, "compiling has no bound")
  else:
    require(line["bound"] in line["floors_ms"], f"bound: {line['bound']}")
    floor = max(line["floors_ms"].values())
    require(line["floors_ms"][line["bound"]] == floor, "bound is not largest")
    positive(line["percent_of_bound"], "percent_of_bound")
    require(line["percent_of_bound"] < 1000,
            f"{line['bench']}: {line['percent_of_bound']} % of the bound")


def check_file(path):
  with open(path, encoding="utf-8") as file:
    lines = [json.loads(text) for text in file]
  for number, line in enumerate(lines, 1):
    try:
      check_line(line)
    except (ValueError, KeyError, TypeError) as error:
      raise ValueError(f"{path}:{number}: {error!r}") from error
  return lines


def run(tool, folder):
  path = os.path.join(folder, "bench-cpu-smoke.jsonl")
  subprocess.run([tool, "--quick", "--json", path], check=True)
  seen = {line["bench"] for line in check_file(path)}
  require(BENCHES <= seen, f"not measured: {sorted(BENCHES - seen)}")


def main(arguments):
  if len(arguments) == 3 and arguments[0] == "--run":
    run(*arguments[1:])
  elif arguments and not arguments[0].startswith("-"):
    for path in arguments:
      print(f"{path}: {len(check_file(path))} lines")
  else:
    print(__doc__, file=sys.stderr)
    return 2
  return 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
