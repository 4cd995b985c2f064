#!/usr/bin/env python3
"""Memory stays what it is over 10^5 runs, and over many plans.

    python3 test/gpu/endurance.py --library build/portable/lib/libgsa.so

Looks at the memory of this process on the host and at what is free on the device,
so nothing else may begin or end there meanwhile. With --target cpu fewer runs.
"""

import argparse
import gc
import os
import sys

from checks import Checks, add_arguments, device_of

import gsa_capi  # noqa: I001 (checks knows where it is)
import modules  # noqa: E402
import torch

import schedule_cases

# What an allocator may take in the meantime; a leak of 100 bytes a run is more.
HOST_LIMIT, DEVICE_LIMIT = 8 << 20, 2 << 20


class Memory:
    """Bytes of this process on the host, and taken on the device."""

    def __init__(self, device):
        self.device = device

    def read(self):
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as file:
            host = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if self.device.type != "cuda":
            return host, 0
        torch.cuda.synchronize(self.device)
        free, total = torch.cuda.mem_get_info(self.device)
        return host, total - free


def grew(before, after):
    return tuple(b - a for a, b in zip(before, after))


def expect_steady(checks, name, before, after):
    host, device = grew(before, after)
    return checks.expect(name, host < HOST_LIMIT and device < DEVICE_LIMIT,
                         f"host {host / 1024:+.0f} KiB, device "
                         f"{device / 1024:+.0f} KiB")


def bound_run(plan, inputs, outputs, workspace):
    """A function that enqueues a run with as little of Python as there is."""
    if inputs[0].device.type == "cuda":
        return plan.bind(inputs, outputs, workspace)
    return lambda: plan.run(inputs, outputs, workspace)


def runs(checks, library, target, text, inputs, count):
    device = device_of(target)
    memory, plan = Memory(device), library.compile(text, target=target)
    inputs = [x.to(device, copy=True) for x in inputs]
    outputs, workspace = plan.new_outputs(device), plan.new_workspace(device)
    run = bound_run(plan, inputs, outputs, workspace)
    # The first ones fill what is filled once.
    warm = count // 10
    for i in range(warm):
        run()
    before = memory.read()
    for i in range(count):
        run()
        if i % 1000 == 999 and device.type == "cuda":
            torch.cuda.synchronize(device)
    if expect_steady(checks, f"{count} runs", before, memory.read()):
        checks.figure("runs without growth of memory", count)


def plans(checks, library, target, text, inputs, count):
    """Plans that are made, run and dropped; then their kernels are known."""
    device = device_of(target)
    memory = Memory(device)
    inputs = [x.to(device, copy=True) for x in inputs]

    def make():
        plan = library.compile(text, target=target)
        plan.run(inputs)

    for _ in range(count // 4):
        make()
    before = memory.read()
    for _ in range(count):
        make()
    if expect_steady(checks, f"{count} plans", before, memory.read()):
        checks.figure("plans without growth of memory", count)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--plans", type=int, default=120)
    arguments = parser.parse_args()
    small = not arguments.target.startswith("cuda")
    keys = 128 if small else 8192
    text = modules.decode(keys, 3, slots=64 if small else 512)
    inputs = schedule_cases.decode_inputs(keys, 3)
    checks, library = Checks(), gsa_capi.Library(arguments.library)
    runs(checks, library, arguments.target, text, inputs, arguments.runs)
    plans(checks, library, arguments.target, text, inputs, arguments.plans)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
