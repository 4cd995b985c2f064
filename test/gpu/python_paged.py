#!/usr/bin/env python3
"""Attention over a cache in pages (gsa.serving.paged) on a GPU, against the same
attention over contiguous tensors in float64 on the CPU.

    python3 test/gpu/python_paged.py --library build/portable/lib/libgsa.so

Prints one line for each check, and the times of a step that decodes.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "python"))

from checks import Checks  # noqa: E402

H, G, D, HI, DI = 32, 8, 128, 4, 64
CHECKS = Checks()


def make_case(torch, paged, dtype, query_lens, lengths, page_size):
    """Sequences in pages of nobody's order: (queries, pages, batch, a function
    that gives the tensors of sequence b, contiguous)."""
    generator = torch.Generator("cuda").manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, device="cuda").to(dtype)
    needed = [-(-n // page_size) for n in lengths]
    count = sum(needed) + 3
    order = torch.randperm(count, generator=generator, device="cuda").int()
    table = torch.zeros(len(lengths), max(needed), dtype=torch.int32,
                        device="cuda")
    first = 0
    for b, n in enumerate(needed):
        table[b, :n] = order[first:first + n]
        first += n
    slots = count * page_size
    pages = paged.Pages(normal(slots, G, D), normal(slots, G, D),
                        normal(slots, DI))
    rows = sum(query_lens)
    queries = paged.Queries(normal(rows, H, D), normal(rows, HI, DI),
                            normal(rows, HI), normal(HI), normal(rows, H, D))
    batch = paged.Batch(tuple(query_lens),
                        torch.tensor(lengths, device="cuda"), max(lengths),
                        table, page_size)

    def sequence(b):
        at = torch.arange(lengths[b], device="cuda")
        where = table[b].long()[at // page_size] * page_size + at % page_size
        part = slice(sum(query_lens[:b]), sum(query_lens[:b + 1]))
        return ([t[where] for t in pages], [t[part] for t in (
            queries.query, queries.index_query, queries.index_weights,
            queries.output_gate)])
    return queries, pages, batch, sequence


def compare(torch, gsa, dtype, limit, query_lens, lengths, page_size):
    from gsa.serving import paged
    config = gsa.GSAConfig(d_model=4096, n_heads=H, n_kv_heads=G, d_head=D,
                           d_indexer=DI, n_indexer_heads=HI, k_base=512,
                           use_adaptive_k=False)
    queries, pages, batch, sequence = make_case(torch, paged, dtype, query_lens,
                                                lengths, page_size)
    out = paged.attend("test", config, queries, pages, batch)
    first, share = 0, []
    for b, count in enumerate(query_lens):
        (k, v, ik), (q, iq, iw, gate) = (
            [t[None].double().cpu() for t in group] for group in sequence(b))
        want = gsa.gated_sparse_attention(
            q, k, v, iq, ik, k_base=512, weights=iw,
            bias=queries.index_bias.double().cpu(), output_gate=gate)[0]
        got = out[first:first + count].double().cpu()
        # Rows whose last keys are nearly equal keep another one of them.
        error = (got - want).flatten(1).norm(dim=1) / want.flatten(1).norm(dim=1)
        share.append(error)
        first += count
    error = torch.cat(share)
    CHECKS.expect(f"pages of {page_size}, {dtype}, queries {query_lens}",
                  error.median().item() < limit and error.max().item() < 0.3,
                  f"relative error of a row: median {error.median():.2e}, largest "
                  f"{error.max():.2e}, limit of the median {limit:.0e}")


def times(torch, gsa):
    from gsa.serving import paged
    config = gsa.GSAConfig(d_model=4096, n_heads=H, n_kv_heads=G, d_head=D,
                           d_indexer=DI, n_indexer_heads=HI, k_base=2048,
                           use_adaptive_k=False)
    for sequences, length in ((1, 32768), (8, 32768)):
        queries, pages, batch, _ = make_case(
            torch, paged, torch.bfloat16, [1] * sequences,
            [length] * sequences, 64)
        runs = []
        for _ in range(7):
            begin, end = (torch.cuda.Event(enable_timing=True)
                          for _ in range(2))
            begin.record()
            paged.attend("test", config, queries, pages, batch)
            end.record()
            end.synchronize()
            runs.append(begin.elapsed_time(end))
        print(f"time   {sequences} sequences of {length}, one token each: "
              f"{sorted(runs)[3]:.3f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    os.environ["GSA_LIBRARY"] = os.path.abspath(arguments.library)
    import torch
    import gsa
    with torch.no_grad():
        for dtype, limit in ((torch.float32, 1e-4), (torch.bfloat16, 3e-2)):
            compare(torch, gsa, dtype, limit, [1, 1, 1], [1500, 700, 3000], 64)
            compare(torch, gsa, dtype, limit, [300, 1, 17], [900, 1100, 17], 49)
        times(torch, gsa)
    sys.exit(CHECKS.end())


if __name__ == "__main__":
    main()
