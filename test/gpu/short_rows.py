#!/usr/bin/env python3
"""Selection and attention of short rows on a GPU.

    python3 test/gpu/short_rows.py --library libgsa.so

What the compiler chooses for short lengths (lists of all keys, dense or masked
tiles) against scores in memory and attention by query: the same selection bit
for bit, attention within the rounding of its weights, the same bits twice; with
and without numbers that are not finite in the indexer and in values. Fails if
one is wrong.
"""

import argparse
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "bench", "gpu"))
import bench_forward  # noqa: E402
import gsa_capi  # noqa: E402
import modules  # noqa: E402

EXACT = ("<scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 4, "
         "stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = "
         "2048, capacity = 4096, chunk = 1024>>")
PER_QUERY = ("<engine = mma_sync, block_q = 16, block_k = 64, stages = 3, "
             "producers = 4, consumers = 4>")


def short_rows(rows, cells=16):
    return (f"short_rows_schedule<rows = {rows}, cells = {cells}, exact = "
            f"{EXACT}>")


def dense(block_q, block_k, order, masked):
    return (f"dense_schedule<engine = wgmma, block_q = {block_q}, block_k = "
            f"{block_k}, key_stages = 2, value_stages = 2, order = {order}, "
            f"per_row = <engine = mma_sync, block_q = 16, block_k = 32, stages "
            f"= 2, producers = 4, consumers = 1>"
            f"{', masked = true' if masked else ''}>")


# Length, slots, schedules of selection and of attention; None is the choice.
CASES = [(2048, 2048, None, None), (1000, 1000, None, None),
         (4096, 2048, None, None), (3000, 700, None, None),
         (1000, 1000, short_rows(1), dense(64, 64, "free", False)),
         (1000, 1000, short_rows(32), dense(128, 128, "ping_pong", False)),
         (1000, 1000, short_rows(16), dense(192, 80, "free", False)),
         (1000, 300, short_rows(16), dense(64, 64, "free", True)),
         (1000, 300, short_rows(7), dense(128, 128, "ping_pong", True)),
         (1000, 300, short_rows(7, 0), dense(128, 128, "ping_pong", True)),
         (5000, 300, short_rows(16, 8), dense(128, 128, "ping_pong", True)),
         (1000, 300, short_rows(7), dense(192, 64, "free", True)),
         (1000, 300, short_rows(7), dense(128, 96, "free", True)),
         # Rows that have a choice are done again by their lists.
         (300, 200, short_rows(16), dense(128, 64, "ping_pong", False))]


def spoil(case):
    """NaN, infinities and large numbers here and there."""
    q, k, v, iq, ik, iw = case[:6]
    n = q.shape[1]
    ik[0, n // 3, 3] = float("nan")
    v[0, n // 3, 0, 5] = float("nan")
    iq[0, n // 2, 1, 0] = float("inf")
    iw[0, n // 2 + 1, 2] = float("nan")
    iq[0, n // 2 + 2, 0, 0] = 2.0**21
    v[0, n - 9, 1, 7] = float("inf")
    k[0, n - 20, 0, 0] = 1e30


def check(library, n, slots, select, attention, spoilt):
    case = bench_forward.inputs(n, "rho90", 3, torch.device("cuda", 0))
    if spoilt:
        spoil(case)

    def run(**schedules):
        plan = library.compile(modules.sparse_core(n, slots=slots, **schedules),
                               target="cuda:0")
        got, again = plan.run(case), plan.run(case)
        torch.cuda.synchronize()
        if not all(torch.equal(a.nan_to_num(), b.nan_to_num())
                   for a, b in zip(got, again)):
            raise RuntimeError("differs from run to run")
        return got

    want = run(select_schedule=f"select_schedule{EXACT}",
               attention_schedule=f"attention_schedule{PER_QUERY}")
    got = run(select_schedule=select, attention_schedule=attention)
    if not all(torch.equal(a, b) for a, b in zip(want[2:], got[2:])):
        raise RuntimeError("another selection")
    if not torch.equal(want[0].isnan(), got[0].isnan()):
        raise RuntimeError("NaN elsewhere")
    finite = want[0].isfinite()
    if not torch.equal(want[0][~finite].nan_to_num(), got[0][~finite].nan_to_num()):
        raise RuntimeError("infinities elsewhere")
    errors = [(a.float() - b.float())[mask].abs().max().item()
              for a, b, mask in ((want[0], got[0], finite),
                                 (want[1], got[1], want[1].isfinite()))]
    size = want[1][want[1].isfinite()].abs().max().item()
    return errors[0], errors[1] / max(size, 1.0)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    library = gsa_capi.Library(arguments.library)
    failures = 0
    for case in CASES:
        for spoilt in (False, True):
            try:
                errors = check(library, *case, spoilt)
                good = errors[0] < 0.05 and errors[1] < 1e-3
                about = "errors of output %.1e, lse %.1e" % errors
            except (gsa_capi.GsaError, RuntimeError) as error:
                good, about = False, str(error)
            print("right " if good else "FAILED", *case[:2],
                  "spoilt" if spoilt else "finite", case[2], case[3], about,
                  flush=True)
            failures += not good
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
