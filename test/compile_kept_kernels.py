#!/usr/bin/env python3
"""Compiles every kernel that the lit suite emitted, with NVRTC.

    compile_kept_kernels.py <folder> --tools build/dev/bin [--seconds N]
                            [--all | --update]

The folder is that of keep_kernels.py. Kernels of an earlier phase go through
the passes that are left. Each is then compiled for the six architectures, or
for those that have its instructions, and must keep out of local memory. Prints
why one does not.

test/kept_kernels.json records what passed, by hashes of the text, the device
headers, the architecture and the version of NVRTC. Of those, one in SAMPLE is
compiled again, others with other kernels of the tree; --all compiles every one.
--update writes the record. --seconds bounds the time: no kernel is begun after it,
what is not recorded comes first, and how many were left out is said.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "check"))
import device_headers  # noqa: E402

RECORD = os.path.join(ROOT, "test", "kept_kernels.json")
HEADERS = os.path.join(ROOT, "codegen", "device", "include")
# One in so many of the recorded kernels is compiled all the same.
SAMPLE = 8

ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120"]
# Ops that only some of them have.
LIMITED = [
    (re.compile(rb"gsa_tile\.(wgmma|set_max_registers)"), ["sm_90a"]),
    (re.compile(rb"gsa_tile\.(tma_load|bulk_rows|reduce_rows|fence_async)"
                rb"|gsa_tile\.kernel .*\bcluster = "),
     ["sm_90a", "sm_100a", "sm_120"]),
]
# What is left to do after gsa-to-tile; each pass leaves a kernel alone that
# has been through it.
PASSES = ("builtin.module(gsa_tile.kernel(gsa-tile-pipeline,"
          "gsa-tile-assign-roles,gsa-tile-plan-smem),gsa-tile-finalize)")
# The same for sm_90a alone.
BUDGETS = "builtin.module(gsa_tile.kernel(gsa-tile-budget-registers))"
# What CTest takes for skipped, see test/CMakeLists.txt.
SKIPPED = 77
# Between modules that come from one file.
SEPARATOR = re.compile(rb"^// -----$", re.MULTILINE)
KERNEL = b"gsa_tile.kernel"


def run(command, text):
    return subprocess.run(command, input=text, capture_output=True,
                          check=False)


def archs_of(module):
    archs = ARCHITECTURES
    for op, limited in LIMITED:
        if op.search(module):
            archs = [arch for arch in archs if arch in limited]
    return archs


def transform(tools, pipeline, module):
    return run([os.path.join(tools, "gsa-opt"), "--allow-unregistered-dialect",
                f"--pass-pipeline={pipeline}", "-"], module)


def finish(tools, module):
    """The module after the remaining passes and its CUDA C++, or an error."""
    done = transform(tools, PASSES, module)
    if done.returncode:
        return None, done.stderr.decode(errors="replace")
    text = run([os.path.join(tools, "gsa-translate"), "--gsa-tile-to-cuda",
                "--allow-unregistered-dialect", "-"], done.stdout)
    if text.returncode:
        return None, text.stderr.decode(errors="replace")
    return (done.stdout, text.stdout), ""


def compile_for(tools, module, arch, deadline):
    """How many kernels, None if the time is up, and an error."""
    if deadline is not None and time.monotonic() > deadline:
        return None, ""
    if arch == "sm_90a":
        done = transform(tools, BUDGETS, module)
        if done.returncode:
            return 0, done.stderr.decode(errors="replace")
        module = done.stdout
    done = run([os.path.join(tools, "gsa-translate"), "--resource-usage",
                "--refuse-spills", "--allow-unregistered-dialect",
                f"--arch={arch}", "-"], module)
    kernels = done.stdout.count(b" registers=")
    return kernels, done.stderr.decode(errors="replace") \
        if done.returncode else ""


def read_record():
    try:
        with open(RECORD, encoding="utf-8") as file:
            return set(json.load(file))
    except FileNotFoundError:
        return set()


def write_record(keys):
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(sorted(keys), file, indent=0)
        file.write("\n")


def due(keys, record):
    """The keys that are not recorded, and a sample of the others, which follows
    from all keys."""
    turn = int(hashlib.sha256("".join(sorted(keys)).encode()).hexdigest(), 16)
    return {key for key in keys if key not in record
            or int(key, 16) % SAMPLE == turn % SAMPLE}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--tools", required=True)
    parser.add_argument("--seconds", type=float)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true")
    which.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    tools, folder = arguments.tools, arguments.folder
    names = sorted(n for n in os.listdir(folder) if n.endswith(".mlir")) \
        if os.path.isdir(folder) else []
    version = subprocess.run([os.path.join(tools, "gsa-translate"),
                              "--nvrtc-version"], capture_output=True,
                             check=False)
    if version.returncode:
        print("no NVRTC: nothing can be compiled")
        return SKIPPED
    if not names:
        print(f"no kernels in {folder}: the lit suite has not run")
        return 1
    common = version.stdout + device_headers.hash_headers(HEADERS).encode()
    common += (PASSES + BUDGETS).encode()

    deadline = arguments.seconds and time.monotonic() + arguments.seconds
    errors, compiled, left_out, texts = [], 0, 0, {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        modules = []
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                modules += [(name, part) for part in
                            SEPARATOR.split(file.read()) if KERNEL in part]
        finished = pool.map(lambda m: finish(tools, m[1]), modules)
        for (name, _), (result, error) in zip(modules, finished):
            if result is None:
                errors.append(f"{name}: {error.strip()}")
                continue
            # Comments say where a kernel is from.
            text = re.sub(rb"//[^\n]*", b"", result[1])
            texts.setdefault(text, (name, result[0]))
        jobs = {}
        for text, (name, module) in texts.items():
            for arch in archs_of(module):
                key = hashlib.sha256(common + arch.encode() + text)
                jobs[key.hexdigest()[:16]] = (name, module, arch)
        record = read_record()
        keys = sorted(jobs if arguments.all else due(jobs, record),
                      key=lambda key: (key in record, key))
        passed = set(jobs) & record
        for number, (key, (kernels, error)) in enumerate(zip(keys, pool.map(
                lambda key: compile_for(tools, *jobs[key][1:], deadline),
                keys))):
            if kernels is None:
                left_out += 1
                continue
            compiled += kernels
            passed.add(key)
            if error:
                passed.remove(key)
                name, _, arch = jobs[key]
                errors.append(f"{name}, {arch}: {error.strip()}")
            # Now, for a run that does not come to its end.
            if arguments.update and number % 100 == 99:
                write_record(passed)

    if arguments.update:
        write_record(passed)
    print(f"{len(modules)} modules with kernels, {len(texts)} of different "
          f"text; {compiled} kernels compiled, {len(jobs) - len(keys)} modules "
          f"recorded as compiled, {len(errors)} errors")
    if left_out:
        print(f"{left_out} modules were not compiled: {arguments.seconds:g} s are "
              f"over; without --seconds there is no limit")
    for error in errors:
        print(error)
    return 1 if errors or not compiled else 0


if __name__ == "__main__":
    sys.exit(main())
