"""This processor as the search of tuning.py wants it.

Plans run through the package gsa (python/gsa) on NumPy's memory. Times are of
the stage of a plan that is the op.
"""

import os
import sys

import tuning
import workload_models

# More than the last level of most caches holds.
SCRUB_BYTES = 128 << 20
# Of the largest element: what another order of sums may change.
TOLERANCE = {"f64": 2.0 ** -40, "f32": 2.0 ** -14, "f16": 2.0 ** -6,
             "bf16": 2.0 ** -6}


def cpu_name():
    """As a record names the device: the model of /proc/cpuinfo."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    import platform
    return platform.processor() or "a CPU"


def walk(numpy, n, shape, rho, generator):
    """As in bench/gpu/workloads.py."""
    noise = generator.standard_normal((n, *shape))
    for t in range(1, n if rho else 0):
        noise[t] = rho * noise[t - 1] + (1 - rho * rho) ** 0.5 * noise[t]
    return noise


def index_inputs(numpy, name, n, heads, dim, generator):
    """Index queries [n, heads, dim], keys [n, dim], weight logits [n, heads],
    as in bench/gpu/workloads.py."""
    rho, shared, local = workload_models.WORKLOADS[name]
    queries = walk(numpy, n, (heads, dim), rho, generator)
    keys = generator.standard_normal((n, dim))
    if shared:
        common = generator.standard_normal((heads, dim))
        queries = (queries + common) / 2 ** 0.5
    if local:
        slow = walk(numpy, n, (dim,), 0.9995, generator)
        queries = (queries + slow[:, None, :]) / 2 ** 0.5
        keys = (keys + slow) / 2 ** 0.5
    return queries, keys, walk(numpy, n, (heads,), rho, generator)


class Device:
    """`zone` is the stage of the plan that counts."""

    def __init__(self, session, module, kernels, zone):
        self.gsa, self.numpy = session.gsa, session.numpy
        self.arguments, self.kernels = session.arguments, kernels
        self.module, self.zone = module, zone
        self.plans, self.expected = {}, None
        self.case = self.outputs = None
        generator = self.numpy.random.default_rng(0)
        self.scrub = [generator.integers(0, 2 ** 63, SCRUB_BYTES // 8)
                      for _ in range(2)]

    def compile(self, candidate):
        path = self.kernels.wait(candidate)
        before = self.gsa.set_options(
            num_threads=self.arguments.threads, schedules=path,
            cache_dir=self.arguments.cache_dir)
        try:
            plan = self.gsa.Plan(self.module, target="cpu")
        finally:
            self.gsa.set_options(**before)
        if self.zone not in plan.stages:
            raise tuning.Unfit(f"its plan has no stage {self.zone}, only "
                               f"{', '.join(plan.stages)}")
        if self.case is None:
            self.case = inputs_of(self.numpy, plan, self.arguments)
        outputs = plan.run(self.case)
        if self.expected is None:
            from gsa import _tensors
            self.expected, self.outputs = outputs, {
                spec.name: _tensors.empty_numpy(spec.shape, spec.dtype)
                for spec in plan.outputs}
        for spec in plan.outputs:
            self.compare(spec, outputs[spec.name], self.expected[spec.name])
        self.plans[candidate] = plan

    def compare(self, spec, got, expected):
        """Every score is computed in one order, whatever the schedule: what is
        selected is the same to the bit."""
        if spec.dtype in ("i32", "i64"):
            if not (got == expected).all():
                raise tuning.Unfit(f"{spec.name}: other elements than the "
                                   "default's")
            return
        numpy = self.numpy
        got, expected = (x.astype("float64") for x in (got, expected))
        finite = numpy.isfinite(expected)
        if not (numpy.isfinite(got) == finite).all():
            raise tuning.Unfit(f"{spec.name}: other elements are finite than "
                               "the default's")
        scale = abs(expected[finite]).max(initial=0) or 1.0
        error = abs(got - expected)[finite].max(initial=0) / scale
        if error > TOLERANCE[spec.dtype]:
            raise tuning.Unfit(f"{spec.name}: differs from the default's by "
                               f"{error}")

    def measure(self, turn):
        self.kernels.end()  # No compiler beside a measurement.
        result = {}
        for candidate in turn:
            self.scrub[0][:] = self.scrub[1]
            times = {}
            self.plans[candidate].run(self.case, outputs=self.outputs,
                                      stage_milliseconds=times)
            result[candidate] = 1e3 * times[self.zone]
        return result


def inputs_of(numpy, plan, arguments):
    """{name: array}, as gpu_device.inputs_of makes them."""
    from gsa import _tensors
    shapes = {spec.name: spec.shape for spec in plan.inputs}
    known = {}
    generator = numpy.random.default_rng(arguments.seed)
    if {"iq", "ik", "iw"} <= shapes.keys():
        batch, keys, dim = shapes["ik"]
        queries, heads = shapes["iq"][1:3]
        parts = [index_inputs(numpy, arguments.workload, keys, heads, dim,
                              generator) for _ in range(batch)]
        iq, ik, iw = (numpy.stack(part) for part in zip(*parts))
        known = {"iq": iq[:, keys - queries:], "ik": ik,
                 "iw": iw[:, keys - queries:],
                 "lengths": numpy.full((batch,), keys)}
    case = {}
    for spec in plan.inputs:
        case[spec.name] = _tensors.empty_numpy(spec.shape, spec.dtype)
        case[spec.name][...] = known[spec.name] if spec.name in known else \
            generator.standard_normal(spec.shape)
    return case


class Session:
    """What the searches of a process have in common."""

    def __init__(self, arguments):
        try:
            import numpy
        except ImportError:
            sys.exit("gsa-tune: error: expected NumPy, which gives the plans "
                     "their memory; pip install numpy")
        os.environ.setdefault(
            "GSA_LIBRARY", os.path.join(arguments.build, "lib/libgsa.so"))
        import gsa
        self.arguments, self.gsa, self.numpy = arguments, gsa, numpy
        self.name = f"{cpu_name()}, {arguments.threads} threads"
        self.version = f"numpy {numpy.__version__}"

    def device(self, module, kernels, zone, follows_selection):
        del follows_selection  # Selections are the same.
        return Device(self, module, kernels, zone)
