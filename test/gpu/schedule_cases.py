"""Small modules under schedules of every family, with inputs that are the same
bits on every machine; for tests of bits (repeats.py, devices.py)."""

import collections
import os
import sys

import numpy
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "gpu"))
import bench_schedules  # noqa: E402
import decode  # noqa: E402
import modules  # noqa: E402
import schedules  # noqa: E402
import short_rows  # noqa: E402

SLOTS, KEYS = 512, 1600
HEADS, GROUPS, DIM, INDEX_HEADS, INDEX_DIM = 32, 8, 128, 4, 64

# `ordered`: the outputs whose sums have one order, by number.
Case = collections.namedtuple("Case", "name text inputs ordered")


class Draws:
    """Numbers by a counter: the same on every machine and version."""

    def __init__(self, seed):
        self.generator = numpy.random.Generator(numpy.random.Philox(seed))

    def normal(self, *shape, dtype=torch.bfloat16):
        values = self.generator.standard_normal(shape, dtype=numpy.float32)
        return torch.from_numpy(values).to(dtype)

    def lists(self, n, slots):
        """Ascending lists of causal rows, and their lengths."""
        indices = numpy.full((1, n, slots), -1, dtype=numpy.int32)
        counts = numpy.minimum(numpy.arange(n) + 1, slots).astype(numpy.int32)
        for t in range(n):
            # Neighbours share most keys.
            shift = self.generator.integers(0, 3)
            keys = numpy.unique((numpy.arange(counts[t]) * max(1, t // slots) +
                                 shift) % (t + 1))
            counts[t] = len(keys)
            indices[0, t, :len(keys)] = keys
        return torch.from_numpy(indices), torch.from_numpy(counts)[None]


def prefill_inputs(n):
    draws = Draws(1)
    return [draws.normal(1, n, HEADS, DIM), draws.normal(1, n, GROUPS, DIM),
            draws.normal(1, n, GROUPS, DIM),
            draws.normal(1, n, INDEX_HEADS, INDEX_DIM),
            draws.normal(1, n, INDEX_DIM), draws.normal(1, n, INDEX_HEADS),
            draws.normal(INDEX_HEADS, dtype=torch.float32),
            draws.normal(1, n, HEADS, DIM)]


def decode_inputs(keys, batch):
    draws = Draws(2)
    lengths = [keys - 37 * b for b in range(batch)]
    return [draws.normal(batch, 1, HEADS, DIM),
            draws.normal(batch, keys, GROUPS, DIM),
            draws.normal(batch, keys, GROUPS, DIM),
            draws.normal(batch, 1, INDEX_HEADS, INDEX_DIM),
            draws.normal(batch, keys, INDEX_DIM),
            draws.normal(batch, 1, INDEX_HEADS),
            draws.normal(INDEX_HEADS, dtype=torch.float32),
            draws.normal(batch, 1, HEADS, DIM),
            torch.tensor(lengths, dtype=torch.int32)]


def backward_inputs(n, slots):
    draws = Draws(3)
    indices, counts = draws.lists(n, slots)
    # Of logits that are about normal.
    lse = torch.log(counts.float())[:, None, :].expand(1, HEADS, n) + 0.5
    return [draws.normal(1, n, HEADS, DIM), draws.normal(1, n, GROUPS, DIM),
            draws.normal(1, n, GROUPS, DIM), indices, counts,
            draws.normal(1, n, HEADS, DIM), lse.contiguous(),
            draws.normal(1, HEADS, n, dtype=torch.float32) * 0.1]


def scheduled_cases(n, keys):
    """Case of each schedule; on a CPU they have no meaning."""
    forward, few = prefill_inputs(n), decode_inputs(keys, 3)
    back = backward_inputs(n, SLOTS)
    exact, slots = bench_schedules.select(n), min(SLOTS, n)

    def core(name, select=None, attention=None):
        return Case(name, modules.sparse_core(
            n, slots=slots, select_schedule=select,
            attention_schedule=attention), forward, range(5))

    def dense(name, schedule):
        return Case(name, modules.dense(n, schedule=schedule), forward[:3],
                    range(2))

    def step(name, select=None, attention=None):
        return Case(name, modules.decode(keys, 3, slots=slots,
                                         select_schedule=select,
                                         attention_schedule=attention),
                    few, range(5))

    def gradient(name, schedule):
        return Case(name, modules.sparse_backward(n, slots=SLOTS,
                                                  schedule=schedule),
                    back, [0])

    one_pass = (f"one_pass_schedule<scores = "
                f"{schedules.scores('mma_sync', 64, 64, 8, 3, 4)}, exact = "
                f"{exact[len('select_schedule'):]}, sample = 4, rank = 160, "
                f"capacity = 1024, chunk = 700>")
    wgmma = (f"select_schedule<scores = "
             f"{schedules.scores('wgmma', 64, 64, 16, 3, 4)}, topk = "
             f"{schedules.topk(8, 2048, 4096, 512)}>")
    union = bench_schedules.union
    return [
        core("chosen"),
        core("select, by query", exact, bench_schedules.attention(64, 3, 4, 4)),
        core("select by wgmma, union", wgmma, union(n, 1, 64, 3, 3)),
        core("one pass by wgmma, split union", bench_schedules.one_pass(n),
             union(n, 2, 64, 3, 3)),
        core("one pass by mma.sync, no ring", one_pass,
             bench_schedules.attention(64, 1, 0, 4)),
        core("short rows, masked tiles", short_rows.short_rows(7),
             short_rows.dense(128, 128, "ping_pong", True)),
        dense("dense, chosen", None),
        dense("dense, groups in turns",
              "dense_schedule" + short_rows.dense(
                  128, 96, "ping_pong", False)[len("dense_schedule"):]),
        dense("dense, groups free",
              short_rows.dense(192, 80, "free", False)),
        step("few queries, chosen"),
        step("few queries, lists, cluster",
             decode.SPLITS[4], decode.split_list(1, 4)),
        step("few queries, deferred", decode.SPLITS[6], decode.split_list(2)),
        step("few queries, rows held", decode.HELD[2],
             decode.split_list(4)),
        gradient("gradients, chosen", None),
        gradient("gradients by query",
                 "gather_grad_schedule<engine = mma_sync, block_k = 16, columns "
                 "= 16>"),
    ]


def plain_cases(n, keys):
    """The same ops without a schedule, for any target."""
    return [Case("prefill", modules.sparse_core(n, slots=min(SLOTS, n)),
                 prefill_inputs(n), range(5)),
            Case("dense", modules.dense(n), prefill_inputs(n)[:3], range(2)),
            Case("decode", modules.decode(keys, 3, slots=min(SLOTS, keys)),
                 decode_inputs(keys, 3), range(5)),
            Case("gradients", modules.sparse_backward(n, slots=64),
                 backward_inputs(n, 64), [0])]


def cases_for(target):
    if target.startswith("cuda"):
        return scheduled_cases(KEYS, 4096)
    return plain_cases(96, 128)
