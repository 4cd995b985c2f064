"""A GPU as the search of tuning.py wants it.

Plans run in one memory, on one set of inputs, through the C API; torch owns the
memory and the stream. Times are of the stage of a plan that is the op.
"""

import ctypes
import os
import sys

import tuning

# More than any L2 holds.
SCRUB_BYTES = 256 << 20
# Of the largest element: what another order of sums may change in 16 bits.
TOLERANCE = 2.0 ** -6
# Of the selected keys: equal scores but for the order of sums.
EQUAL_INDICES = 0.999
# Rows of selections that are compared at once.
ROWS = 8192


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

    def __init__(self, session, module, kernels, zone, follows_selection):
        torch = session.torch
        self.torch, self.library = torch, session.library
        self.arguments, self.kernels = session.arguments, kernels
        self.module, self.zone = module, zone
        self.follows_selection = follows_selection
        self.device = torch.device("cuda", 0)
        self.plans, self.runs, self.expected = {}, {}, None
        self.case = self.outputs = None
        self.workspace = torch.empty(256, dtype=torch.uint8, device=self.device)
        # Random bytes: a cache may keep others in less room.
        self.scrub = [torch.randint(0, 256, (SCRUB_BYTES,), dtype=torch.uint8,
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


def end(message):
    """Ends the process with the code of tools that miss a device or a
    program."""
    print(f"gsa-tune: error: {message}", file=sys.stderr)
    sys.exit(4)


class Session:
    """What the searches of a process have in common: `name` of the device,
    `version` of what measures."""

    def __init__(self, arguments):
        missing = (f"there is no GPU to measure on; {arguments.build}/bin/"
                   "gsa-doctor says what is missing, and --target cpu tunes "
                   "for this processor")
        try:  # Without a driver there is no need to load gigabytes.
            ctypes.CDLL("libcuda.so.1")
        except OSError:
            end(missing)
        try:
            import torch
        except ImportError:
            end("expected PyTorch, which gives the GPU its inputs; pip install "
                "torch")
        if not torch.cuda.is_available():
            end(missing)
        import gsa_capi
        self.arguments, self.torch = arguments, torch
        self.library = gsa_capi.Library(
            os.path.join(arguments.build, "lib/libgsa.so"))
        self.name = torch.cuda.get_device_name(0)
        self.version = f"torch {torch.__version__}"

    def device(self, module, kernels, zone, follows_selection):
        return Device(self, module, kernels, zone, follows_selection)
