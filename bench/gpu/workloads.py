"""Inputs for GPU benchmarks with a controlled overlap of selections.

The same model and names as runtime/core/workload.h: rows of the index queries
are a unit-variance AR(1) walk along the sequence, optionally mixed with a row
common to all tokens (shared) or with a slow walk common to queries and keys
(local). Every benchmark names its workload and reports the overlap that it
measured: J, the mean Jaccard index of neighbouring queries' selections, and
U32, the size of the union of 32 neighbouring selections over k.
"""

import math

import torch
from workload_models import WORKLOADS


def walk(n, shape, rho, generator, device):
    """x[0] ~ N(0,1), x[t] = rho x[t-1] + sqrt(1 - rho^2) N(0,1); f32."""
    noise = torch.randn((n, *shape), generator=generator, device=device)
    if rho == 0.0:
        return noise
    # Within a block the recurrence is a lower triangular product; only the last
    # row is carried on, so any length stays exact and parallel.
    block = min(n, 512)
    steps = torch.arange(block, device=device, dtype=torch.float64)
    powers = (rho ** (steps[:, None] - steps[None, :])).tril().float()
    decay = (rho ** (steps + 1)).float()
    noise = noise.reshape(n, -1)
    noise[1:] *= math.sqrt(1.0 - rho * rho)
    carry = torch.zeros_like(noise[0])
    result = torch.empty_like(noise)
    for begin in range(0, n, block):
        part = noise[begin:begin + block]
        rows = part.shape[0]
        result[begin:begin + rows] = (powers[:rows, :rows] @ part +
                                      decay[:rows, None] * carry)
        carry = result[begin + rows - 1]
    return result.reshape(n, *shape)


def index_inputs(name, n, heads, dim, seed, device):
    """Index queries [n, heads, dim], keys [n, dim], weight logits [n, heads]."""
    rho, shared, local = WORKLOADS[name]
    generator = torch.Generator(device=device).manual_seed(seed)
    queries = walk(n, (heads, dim), rho, generator, device)
    keys = torch.randn((n, dim), generator=generator, device=device)
    if shared:
        common = torch.randn((heads, dim), generator=generator, device=device)
        queries = (queries + common) / math.sqrt(2.0)
    if local:
        slow = walk(n, (dim,), 0.9995, generator, device)
        queries = (queries + slow[:, None, :]) / math.sqrt(2.0)
        keys = (keys + slow) / math.sqrt(2.0)
    return queries, keys, walk(n, (heads,), rho, generator, device)


def overlap(indices, counts, places=6):
    """J and U32 of selections `indices` [n, slots] with `counts` [n] valid."""
    n = indices.shape[0]
    jaccard, union = [], []
    for begin in torch.linspace(n // 2, max(n - 32, 0), places).long().tolist():
        rows = min(32, n - begin)
        member = torch.zeros((rows, n), dtype=torch.bool, device=indices.device)
        for r in range(rows):
            member[r, indices[begin + r, :counts[begin + r]].long()] = True
        both = (member[1:] & member[:-1]).sum(1)
        either = (member[1:] | member[:-1]).sum(1).clamp(min=1)
        jaccard.append((both / either).mean().item())
        k = member.sum(1).float().mean().item()
        union.append(member.any(0).sum().item() / max(k, 1.0))
    return sum(jaccard) / len(jaccard), sum(union) / len(union)


def count_union_rows(indices, counts, queries=32, blocks=64):
    """Keys that blocks of `queries` neighbouring rows list between them, added
    up over all blocks of selections `indices` [n, slots], `counts` [n] valid.
    `blocks` blocks at once, n bytes of memory each."""
    n, slots = indices.shape
    total = 0
    for begin in range(0, n, queries * blocks):
        rows = indices[begin:begin + queries * blocks].long()
        valid = (torch.arange(slots, device=rows.device)[None] <
                 counts[begin:begin + queries * blocks, None])
        block = torch.arange(rows.shape[0], device=rows.device) // queries
        member = torch.zeros((int(block[-1]) + 1) * n, dtype=torch.bool,
                             device=rows.device)
        member[(block[:, None] * n + rows)[valid]] = True
        total += int(member.sum())
    return total
