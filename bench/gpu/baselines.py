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
