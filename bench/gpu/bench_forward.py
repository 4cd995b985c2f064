#!/usr/bin/env python3
"""Measures the forward of Gated Sparse Attention on a GPU beside dense attention.

    python3 bench/gpu/bench_forward.py --library build/dev/lib/libgsa.so

For each length and workload: our forward (selection, sparse attention, output
gate), its stages, causal dense attention through cuDNN on the same tensors and,
while it fits, the published formulation. They take turns within one process;
in its turn each runs back to back for 0.35 s, and times are medians over turns.
Beside them stand times in turns of one run and of a run after a pause, SM clock
and power, and the time of each kernel. One JSON line per case is appended to
--json, and a table is printed. JIT times are those of bench_jit.py.
"""

import argparse
import json
import os
import statistics
import sys
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import baselines  # noqa: E402
import bench_jit  # noqa: E402
import gsa_capi  # noqa: E402
import meter  # noqa: E402
import modules  # noqa: E402
import workloads  # noqa: E402

HEADS, GROUPS, DIM, INDEX_HEADS, INDEX_DIM = 32, 8, 128, 4, 64
# Names as modules.sparse_core has them.
SHAPE = {"heads": HEADS, "groups": GROUPS, "dim": DIM,
         "index_heads": INDEX_HEADS, "index_dim": INDEX_DIM}
# Plans stay: the profiler knows kernels by their place, which that of a plan
# that is gone may be.
PLANS = []


def inputs(n, workload, seed, device, shape=None):
    """Tensors of modules.sparse_core(n, **shape), in its order."""
    shape = shape or SHAPE
    generator = torch.Generator(device=device).manual_seed(seed + 1)

    def normal(*shape):
        return torch.randn(shape, generator=generator, device=device,
                           dtype=torch.bfloat16)

    iq, ik, iw = workloads.index_inputs(workload, n, shape["index_heads"],
                                        shape["index_dim"], seed, device)
    bias = torch.zeros(shape["index_heads"], device=device)
    query = (1, n, shape["heads"], shape["dim"])
    key = (1, n, shape["groups"], shape["dim"])
    return [normal(*query), normal(*key), normal(*key), iq[None].bfloat16(),
            ik[None].bfloat16(), iw[None].bfloat16(), bias, normal(*query)]


def mean_variance(case, rows=256):
    """The mean variance of a row's scores, of `rows` rows: what a running mean
    of the statistic would have come to."""
    iq, ik, iw, bias = case[3:7]
    n = ik.shape[1]
    places = torch.linspace(n / rows - 1, n - 1, min(rows, n)).long()
    variances = []
    for t in places.tolist():
        dots = iq[0, t].float() @ ik[0, :t + 1].float().T / iq.shape[-1] ** 0.5
        weights = torch.sigmoid(iw[0, t].float())
        scores = weights @ torch.sigmoid(dots + bias[:, None])
        variances.append(scores.var(unbiased=False).item())
    return statistics.mean(variances)


def timed(function, repeats=1):
    """Ms a run, by device events around `repeats` runs."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(repeats):
        function()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / repeats


def burst(function):
    """Ms of a run that the device begins cool: after 0.4 s without work."""
    time.sleep(0.4)
    return timed(function)


def measure(candidates, budget_s, sampler=None, turn_s=0.0):
    """Median times in ms by name. Candidates take turns, so that a change of
    the device's state meets all of them; in a turn a candidate runs back to
    back for `turn_s` (once if 0), so that it meets the clocks that it causes
    itself. `sampler`, a meter.Meter, is told whose turn it is."""
    times = {name: [] for name in candidates}
    repeats = {}
    for name, function in candidates.items():
        function()  # Warm up.
        torch.cuda.synchronize()
        repeats[name] = max(1, min(1000, round(turn_s * 1e3 / timed(function))))
    start = time.monotonic()
    rounds = 0
    while rounds < 3 or (rounds < 21 and time.monotonic() - start < budget_s):
        for name, function in candidates.items():
            if sampler:
                sampler.current = name
            times[name].append(timed(function, repeats[name]))
        rounds += 1
    if sampler:
        sampler.current = None
    return {name: statistics.median(t) for name, t in times.items()}, rounds


def published_time(case, slots):
    """Median ms of the published formulation, or None if it does not fit."""
    try:
        run = lambda: baselines.published_sparse(*case, slots=slots)  # noqa: E731
        run()
        torch.cuda.synchronize()
        return statistics.median(timed(run) for _ in range(5))
    except torch.cuda.OutOfMemoryError:
        return None
    finally:
        torch.cuda.empty_cache()


def bench_case(library, n, workload, arguments):
    device = torch.device("cuda", 0)
    slots = min(arguments.slots, n)
    shape = {name: getattr(arguments, name) for name in SHAPE}
    case = inputs(n, workload, arguments.seed, device, shape)
    if arguments.normaliser:
        case.append(torch.tensor(mean_variance(case), device=device))
    plan = library.compile(
        modules.sparse_core(n, slots=slots, policy=arguments.policy,
                            select_schedule=arguments.select_schedule,
                            lanes=arguments.lanes,
                            normaliser=arguments.normaliser, **shape),
        target="cuda:0")
    PLANS.append(plan)
    outputs, workspace = plan.new_outputs(device), plan.new_workspace(device)
    run = plan.bind(case, outputs, workspace)
    dense_n = min(n, arguments.dense_up_to)
    dense_case = [x[:, :dense_n] for x in case[:3]]
    backend = baselines.dense_backend(*dense_case)
    dense = lambda: baselines.dense_attention(*dense_case, backend)  # noqa: E731
    with meter.Meter(0) as sampler:
        medians, rounds = measure({"ours": run, "dense": dense},
                                  arguments.seconds, sampler, turn_s=0.35)
        single, _ = measure({"ours, one run a turn": run,
                             "dense, one run a turn": dense}, 0.0, sampler)
    single = list(single.values())
    # Beyond, the time goes with the square of the length.
    longer = (n / dense_n) ** 2
    medians["dense"] *= longer
    kernels, between = meter.kernel_times(run)
    stages = [[] for _ in plan.stages]
    for _ in range(3):
        pairs = []
        plan.run(case, outputs, workspace, stage_milliseconds=pairs)
        for i, (_, milliseconds) in enumerate(pairs):
            stages[i].append(milliseconds)
    host = meter.host_time(plan.bind(case, outputs, workspace),
                           runs=50 if medians["ours"] < 100 else 3)
    jaccard, union = workloads.overlap(outputs[2][0], outputs[3][0])
    published = None
    if n <= arguments.published_up_to:
        published = published_time(case[:8], slots)
    return {
        "bench": "gpu_forward", "n": n, "workload": workload,
        "shape": {"batch": 1, "heads": shape["heads"],
                  "kv_heads": shape["groups"], "dim": shape["dim"],
                  "index_heads": shape["index_heads"],
                  "index_dim": shape["index_dim"], "k": slots, "dtype": "bf16",
                  "policy": arguments.policy or "fixed",
                  **({"normaliser": case[-1].item()}
                     if arguments.normaliser else {})},
        "seed": arguments.seed, "rounds": rounds,
        "lanes": arguments.lanes or "chosen",
        **({"select_schedule": arguments.select_schedule}
           if arguments.select_schedule else {}),
        "ours_ms": medians["ours"],
        "stages_ms": {name: statistics.median(t)
                      for name, t in zip(plan.stages, stages)},
        "dense_ms": medians["dense"], "dense_backend": backend.name,
        **({"dense_measured_at": dense_n} if dense_n < n else {}),
        "ratio": medians["dense"] / medians["ours"],
        "one_run_a_turn_ms": {"ours": single[0], "dense": single[1] * longer},
        "burst_ms": {"ours": burst(run), "dense": burst(dense) * longer},
        "meter": sampler.medians(),
        "kernels": kernels, "between_kernels_ms": between,
        "published_ms": published, "J": jaccard, "U32": union,
        "workspace_mib": plan.workspace_bytes / 2**20,
        "host_launch_us": host, "target": plan.target,
    }


def device_rates():
    """What the device can do: bytes per second of a copy, read and written."""
    source = torch.randint(0, 256, (1 << 32,), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    medians, rounds = measure({"copy": lambda: target.copy_(source)}, 0.2)
    return {"bench": "gpu_rates", "rounds": rounds,
            "copy_tb_s": 2 * source.numel() / medians["copy"] / 1e9}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--lengths", type=int, nargs="+",
                        default=[2048, 4096, 8192, 16384, 32768, 65536, 131072])
    parser.add_argument("--workloads", nargs="+", default=["rho98"],
                        choices=sorted(workloads.WORKLOADS) + ["all"])
    parser.add_argument("--slots", type=int, default=2048)
    for name, value in SHAPE.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int,
                            default=value)
    parser.add_argument("--policy", help="a k policy instead of fixed")
    parser.add_argument("--normaliser", action="store_true",
                        help="that policy divides by a number that is known\n"
                             "before the run, not by the mean over all rows")
    parser.add_argument("--select-schedule",
                        help="of gsa.select, without #gsa.; else the choice")
    parser.add_argument("--lanes", type=int, choices=range(1, 9),
                        help="lanes of kernels instead of what is chosen")
    parser.add_argument("--published-up-to", type=int, default=4096)
    parser.add_argument("--dense-up-to", type=int, default=262144,
                        help="longer, dense attention is measured at this length\n"
                             "and its time multiplied by the square of the ratio")
    parser.add_argument("--seconds", type=float, default=2.0,
                        help="measuring time per case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-jit", action="store_true")
    parser.add_argument("--no-rates", action="store_true")
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    names = (list(workloads.WORKLOADS) if "all" in arguments.workloads
             else arguments.workloads)
    library = gsa_capi.Library(arguments.library)
    common = {"device": torch.cuda.get_device_name(0),
              "commit": modules.commit(),
              "torch": torch.__version__}
    records = []

    def emit(record):
        record.update(common)
        records.append(record)
        if arguments.json:
            with open(arguments.json, "a") as file:
                file.write(json.dumps(record) + "\n")

    print(f"{'N':>7} {'workload':<20} {'ours ms':>9} {'dense ms':>9} "
          f"{'ratio':>6} {'published':>9} {'J':>5} {'U32':>5}  stages")
    for n in arguments.lengths:
        for name in names:
            record = bench_case(library, n, name, arguments)
            emit(record)
            published = record["published_ms"]
            published = ("-" if n > arguments.published_up_to else
                         "no memory" if published is None
                         else f"{published:.1f}")
            stages = ", ".join(f"{stage} {ms:.2f}"
                               for stage, ms in record["stages_ms"].items())
            print(f"{n:>7} {name:<20} {record['ours_ms']:>9.2f} "
                  f"{record['dense_ms']:>9.2f} {record['ratio']:>6.2f} "
                  f"{published:>9} {record['J']:>5.2f} {record['U32']:>5.2f}  "
                  f"{stages}", flush=True)
            torch.cuda.empty_cache()
    if not arguments.no_rates:
        record = device_rates()
        emit(record)
        print(f"copy {record['copy_tb_s']:.2f} TB/s")
    if not arguments.no_jit:
        for record in bench_jit.plan_records(arguments.library, 8192, 5):
            emit(record)
            print(json.dumps(record))


if __name__ == "__main__":
    main()
