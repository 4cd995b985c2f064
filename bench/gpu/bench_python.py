#!/usr/bin/env python3
"""Measures the layer of the Python package on a GPU beside the published one.

    python3 bench/gpu/bench_python.py --library build/portable/lib/libgsa.so

Ours is gsa.GatedSparseAttention as a user calls it; the published layer is its
formulas in plain torch operations (baselines.py), with the same weights, in the
same process, by turns. Configurations are that of the published quick start
(d_model 4096, 32 heads over 8, k 2048) and the same with k 256; bf16, one
sequence. For each length: times of a forward (medians of device events), peak
memory beyond weights and input, and how far the outputs are apart in f32 where
both fit. Decoding one token: ours with its cache; the published layer with its
cache, whose indexer sees the new token alone, so that the token attends to one
key; and the published layer without, a forward of all tokens, which is its only
way to the right one. One JSON line a case is appended to --json.
"""

import argparse
import gc
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "python")]

import torch  # noqa: E402

import baselines  # noqa: E402
import modules  # noqa: E402

QUICK_START = {"d_model": 4096, "n_heads": 32, "n_kv_heads": 8, "d_indexer": 64,
               "n_indexer_heads": 4, "k_base": 2048, "k_min": 256,
               "k_max": 4096}
CONFIGS = {"quick_start": QUICK_START,
           "k256": {**QUICK_START, "k_base": 256, "k_min": 64, "k_max": 512}}


def make_layer(fields, dtype):
    import gsa
    torch.manual_seed(0)
    return gsa.GatedSparseAttention(gsa.GSAConfig(**fields)).to(
        "cuda", dtype).eval()


def make_input(n, fields, dtype, batch=1):
    generator = torch.Generator("cuda").manual_seed(n)
    x = torch.randn(batch, n, fields["d_model"], generator=generator,
                    device="cuda").to(dtype)
    return x, torch.arange(n, device="cuda").unsqueeze(0).expand(batch, -1)


def peak_mib(function):
    """MiB that a call needs at once beyond what is there before it."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def or_none(function):
    """The function's result, None where memory is exhausted."""
    try:
        return function()
    except torch.cuda.OutOfMemoryError:
        return None
    finally:
        torch.cuda.empty_cache()


def measure(candidates, rounds):
    """Median ms by name; candidates take turns of one run each."""
    times = {name: [] for name in candidates}
    for function in candidates.values():
        function()
    for _ in range(rounds):
        for name, function in candidates.items():
            begin, end = (torch.cuda.Event(enable_timing=True)
                          for _ in range(2))
            begin.record()
            function()
            end.record()
            end.synchronize()
            times[name].append(begin.elapsed_time(end))
    return {name: sorted(t)[len(t) // 2] for name, t in times.items()}


def difference(fields, n):
    """Largest difference of the outputs in f32 as a share of the largest
    output, None where the published layer does not fit. Rows may keep other keys
    of nearly one score."""
    layer = make_layer(fields, torch.float32)
    x, positions = make_input(n, fields, torch.float32)
    want = or_none(lambda: baselines.published_layer(layer, x, positions)[0])
    if want is None:
        return None
    got = layer(x, positions=positions)[0]
    return ((got - want).abs().max() / want.abs().max()).item()


def prefill(name, n, rounds):
    fields = CONFIGS[name]
    layer = make_layer(fields, torch.bfloat16)
    x, positions = make_input(n, fields, torch.bfloat16)
    ours = lambda: layer(x, positions=positions)  # noqa: E731
    published = lambda: baselines.published_layer(  # noqa: E731
        layer, x, positions)
    start = time.perf_counter()
    ours()
    torch.cuda.synchronize()
    first = (time.perf_counter() - start) * 1e3
    candidates, peaks = {"ours": ours}, {"ours": peak_mib(ours)}
    peaks["published"] = or_none(lambda: peak_mib(published))
    if peaks["published"] is not None:
        candidates["published"] = published
    times = measure(candidates, rounds)
    del layer, x
    gc.collect()
    torch.cuda.empty_cache()
    return {"bench": "gpu_python", "what": "prefill", "config": name, "n": n,
            "dtype": "bf16", "rounds": rounds, "ours_ms": times["ours"],
            "published_ms": times.get("published"), "ours_first_ms": first,
            "ours_peak_mib": peaks["ours"],
            "published_peak_mib": peaks["published"],
            "difference": difference(fields, n) if n <= 1024 else None}


def decode(name, n, rounds):
    """One token behind n. The published policy divides by a mean over the rows
    of a call; a token alone has no variance, so that budgets are fixed here."""
    fields = {**CONFIGS[name], "use_adaptive_k": False}
    layer = make_layer(fields, torch.bfloat16)
    x, positions = make_input(n + 1, fields, torch.bfloat16)
    last, at = x[:, n:], positions[:, n:]
    _, cache = layer(x[:, :n], use_cache=True)

    def ours():
        layer(last, past_key_value=cache)
        cache.length = n  # The token again.
    past = or_none(lambda: baselines.published_layer(
        layer, x[:, :n], positions[:, :n])[1])
    candidates = {"ours": ours}
    if past is not None:
        candidates["cached"] = lambda: baselines.published_layer(
            layer, last, at, past)
        if or_none(lambda: baselines.published_layer(
                layer, x, positions)) is not None:
            candidates["whole"] = lambda: baselines.published_layer(
                layer, x, positions)
    times = measure(candidates, rounds)
    return {"bench": "gpu_python", "what": "decode", "config": name, "n": n,
            "dtype": "bf16", "rounds": rounds, "ours_ms": times["ours"],
            "published_one_key_ms": times.get("cached"),
            "published_whole_ms": times.get("whole")}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--lengths", type=int, nargs="+",
                        default=[512, 1024, 2048, 8192])
    parser.add_argument("--configs", nargs="+", default=list(CONFIGS),
                        choices=list(CONFIGS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="file to append JSON lines to")
    arguments = parser.parse_args()
    os.environ["GSA_LIBRARY"] = os.path.abspath(arguments.library)
    common = {"device": torch.cuda.get_device_name(0),
              "commit": modules.commit(), "torch": torch.__version__}
    with torch.no_grad():
        for name in arguments.configs:
            for measured in (prefill, decode):
                for n in arguments.lengths:
                    record = measured(name, n, arguments.rounds)
                    record.update(common)
                    print(json.dumps(record), flush=True)
                    if arguments.json:
                        with open(arguments.json, "a") as file:
                            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
