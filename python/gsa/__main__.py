"""python -m gsa doctor | explain | bench | pictures | cache

doctor   what is found on this machine, and what is missing
explain  what a layer is compiled to, for one shape
bench    how long it takes, stage by stage
pictures which keys a layer of random weights keeps, its sinks and gates
cache    what is kept on disk: ls, verify, gc, clear, export, import

Exit codes: 0 good, 1 failure (also: cache verify found a bad entry), 2 usage,
3 not supported, 4 a device, a driver or a program is missing.
"""

import argparse
import difflib
import json
import os
import platform
import sys
import time

from gsa import _api, _cache, _capi, _plan

EXIT = {"UNIMPLEMENTED": 3, "UNAVAILABLE": 4, "INVALID_ARGUMENT": 2}
# The smallest module that a target can be asked about.
PROBE = "d_model=64, n_heads=2, n_kv_heads=1, k_min=1, k_base=4, k_max=8"
# Variables of the environment that are read: here, and by the programs alone.
VARIABLES = ("GSA_CACHE_DIR", "GSA_LIBRARY", "GSA_NVRTC", "GSA_SCHEDULES")
OF_PROGRAMS = ("GSA_CACHE", "GSA_EMU_CACHE", "GSA_PYTHON_PREFIX")


def variables():
    """{name: what it does here} of the variables GSA_... that are set, but for
    those that this package reads, whose values are in the report."""
    report = {}
    for name in sorted(os.environ):
        if not name.upper().startswith("GSA_") or name in VARIABLES:
            continue
        if name in OF_PROGRAMS:
            report[name] = "read by the programs alone"
            if name == "GSA_CACHE":
                report[name] += "; here it is GSA_CACHE_DIR"
        else:
            near = difflib.get_close_matches(name, VARIABLES + OF_PROGRAMS, 1)
            report[name] = "read by nothing" + (
                f"; nearest: {near[0]}" if near else "")
    return report


def module_version(name):
    """The version of a distribution, without importing it."""
    import importlib.metadata
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def support(target):
    """Reasons against compiling for a target, as a list of messages."""
    import ctypes
    lib = _capi.library()
    text = _capi.layer_module(PROBE + ", projections=false").encode()
    options, keep = _plan.compile_options(target)
    shapes = {"query": (1, 8, 2, 32), "key": (1, 8, 1, 32),
              "value": (1, 8, 1, 32), "index_query": (1, 8, 4, 64),
              "index_key": (1, 8, 64), "index_weights": (1, 8, 4),
              "value_gate": (1, 8, 1, 32), "output_gate": (1, 8, 2, 32)}
    keep = [keep, _plan.named_shapes(options, shapes)]
    answer = ctypes.c_void_p()
    _capi.check(lib.gsa_check_support(text, len(text), b"probe.mlir",
                                      ctypes.byref(options),
                                      ctypes.byref(answer)))
    del keep
    reasons = [lib.gsa_support_reason(answer, i).decode()
               for i in range(lib.gsa_support_num_reasons(answer))]
    lib.gsa_support_destroy(answer)
    return reasons


def doctor(arguments):
    report = {"python": platform.python_version(),
              "library": _capi.library_path(),
              "version": _api.library_version()}
    for name in ("numpy", "torch", "transformers", "nvidia-cuda-nvrtc",
                 "nvidia-cublas"):
        report[name] = module_version(name)
    report["nvrtc"] = _plan.nvrtc_place() or "the loader's path"
    cache = _plan.options()["cache_dir"]
    report["kernels on disk"] = cache or "not kept (GSA_CACHE_DIR)"
    if cache and not os.access(cache if os.path.isdir(cache) else
                               os.path.dirname(cache) or ".", os.W_OK):
        report["kernels on disk"] += ", which cannot be written"
    report.update(variables())
    problems = 0
    for target in ("cpu", "cuda"):
        reasons = support(target)
        report[target] = "; ".join(reasons) or "good"
        problems += bool(reasons) and target == "cpu"
    show(report, arguments.json)
    return 1 if problems else 0


def make_plan(arguments):
    return _api.plan(arguments.layer, batch=arguments.batch, seq=arguments.seq,
                     keys=arguments.keys, target=arguments.target)


def explain(arguments):
    if arguments.text:
        print(_capi.layer_module(arguments.layer), end="")
        return 0
    plan = make_plan(arguments)

    def line(spec):
        return f"{spec.dtype}[{', '.join(map(str, spec.shape))}]"
    report = {"target": plan.target,
              "compile ms": round(plan.compile_milliseconds, 1),
              "workspace bytes": plan.workspace_bytes,
              "stages": ", ".join(plan.stages)}
    report.update({f"kernels {name}": value for name, value in
                   plan.kernel_counts().items() if value})
    report.update({f"input {s.name}": line(s) for s in plan.inputs})
    report.update({f"output {s.name}": line(s) for s in plan.outputs})
    show(report, arguments.json)
    return 0


def bench(arguments):
    plan = make_plan(arguments)
    inputs = random_inputs(plan, arguments.target)
    start = time.perf_counter()
    plan.warmup(inputs)
    first = (time.perf_counter() - start) * 1000
    outputs, runs = None, []
    for _ in range(arguments.repeat):
        times = {}
        outputs = plan.run(inputs, outputs=outputs, stage_milliseconds=times)
        runs.append(times)
    middle = sorted(runs, key=lambda t: sum(t.values()))[len(runs) // 2]
    report = {"target": plan.target, "runs": arguments.repeat,
              "compile ms": round(plan.compile_milliseconds, 1),
              "first run ms": round(first, 3),
              "median ms": round(sum(middle.values()), 3)}
    report.update({f"{stage} ms": round(t, 3) for stage, t in middle.items()})
    show(report, arguments.json)
    return 0


def random_inputs(plan, target):
    """Normal numbers: a layer whose scores say nothing, for time alone."""
    if target.startswith("cuda"):
        import torch

        from gsa import _tensors
        device = target if ":" in target else "cuda:0"
        return {s.name: torch.randn(s.shape, device=device).to(
            _tensors.torch_dtype(s.dtype)) for s in plan.inputs}
    import numpy
    from gsa import _tensors
    rng = numpy.random.default_rng(0)
    inputs = {}
    for s in plan.inputs:
        inputs[s.name] = _tensors.empty_numpy(s.shape, s.dtype)
        inputs[s.name][...] = rng.standard_normal(s.shape)
    return inputs


def pictures(arguments):
    from gsa import pictures as drawing
    from gsa.config import GSAConfig
    fields = {}
    for part in filter(None, arguments.config.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise _capi.InvalidArgument(f"pictures: got {part.strip()!r}, "
                                        f"expected <field>=<value>")
        try:
            fields[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            fields[name.strip()] = value.strip()
    seen = drawing.observe_random(
        GSAConfig(**fields), arguments.seq, correlation=arguments.correlation,
        sink=arguments.sink, seed=arguments.seed)
    report = {"keys a query": round(float(seen.topk_length.mean()), 1),
              "sink, dense": round(float(seen.dense.mean()), 4),
              "sink, sparse": round(float(seen.sparse.mean()), 4)}
    report.update({name.replace("_", " "): round(float(gate.mean()), 3)
                   for name, gate in seen.gates.items()})
    report["files"] = ", ".join(drawing.save(seen, arguments.output))
    show(report, arguments.json)
    return 0


def show(report, as_json):
    if as_json:
        print(json.dumps({"schema_version": 1, **report}))
        return
    width = max(map(len, report))
    for name, value in report.items():
        print(f"{name.ljust(width)}  {value if value is not None else '-'}")


def main():
    parser = argparse.ArgumentParser(
        prog="python -m gsa", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("doctor", help="what is found on this machine")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=doctor)
    for name, function, text in (
            ("explain", explain, "what a layer is compiled to"),
            ("bench", bench, "how long a layer takes, stage by stage")):
        one = commands.add_parser(name, help=text)
        one.add_argument("layer", help='"d_model=512, n_heads=8, ...", the keys '
                                       "of gsa_layer_config")
        one.add_argument("--batch", type=int, default=1)
        one.add_argument("--seq", type=int, default=1024)
        one.add_argument("--keys", type=int, help="with projections=false")
        one.add_argument("--target", default="cpu",
                         help="cpu (default), cuda:<N>, emu or auto")
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=function)
        if name == "explain":
            one.add_argument("--text", action="store_true",
                             help="print the module and compile nothing")
        else:
            one.add_argument("--repeat", type=int, default=10)
    one = commands.add_parser("pictures", help="draw what a layer of random "
                                               "weights selects")
    one.add_argument("config", help='"d_model=512, n_heads=8, ...", the fields '
                                    "of GSAConfig; values as in JSON")
    one.add_argument("--seq", type=int, default=512, help="tokens")
    one.add_argument("--correlation", type=float, default=0.98,
                     help="of a token with the one before it (0.98)")
    one.add_argument("--sink", type=int, default=1,
                     help="first tokens whose attention is summed (1)")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--output", default="pictures",
                     help="the folder that is written (pictures)")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=pictures)
    # All that follows is for gsa-cache, its --help and its mistakes, too.
    commands.add_parser("cache", add_help=False,
                        help="what is kept on disk (cache --help says more)")
    if sys.argv[1:2] == ["cache"]:
        run, given = _cache.run, sys.argv[2:]
    else:
        given = parser.parse_args()
        run = given.run
    try:
        return run(given)
    except _capi.GsaError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT.get(error.code, 1)


if __name__ == "__main__":
    sys.exit(main())
