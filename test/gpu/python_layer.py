#!/usr/bin/env python3
"""The Python package on a GPU: the published quick start as printed, the layer
against itself in float64 on the CPU, decoding, streams, graphs, torch.compile.

    python3 test/gpu/python_layer.py --library build/portable/lib/libgsa.so

Prints one line for each check, and the times of the layer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "python"))

from checks import Checks  # noqa: E402

# README of the published package, "Basic Usage".
QUICK_START = """
import torch
from gsa import GatedSparseAttention, GSAConfig

# Configure GSA
config = GSAConfig(
 d_model=4096,
 n_heads=32,
 n_kv_heads=8, # GQA support
 d_indexer=64, # Indexer dimension
 n_indexer_heads=4, # Number of indexer heads
 k_base=2048, # Base number of selected tokens
 k_min=256, # Minimum selected tokens
 k_max=4096, # Maximum selected tokens
 use_value_gate=True, # Enable G2 gate
 use_output_gate=True, # Enable G1 gate
 use_adaptive_k=True, # Adaptive sparsity
)

# Create GSA layer
gsa = GatedSparseAttention(config).cuda()

# Forward pass
batch_size, seq_len, d_model = 2, 8192, 4096
x = torch.randn(batch_size, seq_len, d_model, device='cuda')
positions = torch.arange(seq_len, device='cuda').unsqueeze(0).expand(batch_size, -1)

output, _ = gsa(x, positions=positions)
print(f"Output shape: {output.shape}") # [2, 8192, 4096]
"""
SMALL = {"d_model": 512, "n_heads": 8, "n_kv_heads": 2, "k_base": 128,
         "k_min": 32, "k_max": 256}
CHECKS = Checks()


def make(torch, gsa, dtype, **fields):
    torch.manual_seed(0)
    return gsa.GatedSparseAttention(gsa.GSAConfig(**{**SMALL, **fields})).to(
        "cuda", dtype).eval()


def errors(torch, gsa):
    """Against the same weights and inputs in float64 on the CPU. Where a row
    keeps some of its keys, rounding decides between keys of nearly one score:
    the second limit is for budgets of all keys."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 1000, 512, generator=generator)
    for dtype, some, every in ((torch.float32, 2e-3, 1e-4),
                               (torch.bfloat16, 8e-2, 8e-3),
                               (torch.float16, 3e-2, 1e-3)):
        for fields in ({}, {"use_adaptive_k": False, "k_base": 1000},
                       {"use_value_gate": False, "use_output_gate": False,
                        "k_policy": "entropy"}):
            module = make(torch, gsa, dtype, **fields)
            y = module(x.cuda().to(dtype))[0].double().cpu()
            want = module.cpu().double()(x.to(dtype).double())[0]
            limit = every if fields.get("k_base") == 1000 else some
            error = ((y - want).pow(2).mean() / want.pow(2).mean()).sqrt()
            CHECKS.expect(f"error {dtype} {fields}", error < limit,
                          f"rms {error:.2e} of rms, limit {limit:.0e}")


def gradients(torch, gsa):
    """Of a loss of the output and of the indexer's, against the same weights and
    inputs in float64 on the CPU; see errors()."""
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(1, 600, 512, generator=generator)

    def train(module, x):
        module.train().zero_grad()
        y, loss = module(x, index_loss="selected")
        (y.float().square().mean() + loss.mean()).backward()
        return {name: p.grad.double().cpu()
                for name, p in module.named_parameters() if p.grad is not None}

    for dtype, limit in ((torch.float32, 5e-3), (torch.bfloat16, 1e-1)):
        module = make(torch, gsa, dtype, use_adaptive_k=False)
        got = train(module, x.cuda().to(dtype))
        want = train(module.cpu().double(), x.to(dtype).double())
        worst = max((((got[name] - w).pow(2).mean() / w.pow(2).mean()).sqrt(), name)
                    for name, w in want.items())
        CHECKS.expect(f"gradients {dtype}", set(got) == set(want) and worst[0] < limit,
                      f"rms {worst[0]:.2e} of rms at {worst[1]}, limit {limit:.0e}")


def decoding(torch, gsa):
    module = make(torch, gsa, torch.float32, use_adaptive_k=False)
    x = torch.randn(2, 400, 512, device="cuda")
    want = module(x)[0]
    y, cache = module(x[:, :300], use_cache=True)
    rows = [y]
    for t in range(300, 332):
        y, cache = module(x[:, t:t + 1], past_key_value=cache)
        rows.append(y)
    before = gsa.kernel_compilations()
    y, cache = module(x[:, 332:333], past_key_value=cache)
    CHECKS.expect("no kernel is compiled late", gsa.kernel_compilations() == before)
    rows.append(y)
    rows.append(module(x[:, 333:], past_key_value=cache)[0])
    error = (torch.cat(rows, 1) - want).abs().max().item()
    CHECKS.expect("decoding equals prefill", error < 1e-4, f"max {error:.2e}")


def streams(torch, gsa):
    module = make(torch, gsa, torch.bfloat16)
    x = torch.randn(1, 2048, 512, device="cuda", dtype=torch.bfloat16)
    want = module(x)[0]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        got = module(x)[0]
    torch.cuda.current_stream().wait_stream(side)
    CHECKS.expect("another stream", torch.equal(got, want))
    fixed = x.clone()
    graph = torch.cuda.CUDAGraph()
    positions = torch.arange(2048, device="cuda").unsqueeze(0)
    with torch.cuda.graph(graph):
        captured = module(fixed, positions=positions)[0]
    y = torch.randn_like(x)
    fixed.copy_(y)
    graph.replay()
    torch.cuda.synchronize()
    CHECKS.expect("a captured graph", torch.equal(captured, module(y)[0]))
    compiled = torch.compile(module, fullgraph=True)
    error = (compiled(x)[0] - want).abs().max().item()
    CHECKS.expect("torch.compile(fullgraph=True)", error < 2e-2, f"max {error:.2e}")


def times(torch, gsa):
    module = make(torch, gsa, torch.bfloat16, d_model=4096, n_heads=32,
                  n_kv_heads=8, k_base=2048, k_min=256, k_max=4096)
    for length in (2048, 8192, 32768):
        x = torch.randn(1, length, 4096, device="cuda", dtype=torch.bfloat16)
        start = time.perf_counter()
        module(x)
        torch.cuda.synchronize()
        first = time.perf_counter() - start
        runs = []
        for _ in range(5):
            begin, end = (torch.cuda.Event(enable_timing=True)
                          for _ in range(2))
            begin.record()
            module(x)
            end.record()
            end.synchronize()
            runs.append(begin.elapsed_time(end))
        print(f"time   bf16 layer of 4096, {length} tokens: "
              f"{sorted(runs)[2]:.2f} ms, first call {first * 1000:.0f} ms")
    x = torch.randn(1, 64, 4096, device="cuda", dtype=torch.bfloat16)
    module(x)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(100):
        module(x)
    host = (time.perf_counter() - start) * 10
    torch.cuda.synchronize()
    print(f"time   host time of a call: {host:.3f} ms")


def disk(library):
    """Two processes with one directory of kernels."""
    code = ("import sys; sys.path[:0] = [{!r}]\n"
            "import numpy, torch, gsa\n"
            "q = torch.randn(1, 64, 4, 64, device='cuda')\n"
            "gsa.index_topk(q, q[:, :, 0].contiguous(), k=8)\n"
            "c = gsa.last_dispatch().plan.kernel_counts()\n"
            "print(c['compiled'], c['from_disk'])").format(
                os.path.join(HERE, "..", "..", "python"))
    with tempfile.TemporaryDirectory() as folder:
        counts = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True,
                env={**os.environ, "GSA_LIBRARY": library,
                     "GSA_CACHE_DIR": os.path.join(folder, "kernels")})
            if done.returncode:
                print(done.stderr)
            counts.append(done.stdout.split())
    CHECKS.expect("kernels on disk", len(counts[1]) == 2 and counts[0][1] == "0" and
                  counts[1] == ["0", counts[0][0]], str(counts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    os.environ["GSA_LIBRARY"] = os.path.abspath(arguments.library)
    import torch
    import gsa
    names = {}
    with torch.no_grad():
        start = time.perf_counter()
        exec(QUICK_START, names)
        torch.cuda.synchronize()
        CHECKS.expect("published quick start",
                      tuple(names["output"].shape) == (2, 8192, 4096) and
                      bool(torch.isfinite(names["output"]).all()),
                      f"{time.perf_counter() - start:.2f} s, "
                      f"{gsa.last_dispatch().target}")
        names.clear()
        torch.cuda.empty_cache()
        errors(torch, gsa)
        decoding(torch, gsa)
        streams(torch, gsa)
        times(torch, gsa)
    gradients(torch, gsa)
    disk(os.environ["GSA_LIBRARY"])
    sys.exit(CHECKS.end())


if __name__ == "__main__":
    main()
