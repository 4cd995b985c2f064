#!/usr/bin/env python3
"""Measures the backward of attention over lists beside dense attention's.

    python3 bench/gpu/bench_backward.py --library build/dev/lib/libgsa.so

For each length and workload: our forward selects and attends, then gradients of
queries, keys and values from its lists (gsa.gather_attention_grad), and those of
causal dense attention through cuDNN on the same tensors, take turns as in
bench_forward.py. Sampled rows and keys are compared with float64 first. With
--schedule given ones are measured beside the chosen one. One JSON line per case
is appended to --json.
"""

import argparse
import json
import math
import os
import sys

import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench_forward  # noqa: E402
import gsa_capi  # noqa: E402
import meter  # noqa: E402
import modules  # noqa: E402
import workloads  # noqa: E402
from bench_forward import DIM, GROUPS, HEADS  # noqa: E402

RATIO = HEADS // GROUPS
SCALE = 1 / math.sqrt(DIM)


def forward(library, case, n, slots):
    """attended, lse, indices, counts, the lists' of our selection."""
    plan = library.compile(modules.sparse_core(n, slots=slots, gate=False),
                           target="cuda:0")
    return plan.run(case[:7])[:4]


def row_terms(inputs, t):
    """Of row t in float64, its weights and gradients of logits [G,R,S] and the
    keys of its list [S]."""
    q, k, v, indices, counts, grad, lse, sums = (x[0] for x in inputs)
    keys = indices[t, :counts[t]].long()
    queries = q[t].double().reshape(GROUPS, RATIO, DIM)
    grads = grad[t].double().reshape(GROUPS, RATIO, DIM)
    logits = torch.einsum("grd,sgd->grs", queries, k[keys].double()) * SCALE
    rows = lambda x: x[:, t].double().reshape(GROUPS, RATIO, 1)  # noqa: E731
    weights = (logits - rows(lse)).exp()
    products = torch.einsum("grd,sgd->grs", grads, v[keys].double())
    return keys, queries, grads, weights, weights * (products - rows(sums))


def largest_errors(inputs, results, places=6):
    """Relative to the largest element of the samples: of rows of query gradients,
    and of the gradients of keys and their values, which all rows that list them
    add to."""
    n = inputs[0].shape[1]
    key_table = inputs[1][0].double()
    worst, largest = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]

    def compare(which, wanted, got):
        error = (wanted - got.double()).abs().max().item()
        worst[which] = max(worst[which], error)
        largest[which] = max(largest[which], wanted.abs().max().item())

    for t in torch.linspace(0, n - 1, places).long().tolist():
        keys, _, _, _, slopes = row_terms(inputs, t)
        wanted = torch.einsum("grs,sgd->grd", slopes, key_table[keys]) * SCALE
        compare(0, wanted.reshape(HEADS, DIM), results[0][0, t])
    indices, counts = inputs[3][0], inputs[4][0]
    valid = (torch.arange(indices.shape[1], device=indices.device)[None] <
             counts[:, None])
    for key in torch.linspace(0, n - 1, places).long().tolist():
        listing = ((indices == key) & valid).any(1).nonzero()[:, 0].tolist()
        if not listing or len(listing) > 4096:
            continue
        key_grad = torch.zeros((GROUPS, DIM), dtype=torch.float64,
                               device=indices.device)
        value_grad = torch.zeros_like(key_grad)
        for t in listing:
            keys, queries, grads, weights, slopes = row_terms(inputs, t)
            place = (keys == key).nonzero()[0, 0]
            key_grad += torch.einsum("gr,grd->gd", slopes[..., place],
                                     queries) * SCALE
            value_grad += torch.einsum("gr,grd->gd", weights[..., place], grads)
        compare(1, key_grad, results[1][0, key])
        compare(2, value_grad, results[2][0, key])
    return [error / most if most else error
            for error, most in zip(worst, largest)]


def dense_backward(q, k, v, grad):
    """A function that computes the gradients of causal attention by cuDNN."""
    leaves = [x.detach().requires_grad_() for x in (q, k, v)]
    with sdpa_kernel([SDPBackend.CUDNN_ATTENTION]):
        out = functional.scaled_dot_product_attention(
            *(x.transpose(1, 2) for x in leaves), is_causal=True,
            enable_gqa=True)
    upstream = grad.transpose(1, 2)
    return lambda: torch.autograd.grad(out, leaves, upstream,
                                       retain_graph=True)


def bench_case(library, n, workload, arguments):
    device = torch.device("cuda", 0)
    slots = min(arguments.slots, n)
    case = bench_forward.inputs(n, workload, arguments.seed, device)
    attended, lse, indices, counts = forward(library, case, n, slots)
    q, k, v, grad = case[0], case[1], case[2], case[7]
    sums = torch.einsum("bthd,bthd->bht", attended.float(),
                        grad.float()).contiguous()
    inputs = [q, k, v, indices, counts, grad, lse, sums]
    del attended
    candidates, plans, errors = {}, {}, {}
    for name in ["chosen", *arguments.schedule]:
        schedule = None if name == "chosen" else name
        plan = library.compile(
            modules.sparse_backward(n, slots=slots, schedule=schedule),
            target="cuda:0")
        outputs = plan.new_outputs(device)
        run = plan.bind(inputs, outputs, plan.new_workspace(device))
        run()
        torch.cuda.synchronize()
        errors[name] = largest_errors(inputs, outputs)
        candidates[name], plans[name] = run, plan
    if n <= arguments.dense_up_to:
        candidates["dense"] = dense_backward(q, k, v, grad)
    with meter.Meter(0) as sampler:
        times, rounds = bench_forward.measure(candidates, arguments.seconds,
                                              sampler, turn_s=0.2)
    jaccard, union = workloads.overlap(indices[0], counts[0])
    kernels, _ = meter.kernel_times(candidates["chosen"])
    # Products of the pairs of a list: five, 2 operations each.
    useful = 10 * counts.double().sum().item() * HEADS * DIM
    dense = times.get("dense")
    return {"bench": "gpu_backward", "n": n, "workload": workload,
            "shape": {"batch": 1, "heads": HEADS, "kv_heads": GROUPS,
                      "dim": DIM, "k": slots, "dtype": "bf16"},
            "seed": arguments.seed, "rounds": rounds,
            "ours_ms": times["chosen"], "dense_ms": dense,
            "ratio": dense and dense / times["chosen"],
            "schedules_ms": {name: times[name] for name in plans},
            "errors": errors, "J": jaccard, "U32": union,
            "union_rows": workloads.count_union_rows(indices[0], counts[0]),
            "useful_tflops": useful / times["chosen"] / 1e9,
            "kernels": kernels, "meter": sampler.medians(),
            "workspace_mib": plans["chosen"].workspace_bytes / 2**20}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--lengths", type=int, nargs="+",
                        default=[2048, 8192, 32768, 131072])
    parser.add_argument("--workloads", nargs="+",
                        default=["rho98", "local_rho98", "independent"],
                        choices=sorted(workloads.WORKLOADS))
    parser.add_argument("--slots", type=int, default=2048)
    parser.add_argument("--schedule", nargs="*", default=[],
                        help='a schedule, without "#gsa.", beside the chosen')
    parser.add_argument("--dense-up-to", type=int, default=131072)
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="measuring time per case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    library = gsa_capi.Library(arguments.library)
    common = {"device": torch.cuda.get_device_name(0),
              "commit": modules.commit(), "torch": torch.__version__}
    for n in arguments.lengths:
        for workload in arguments.workloads:
            record = {**bench_case(library, n, workload, arguments), **common}
            dense = record["dense_ms"]
            print(f"{n:>7} {workload:<14} ours {record['ours_ms']:.3f} ms, "
                  f"dense {dense or float('nan'):.3f} ms, ratio "
                  f"{record['ratio'] or float('nan'):.2f}, U32 "
                  f"{record['U32']:.2f}, errors "
                  f"{max(max(e) for e in record['errors'].values()):.1e}",
                  flush=True)
            for name, ms in record["schedules_ms"].items():
                print(f"    {ms:.3f} {name} {record['errors'][name]}")
            if arguments.json:
                with open(arguments.json, "a") as file:
                    file.write(json.dumps(record) + "\n")
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
