"""Models of transformers on kernels of the gsa compiler.

    model = gsa.replace_attention(model, gsa.GSAConfig(k_base=2048))

puts Gated Sparse Attention into LLaMA, Mistral and Qwen models; the projections
(with their biases), the norms of queries and keys, the size of a head and the
rotary embedding stay the model's own. `attn_implementation="gsa"` alone is
dense attention by the same compiler.
"""

import dataclasses
import sys

import torch
from torch import nn

from gsa import _capi
from gsa import _torch_ops as ops
from gsa.config import GSAConfig
from gsa.nn import Gate, Indexer, KeyCache, attend

NAME = "gsa"
# Classes whose forward is: projections, norms of the head, rotary embedding,
# cache, attention, o_proj. A class is added after reading it, not by its name.
KNOWN = ("LlamaAttention", "MistralAttention", "Qwen2Attention",
         "Qwen3Attention")


def register_attention():
    """Registers "gsa" as an attention implementation of transformers, and as
    one of its masks: without the second the mask would silently be None.
    Returns the name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface
    AttentionInterface.register(NAME, attention_forward)
    AttentionMaskInterface.register(NAME, mask)
    return NAME


def mask(batch_size, q_length=None, kv_length=None, q_offset=0, kv_offset=0,
         mask_function=None, attention_mask=None, local_size=None, **kwargs):
    """The mask of an attention that knows causality alone: None, or an error
    for a mask that hides more."""
    from transformers.masking_utils import causal_mask_function
    if local_size is not None and local_size < kv_length:
        raise _capi.Unimplemented(
            f"gsa: got a sliding window of {local_size} over {kv_length} keys, "
            f"expected none")
    if local_size is None and mask_function is not causal_mask_function:
        raise _capi.Unimplemented(
            "gsa: got a mask that is not the causal one (packed sequences or "
            "a model's own), expected causal")
    if attention_mask is not None and not bool(attention_mask.all()):
        raise _capi.Unimplemented(
            "gsa: attention_mask: got padding, expected a batch of sequences "
            "of one length: padding is not implemented")
    if kv_offset or int(q_offset) + q_length != kv_length:
        raise _capi.Unimplemented(
            f"gsa: got {q_length} queries from position {int(q_offset)} over "
            f"{kv_length} keys from {kv_offset}, expected them at the end: use "
            f"a DynamicCache")
    return None


def _with_room(tensors, queries):
    """(tensors [B, room, ...], lengths): dense, with a room that grows by
    doubling, so that a long generation has few plans. Prompts keep their
    size."""
    keys = tensors[0].shape[1]
    if keys == queries:
        return [tensor.contiguous() for tensor in tensors], None
    room = KeyCache.FIRST_ROOM
    while room < keys:
        room *= 2
    padded = []
    for tensor in tensors:
        buffer = tensor.new_zeros((tensor.shape[0], room, *tensor.shape[2:]))
        buffer[:, :keys] = tensor
        padded.append(buffer)
    return padded, torch.full((padded[0].shape[0],), keys, dtype=torch.int32,
                              device=padded[0].device)


def attention_forward(module, query, key, value, attention_mask, scaling=None,
                      dropout=0.0, sliding_window=None, softcap=None,
                      is_causal=None, **kwargs):
    """Dense attention, as transformers calls it: query [B, H, Sq, D], key and
    value [B, G, Sk, D] -> ([B, Sq, H, D], None)."""
    _refuse_call(attention_mask, dropout, sliding_window, key.shape[2])
    _refuse_weights(kwargs)
    if softcap is not None:
        raise _capi.Unimplemented(f"gsa: softcap: got {softcap}, expected None")
    causal = getattr(module, "is_causal", True) if is_causal is None else \
        is_causal
    (key, value), lengths = _with_room(
        [key.transpose(1, 2), value.transpose(1, 2)], query.shape[2])
    output, _ = ops.saving(
        "dense_attention", query.transpose(1, 2).contiguous(), key, value,
        cache_seqlens=lengths,
        softmax_scale=scaling, causal=bool(causal))
    return output, None


def _refuse_call(attention_mask, dropout, sliding_window, keys):
    if attention_mask is not None:
        raise _capi.Unimplemented(
            "gsa: attention_mask: got a tensor, expected None: set the "
            "model's attention implementation to 'gsa', whose masks these are")
    if dropout:
        raise _capi.Unimplemented(
            f"gsa: dropout: got {dropout}, expected 0: call .eval(), or set the "
            f"model's config.attention_dropout to 0 to train")
    if sliding_window is not None and sliding_window < keys:
        raise _capi.Unimplemented(
            f"gsa: got a sliding window of {sliding_window} over {keys} keys, "
            f"expected none")


def _refuse_weights(kwargs):
    """Without this a model that is asked for weights returns a tuple of none."""
    if kwargs.get("output_attentions"):
        raise _capi.Unimplemented(
            "gsa: output_attentions: got True, expected False: the weights of all "
            "pairs are never in memory")


class Attention(nn.Module):
    """Gated Sparse Attention in the place of a model's attention. Keys of the
    indexer are kept in the model's cache as further key heads, so that
    whatever a cache does to keys (reorder, crop) it does to them."""

    def __init__(self, attention, config):
        super().__init__()
        c = self.gsa_config = config
        self.config, self.layer_idx = attention.config, attention.layer_idx
        self.head_dim, self.scaling = attention.head_dim, attention.scaling
        self.is_causal = True
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, getattr(attention, name))
        self.q_norm = getattr(attention, "q_norm", None)
        self.k_norm = getattr(attention, "k_norm", None)
        self._rotate = sys.modules[
            type(attention).__module__].apply_rotary_pos_emb
        weight = self.q_proj.weight
        with torch.device(weight.device):
            self.indexer = Indexer(c.d_model, c.d_indexer, c.n_indexer_heads)
            self.value_gate = Gate(
                c.d_model, c.n_kv_heads, c.d_head,
                c.gate_bias_init) if c.use_value_gate else None
            self.output_gate = Gate(
                c.d_model, c.n_heads, c.d_head,
                c.gate_bias_init) if c.use_output_gate else None
        self.to(weight.dtype)

    def forward(self, hidden_states, position_embeddings=None,
                attention_mask=None, cache=None, past_key_values=None,
                **kwargs):
        _refuse_call(attention_mask, 0.0, None, 0)
        _refuse_weights(kwargs)
        if self.training and self.config.attention_dropout:
            _refuse_call(None, self.config.attention_dropout, None, 0)
        cache = past_key_values if cache is None else cache
        b, s, _ = hidden_states.shape

        def heads(projection, norm=None):
            states = projection(hidden_states).view(b, s, -1, self.head_dim)
            return states if norm is None else norm(states)

        q = heads(self.q_proj, self.q_norm).transpose(1, 2)
        k = heads(self.k_proj, self.k_norm).transpose(1, 2)
        q, k = self._rotate(q, k, *position_embeddings)
        q, k = q.transpose(1, 2), k.transpose(1, 2)
        v = heads(self.v_proj)
        if self.value_gate is not None:
            v = _gate(v, self.value_gate(hidden_states),
                      self.gsa_config.gate_activation)
        index_q, index_k, index_w = self.indexer(hidden_states)
        if cache is not None:
            k, v, index_k = self._update(cache, k, v, index_k)
        (k, v, index_k), lengths = self._room(k, v, index_k, s)
        given = {}
        if self.output_gate is not None:
            given["output_gate"] = self.output_gate(hidden_states)
        output = attend(self.gsa_config, q.contiguous(), k, v,
                        (index_q, index_k, index_w), self.indexer.bias,
                        cache_seqlens=lengths, softmax_scale=self.scaling,
                        **given)
        return self.o_proj(output.flatten(2)), None

    def _room(self, k, v, index_k, queries):
        if queries > 1 and self.gsa_config.policy == "upstream_variance":
            # Its statistic counts the cells that no token has, too.
            return [t.contiguous() for t in (k, v, index_k)], None
        return _with_room([k, v, index_k], queries)

    def _update(self, cache, k, v, index_k):
        b, s, groups, d = k.shape
        di = index_k.shape[2]
        extra = -(-di // d)
        packed = nn.functional.pad(index_k, (0, extra * d - di)).view(
            b, s, extra, d)
        keys, values = cache.update(
            torch.cat([k, packed], dim=2).transpose(1, 2),
            v.transpose(1, 2), self.layer_idx)
        keys, values = keys.transpose(1, 2), values.transpose(1, 2)
        return (keys[:, :, :groups], values,
                keys[:, :, groups:].flatten(2)[..., :di])


def _gate(x, logits, activation):
    """As gsa.gate: in f32 (f64 for f64), rounded once."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    logits = logits.to(wide)
    scale = {"sigmoid": torch.sigmoid, "silu": nn.functional.silu,
             "tanh": lambda t: (torch.tanh(t) + 1) / 2}[activation](logits)
    return (x.to(wide) * scale).to(x.dtype)


def _window(model_config, attention):
    """The sliding window that a layer honours, None if it has none. One that
    covers all positions the model has is none."""
    window = getattr(attention, "sliding_window", None)
    if window is None and type(attention).__name__ == "MistralAttention":
        window = getattr(model_config, "sliding_window", None)
    if window is not None and window >= model_config.max_position_embeddings:
        return None
    return window


def _wanted(layers_to_replace, layers):
    """The numbers that are asked for, as a list."""
    if isinstance(layers_to_replace, str):
        return layers if layers_to_replace == "all" else [layers_to_replace]
    try:
        return list(layers_to_replace)
    except TypeError:  # One number
        raise _capi.InvalidArgument(
            f"replace_attention: layers_to_replace: got {layers_to_replace!r}, "
            f"expected 'all' or a list with some of {layers[0]} to {layers[-1]}"
        ) from None


def replace_attention(model, config=None, layers_to_replace="all"):
    """Puts Gated Sparse Attention into a model of transformers, in place, and
    returns it.

    config: a GSAConfig; sizes of the model and rotary embedding come from the
            model, whatever it says of them. The indexer and the gates are new
            and initialised as published: with a value gate and an output gate
            the model has to be trained again, without them and with k_base of
            all keys it computes what it did.
    layers_to_replace: "all", or indices of layers.

    Raises Unimplemented for an attention that is none of KNOWN, and for one
    with a sliding window.
    """
    config = GSAConfig() if config is None else config
    if not isinstance(config, GSAConfig):
        raise _capi.InvalidArgument(
            f"replace_attention: config: got {type(config).__name__}, expected "
            f"a GSAConfig or None; GSAConfig.from_dict takes a dict")
    found = [(parent, name, child) for parent in model.modules()
             for name, child in parent.named_children() if
             type(child).__name__ in KNOWN]
    if not found:
        if any(isinstance(m, Attention) for m in model.modules()):
            raise _capi.InvalidArgument(
                "replace_attention: got a model whose attention has been "
                "replaced already, expected one as transformers made it")
        others = sorted({type(m).__name__ for m in model.modules()
                         if type(m).__name__.endswith("Attention")})
        raise _capi.Unimplemented(
            f"replace_attention: got a model with "
            f"{', '.join(others) or 'no attention'}, expected one with "
            f"{', '.join(KNOWN)}")
    layers = sorted(child.layer_idx for _, _, child in found)
    wanted = _wanted(layers_to_replace, layers)
    for index in wanted:
        if index not in layers:
            raise _capi.InvalidArgument(
                f"replace_attention: layers_to_replace: got {index!r}, expected "
                f"'all' or some of {layers[0]} to {layers[-1]}")
    found = [entry for entry in found if entry[2].layer_idx in wanted]
    for _, _, attention in found:
        window = _window(model.config, attention)
        if window is not None:
            raise _capi.Unimplemented(
                f"replace_attention: layer {attention.layer_idx}: got a sliding "
                f"window of {window}, expected none (or one of "
                f"max_position_embeddings = "
                f"{model.config.max_position_embeddings}); set "
                f"config.sliding_window to None if the model may see all keys, "
                f"or leave the layer out of layers_to_replace")
    for parent, name, attention in found:
        c = attention.config
        sizes = dataclasses.asdict(config) | {
            "d_model": c.hidden_size, "n_heads": c.num_attention_heads,
            "n_kv_heads": c.num_key_value_heads, "d_head": attention.head_dim,
            "n_layers": len(layers)}
        setattr(parent, name, Attention(attention, GSAConfig(**sizes)))
    register_attention()
    model.set_attn_implementation(NAME)
    return model


# The published name.
replace_attention_with_gsa = replace_attention
