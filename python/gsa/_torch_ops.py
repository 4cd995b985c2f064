"""Operators of torch in the namespace `gsa`, with what the compilers of torch
need to know of them. Each one is a function of gsa._functions.

There is no backward yet: asking for a gradient is an error that says so.
"""

from typing import Optional

import torch

from gsa import _capi, _functions

Tensor = torch.Tensor


def _op(name):
    return torch.library.custom_op("gsa::" + name, mutates_args=())


def _no_gradient(name, op):
    def backward(ctx, *gradients):
        raise _capi.Unimplemented(
            f"gsa::{name}: got a backward pass, expected none: gradients are "
            f"not implemented yet; call it under torch.no_grad()")
    op.register_autograd(backward)


def _accumulator(dtype):
    return torch.float64 if dtype == torch.float64 else torch.float32


@_op("sparse_attention")
def sparse_attention(
        q: Tensor, k: Tensor, v: Tensor, indices: Tensor,
        topk_length: Optional[Tensor] = None, gate: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None,
        softmax_scale: Optional[float] = None,
        gate_activation: str = "sigmoid") -> tuple[Tensor, Tensor]:
    return _functions.sparse_attention(
        q, k, v, indices, topk_length=topk_length, gate=gate,
        cache_seqlens=cache_seqlens, softmax_scale=softmax_scale,
        gate_activation=gate_activation, return_lse=True)


@sparse_attention.register_fake
def _(q, k, v, indices, topk_length=None, gate=None, cache_seqlens=None,
      softmax_scale=None, gate_activation="sigmoid"):
    return _attention_results(q, v)


def _attention_results(q, v):
    b, sq, h, _ = q.shape
    return (q.new_empty((b, sq, h, v.shape[3])),
            q.new_empty((b, h, sq), dtype=_accumulator(q.dtype)))


@_op("dense_attention")
def dense_attention(
        q: Tensor, k: Tensor, v: Tensor, gate: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None,
        softmax_scale: Optional[float] = None, causal: bool = True,
        gate_activation: str = "sigmoid") -> tuple[Tensor, Tensor]:
    return _functions.dense_attention(
        q, k, v, gate=gate, cache_seqlens=cache_seqlens,
        softmax_scale=softmax_scale, causal=causal,
        gate_activation=gate_activation, return_lse=True)


@dense_attention.register_fake
def _(q, k, v, gate=None, cache_seqlens=None, softmax_scale=None, causal=True,
      gate_activation="sigmoid"):
    return _attention_results(q, v)


@_op("index_topk")
def index_topk(
        q_idx: Tensor, k_idx: Tensor, k: int, weights: Optional[Tensor] = None,
        bias: Optional[Tensor] = None, normaliser: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None, act: str = "sigmoid",
        weight_act: str = "sigmoid", scale: Optional[float] = None,
        policy: str = "fixed", k_min: Optional[int] = None,
        k_max: Optional[int] = None, temperature: Optional[float] = None,
        causal: bool = True, sink: int = 0,
        local: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(_functions.index_topk(
        q_idx, k_idx, k=k, weights=weights, bias=bias, normaliser=normaliser,
        cache_seqlens=cache_seqlens, act=act, weight_act=weight_act,
        scale=scale, policy=policy, k_min=k_min, k_max=k_max,
        temperature=temperature, causal=causal, sink=sink, local=local))


@index_topk.register_fake
def _(q_idx, k_idx, k, weights=None, bias=None, normaliser=None,
      cache_seqlens=None, act="sigmoid", weight_act="sigmoid", scale=None,
      policy="fixed", k_min=None, k_max=None, temperature=None, causal=True,
      sink=0, local=0):
    b, sq = q_idx.shape[:2]
    # As _modules.Policy; a length that is not known keeps its own room.
    room = torch.sym_max(1, k_idx.shape[1])
    least = 1 if k_min is None else k_min
    most = 2 * k if k_max is None else k_max
    slots = torch.sym_min(k if policy == "fixed" else most, room)
    if policy == "upstream_variance":
        slots = torch.sym_max(torch.sym_min(least, room),
                              torch.sym_min(slots, k * 3 // 2))
    return (q_idx.new_empty((b, sq, slots), dtype=torch.int32),
            q_idx.new_empty((b, sq), dtype=torch.int32),
            q_idx.new_empty((b, sq), dtype=torch.int32))


@_op("gated_sparse_attention")
def gated_sparse_attention(
        q: Tensor, k: Tensor, v: Tensor, q_idx: Tensor, k_idx: Tensor,
        k_base: int, weights: Optional[Tensor] = None,
        bias: Optional[Tensor] = None, normaliser: Optional[Tensor] = None,
        value_gate: Optional[Tensor] = None,
        output_gate: Optional[Tensor] = None,
        positions: Optional[Tensor] = None,
        key_positions: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None, act: str = "sigmoid",
        weight_act: str = "sigmoid", index_scale: Optional[float] = None,
        policy: str = "fixed", k_min: Optional[int] = None,
        k_max: Optional[int] = None, temperature: Optional[float] = None,
        sink: int = 0, local: int = 0, gate_activation: str = "sigmoid",
        rope_base: float = 10000.0, rope_dim: int = 0,
        rope_interleaved: bool = False, rope_scaling: str = "",
        softmax_scale: Optional[float] = None, causal: bool = True) -> Tensor:
    """rope_scaling is the dict as JSON, or ""."""
    return _functions.gated_sparse_attention(
        q, k, v, q_idx, k_idx, k_base=k_base, weights=weights, bias=bias,
        normaliser=normaliser, value_gate=value_gate, output_gate=output_gate,
        positions=positions, key_positions=key_positions,
        cache_seqlens=cache_seqlens, act=act, weight_act=weight_act,
        index_scale=index_scale, policy=policy, k_min=k_min, k_max=k_max,
        temperature=temperature, sink=sink, local=local,
        gate_activation=gate_activation, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=_scaling(rope_scaling), softmax_scale=softmax_scale,
        causal=causal)


@gated_sparse_attention.register_fake
def _(q, k, v, q_idx, k_idx, k_base, *_, **__):
    b, sq, h, _d = q.shape
    return q.new_empty((b, sq, h, v.shape[3]))


def _scaling(text):
    import json
    return json.loads(text) if text else None


@_op("prepare")
def prepare(
        q: Tensor, k: Tensor, v: Tensor, positions: Tensor,
        value_gate: Optional[Tensor] = None, gate_activation: str = "sigmoid",
        rope_base: float = 10000.0, rope_dim: int = 0,
        rope_interleaved: bool = False,
        rope_scaling: str = "") -> tuple[Tensor, Tensor, Tensor]:
    q2, k2, v2 = _functions.prepare(
        q, k, v, positions=positions, value_gate=value_gate,
        gate_activation=gate_activation, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=_scaling(rope_scaling))
    return q2, k2, v2


@prepare.register_fake
def _(q, k, v, positions, value_gate=None, gate_activation="sigmoid",
      rope_base=10000.0, rope_dim=0, rope_interleaved=False, rope_scaling=""):
    return (torch.empty_like(q), torch.empty_like(k), torch.empty_like(v))


for _name, _operator in (
        ("sparse_attention", sparse_attention),
        ("dense_attention", dense_attention), ("index_topk", index_topk),
        ("gated_sparse_attention", gated_sparse_attention),
        ("prepare", prepare)):
    _no_gradient(_name, _operator)
