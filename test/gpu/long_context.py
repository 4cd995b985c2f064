#!/usr/bin/env python3
"""Long sequences on a GPU, sampled rows against float64.

    python3 test/gpu/long_context.py --library libgsa.so --length 131072

Runs selection, sparse attention and the output gate on N tokens and checks,
for sampled rows, against float64 on the same device: the selection must equal
the exact top-k except for cells whose score lies within `--margin` of the
threshold, and the output must agree over the selection that was made. Outputs
are poisoned before the run, a second run must repeat every bit, and the
workspace must stay within its bound.
"""

import argparse
import math
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "gpu"))
import bench_forward  # noqa: E402
import gsa_capi  # noqa: E402
import modules  # noqa: E402


def reference_scores(row, visible, iq, ik, iw, bias):
    dots = (iq[0, row].double() @ ik[0].double().T) / math.sqrt(iq.shape[-1])
    heads = torch.sigmoid(dots + bias.double()[:, None])
    scores = (torch.sigmoid(iw[0, row].double())[:, None] * heads).sum(0)
    scores[visible:] = float("-inf")
    return scores


def reference_attention(row, chosen, q, k, v, gate):
    group = q.shape[2] // k.shape[2]
    keys = k[0, chosen].double().repeat_interleave(group, dim=1)
    values = v[0, chosen].double().repeat_interleave(group, dim=1)
    logits = torch.einsum("hd,shd->hs", q[0, row].double(), keys)
    logits /= math.sqrt(q.shape[-1])
    out = torch.einsum("hs,shd->hd", torch.softmax(logits, -1), values)
    lse = torch.logsumexp(logits, -1)
    return out * torch.sigmoid(gate[0, row].double()), lse


def check_row(row, case, outputs, slots, margin, visible=None):
    """Error messages of one row, and the relative error of its output. It sees
    the keys up to its own, or `visible` ones."""
    visible = row + 1 if visible is None else visible
    q, k, v, iq, ik, iw, bias, gate = case
    attended, lse, indices, counts, _ = outputs
    errors = []
    count = counts[0, row].item()
    expected = min(slots, visible)
    if count != expected:
        return [f"row {row}: count {count}, expected {expected}"], 0.0
    chosen = indices[0, row, :count].long()
    if (chosen[1:] <= chosen[:-1]).any():
        errors.append(f"row {row}: indices are not strictly ascending")
    if (indices[0, row, count:] != -1).any():
        errors.append(f"row {row}: the tail is not -1")
    if chosen.min() < 0 or chosen.max() >= visible:
        return errors + [f"row {row}: an index lies outside the past"], 0.0
    scores = reference_scores(row, visible, iq, ik, iw, bias)
    member = torch.zeros_like(scores, dtype=torch.bool)
    member[chosen] = True
    threshold = scores.topk(count).values[-1]
    missing = (~member & (scores > threshold + margin)).sum().item()
    surplus = (member & (scores < threshold - margin)).sum().item()
    if missing or surplus:
        errors.append(f"row {row}: {missing} keys missing and {surplus} "
                      f"surplus beyond a margin of {margin}")
    out, expected_lse = reference_attention(row, chosen, q, k, v, gate)
    error = ((attended[0, row].double() - out).norm() / out.norm()).item()
    if not error < 8e-3:
        errors.append(f"row {row}: output error {error:.2e}")
    lse_error = (lse[0, :, row].double() - expected_lse).abs().max().item()
    if not lse_error < 1e-3:
        errors.append(f"row {row}: lse error {lse_error:.2e}")
    return errors, error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--length", type=int, default=131072)
    parser.add_argument("--slots", type=int, default=2048)
    parser.add_argument("--workload", default="rho98")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--margin", type=float, default=4e-6,
                        help="accuracy of a score, absolute")
    parser.add_argument("--workspace-limit-mib", type=float, default=2048)
    arguments = parser.parse_args()
    n, slots = arguments.length, min(arguments.slots, arguments.length)
    device = torch.device("cuda", 0)
    library = gsa_capi.Library(arguments.library)
    case = bench_forward.inputs(n, arguments.workload, 3, device)
    plan = library.compile(modules.sparse_core(n, slots=slots),
                           target="cuda:0")
    print(f"N = {n}: workspace {plan.workspace_bytes / 2**20:.1f} MiB")
    failures = []
    if plan.workspace_bytes > arguments.workspace_limit_mib * 2**20:
        failures.append("the workspace exceeds "
                        f"{arguments.workspace_limit_mib} MiB")
    workspace = plan.new_workspace(device).fill_(0xA5)
    outputs = [o.view(torch.uint8).fill_(0xA5).view(o.dtype) if o.numel() else o
               for o in plan.new_outputs(device)]
    milliseconds = bench_forward.timed(
        lambda: plan.run(case, outputs, workspace))
    print(f"first run {milliseconds:.1f} ms, "
          f"peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    again = [torch.empty_like(o) for o in outputs]
    plan.run(case, again, workspace.fill_(0x5A))
    torch.cuda.synchronize()
    for (name, _, _), a, b in zip(plan.outputs, outputs, again):
        if not torch.equal(a.contiguous().view(torch.uint8),
                           b.contiguous().view(torch.uint8)):
            failures.append(f"a second run changes {name}")
    del again
    ends = [0, 1, slots - 1, slots, slots + 1, n - 1]
    sampled = torch.linspace(0, n - 1, max(2, arguments.rows)).long().tolist()
    worst = 0.0
    for row in sorted({r for r in ends + sampled if 0 <= r < n}):
        errors, error = check_row(row, case, outputs, slots, arguments.margin)
        failures += errors
        worst = max(worst, error)
    for failure in failures[:20]:
        print("FAILED:", failure)
    print(f"N = {n}: {'PASSED' if not failures else 'FAILED'}, "
          f"worst output error {worst:.2e} of the norm")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
