#!/usr/bin/env python3
"""Runs causal and full dense attention on a GPU under several schedules.

    python3 test/gpu/dense_schedules.py --library build/portable/lib/libgsa.so

Each is compared with float32 attention on small sizes: lengths that are no
multiples of tiles, rows without keys, hidden keys that are not finite. It has to
give the same bits twice. Fails if one is wrong.
"""

import argparse
import math
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "bench", "gpu"))
import gsa_capi  # noqa: E402
import modules  # noqa: E402

# block_q, block_k, stages, order.
SCHEDULES = {64: [(192, 112, 2, "free"), (128, 128, 2, "ping_pong"),
                  (192, 112, 2, "ping_pong"), (64, 64, 2, "free")],
             128: [(192, 80, 2, "free"), (128, 128, 2, "ping_pong"),
                   (128, 128, 2, "free"), (128, 96, 3, "ping_pong"),
                   (64, 64, 2, "free")],
             256: [(128, 80, 2, "ping_pong")]}
# batch, queries, keys, heads, groups, mask.
CASES = [(1, 1024, 1024, 8, 2, "causal"), (2, 1000, 1333, 8, 2, "causal"),
         (2, 700, 300, 8, 2, "causal"), (2, 777, 1001, 4, 1, "none"),
         (3, 65, 1, 4, 4, "causal")]


def schedule(block_q, block_k, stages, order):
    return (f"dense_schedule<engine = wgmma, block_q = {block_q}, block_k = "
            f"{block_k}, key_stages = {stages}, value_stages = {stages}, order "
            f"= {order}, per_row = <engine = mma_sync, block_q = 16, block_k = "
            f"32, stages = 2, producers = 4, consumers = 1>>")


def reference(q, k, v, mask):
    queries, keys, repeat = q.shape[1], k.shape[1], q.shape[2] // k.shape[2]
    k, v = (x.float().repeat_interleave(repeat, 2) for x in (k, v))
    logits = torch.einsum("bnhd,bmhd->bhnm", q.float(), k)
    logits /= math.sqrt(q.shape[-1])
    shown = torch.ones(queries, keys, dtype=torch.bool, device=q.device)
    if mask == "causal":
        shown = shown.tril(keys - queries)
    logits = logits.masked_fill(~shown, float("-inf"))
    lse = torch.logsumexp(logits, -1)
    weights = torch.exp(logits - lse[..., None]).nan_to_num(0)
    # A hidden value that is not finite is nobody's.
    return torch.einsum("bhnm,bmhd->bnhd", weights, v.nan_to_num(0, 0, 0)), lse


def check(library, dim, dtype, text):
    """The largest errors of output and lse over all cases."""
    device, worst = torch.device("cuda", 0), [0.0, 0.0]
    types = {"bf16": torch.bfloat16, "f16": torch.float16}
    for batch, queries, keys, heads, groups, mask in CASES:
        generator = torch.Generator(device=device).manual_seed(queries)

        def normal(n, h):
            return torch.randn((batch, n, h, dim), generator=generator,
                               device=device).to(types[dtype])

        q, k, v = normal(queries, heads), normal(keys, groups), \
            normal(keys, groups)
        plan = library.compile(
            modules.dense(queries, keys, heads, groups, dim, dtype, batch, mask,
                          text), target="cuda:0")
        # Only the last query sees the last key.
        spoils = [False, True] if mask == "causal" and keys > 1 else [False]
        for spoil in spoils:
            if spoil:
                v[:, -1, 0, 3] = float("nan")
            got = plan.run([q, k, v])
            again = plan.run([q, k, v])
            want = reference(q, k, v, mask)
            rows = slice(0, queries - 1 if spoil else queries)
            pairs = [(got[0][:, rows], want[0][:, rows]), (got[1], want[1])]
            same = all(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
                       for a, b in zip(got, again))
            if not same:
                raise RuntimeError(f"differs from run to run: {mask} {queries}")
            for i, (a, b) in enumerate(pairs):
                none = b == float("-inf")
                if not torch.equal(a == float("-inf"), none):
                    raise RuntimeError(f"rows without keys: {mask} {queries}")
                error = torch.where(none, 0.0, a.float() - b).abs().max().item()
                worst[i] = max(worst[i], error if error == error else math.inf)
    return worst


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    library = gsa_capi.Library(arguments.library)
    failures = 0
    for dim, schedules in SCHEDULES.items():
        for numbers in schedules:
            for dtype in ("bf16", "f16"):
                text = schedule(*numbers)
                try:
                    errors = check(library, dim, dtype, text)
                    good = errors[0] < 0.05 and errors[1] < 1e-3
                    about = "errors of output %.1e, lse %.1e" % tuple(errors)
                except (gsa_capi.GsaError, RuntimeError) as error:
                    good, about = False, str(error)
                print("right " if good else "FAILED", dim, dtype, text, about,
                      flush=True)
                failures += not good
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
