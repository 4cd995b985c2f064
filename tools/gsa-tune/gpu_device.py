#!/usr/bin/env python3
"""Finds the fastest schedules of a module's ops on a GPU and records them.

    python3 bench/gpu/tune.py core.mlir --build build/dev --out tuned.jsonl
    python3 bench/gpu/tune.py core.mlir --build build/dev \\
        --check tuned.jsonl --out bench/tuned/sm_90a.jsonl

For each op with a schedule: of the legal schedules that gsa-explain lists the
ones that the model takes for the fastest are compiled in parallel processes,
those that use local memory or whose results differ from the default's are left
out, and the others take turns on the GPU, L2 scrubbed before each run, while
successive halving drops the slower half. Times are of the op alone. What is left
is measured once more beside the default schedule; only what is faster there is
recorded, as a line of a database that gsa-run --schedules and the library take.

--check measures the records of a file anew, with other inputs and in a process
of its own, and passes on those that are faster than the default there as well.

Index inputs are those of a workload of workloads.py where the module has the
names of modules.py. The shapes of the module are static.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import candidates  # noqa: E402
import modules  # noqa: E402
import tuning  # noqa: E402

# More than any L2 holds.
SCRUB_BYTES = 256 << 20
# Of the largest element: what another order of sums may change in 16 bits.
TOLERANCE = 2.0 ** -6
# Of the selected keys: equal scores but for the order of sums.
EQUAL_INDICES = 0.999
# Rows of selections that are compared at once.
ROWS = 8192
# A check has no rungs to save time in.
CHECK_ROUNDS = 21


def share_of_equal(torch, got, expected):
    """Of two tensors of integers: of lists [B, N, K] the share of elements that
    the other list has, of others that of equal elements."""
    if got.dim() < 3:
        return (got == expected).float().mean().item()
    got, expected = (t.reshape(-1, t.shape[-1]) for t in (got, expected))
    found = 0
    for begin in range(0, got.shape[0], ROWS):
        some = got[begin:begin + ROWS].contiguous()
        other = expected[begin:begin + ROWS].sort(-1)[0]
        at = torch.searchsorted(other, some).clamp(max=other.shape[-1] - 1)
        found += (other.gather(-1, at) == some).sum().item()
    return found / max(1, got.numel())


class Device:
    """The GPU as the search wants it. `zone` is the stage of the plan that
    counts; `follows_selection`: other selections, which are as good, change all
    other results."""

    def __init__(self, torch, library, arguments, module, kernels, zone,
                 follows_selection):
        self.torch, self.library, self.kernels = torch, library, kernels
        self.arguments, self.module, self.zone = arguments, module, zone
        self.follows_selection = follows_selection
        self.device = torch.device("cuda", 0)
        self.plans, self.runs, self.expected = {}, {}, None
        self.case = self.outputs = None
        self.workspace = torch.empty(256, dtype=torch.uint8, device=self.device)
        self.scrub = [torch.zeros(SCRUB_BYTES, dtype=torch.uint8,
                                  device=self.device) for _ in range(2)]

    def compile(self, candidate):
        path = self.kernels.wait(candidate)
        plan = self.library.compile(self.module, "cuda:0",
                                    cache_dir=self.arguments.cache_dir,
                                    schedules=path)
        if self.zone not in plan.stages:
            raise tuning.Unfit(f"its plan has no stage {self.zone}, only "
                               f"{', '.join(plan.stages)}")
        if self.case is None:
            self.case = inputs_of(self.torch, plan, self.arguments)
            self.outputs = plan.new_outputs(self.device)
        # All plans run in the same memory.
        if plan.workspace_bytes > self.workspace.numel():
            self.workspace = None
            self.workspace = plan.new_workspace(self.device)
        plan.run(self.case, self.outputs, self.workspace)
        self.torch.cuda.synchronize()
        if self.expected is None:
            self.expected = [output.clone() for output in self.outputs]
        for (name, _, _), got, expected in zip(plan.outputs, self.outputs,
                                               self.expected):
            self.compare(name, got, expected)
        self.plans[candidate] = plan

    def compare(self, name, got, expected):
        torch = self.torch
        if not got.dtype.is_floating_point:
            share = share_of_equal(torch, got, expected)
            if share < EQUAL_INDICES:
                raise tuning.Unfit(f"{name}: {share:.4f} of the elements are "
                                   "the default's")
            return
        if self.follows_selection:
            return
        finite = expected.isfinite()
        if not torch.equal(got.isfinite(), finite):
            raise tuning.Unfit(f"{name}: other elements are finite than the "
                               "default's")
        scale = expected.masked_fill(~finite, 0).abs().max().item() or 1.0
        error = (got - expected).masked_fill(~finite, 0).abs().max().item()
        error /= scale
        if error > TOLERANCE:
            raise tuning.Unfit(f"{name}: differs from the default's by {error}")

    def measure(self, turn):
        self.kernels.end()  # No compiler beside a measurement.
        result = {}
        for candidate in turn:
            if candidate not in self.runs:
                self.runs[candidate] = self.plans[candidate].bind(
                    self.case, self.outputs, self.workspace, stages=True)
            # While it copies, the host submits the run.
            self.scrub[0].copy_(self.scrub[1])
            result[candidate] = 1e3 * self.runs[candidate]()[self.zone]
        return result


def inputs_of(torch, plan, arguments):
    """The index inputs of the workload, where the module has them: of the last
    queries of a sequence as long as its keys, another one for each of a batch.
    Lengths are full; everything else is normal."""
    import workloads
    device = torch.device("cuda", 0)
    shapes = {name: shape for name, _, shape in plan.inputs}
    known = {}
    if {"iq", "ik", "iw"} <= shapes.keys():
        batch, keys, dim = shapes["ik"]
        queries, heads = shapes["iq"][1:3]
        parts = [workloads.index_inputs(arguments.workload, keys, heads, dim,
                                        arguments.seed + number, device)
                 for number in range(batch)]
        iq, ik, iw = (torch.stack(part) for part in zip(*parts))
        known = {"iq": iq[:, keys - queries:], "ik": ik,
                 "iw": iw[:, keys - queries:],
                 "lengths": torch.full((batch,), keys, device=device)}
    generator = torch.Generator(device=device).manual_seed(arguments.seed)
    return [(known[name] if name in known else
             torch.randn(shape, generator=generator, device=device)
             ).to(dtype).contiguous() for name, dtype, shape in plan.inputs]


def tune(op, ops, module, path, torch, library, arguments, log):
    """The tuning.Result of one op of `ops`, those of the module of that text and
    file. Unfit: the default cannot be measured."""
    tried = candidates.worth_trying(op, arguments.most)
    kernels = candidates.Kernels(arguments.build, path, arguments.arch,
                                 arguments.cache_dir, op, arguments.processes)
    try:
        kernels.begin(tried)
        device = Device(torch, library, arguments, module, kernels,
                        candidates.zone_of(op, ops), op["op"] == "gsa.select")
        return tuning.search(
            op["schedule"], tried, device, time.monotonic,
            tuning.Settings(budget_s=arguments.budget),
            lambda done, text: log(f"{100 * done:3.0f} % {op['op']} {text}"))
    finally:
        kernels.end()


def tuning_record(op, result, arguments, device, torch):
    """The line of --json."""
    predicted = {legal["schedule"]: legal["us"] for legal in op["legal"]}
    return {
        "bench": "gpu_tune", "class": op["class"], "device": device,
        "workload": arguments.workload, "seed": arguments.seed,
        "default": op["schedule"], "default_us": result.default_us,
        "best": result.best, "best_us": result.best_us,
        "ended_early": result.ended_early, "legal": len(op["legal"]),
        "candidates": [
            {"schedule": schedule, "us": us, "spread": result.spread[schedule],
             "predicted_us": predicted.get(schedule)}
            for schedule, us in sorted(result.times.items(),
                                       key=lambda item: item[1])],
        "unfit": result.unfit, "commit": modules.commit(),
        "torch": torch.__version__}


def append(path, line):
    if path:
        with open(path, "a") as file:
            file.write(line + "\n")


def check(op, ops, known, module, path, torch, library, arguments):
    """(us of a record, us of the default) of a measurement of its own."""
    both = [op["schedule"], known["schedule"]]
    kernels = candidates.Kernels(arguments.build, path, arguments.arch,
                                 arguments.cache_dir, op, arguments.processes)
    try:
        kernels.begin(both)
        device = Device(torch, library, arguments, module, kernels,
                        candidates.zone_of(op, ops), op["op"] == "gsa.select")
        for schedule in both:
            device.compile(schedule)
        times = {schedule: [] for schedule in both}
        for number in range(CHECK_ROUNDS):
            turn = both if number % 2 else both[::-1]
            for schedule, us in device.measure(turn).items():
                times[schedule].append(us)
    finally:
        kernels.end()
    return tuple(statistics.median(times[schedule]) for schedule in both[::-1])


def check_records(op, ops, module, path, torch, library, arguments, name):
    """Measures the record of the class of an op, if there is one."""
    for known in candidates.read_records(arguments.check):
        if not candidates.is_of_class(known, op):
            continue
        us, default_us = check(op, ops, known, module, path, torch, library,
                               arguments)
        holds = us * (1 + tuning.Settings().margin) < default_us
        print(f"{op['op']}: default {default_us:.1f} us, recorded {us:.1f} us "
              f"(then {known['default_us']} and {known['us']}): "
              f"{'holds' if holds else 'does not hold'}", flush=True)
        if holds and arguments.out:
            candidates.save(arguments.out, op, candidates.record(
                op, known["schedule"], us, default_us, name))
        append(arguments.json, json.dumps({
            "bench": "gpu_tune_check", "class": op["class"], "device": name,
            "schedule": known["schedule"], "us": us, "default_us": default_us,
            "recorded_us": known["us"],
            "recorded_default_us": known["default_us"], "holds": holds,
            "workload": arguments.workload, "seed": arguments.seed,
            "commit": modules.commit(), "torch": torch.__version__}))


def tune_module(path, torch, library, arguments, log):
    name = torch.cuda.get_device_name(0)
    ops = candidates.explain(arguments.build, path, arguments.arch)
    with open(path) as file:
        module = file.read()
    for op in ops:
        if arguments.check:
            check_records(op, ops, module, path, torch, library, arguments,
                          name)
            continue
        if time.monotonic() > arguments.end:
            print(f"{op['op']}: no time left", flush=True)
            continue
        begin = time.monotonic()
        try:
            result = tune(op, ops, module, path, torch, library, arguments, log)
        except tuning.Unfit as error:
            sys.exit(f"tune.py: error: {op['op']} at {op['location']}: the "
                     f"default schedule: {error}")
        print(f"{op['op']}: default {result.default_us:.1f} us, best "
              f"{result.best_us:.1f} us, {len(result.times)} measured, "
              f"{len(result.unfit)} unfit, {time.monotonic() - begin:.1f} s: "
              f"{result.best or 'the default stays'}", flush=True)
        if result.best and arguments.out:
            candidates.save(arguments.out, op, candidates.record(
                op, result.best, result.best_us, result.default_us, name))
        append(arguments.json, json.dumps(
            tuning_record(op, result, arguments, name, torch)))


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="+",
                        help="files of modules, of static shapes")
    parser.add_argument("--out", help="database that lines are appended to")
    parser.add_argument("--check", help="database whose records are measured")
    add_arguments(parser)
    return parser.parse_args()


def add_arguments(parser):
    """Those of everything that searches."""
    parser.add_argument("--build", default="build/dev",
                        help="folder with bin/ and lib/")
    parser.add_argument("--arch", default="sm_90a")
    parser.add_argument("--json", help="file for all times, a line an op")
    parser.add_argument("--budget", type=float, default=20.0,
                        help="seconds an op")
    parser.add_argument("--seconds", type=float, default=1e9,
                        help="after which no op is begun")
    parser.add_argument("--most", type=int, default=24,
                        help="candidates an op beside the default")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--workload", default="rho98")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache-dir", dest="cache_dir",
                        help="of compiled kernels (default: a new one)")


def open_device(arguments):
    """(torch, the library); ends the process without a GPU."""
    try:
        import torch
    except ImportError:
        sys.exit("tune.py: error: expected PyTorch, which gives the GPU its "
                 "inputs; pip install torch")
    if not torch.cuda.is_available():
        sys.exit("tune.py: error: there is no GPU to measure on; "
                 "build/dev/bin/gsa-doctor says what is missing")
    import gsa_capi
    arguments.end = time.monotonic() + arguments.seconds
    arguments.cache_dir = arguments.cache_dir or tempfile.mkdtemp()
    return torch, gsa_capi.Library(os.path.join(arguments.build,
                                                "lib/libgsa.so"))


def main():
    arguments = parse_arguments()
    torch, library = open_device(arguments)

    def log(text):
        print(text, file=sys.stderr, flush=True)

    for path in arguments.modules:
        tune_module(path, torch, library, arguments, log)


if __name__ == "__main__":
    main()
