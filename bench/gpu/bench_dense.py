#!/usr/bin/env python3
"""Measures causal dense attention, ours beside cuDNN's, on a GPU.

    python3 bench/gpu/bench_dense.py --library build/dev/lib/libgsa.so

Both take turns as in bench_forward.py, bf16, 32 query heads and 8 key heads of
128. Sampled rows are compared with float64 first. One JSON line per length is
appended to --json.
"""

import argparse
import json
import math
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import baselines  # noqa: E402
import bench_forward  # noqa: E402
import gsa_capi  # noqa: E402
import meter  # noqa: E402
import modules  # noqa: E402

HEADS, GROUPS, DIM = 32, 8, 128


def largest_error(case, out, rows=8):
    """Of sampled rows of all heads, against float64."""
    q, k, v = (x[0].double() for x in case)
    n, worst = q.shape[0], 0.0
    for row in torch.linspace(0, n - 1, rows).long().tolist():
        keys, values = k[:row + 1], v[:row + 1]
        heads = q[row].reshape(GROUPS, HEADS // GROUPS, DIM)
        logits = torch.einsum("grd,sgd->grs", heads, keys) / math.sqrt(DIM)
        wanted = torch.einsum("grs,sgd->grd", logits.softmax(-1), values)
        got = out[0, row].double().reshape(wanted.shape)
        worst = max(worst, (wanted - got).abs().max().item())
    return worst


def bench_length(library, n, seconds):
    device = torch.device("cuda", 0)
    generator = torch.Generator(device=device).manual_seed(1)
    case = [torch.randn((1, n, heads, DIM), generator=generator, device=device,
                        dtype=torch.bfloat16)
            for heads in (HEADS, GROUPS, GROUPS)]
    plan = library.compile(modules.dense(n), target="cuda:0")
    outputs, workspace = plan.new_outputs(device), plan.new_workspace(device)
    run = plan.bind(case, outputs, workspace)
    dense = lambda: baselines.dense_attention(*case)  # noqa: E731
    run()
    error = largest_error(case, outputs[0])
    with meter.Meter(0) as sampler:
        times, rounds = bench_forward.measure({"ours": run, "dense": dense},
                                              seconds, sampler, turn_s=0.2)
    operations = 2 * n * n * HEADS * DIM  # Two products, half of the pairs.
    return {"bench": "gpu_dense", "n": n, "rounds": rounds,
            "shape": {"batch": 1, "heads": HEADS, "kv_heads": GROUPS,
                      "dim": DIM, "dtype": "bf16"},
            "ours_ms": times["ours"], "dense_ms": times["dense"],
            "ratio": times["dense"] / times["ours"],
            "ours_tflops": operations / times["ours"] / 1e9,
            "largest_error": error, "meter": sampler.medians()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--lengths", type=int, nargs="+",
                        default=[1024, 2048, 4096, 8192, 32768, 131072])
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="measuring time per length")
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    library = gsa_capi.Library(arguments.library)
    common = {"device": torch.cuda.get_device_name(0),
              "commit": modules.commit(), "torch": torch.__version__}
    for n in arguments.lengths:
        record = {**bench_length(library, n, arguments.seconds), **common}
        print(f"{n:>7} ours {record['ours_ms']:.3f} ms, cuDNN "
              f"{record['dense_ms']:.3f} ms, {record['ratio']:.2f}, error "
              f"{record['largest_error']:.1e}", flush=True)
        if arguments.json:
            with open(arguments.json, "a") as file:
                file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
