"""What our forward is compared with.

dense_attention: causal attention over all keys through cuDNN, the fastest that
a user of torch has. published_sparse: the sparse core of the published layer
(scores of every head materialised, adaptive top-k through torch.topk, keys and
values expanded to all heads and gathered), in the arithmetic that the layer
uses; it shows where that formulation stops to fit.
"""

import math

import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def dense_attention(q, k, v, backend=SDPBackend.CUDNN_ATTENTION):
    """q [1,N,H,D], k and v [1,N,G,D] -> [1,N,H,D]; causal."""
    with sdpa_kernel([backend]):
        out = functional.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2),
            is_causal=True, enable_gqa=True)
    return out.transpose(1, 2)


def dense_backend(q, k, v):
    """cuDNN, or flash attention where it takes no such heads."""
    for backend in (SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION):
        try:
            dense_attention(q[:, :64], k[:, :64], v[:, :64], backend)
            return backend
        except RuntimeError:
            continue
    raise RuntimeError(f"no backend has dense attention of {tuple(q.shape)}")


def published_scores(iq, ik, iw, bias):
    """Scores [B,N,N], -inf above the diagonal; weights iw after the sigmoid."""
    dots = torch.einsum("bthd,bsd->bhts", iq, ik) / math.sqrt(iq.shape[-1])
    heads = torch.sigmoid(dots + bias[None, :, None, None].to(dots.dtype))
    scores = torch.einsum("bth,bhts->bts", iw, heads)
    n = scores.shape[-1]
    hidden = torch.ones((n, n), dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill(hidden, float("-inf"))


def published_sparse(q, k, v, iq, ik, iw, bias, gate, slots):
    """The published formulation with a fixed budget; same result as ours up to
    ties and the rounding of the scores to the input type."""
    batch, n, heads, dim = q.shape
    scores = published_scores(iq, ik, torch.sigmoid(iw), bias)
    values, indices = scores.masked_fill(
        scores == float("-inf"), -1e9).topk(min(slots, n), dim=-1)
    valid = values > -1e8
    group = heads // k.shape[2]
    rows = torch.arange(batch, device=q.device)[:, None, None]
    keys = k.repeat_interleave(group, dim=2)[rows, indices]
    logits = torch.einsum("bthd,btshd->bths", q, keys) / math.sqrt(dim)
    del keys
    logits = logits.masked_fill(~valid[:, :, None, :], float("-inf"))
    weights = torch.softmax(logits, dim=-1).masked_fill(
        ~valid[:, :, None, :], 0.0)
    chosen = v.repeat_interleave(group, dim=2)[rows, indices]
    out = torch.einsum("bths,btshd->bthd", weights, chosen)
    return out * torch.sigmoid(gate)


def published_turn(x, positions, base=10000.0):
    """Rotary embedding of [B,S,H,D] as published: halves, a table in f32."""
    half = x.shape[-1] // 2
    rates = base ** (-torch.arange(half, device=x.device).float() / half)
    angle = torch.cat([positions[..., None].float() * rates] * 2, -1)[:, :, None]
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * angle.cos().to(x.dtype) + turned * angle.sin().to(x.dtype)


def published_budgets(scores, config):
    """k of each row [B,S] by the published formula of the variance, over cells
    that are not visible as zeros."""
    filled = scores.masked_fill(scores == float("-inf"), 0)
    variance = filled.var(-1)
    share = variance / (variance.mean() + 1e-8) * config.adaptive_k_temperature
    k = (config.k_base * (0.5 + 1 / (1 + share))).clamp(config.k_min,
                                                       config.k_max)
    return torch.minimum(k, (scores != float("-inf")).sum(-1).to(k.dtype)).long()


def published_layer(layer, x, positions, past=None):
    """The forward of the published layer, as plain torch operations, with the
    weights of `layer`, a gsa.GatedSparseAttention: hidden states [B,S,d_model]
    -> (output, (k, v)). Scores of all pairs are in memory, keys and values are
    expanded to all heads and gathered to [B,S,K,H,D]. With `past`, keys and
    values that came before, the indexer sees the new tokens alone, as published:
    what it selects lies at the start of the cache."""
    c = layer.config
    b, s, _ = x.shape
    q = layer.q_proj(x).view(b, s, c.n_heads, c.d_head)
    k = layer.k_proj(x).view(b, s, c.n_kv_heads, c.d_head)
    v = layer.v_proj(x).view(b, s, c.n_kv_heads, c.d_head)
    if layer.value_gate is not None:
        v = v * torch.sigmoid(layer.value_gate(x))
    q, k = (published_turn(t, positions, c.rope_base) for t in (q, k))
    if past is not None:
        k, v = (torch.cat(pair, 1) for pair in zip(past, (k, v)))
    iq, ik, iw = layer.indexer(x)
    scores = published_scores(iq, ik, torch.sigmoid(iw), layer.indexer.bias)
    slots = min(c.k_max if c.use_adaptive_k else c.k_base, s)
    picked, indices = scores.masked_fill(scores == float("-inf"),
                                         -1e9).topk(slots, dim=-1)
    valid = picked > -1e8
    if c.use_adaptive_k:
        valid &= torch.arange(slots, device=x.device) < published_budgets(
            scores, c)[..., None]
    rows = torch.arange(b, device=x.device)[:, None, None]
    group = c.n_heads // c.n_kv_heads
    keys = k.repeat_interleave(group, dim=2)[rows, indices]
    values = v.repeat_interleave(group, dim=2)[rows, indices]
    logits = torch.einsum("bthd,btshd->bths", q, keys) / math.sqrt(c.d_head)
    hidden = ~valid[:, :, None]
    weights = torch.softmax(logits.masked_fill(hidden, float("-inf")), dim=-1)
    out = torch.einsum("bths,btshd->bthd", weights.masked_fill(hidden, 0.0),
                       values)
    if layer.output_gate is not None:
        out = out * torch.sigmoid(layer.output_gate(x))
    return layer.o_proj(out.flatten(2)), (k, v)
