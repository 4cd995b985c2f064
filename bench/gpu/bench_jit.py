#!/usr/bin/env python3
"""Measures how long it takes to make a plan on a GPU, apart from running it.

    python3 bench/gpu/bench_jit.py --library build/dev/lib/libgsa.so

NVRTC keeps its results in the driver's compute cache on disk, so a process is
cold only where that cache is off. Three records, each of medians over fresh
processes:

  driver_cache off   CUDA_CACHE_DISABLE=1: every kernel is compiled
  driver_cache on    a cache folder of its own (CUDA_CACHE_PATH), filled by a
                     process that does not count: disk-warm
  gpu_jit_own        the driver's cache off, and our own (cache_dir), filled by
                     a process that does not count: nothing is compiled, which
                     is checked

and in each process, after its first plan: one of 7/8 of the length, which has
the schedules of the first one and so its kernels (that none is compiled is
checked), one of twice the length, which may have others, and one of another head
size, which has. How many kernels each compiled is in the record. The layer core
(selection, sparse attention, gate) in bf16, 32 query heads, 8 key heads of 128.

With --kernels, a folder of the texts of the kernels

    python3 bench/gpu/modules.py 8192 > core.mlir
    gsa-run core.mlir --target=cuda --arch=sm_90a --stop-after=program \\
        --dump-dir FOLDER

each is compiled alone, in fresh processes without a cache, and NVRTC's own
clock tells its phases. That needs no GPU. Appends JSON lines to --json.
"""

import argparse
import csv
import ctypes
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TRANSLATE = os.path.join(HERE, "..", "..", "build", "dev", "bin",
                         "gsa-translate")
sys.path.insert(0, HERE)
import modules  # noqa: E402

# Names of NVRTC's phases in its own table, and ours.
PHASES = {"CUDA C++ Frontend": "front_end_ms", "NVVM Optimizer": "nvvm_ms",
          "PTX Translation": "ptxas_ms"}


def environment(cache):
    """The environment of a process; `cache` is the folder of the driver's
    cache, or None to switch it off."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith("CUDA_CACHE_")}
    if cache is None:
        result["CUDA_CACHE_DISABLE"] = "1"
    else:
        result["CUDA_CACHE_DISABLE"] = "0"
        result["CUDA_CACHE_PATH"] = cache
    return result


def fresh(arguments, cache):
    """What a fresh process of this file prints, as JSON."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__)] +
                          arguments, env=environment(cache), text=True,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def medians(runs):
    """Median of each number over dictionaries of the same keys."""
    return {key: statistics.median(run[key] for run in runs)
            for key in runs[0]}


#
# Plans
#


def plan_process(library_path, n, cache_dir):
    """In a fresh process: milliseconds of each way to a plan. `cache_dir` is
    our own cache, or None."""
    import torch  # Only here: the rest needs none.

    import bench_forward
    import gsa_capi
    case = bench_forward.inputs(n, "rho98", 0, torch.device("cuda", 0))
    torch.cuda.synchronize()  # The context exists, as in a serving process.
    marks = [time.perf_counter()]

    def lap():
        marks.append(time.perf_counter())
        return (marks[-1] - marks[-2]) * 1e3

    library = gsa_capi.Library(library_path)
    times = {"load": lap()}
    plan = library.compile(modules.sparse_core(n), target="cuda:0",
                           cache_dir=cache_dir)
    times["compile"] = times["load"] + lap()
    plan.run(case)
    torch.cuda.synchronize()
    times["first_result"] = times["compile"] + lap()
    compiled = {}
    for name, module in [("same_schedules", modules.sparse_core(n * 7 // 8)),
                         ("new_length", modules.sparse_core(2 * n)),
                         ("new_head", modules.sparse_core(n, dim=64))]:
        other = library.compile(module, target="cuda:0", cache_dir=cache_dir)
        times[name] = lap()
        compiled[name] = other.kernel_counts()["compiled"]
    print(json.dumps({"times": times, "kernels": plan.kernel_counts(),
                      "compiled": compiled,
                      "torch": torch.__version__,
                      "device": torch.cuda.get_device_name(0)}))


def plan_record(state, first, runs, n):
    """A record: `first` names its times to plan and first result ("cold",
    "disk_warm")."""
    times = medians([run["times"] for run in runs])
    compiles = [run["times"]["compile"] for run in runs]
    for run in runs:
        if run["compiled"]["same_schedules"]:
            raise RuntimeError(f"kernels of another length: {run['compiled']}, "
                               f"expected none of same_schedules")
    return {"bench": "gpu_jit", "driver_cache": state, "n": n,
            f"{first}_compile_ms": times["compile"],
            f"{first}_first_result_ms": times["first_result"],
            f"{first}_compile_range_ms": [min(compiles), max(compiles)],
            "load_library_ms": times["load"],
            "in_process_same_schedules_ms": times["same_schedules"],
            "in_process_new_length_ms": times["new_length"],
            "in_process_new_head_ms": times["new_head"],
            "kernels": runs[0]["kernels"],
            "in_process_compiled": runs[0]["compiled"], "runs": len(runs),
            "device": runs[0]["device"], "torch": runs[0]["torch"]}


def plan_records(library, n, runs):
    """The two records, without a commit."""
    child = ["--library", os.path.abspath(library), "--length", str(n),
             "--plan-process"]
    cold = [fresh(child, None) for _ in range(runs)]
    yield plan_record("off", "cold", cold, n)
    with tempfile.TemporaryDirectory(prefix="gsa-jit-") as cache:
        fresh(child, cache)
        warm = [fresh(child, cache) for _ in range(runs)]
    yield plan_record("on", "disk_warm", warm, n)
    with tempfile.TemporaryDirectory(prefix="gsa-jit-") as cache:
        child += ["--cache-dir", os.path.join(cache, "own")]
        fresh(child, None)
        own = [fresh(child, None) for _ in range(runs)]
    for run in own:
        if run["kernels"]["compiled"] or not run["kernels"]["from_disk"]:
            raise RuntimeError(f"kernels of a warm process: {run['kernels']}")
    yield {**plan_record("off", "own_warm", own, n), "bench": "gpu_jit_own"}


#
# Kernels
#


class Nvrtc:
    """The few calls of NVRTC that a compilation takes."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)

    def check(self, result, what):
        if result:
            self.lib.nvrtcGetErrorString.restype = ctypes.c_char_p
            raise RuntimeError(
                f"{what}: {self.lib.nvrtcGetErrorString(result).decode()}")

    def compile(self, name, text, headers, options):
        program = ctypes.c_void_p()
        names = (ctypes.c_char_p * len(headers))(*headers.keys())
        texts = (ctypes.c_char_p * len(headers))(*headers.values())
        self.check(self.lib.nvrtcCreateProgram(
            ctypes.byref(program), text, name.encode(), len(headers), texts,
            names), name)
        flags = [option.encode() for option in options]
        self.check(self.lib.nvrtcCompileProgram(
            program, len(flags), (ctypes.c_char_p * len(flags))(*flags)), name)


def read_headers(root):
    """Names and texts of the device headers, as bytes."""
    headers = {}
    for path in sorted(glob.glob(os.path.join(root, "**", "*.cuh"),
                                 recursive=True)):
        with open(path, "rb") as file:
            headers[os.path.relpath(path, root).encode()] = file.read()
    return headers


def parse_phases(lines):
    """Milliseconds by phase from NVRTC's table; unknown phases are errors."""
    rows = list(csv.reader(lines, skipinitialspace=True))[1:]
    phases = {PHASES[row[1]]: float(row[2]) for row in rows}
    if set(phases) != set(PHASES.values()):
        raise ValueError(f"phases of NVRTC: expected {list(PHASES)}, got "
                         f"{[row[1] for row in rows]}")
    phases["total_ms"] = sum(phases.values())
    return phases


def kernel_process(nvrtc, path, arch, translate):
    """In a fresh process: the phases of one kernel, as we compile it, with what
    it uses of the device headers."""
    with open(path, "rb") as file:
        text = file.read()
    with tempfile.TemporaryDirectory(prefix="gsa-jit-") as folder:
        table = os.path.join(folder, "time.csv")
        subprocess.run([translate, f"--dump-device-headers={folder}",
                        f"--used-by={path}"], check=True)
        Nvrtc(nvrtc).compile(
            os.path.basename(path), text,
            read_headers(os.path.join(folder, "include")),
            [f"--gpu-architecture={arch}", "--std=c++20", "--minimal",
             "--ptxas-options=-v", f"--time={table}"])
        with open(table) as file:
            print(json.dumps(parse_phases(file)))


def kernel_records(folder, nvrtc, arch, translate, runs):
    """A record for each kernel's text in a folder, without a commit."""
    paths = sorted(glob.glob(os.path.join(folder, "*kernel-*.cu")))
    if not paths:
        raise FileNotFoundError(f"{folder}: no kernel-*.cu; see --help")
    for path in paths:
        child = ["--nvrtc", nvrtc, "--arch", arch, "--translate", translate,
                 "--kernel-process", path]
        phases = medians([fresh(child, None) for _ in range(runs)])
        name = re.search(r"kernel-(\w+)\.cu$", path).group(1)
        yield {"bench": "gpu_jit_kernel", "driver_cache": "off",
               "kernel": name, "arch": arch, **phases, "runs": runs}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", help="path of libgsa.so")
    parser.add_argument("--length", type=int, default=8192)
    parser.add_argument("--runs", type=int, default=5,
                        help="fresh processes per record")
    parser.add_argument("--kernels", metavar="FOLDER",
                        help="texts of kernels to time one by one")
    parser.add_argument("--nvrtc", default="libnvrtc.so.13")
    parser.add_argument("--arch", default="sm_90a")
    parser.add_argument("--translate", default=TRANSLATE,
                        help="path of gsa-translate, which knows the headers")
    parser.add_argument("--json", help="file to append JSON lines to")
    parser.add_argument("--plan-process", action="store_true",
                        help=argparse.SUPPRESS)
    parser.add_argument("--cache-dir", help=argparse.SUPPRESS)
    parser.add_argument("--kernel-process", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plan_process:
        return plan_process(arguments.library, arguments.length,
                            arguments.cache_dir)
    if arguments.kernel_process:
        return kernel_process(arguments.nvrtc, arguments.kernel_process,
                              arguments.arch, arguments.translate)
    if not arguments.library and not arguments.kernels:
        parser.error("expected --library or --kernels")
    records = []
    if arguments.library:
        records += plan_records(arguments.library, arguments.length,
                                arguments.runs)
    if arguments.kernels:
        records += kernel_records(arguments.kernels, arguments.nvrtc,
                                  arguments.arch, arguments.translate,
                                  arguments.runs)
    for record in records:
        record["commit"] = modules.commit()
        print(json.dumps(record))
        if arguments.json:
            with open(arguments.json, "a") as file:
                file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
