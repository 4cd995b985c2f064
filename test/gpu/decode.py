#!/usr/bin/env python3
"""Few queries against a cache on a GPU.

    python3 test/gpu/decode.py --library libgsa.so

Selections of split schedules must have the bits of those that do not split, for
sequences of any length in one batch, alone or together, and whatever lies behind
the last key. They must be those of prefill, of which the last rows see the same
keys. Attention rounds in another order: its error is bounded, its bits are the same
for a sequence alone and in a batch, and in every replay of a graph.
"""

import argparse
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "gpu"))
import gsa_capi  # noqa: E402
import modules  # noqa: E402

SLOTS = 512
TOPK = "<warps = 8, bins = 2048, capacity = 4096, chunk = 1>"
WHOLE = ("select_schedule<scores = <engine = mma_sync, block_q = 16, block_k = "
         f"64, span = 16, stages = 3, producers = 4, consumers = 1>, topk = {TOPK}>")
PART = ("<engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = "
        "4, consumers = 4>")


def split(block_k, span, stages, producers, consumers, lists, more=""):
    sample, rank, capacity = lists
    return (f"split_select_schedule<engine = mma_sync, block_k = {block_k}, span = "
            f"{span}, stages = {stages}, producers = {producers}, consumers = "
            f"{consumers}, sample = {sample}, rank = {rank}, capacity = {capacity}, "
            f"rows = {TOPK}{more}>")


SPLITS = [split(128, 8, 4, 4, 4, (16, 56, 1536)),
          split(128, 3, 2, 4, 2, (4, 180, 1024)),
          split(64, 64, 1, 0, 1, (0, 0, 0)),
          split(256, 5, 2, 4, 8, (32, 20, 4096)),
          # Samples by clusters; blocks that share an SM.
          split(128, 7, 4, 4, 4, (16, 56, 1536), ", cluster = 8, sm_blocks = 3"),
          split(128, 20, 2, 4, 4, (32, 37, 2304), ", cluster = 4, staged = 2"),
          # Scores that wait in shared memory.
          split(128, 3, 4, 4, 4, (16, 56, 1536),
                ", cluster = 8, sm_blocks = 3, deferred = true"),
          split(128, 20, 2, 4, 4, (32, 37, 2304), ", staged = 2, deferred = true"),
          # Lists with so little room that rows take their scores.
          split(128, 8, 3, 4, 4, (16, 32, 520))]
# Of short contexts: rows that are read once, by a cluster that has their scores or
# by another kernel.
SHORT_KEYS = 4096
HELD = [split(128, 1, 4, 4, 4, (0, 0, 0), ", row_cells = 16"),
        split(128, 1, 4, 4, 4, (0, 0, 0), ", row_cells = 16").replace(
            TOPK, TOPK.replace("warps = 8", "warps = 32")).replace(
                "row_cells = 16", "row_cells = 4"),
        split(128, 1, 4, 4, 4, (0, 0, 0),
              ", cluster = 8, cluster_keys = 512, row_cells = 16"),
        split(128, 1, 4, 4, 4, (0, 0, 0),
              ", cluster = 4, cluster_keys = 256, row_cells = 16")]
LENGTHS = [0, 1, SLOTS - 1, SLOTS, SLOTS + 1, 1536, 1537, 9999, 40000]


def split_list(per_block, cluster=0, stages=2):
    """The part is that of the choice, but for stages and how many warps copy."""
    part = PART.replace("consumers = 4", "consumers = 2")
    part = part.replace("stages = 2", f"stages = {stages}")
    return (f"split_attention_schedule<entries = 128, per_block = {per_block}, part "
            f"= {part}, cluster = {cluster}>")


def make_case(batch, queries, keys, device, seed=3):
    generator = torch.Generator(device=device).manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, device=device,
                           dtype=torch.bfloat16)

    return [normal(batch, queries, 32, 128), normal(batch, keys, 8, 128),
            normal(batch, keys, 8, 128), normal(batch, queries, 4, 64),
            normal(batch, keys, 64), normal(batch, queries, 4),
            torch.randn(4, generator=generator, device=device),
            normal(batch, queries, 32, 128)]


class Test:
    def __init__(self, library):
        self.library, self.failures = library, 0

    def expect(self, good, text):
        self.failures += not good
        print("ok     " if good else "FAILED ", text, flush=True)

    def run(self, case, lengths=None, **schedules):
        batch, queries = case[0].shape[:2]
        text = modules.decode(case[1].shape[1], batch, queries, slots=SLOTS,
                              lengths=lengths is not None, **schedules)
        plan = self.library.compile(text, target="cuda:0")
        inputs = case + ([lengths] if lengths is not None else [])
        outputs = plan.run(inputs)
        torch.cuda.synchronize()
        return outputs

    def lengths(self, queries, device):
        keys = max(LENGTHS)
        case = make_case(len(LENGTHS), queries, keys, device)
        lengths = torch.tensor(LENGTHS, dtype=torch.int32, device=device)
        whole = self.run(case, lengths, select_schedule=WHOLE,
                         attention_schedule=f"attention_schedule{PART}")
        for b, n in enumerate(LENGTHS):
            for cache in (case[1], case[2], case[4]):
                cache[b, n:] = float("nan")
        for schedule in SPLITS:
            got = self.run(case, lengths, select_schedule=schedule)
            same = all(torch.equal(a, b) for a, b in zip(got[2:], whole[2:]))
            self.expect(same, f"{queries} queries, bits of {schedule}")
            error = (got[0].double() - whole[0].double()).abs().max().item()
            self.expect(error < 2e-2 and bool(got[0].isfinite().all()),
                        f"{queries} queries, attention off by {error:.1e}")
        together = self.run(case, lengths)
        for blocks in ((1,), (2,), (4,), (1, 4), (2, 2), (1, 4, 4), (2, 2, 4)):
            got = self.run(case, lengths, attention_schedule=split_list(*blocks))
            same = all(torch.equal(x, y) for x, y in zip(got, together))
            self.expect(same, f"{queries} queries, parts in a block, cluster and "
                              f"stages {blocks}")
        for b in (1, 4, 8):
            alone = self.run([x[b:b + 1].clone() if x.dim() > 1 else x
                              for x in case],
                             lengths[b:b + 1].clone())
            same = all(torch.equal(x[0], y[b]) for x, y in zip(alone, together))
            self.expect(same, f"{queries} queries, sequence {b} alone")

    def short(self, queries, device):
        lengths = [0, 1, SLOTS, SLOTS + 1, 2047, SHORT_KEYS - 1, SHORT_KEYS]
        case = make_case(len(lengths), queries, SHORT_KEYS, device)
        for b, n in enumerate(lengths):
            for cache in (case[1], case[2], case[4]):
                cache[b, n:] = float("nan")
        # A row with a score that is not finite.
        case[4][2, 7, 0] = float("nan")
        lengths = torch.tensor(lengths, dtype=torch.int32, device=device)
        whole = self.run(case, lengths, select_schedule=WHOLE)
        for schedule in HELD:
            got = self.run(case, lengths, select_schedule=schedule)
            same = all(map(torch.equal, got, whole))
            self.expect(same, f"{queries} queries, bits of {schedule}")
        got = self.run(case, lengths)
        self.expect(all(map(torch.equal, got, whole)),
                    f"{queries} queries of {SHORT_KEYS} keys, bits of the choice")
        for blocks in ((1,), (2,), (1, 4)):
            asked = split_list(*blocks)[:-1] + ", prefetch = true>"
            got = self.run(case, lengths, select_schedule=WHOLE,
                           attention_schedule=asked)
            self.expect(all(map(torch.equal, got, whole)),
                        f"{queries} queries, parts and cluster {blocks}, prefetched")

    def prefill(self, device):
        """The last rows of causal prefill, one by one."""
        n, rows = 3000, 4
        case = make_case(1, n, n, device)
        text = modules.sparse_core(n, slots=SLOTS, select_schedule=WHOLE)
        outputs = self.library.compile(text, target="cuda:0").run(case)
        torch.cuda.synchronize()
        for t in range(n - rows, n):
            queries = [0, 3, 5, 7]
            one = [x[:, t:t + 1].clone() if i in queries else x
                   for i, x in enumerate(case)]
            lengths = torch.tensor([t + 1], dtype=torch.int32, device=device)
            got = self.run(one, lengths, select_schedule=SPLITS[0])
            self.expect(torch.equal(got[2][0, 0], outputs[2][0, t]),
                        f"row {t} of prefill")

    def graph(self, device):
        case = make_case(2, 1, 40000, device)
        lengths = torch.tensor([40000, 777], dtype=torch.int32, device=device)
        plan = self.library.compile(modules.decode(40000, 2, slots=SLOTS),
                                    target="cuda:0")
        outputs, workspace = plan.new_outputs(device), plan.new_workspace(device)
        run = lambda: plan.run(case + [lengths], outputs, workspace)  # noqa: E731
        run()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        good = True
        for step in range(200):
            lengths.copy_(torch.tensor([40000 - step, 777 + step]))
            graph.replay()
            if step % 50 == 49:
                torch.cuda.synchronize()
                replayed = [x.clone() for x in outputs]
                run()
                torch.cuda.synchronize()
                good &= all(map(torch.equal, replayed, outputs))
        self.expect(good, "a graph with other lengths in each replay")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    device = torch.device("cuda", 0)
    test = Test(gsa_capi.Library(arguments.library))
    for queries in (1, 3):
        test.lengths(queries, device)
        test.short(queries, device)
    test.prefill(device)
    test.graph(device)
    print("PASSED" if test.failures == 0 else f"FAILED: {test.failures}")
    return bool(test.failures)


if __name__ == "__main__":
    sys.exit(main())
