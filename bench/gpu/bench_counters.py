#!/usr/bin/env python3
"""Reads hardware counters of the kernels of one forward with Nsight Compute.

    python3 bench/gpu/bench_counters.py --library build/dev/lib/libgsa.so \\
        --output bench/results/gpu_counters.txt

How busy the units of an SM are, and in how many cycles of those that its warps
spend per instruction they wait for what; of a kernel that runs once for each
chunk of queries that of its last whole one. A warp that has nothing to do but wait
counts, too: with one such warp beside others, `long_scoreboard` has the whole
time between two instructions of a scheduler.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Kernels in the order in which a chunk launches them, and queries of a chunk.
GROUPS = [(["sample_scores", "row_bounds", "append_scores", "select_candidates"],
           8192),
          (["union_lists", "union_attention"], 21840)]
UNITS = {
    "time us": "gpu__time_duration.sum",
    "issue %": "smsp__issue_active.avg.pct_of_peak_sustained_active",
    "mufu %": "sm__inst_executed_pipe_xu.avg.pct_of_peak_sustained_active",
    "tensor %": "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
    "shared memory %":
        "l1tex__data_pipe_lsu_wavefronts.avg.pct_of_peak_sustained_elapsed",
    "l2 %": "lts__throughput.avg.pct_of_peak_sustained_elapsed",
    "dram %": "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "warps %": "sm__warps_active.avg.pct_of_peak_sustained_active",
    "registers": "launch__registers_per_thread",
}
SCALE = {"time us": 1e-3}  # ncu has ns.
STALLS = ["long_scoreboard", "short_scoreboard", "mio_throttle", "lg_throttle",
          "math_pipe_throttle", "barrier", "wait", "gmma", "dispatch_stall",
          "branch_resolving", "no_instruction", "not_selected", "selected"]
STALL = "smsp__average_warps_issue_stalled_{}_per_issue_active.ratio"
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import torch, bench_forward, gsa_capi, modules
library = gsa_capi.Library({library!r})
case = bench_forward.inputs({n}, {workload!r}, 0, torch.device("cuda", 0))
library.compile(modules.sparse_core({n}), target="cuda:0").run(case)
torch.cuda.synchronize()
"""


def counters(kernels, skip, script):
    """{kernel: {metric: value}} of one launch of each, behind `skip`."""
    metrics = [*UNITS.values(), *(STALL.format(stall) for stall in STALLS)]
    done = subprocess.run(
        ["ncu", "--clock-control", "none", "--csv",
         "-k", f"regex:^({'|'.join(kernels)})$", "--launch-skip", str(skip),
         "-c", str(len(kernels)), "--metrics", ",".join(metrics),
         sys.executable, "-c", script], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith('"ID"')),
                 None)
    if begin is None:
        sys.exit(f"ncu has no counters of {', '.join(kernels)}:\n"
                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found = {}
    for row in csv.DictReader(lines[begin:]):
        name = row["Kernel Name"].split("(")[0]
        found.setdefault(name, {})[row["Metric Name"]] = float(
            row["Metric Value"].replace(",", ""))
    return found


def text_of(name, values):
    units = ", ".join(f"{what} {values[metric] * SCALE.get(what, 1):.1f}"
                      for what, metric in UNITS.items() if metric in values)
    stalls = sorted(((values.get(STALL.format(stall), 0), stall)
                     for stall in STALLS), reverse=True)
    waits = ", ".join(f"{stall} {ratio:.2f}" for ratio, stall in stalls
                      if ratio >= 0.05)
    return f"{name}\n    {units}\n    cycles of warps an instruction: {waits}\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--length", type=int, default=65536,
                        help="long enough for one pass and unions")
    parser.add_argument("--workload", default="rho98")
    parser.add_argument("--output", help="file to write, beside printing")
    arguments = parser.parse_args()
    if shutil.which("ncu") is None:
        parser.error("no ncu in PATH")
    import modules
    import torch
    script = SCRIPT.format(here=HERE, n=arguments.length,
                           workload=arguments.workload,
                           library=os.path.abspath(arguments.library))
    text = (f"{torch.cuda.get_device_name(0)}, commit {modules.commit()}, "
            f"N = {arguments.length}, {arguments.workload}\n")
    for kernels, chunk in GROUPS:
        # The last whole one.
        chunks = max(arguments.length // chunk, 1)
        found = counters(kernels, len(kernels) * (chunks - 1), script)
        text += "".join(text_of(name, found[name]) for name in kernels
                        if name in found)
    print(text, end="")
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
