#!/usr/bin/env python3
"""Reads hardware counters of the kernels of one forward with Nsight Compute.

    python3 bench/gpu/bench_counters.py --library build/dev/lib/libgsa.so \\
        --output bench/results/gpu_counters.txt

What a kernel waits for: throughput of the units, issue slots, warps. Of a
kernel that runs once for each chunk of queries the last launch is read. The
lines are those that ncu prints.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = ["gather_attention", "sample_scores", "row_bounds", "append_scores",
           "select_candidates"]
SECTIONS = ["SpeedOfLight", "Occupancy", "SchedulerStats"]
WANTED = re.compile(
    r"^    (Duration|DRAM Throughput|L2 Cache Throughput|"
    r"Compute \(SM\) Throughput|One or More Eligible|"
    r"Active Warps Per Scheduler|Block Limit Registers|Achieved Occupancy) ")
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import torch, bench_forward, gsa_capi, modules
library = gsa_capi.Library({library!r})
case = bench_forward.inputs({n}, "rho98", 0, torch.device("cuda", 0))
library.compile(modules.sparse_core({n}), target="cuda:0").run(case)
torch.cuda.synchronize()
"""


def counters(kernel, skip, script):
    command = ["ncu", "--clock-control", "none", "-k", f"regex:^{kernel}$",
               "--launch-skip", str(skip), "-c", "1"]
    for section in SECTIONS:
        command += ["--section", section]
    done = subprocess.run([*command, sys.executable, "-c", script],
                          capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if WANTED.match(line)]
    if not lines:
        sys.exit(f"ncu has no counters of {kernel}:\n{done.stdout[-2000:]}"
                 f"{done.stderr[-2000:]}")
    return lines


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--length", type=int, default=32768)
    parser.add_argument("--chunks", type=int, default=4,
                        help="of queries, at that length")
    parser.add_argument("--output", help="file to write, beside printing")
    arguments = parser.parse_args()
    if shutil.which("ncu") is None:
        parser.error("no ncu in PATH")
    import modules
    import torch
    script = SCRIPT.format(here=HERE, n=arguments.length,
                           library=os.path.abspath(arguments.library))
    text = (f"{torch.cuda.get_device_name(0)}, commit {modules.commit()}, "
            f"N = {arguments.length}\n")
    for kernel in KERNELS:
        skip = 0 if kernel == "gather_attention" else arguments.chunks - 1
        text += "\n".join([kernel, *counters(kernel, skip, script)]) + "\n"
    print(text, end="")
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
