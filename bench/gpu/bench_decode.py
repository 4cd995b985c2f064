#!/usr/bin/env python3
"""Measures one query a sequence against a cache, ours beside dense attention.

    python3 bench/gpu/bench_decode.py --library build/dev/lib/libgsa.so

For each context and batch, bf16, 32 query heads and 8 key heads of 128, indexer
4 x 64: selection, sparse attention and output gate of ours; dense attention of
the same tensors through cuDNN and flash, of which the faster one counts. Data
sets take turns, so many that together they are larger than the second-level
cache: each run finds its caches cold. In mode `graph` each data set has a CUDA
graph, replayed one after another; in mode `stream` runs are enqueued one by one.
Times are medians over rounds. One JSON line per case is appended to --json.

Selections of the first data set are compared with torch.topk of scores in
float64 first, and attention over ours with float64.
"""

import argparse
import json
import math
import os
import statistics
import sys

import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gsa_capi  # noqa: E402
import meter  # noqa: E402
import modules  # noqa: E402

HEADS, GROUPS, DIM, INDEX_HEADS, INDEX_DIM = 32, 8, 128, 4, 64
BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION,
            "flash": SDPBackend.FLASH_ATTENTION}
# Bytes that data sets have together, at least: twice the cache of an H200.
SCRUB_BYTES = 120 << 20
# Runs whose medians are the times of kernels.
PROFILED_RUNS = 5


def make_case(n, batch, generator, device):
    def normal(*shape):
        return torch.randn(shape, generator=generator, device=device,
                           dtype=torch.bfloat16)

    return [normal(batch, 1, HEADS, DIM), normal(batch, n, GROUPS, DIM),
            normal(batch, n, GROUPS, DIM),
            normal(batch, 1, INDEX_HEADS, INDEX_DIM),
            normal(batch, n, INDEX_DIM), normal(batch, 1, INDEX_HEADS),
            torch.zeros(INDEX_HEADS, device=device),
            normal(batch, 1, HEADS, DIM),
            torch.full((batch,), n, dtype=torch.int32, device=device)]


def scores_of(case, b):
    """Scores [N] of sequence b in float64."""
    iq, ik, iw, bias = (x.double() for x in case[3:7])
    dots = iq[b, 0] @ ik[b].T / math.sqrt(INDEX_DIM)
    return iw[b, 0].sigmoid() @ (dots + bias[:, None]).sigmoid()


def compare(case, outputs, slots):
    """(keys that are not those of float64, largest error of attention)."""
    q, k, v = case[:3]
    attended, _, indices, counts, _ = outputs
    other, worst = 0, 0.0
    for b in range(q.shape[0]):
        n = counts[b, 0].item()
        mine = indices[b, 0, :n].long()
        wanted = scores_of(case, b).topk(min(slots, k.shape[1])).indices
        other += wanted.numel() - torch.isin(wanted, mine).sum().item()
        if n != wanted.numel() or not bool((mine[1:] > mine[:-1]).all()):
            raise SystemExit(f"sequence {b}: {n} indices, not ascending or not "
                             f"{wanted.numel()}")
        heads = q[b, 0].double().reshape(GROUPS, HEADS // GROUPS, DIM)
        logits = torch.einsum("grd,sgd->grs", heads, k[b, mine].double())
        weights = (logits / math.sqrt(DIM)).softmax(-1)
        out = torch.einsum("grs,sgd->grd", weights, v[b, mine].double())
        out = out.reshape(HEADS, DIM) * case[7][b, 0].double().sigmoid()
        worst = max(worst, (out - attended[b, 0].double()).abs().max().item())
    return other, worst


def capture(functions):
    graphs = []
    for function in functions:
        function()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            function()
        graphs.append(graph.replay)
    return graphs


def measure(functions, rounds, repeats):
    """Median us of a run: `repeats` runs a round, data sets in turn."""
    times = []
    for function in functions:
        function()
    for _ in range(rounds):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        begin.record()
        for i in range(repeats):
            functions[i % len(functions)]()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e3 / repeats)
    return statistics.median(times)


def dense_run(case, backend):
    q, k, v = (x.transpose(1, 2) for x in case[:3])

    def run():
        with sdpa_kernel([backend]):
            return functional.scaled_dot_product_attention(q, k, v,
                                                           enable_gqa=True)
    return run


def in_pages(case, page, generator):
    """The inputs of the same step over pages of a pool in no order."""
    n, batch = case[1].shape[1], case[1].shape[0]
    count = batch * n // page
    order = torch.randperm(count, generator=generator, device=case[1].device)
    inputs = list(case)
    for i in (1, 2, 4):
        pool = torch.empty((count, page, *case[i].shape[2:]), dtype=case[i].dtype,
                           device=case[i].device)
        pool[order] = case[i].reshape(pool.shape)
        inputs[i] = pool
    return inputs + [order.to(torch.int32).reshape(batch, n // page)]


def bench_case(library, n, batch, modes, rounds, slots, page=None, schedules=None):
    device = torch.device("cuda", 0)
    generator = torch.Generator(device=device).manual_seed(n + batch)
    sequence = 2 * (2 * n * GROUPS * DIM + n * INDEX_DIM)
    # What a run of ours reads: all index keys, and selected rows.
    read = batch * (2 * n * INDEX_DIM + 4 * min(slots, n) * GROUPS * DIM)
    sets = min(max(2, math.ceil(SCRUB_BYTES / read)),
               max(2, (24 << 30) // (batch * sequence)), 24)
    if page:
        sets = max(2, sets // 2)  # Caches are there twice.
    cases = [make_case(n, batch, generator, device) for _ in range(sets)]
    inputs = [in_pages(case, page, generator) for case in cases] if page else cases
    plan = library.compile(
        modules.decode(n, batch, slots=min(slots, n),
                       pages=page and (page, batch * n // page), **(schedules or {})),
        target="cuda:0")
    workspace = plan.new_workspace(device)
    outputs = [plan.new_outputs(device) for _ in cases]
    ours = [lambda c=c, o=o: plan.run(c, o, workspace)
            for c, o in zip(inputs, outputs)]
    # On this stream, which a capture is not on.
    bound = [plan.bind(c, o, workspace) for c, o in zip(inputs, outputs)]
    ours[0]()
    torch.cuda.synchronize()
    other, error = compare(cases[0], outputs[0], slots)
    kernels = meter.median_kernel_times(ours, PROFILED_RUNS)
    host = meter.host_time(plan.bind(inputs[0], outputs[0], workspace))
    repeats = max(sets, min(400, int(40e3 / (20 + 8 * batch * n / 131072))))
    for mode in modes:
        wrap = capture if mode == "graph" else list
        dense = {}
        for name, backend in BACKENDS.items():
            try:
                runs = wrap([dense_run(case, backend) for case in cases])
                dense[name] = measure(runs, rounds, max(sets, repeats // 8))
            except RuntimeError as error_of_torch:
                print(f"  dense {name}: {error_of_torch}", file=sys.stderr)
        best = min(dense, key=dense.get)
        time = measure(wrap(ours if mode == "graph" else bound), rounds, repeats)
        yield {"bench": "gpu_decode", "n": n, "batch": batch, "mode": mode,
               "kv_dtype": "bf16", "page": page, **(schedules or {}),
               "shape": {"heads": HEADS, "kv_heads": GROUPS, "dim": DIM,
                         "index_heads": INDEX_HEADS, "index_dim": INDEX_DIM,
                         "k": slots},
               "sets": sets, "rounds": rounds, "ours_us": time,
               "dense_us": dense[best], "dense_backend": best,
               "dense_all_us": dense, "ratio": dense[best] / time,
               "stages_us": {kernel["kernel"]: kernel["ms"] * 1e3
                             for kernel in kernels},
               "host_us": host, "keys_unlike_float64": other, "largest_error": error,
               "workspace_mib": plan.workspace_bytes / 2**20}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--lengths", type=int, nargs="+",
                        default=[4096, 32768, 131072])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--modes", nargs="+", default=["graph", "stream"],
                        choices=["graph", "stream"])
    parser.add_argument("--slots", type=int, default=2048)
    parser.add_argument("--page", type=int,
                        help="ours over pages of so many tokens; it divides lengths")
    for name, op in (("select", "select"), ("attention", "gather_attention")):
        parser.add_argument(f"--{name}-schedule",
                            help=f"of gsa.{op}, without #gsa.; else the choice")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    library = gsa_capi.Library(arguments.library)
    common = {"device": torch.cuda.get_device_name(0),
              "commit": modules.commit(), "torch": torch.__version__}
    schedules = {name: given for name in ("select_schedule", "attention_schedule")
                 if (given := getattr(arguments, name))}
    for n in arguments.lengths:
        for batch in arguments.batches:
            for record in bench_case(library, n, batch, arguments.modes,
                                     arguments.rounds, arguments.slots,
                                     arguments.page, schedules):
                record.update(common)
                stages = ", ".join(f"{name} {us:.1f}" for name, us in
                                   record["stages_us"].items())
                print(f"{n:>7} x {batch:<3} {record['mode']:<6} ours "
                      f"{record['ours_us']:.1f} us, {record['dense_backend']} "
                      f"{record['dense_us']:.1f} us, {record['ratio']:.2f}; "
                      f"{record['keys_unlike_float64']} keys, error "
                      f"{record['largest_error']:.1e}; {stages}", flush=True)
                if arguments.json:
                    with open(arguments.json, "a") as file:
                        file.write(json.dumps(record) + "\n")
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
