#!/usr/bin/env python3
"""Times schedules of the same module on a GPU, beside the one that is chosen.

    python3 bench/gpu/bench_schedules.py --library build/dev/lib/libgsa.so

What the heuristic of gsa-cuda-schedule rests on: for each schedule of sparse
attention and of scores the median time of its stage, as ratio to the chosen
schedule's in the same process. A schedule that is not legal on the device is
reported with the reason. One JSON line per schedule is appended to --json; it has
a hash of what the stage gave, by which compare_schedules.py knows whether another
commit gives the same bits.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench_forward  # noqa: E402
import gsa_capi  # noqa: E402
import modules  # noqa: E402

SLOTS = 2048
ROUNDS = 5
# block_k, stages, producers, consumers, and more.
ATTENTION = [(64, 2, 4, 4), (64, 2, 8, 4), (64, 3, 4, 4), (64, 2, 4, 2),
             (64, 1, 0, 4), (32, 3, 4, 2), (32, 2, 4, 2), (32, 3, 8, 2),
             (32, 1, 0, 2), (16, 6, 4, 1), (16, 6, 4, 1, ", sm_blocks = 3"),
             (128, 2, 8, 4)]
# engine, block_q, block_k, stages, producers.
SCORES = [("mma_sync", 64, 64, 3, 4), ("mma_sync", 64, 32, 3, 4),
          ("mma_sync", 128, 64, 3, 4), ("mma_sync", 64, 64, 1, 0),
          ("wgmma", 64, 64, 3, 4), ("wgmma", 128, 64, 3, 4)]
# Queries of a warp, of a block, span, stages, queries of a chunk, blocks for
# each SM (0: spans of that length), boxes, staged hits.
ONE_PASS = [(8, 128, 64, 4, 8192, 0, "false", 10),
            (8, 128, 64, 4, 8192, 0, "true", 10),
            (8, 128, 64, 4, 8192, 1, "true", 10),
            (8, 128, 64, 4, 8192, 2, "true", 10),
            (8, 128, 64, 4, 8192, 3, "true", 10),
            (8, 128, 64, 4, 8192, 4, "true", 10),
            (8, 128, 64, 4, 8192, 2, "true", 6),
            (8, 128, 64, 2, 8192, 2, "true", 10),
            (8, 128, 64, 4, 4096, 2, "true", 10),
            (8, 128, 64, 4, 16384, 2, "true", 10),
            (8, 64, 64, 3, 8192, 2, "true", 10),
            (8, 64, 64, 3, 8192, 4, "true", 10),
            (16, 128, 32, 4, 8192, 2, "true", 10)]
WARPS = [4, 16, 32]
# Groups, block_k, stages of keys and of values.
UNIONS = [(1, 64, 3, 3), (2, 128, 3, 3), (2, 96, 4, 4), (2, 64, 5, 5),
          (2, 64, 3, 3)]


def attention(block_k, stages, producers, consumers, more=""):
    return (f"attention_schedule<engine = mma_sync, block_q = 16, "
            f"block_k = {block_k}, stages = {stages}, producers = {producers}, "
            f"consumers = {consumers}{more}>")


def union(n, groups, block_k, key_stages, value_stages):
    by_query = attention(64, 3, 4, 4)[len("attention_schedule"):]
    return (f"union_schedule<engine = wgmma, queries = {16 * groups}, groups = "
            f"{groups}, block_k = {block_k}, key_stages = {key_stages}, "
            f"value_stages = {value_stages}, producers = 4, table = 16384, "
            f"chunk = {min(n, 21840 if groups == 1 else 14560)}, "
            f"per_query = {by_query}>")


def select(n, engine="mma_sync", block_q=64, block_k=64, stages=3, producers=4,
           warps=8):
    chunk = max(1, min(n, (512 << 20) // (4 * n)))
    return (f"select_schedule<scores = <engine = {engine}, block_q = {block_q}, "
            f"block_k = {block_k}, span = 16, stages = {stages}, producers = "
            f"{producers}, consumers = {block_q // 16}>, topk = <warps = "
            f"{warps}, bins = 2048, capacity = 4096, chunk = {chunk}>>")


def one_pass(n, warp_q=8, block_q=128, span=64, stages=4, chunk=8192,
             sm_blocks=2, boxes="true", staged=10):
    exact = select(n)[len("select_schedule"):]
    return (f"one_pass_schedule<scores = <engine = wgmma, block_q = {block_q}, "
            f"block_k = 64, span = {span}, stages = {stages}, producers = 4, "
            f"consumers = {block_q // warp_q}, boxes = {boxes}>, "
            f"exact = {exact}, sample = 16, rank = 182, capacity = 4096, "
            f"chunk = {min(chunk, n)}, sm_blocks = {sm_blocks}, "
            f"staged = {staged}>")


def candidates(n):
    """(stage, schedule, arguments of sparse_core); none: the chosen one."""
    for stage in ("sparse_attention", "select"):
        yield stage, "chosen", {}
    for numbers in ATTENTION:
        text = attention(*numbers)
        yield "sparse_attention", text, {"attention_schedule": text}
    for numbers in UNIONS:
        text = union(n, *numbers)
        yield "sparse_attention", text, {"attention_schedule": text}
    for numbers in SCORES:
        text = select(n, *numbers)
        yield "select", text, {"select_schedule": text}
    for numbers in ONE_PASS:
        text = one_pass(n, *numbers)
        yield "select", text, {"select_schedule": text}
    for warps in WARPS:
        text = select(n, warps=warps)
        yield "select", text, {"select_schedule": text}


def compile_module(library, n, schedules):
    return library.compile(modules.sparse_core(n, slots=SLOTS, **schedules),
                           target="cuda:0")


class Stage:
    """A stage of a plan, on memory of its own."""

    # Which outputs it gives.
    OUTPUTS = {"select": [2, 3, 4], "sparse_attention": [0, 1]}

    def __init__(self, plan, case, stage):
        device = case[0].device
        self.plan, self.case, self.stage = plan, case, stage
        self.outputs = plan.new_outputs(device)
        self.workspace = plan.new_workspace(device)

    def time(self):
        """Milliseconds of one run."""
        pairs = []
        self.plan.run(self.case, self.outputs, self.workspace,
                      stage_milliseconds=pairs)
        return dict(pairs)[self.stage]

    def bits(self):
        """A hash of what the last run gave."""
        digest = hashlib.sha256()
        for i in self.OUTPUTS[self.stage]:
            raw = self.outputs[i].contiguous().view(torch.uint8).cpu()
            digest.update(raw.numpy())
        return digest.hexdigest()


def measure(library, case, n, stage, schedules):
    """Median milliseconds, and the hash of what came out."""
    timed = Stage(compile_module(library, n, schedules), case, stage)
    timed.time()  # Warms up.
    return statistics.median(timed.time() for _ in range(ROUNDS)), timed.bits()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--length", type=int, default=65536)
    parser.add_argument("--workload", default="rho98")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="",
                        help="schedules with this text, beside the choice")
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    n = arguments.length
    library = gsa_capi.Library(arguments.library)
    case = bench_forward.inputs(n, arguments.workload, arguments.seed,
                                torch.device("cuda", 0))
    chosen = {}
    for stage, schedule, schedules in candidates(n):
        if schedule != "chosen" and arguments.only not in schedule:
            continue
        record = {"bench": "gpu_schedule", "n": n, "stage": stage,
                  "schedule": schedule, "workload": arguments.workload,
                  "seed": arguments.seed, "ms": None, "ratio": None,
                  "reason": None, "device": torch.cuda.get_device_name(0),
                  "commit": modules.commit(),
                  "torch": torch.__version__}
        try:
            record["ms"], record["bits"] = measure(library, case, n, stage,
                                                   schedules)
        except gsa_capi.GsaError as error:
            record["reason"] = str(error).split("\n")[0]
        else:
            chosen.setdefault(stage, record["ms"])
            record["ratio"] = record["ms"] / chosen[stage]
        if arguments.json:
            with open(arguments.json, "a") as file:
                file.write(json.dumps(record) + "\n")
        print(f"{record['ms']:9.2f} ms {record['ratio']:6.2f}"
              if record["ms"] else " not legal        ", stage, schedule,
              record["reason"] or "", flush=True)


if __name__ == "__main__":
    main()
