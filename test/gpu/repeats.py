#!/usr/bin/env python3
"""The same bits in 1000 launches of each schedule, beside other work on a device.

    python3 test/gpu/repeats.py --library build/portable/lib/libgsa.so

Before each launch outputs and the workspace are filled with another byte. Beside
it products and copies of changing sizes run on another stream: they take
multiprocessors and the memory's time from it, so that blocks come and go in
another order each time. With --target cpu few launches of small modules.
"""

import argparse
import concurrent.futures
import sys

from checks import Checks, add_arguments, device_of

import gsa_capi  # noqa: I001 (checks knows where it is)
import torch

import schedule_cases


class Load:
    """Work on a stream of its own; none on a CPU."""

    def __init__(self, device):
        self.device, self.count = device, 0
        if device.type != "cuda":
            return
        self.stream = torch.cuda.Stream(device)
        self.factors = [torch.randn(n, n, device=device, dtype=torch.bfloat16)
                        for n in (512, 1024, 2048, 3072)]
        self.bytes = torch.empty(1 << 28, dtype=torch.uint8, device=device)

    def enqueue(self):
        if self.device.type != "cuda":
            return
        with torch.cuda.stream(self.stream):
            factor = self.factors[self.count * 7 % len(self.factors)]
            torch.mm(factor, factor)
            if self.count % 3 == 0:
                half = (self.count * 4097) % (1 << 27) + 1
                self.bytes[:half].copy_(self.bytes[-half:])
        self.count += 1


def repeat(plan, case, device, launches):
    """How many launches differ from the first."""
    # Copied: memory of numpy has another alignment than the library wants.
    inputs = [x.to(device, copy=True) for x in case.inputs]
    outputs, workspace = plan.new_outputs(device), plan.new_workspace(device)
    raw = [x.view(torch.uint8) for x in outputs]
    plan.run(inputs, outputs, workspace)
    first = [raw[i].clone() for i in case.ordered]
    differing = torch.zeros((), dtype=torch.int64, device=device)
    load = Load(device)
    for i in range(launches):
        for output in raw:
            output.fill_(17 * i % 256)
        workspace.fill_(255 - 17 * i % 256)
        load.enqueue()
        plan.run(inputs, outputs, workspace)
        same = [(raw[j] == f).all() for j, f in zip(case.ordered, first)]
        differing += ~torch.stack(same).all()
        if i % 50 == 49 and device.type == "cuda":
            torch.cuda.synchronize(device)  # Bounds what waits.
    return differing.item()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--launches", type=int, default=1000)
    arguments = parser.parse_args()
    checks, device = Checks(), device_of(arguments.target)
    library = gsa_capi.Library(arguments.library)
    cases = schedule_cases.cases_for(arguments.target)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        plans = [pool.submit(library.compile, case.text, arguments.target)
                 for case in cases]
    for case, plan in zip(cases, plans):
        try:
            differing = repeat(plan.result(), case, device, arguments.launches)
        except gsa_capi.GsaError as error:
            checks.expect(case.name, False, str(error).split("\n", 1)[0])
            continue
        if checks.expect(case.name, differing == 0,
                         f"{differing} of {arguments.launches} launches differ"):
            checks.figure("kernels' schedules under load", 1)
            checks.figure("least launches with equal bits under load",
                          arguments.launches)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
