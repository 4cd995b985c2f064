"""Gated Sparse Attention as an out-of-tree plug-in of SGLang.

`register` is the entry point (group sglang.srt.plugins) and adds the attention
backend "gsa". A model calls its RadixAttention with what the indexer needs:

    out = self.attn(q, k, v, forward_batch, gsa_config=config,
                    index_query=..., index_key=..., index_weights=...,
                    index_bias=..., output_gate=None)

Keys and values are in SGLang's pool and are read where they lie
(gsa.serving.paged); keys of the indexer are in tensors of this backend with the
slots of the pool. The interface is that of the version in
test/python/interfaces/sglang.json.
"""

from sglang.srt.arg_groups.choices import (ATTENTION_BACKEND_CHOICES,
                                           add_attention_backend_choices)
from sglang.srt.layers.attention.attention_registry import (
    register_attention_backend)
from sglang.srt.layers.attention.base_attn_backend import AttentionBackend
from sglang.srt.mem_cache.memory_pool import KVWriteLoc

from gsa import _capi
from gsa.serving import paged

NAME = "gsa"
__all__ = ["register", "GSAAttnBackend"]


def register():
    """Tells SGLang of the backend. May be called any number of times."""
    register_attention_backend(NAME)(GSAAttnBackend)
    if NAME not in ATTENTION_BACKEND_CHOICES:
        add_attention_backend_choices([NAME])


class GSAAttnBackend(AttentionBackend):
    """Extend and decode over SGLang's pool of keys and values, eagerly: a capture
    of a graph is refused, since rows are placed by lengths that the host knows."""

    def __init__(self, model_runner):
        super().__init__()
        self.req_to_token_pool = model_runner.req_to_token_pool
        self.token_to_kv_pool = model_runner.token_to_kv_pool
        self.index_keys = {}  # By layer.
        self.forward_metadata = None

    def init_forward_metadata_out_graph(self, forward_batch, in_capture=False):
        """What the layers of a forward share."""
        if in_capture:
            raise _capi.Unimplemented(
                f"{NAME}: got the capture of a graph, expected "
                f"--disable-cuda-graph")
        mode = forward_batch.forward_mode
        if mode.is_decode():
            query_lens = (1,) * forward_batch.batch_size
        elif mode.is_extend() and forward_batch.spec_info is None:
            query_lens = tuple(int(n) for n in
                               forward_batch.extend_seq_lens_cpu)
        else:
            raise _capi.Unimplemented(
                f"{NAME}: forward_mode: got {mode}, expected extend or decode, without "
                f"speculation")
        lengths = forward_batch.seq_lens_cpu
        if lengths is None:
            raise _capi.InvalidArgument(
                f"{NAME}: seq_lens_cpu: got None, expected the lengths")
        self.forward_metadata = paged.Batch(
            query_lens, forward_batch.seq_lens,
            max([1, *(int(n) for n in lengths)]),
            self.req_to_token_pool.req_to_token[
                forward_batch.req_pool_indices], 1)

    def init_forward_metadata_in_graph(self, forward_batch):
        """Nothing is recorded."""

    def init_cuda_graph_state(self, max_bs, max_num_tokens):
        raise _capi.Unimplemented(f"{NAME}: got the capture of a graph, expected "
                                  f"--disable-cuda-graph")

    def get_cuda_graph_seq_len_fill_value(self):
        return 1

    def support_triton(self):
        return False

    def forward_extend(self, q, k, v, layer, forward_batch, save_kv_cache=True,
                       **kwargs):
        return self._forward(q, k, v, layer, forward_batch, save_kv_cache,
                             **kwargs)

    def forward_decode(self, q, k, v, layer, forward_batch, save_kv_cache=True,
                       **kwargs):
        return self._forward(q, k, v, layer, forward_batch, save_kv_cache,
                             **kwargs)

    def _forward(self, q, k, v, layer, forward_batch, save_kv_cache, *,
                 gsa_config=None, index_query=None, index_key=None,
                 index_weights=None, index_bias=None, output_gate=None,
                 **others):
        """q [T, H D], k and v [T, G, D] after rotary embedding and value gate;
        index_query [T, Hi Di], index_key [T, Di], index_weights [T, Hi] before
        their sigmoid, index_bias [Hi], output_gate logits [T, H Dv]
        -> [T, H Dv]."""
        self._refuse(layer, gsa_config, index_query, index_key, index_weights,
                     index_bias, others)
        slots = forward_batch.out_cache_loc
        if save_kv_cache:
            self.token_to_kv_pool.set_kv_buffer(layer, KVWriteLoc(slots), k, v)
        key = self.token_to_kv_pool.get_key_buffer(layer.layer_id)
        value = self.token_to_kv_pool.get_value_buffer(layer.layer_id)
        index = self.index_keys.get(layer.layer_id)
        if index is None:
            index = self.index_keys[layer.layer_id] = index_key.new_zeros(
                (key.shape[0], gsa_config.d_indexer))
        index[slots] = index_key.to(index.dtype)
        h, rows = layer.tp_q_head_num, q.shape[0]
        gate = None if output_gate is None else output_gate.view(
            rows, h, layer.v_head_dim)
        queries = paged.Queries(
            q.reshape(rows, h, layer.qk_head_dim),
            index_query.view(rows, gsa_config.n_indexer_heads, -1),
            index_weights, index_bias, gate)
        return paged.attend(NAME, gsa_config, queries,
                            paged.Pages(key, value, index),
                            self.forward_metadata, layer.scaling).flatten(1)

    @staticmethod
    def _refuse(layer, config, index_query, index_key, index_weights, index_bias,
                others):
        given = {"gsa_config": config, "index_query": index_query,
                 "index_key": index_key, "index_weights": index_weights,
                 "index_bias": index_bias}
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise _capi.Unimplemented(
                f"{NAME}: layer {layer.layer_id}: got no {', '.join(missing)}, "
                f"expected what an indexer gives: attention without one is not "
                f"this backend's")
        for name, value in others.items():
            if value is not None:
                raise _capi.Unimplemented(
                    f"{NAME}: {name}: got a value, expected None")
        if getattr(layer, "sliding_window_size", -1) not in (None, -1):
            raise _capi.Unimplemented(
                f"{NAME}: layer {layer.layer_id}: got a sliding window of "
                f"{layer.sliding_window_size}, expected none")
        if getattr(layer, "logit_cap", 0):
            raise _capi.Unimplemented(
                f"{NAME}: layer {layer.layer_id}: logit_cap: got "
                f"{layer.logit_cap}, expected 0")
        if getattr(layer, "is_cross_attention", False):
            raise _capi.Unimplemented(
                f"{NAME}: layer {layer.layer_id}: got cross attention, expected "
                f"a decoder's")
