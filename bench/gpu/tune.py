#!/usr/bin/env python3
"""Finds the fastest schedules of a module's ops on a GPU and records them.

    python3 bench/gpu/tune.py core.mlir --build build/dev --out tuned.jsonl

For each op with a schedule: the legal schedules that gsa-explain lists are
compiled in parallel processes, those that spill registers or whose results
differ from the default's are left out, and the others take turns on the GPU, L2
scrubbed before each run, while successive halving drops the slower half. What is
left is measured once more beside the default schedule; only what is faster there
is recorded, as a line of a database that gsa-run --schedules and the library
take. Inputs are those of bench_forward.py where the module has its names. The
shapes of the module are static.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tuning  # noqa: E402

# More than any L2 holds.
SCRUB_BYTES = 256 << 20
# Of the largest element: what another order of sums may change in 16 bits.
TOLERANCE = 2.0 ** -6
# Of the selected keys: equal scores but for the order of sums.
EQUAL_INDICES = 0.999


def explain(arguments):
    """The ops of the module as gsa-explain describes them."""
    done = subprocess.run(
        [os.path.join(arguments.build, "bin/gsa-explain"), arguments.module,
         "--arch", arguments.arch, "--no-shipped-schedules", "--legal",
         "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)["ops"]


def record(op, schedule, us, default_us, device):
    """A line of a database."""
    return json.dumps(op["class"] | {
        "schedule": schedule, "us": round(us, 1),
        "default_us": round(default_us, 1), "device": device})


class Kernels:
    """Compiles candidates in processes of their own, before they are asked for:
    kernels go to the cache, and what spills is known."""

    def __init__(self, arguments, op, folder):
        self.arguments, self.op, self.folder = arguments, op, folder
        self.pool = concurrent.futures.ThreadPoolExecutor(arguments.processes)
        self.jobs, self.files = {}, {}

    def begin(self, candidates):
        for candidate in candidates:
            path = os.path.join(self.folder, f"{len(self.files)}.jsonl")
            with open(path, "w") as file:
                file.write(record(self.op, candidate, 1, 1, "none") + "\n")
            self.files[candidate] = path
            self.jobs[candidate] = self.pool.submit(self._compile, path)

    def _compile(self, path):
        tool = lambda name: os.path.join(self.arguments.build, "bin", name)
        arch, module = self.arguments.arch, self.arguments.module
        kernels = path.replace(".jsonl", ".mlir")
        for command in (
                [tool("gsa-opt"), module, "-o", kernels,
                 f"--gsa-to-cuda=arch={arch} database={path} shipped=false "
                 "stop-after=plan"],
                [tool("gsa-translate"), "--resource-usage", "--refuse-spills",
                 f"--arch={arch}", kernels],
                [tool("gsa-run"), module, "--target=cuda", f"--arch={arch}",
                 "--stop-after=code", f"--schedules={path}",
                 "--no-shipped-schedules",
                 f"--cache-dir={self.arguments.cache_dir}", "-q"]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                return (done.stderr.strip() or command[0]).split("\n")[0]
        return ""

    def wait(self, candidate):
        """The file of the candidate, or tuning.Unfit."""
        if reason := self.jobs[candidate].result():
            raise tuning.Unfit(reason)
        return self.files[candidate]

    def end(self):
        self.pool.shutdown(cancel_futures=True)


class Device:
    """The GPU as the search wants it."""

    def __init__(self, torch, library, arguments, kernels, case):
        self.torch, self.library, self.case = torch, library, case
        self.arguments, self.kernels = arguments, kernels
        self.device = torch.device("cuda", 0)
        self.plans, self.expected = {}, None
        self.scrub = [torch.randint(0, 256, (SCRUB_BYTES,), dtype=torch.uint8,
                                    device=self.device) for _ in range(2)]

    def compile(self, candidate):
        path = self.kernels.wait(candidate)
        with open(self.arguments.module) as file:
            plan = self.library.compile(file.read(), "cuda:0",
                                        cache_dir=self.arguments.cache_dir,
                                        schedules=path)
        outputs, workspace = (plan.new_outputs(self.device),
                              plan.new_workspace(self.device))
        plan.run(self.case, outputs, workspace)
        self.torch.cuda.synchronize()
        if self.expected is None:
            self.expected = [output.clone() for output in outputs]
        for (name, _, _), got, expected in zip(plan.outputs, outputs,
                                               self.expected):
            self.compare(name, got, expected)
        self.plans[candidate] = (plan, outputs, workspace)

    def compare(self, name, got, expected):
        if not got.dtype.is_floating_point:
            share = (got == expected).float().mean().item()
            if share < EQUAL_INDICES:
                raise tuning.Unfit(f"{name}: {share:.4f} of the elements equal "
                                   "the default's")
            return
        got, expected = got.float(), expected.float()
        scale = expected[expected.isfinite()].abs().max().item() or 1.0
        error = (got - expected).nan_to_num().abs().max().item() / scale
        if not error <= TOLERANCE or not self.torch.equal(
                got.isfinite(), expected.isfinite()):
            raise tuning.Unfit(f"{name}: differs from the default's by {error}")

    def measure(self, candidates):
        torch, events = self.torch, {}
        for candidate in candidates:
            plan, outputs, workspace = self.plans[candidate]
            self.scrub[0].copy_(self.scrub[1])
            begin, end = (torch.cuda.Event(enable_timing=True)
                          for _ in range(2))
            begin.record()
            plan.run(self.case, outputs, workspace)
            end.record()
            events[candidate] = (begin, end)
        torch.cuda.synchronize()
        return {candidate: 1e3 * begin.elapsed_time(end)
                for candidate, (begin, end) in events.items()}


def inputs_of(torch, plan, arguments):
    """Those of bench_forward.py by name, and normal ones."""
    import bench_forward
    device = torch.device("cuda", 0)
    names = ["q", "k", "v", "iq", "ik", "iw", "bias", "gate"]
    shapes = {name: shape for name, _, shape in plan.inputs}
    known = {}
    if "iq" in shapes:
        known = dict(zip(names, bench_forward.inputs(
            shapes["iq"][1], arguments.workload, arguments.seed, device)))
    generator = torch.Generator(device=device).manual_seed(arguments.seed)
    case = []
    for name, dtype, shape in plan.inputs:
        tensor = known.get(name)
        if tensor is None or tuple(tensor.shape) != shape:
            tensor = torch.randn(shape, generator=generator, device=device)
        case.append(tensor.to(dtype))
    return case


def tune(op, torch, library, arguments, log):
    """The result of the search for one op, and the default's schedule."""
    with tempfile.TemporaryDirectory() as folder:
        kernels = Kernels(arguments, op, folder)
        try:
            candidates = [legal["schedule"] for legal in op["legal"]]
            kernels.begin([op["schedule"]] + [
                c for c in candidates if c != op["schedule"]])
            with open(arguments.module) as file:
                plan = library.compile(file.read(), "cuda:0",
                                       cache_dir=arguments.cache_dir,
                                       schedules=kernels.wait(op["schedule"]))
            case = inputs_of(torch, plan, arguments)
            device = Device(torch, library, arguments, kernels, case)
            return tuning.search(
                op["schedule"], candidates, device, time.monotonic,
                tuning.Settings(budget_s=arguments.budget),
                lambda done, text: log(f"{100 * done:3.0f} % {op['op']} {text}"))
        finally:
            kernels.end()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("module", help="file of the module, of static shapes")
    parser.add_argument("--build", default="build/dev",
                        help="folder with bin/ and lib/")
    parser.add_argument("--arch", default="sm_90a")
    parser.add_argument("--out", help="database that lines are appended to")
    parser.add_argument("--json", help="file for all times, a line an op")
    parser.add_argument("--budget", type=float, default=20.0,
                        help="seconds an op")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--workload", default="rho98")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache-dir", dest="cache_dir",
                        help="of compiled kernels (default: a new one)")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("tune.py: error: expected PyTorch, which gives the GPU its "
                 "inputs; pip install torch")
    if not torch.cuda.is_available():
        sys.exit("tune.py: error: there is no GPU to measure on; "
                 "build/dev/bin/gsa-doctor says what is missing")
    import gsa_capi
    arguments.cache_dir = arguments.cache_dir or tempfile.mkdtemp()
    library = gsa_capi.Library(os.path.join(arguments.build, "lib/libgsa.so"))
    name = torch.cuda.get_device_name(0)

    def log(text):
        print(text, file=sys.stderr, flush=True)

    for op in explain(arguments):
        result = tune(op, torch, library, arguments, log)
        print(f"{op['op']}: default {result.default_us:.1f} us, best "
              f"{result.best_us:.1f} us, {len(result.times)} measured, "
              f"{len(result.unfit)} unfit: "
              f"{result.best or 'the default stays'}", flush=True)
        if result.best and arguments.out:
            with open(arguments.out, "a") as file:
                file.write(record(op, result.best, result.best_us,
                                  result.default_us, name) + "\n")
        if arguments.json:
            predicted = {legal["schedule"]: legal["us"] for legal in op["legal"]}
            with open(arguments.json, "a") as file:
                file.write(json.dumps({
                    "bench": "gpu_tune", "class": op["class"], "device": name,
                    "default": op["schedule"], "best": result.best,
                    "ended_early": result.ended_early,
                    "candidates": [
                        {"schedule": schedule, "us": us,
                         "predicted_us": predicted.get(schedule)}
                        for schedule, us in result.times.items()],
                    "unfit": result.unfit}) + "\n")


if __name__ == "__main__":
    main()
