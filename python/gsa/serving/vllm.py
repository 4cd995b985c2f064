"""Gated Sparse Attention as an out-of-tree plug-in of vLLM.

`register` is the entry point (group vllm.general_plugins) and adds the attention
backend "GSA". A model uses the layer:

    from gsa.serving.vllm import GSAAttention
    self.attn = GSAAttention(config, prefix=prefix, head_size=..., ...)
    out = self.attn(q, k, v, index_q, index_k, index_w, self.indexer.bias)

which keeps keys, values and keys of the indexer in three caches of vLLM, one
vector a token each, whose pages it reads in place (gsa.serving.paged). The
interface is that of the version in test/python/interfaces/vllm.json.
"""

import dataclasses

import torch
from torch import nn
from vllm.config import get_current_vllm_config
from vllm.forward_context import get_forward_context
from vllm.model_executor.layers.attention_layer_base import AttentionLayerBase
from vllm.v1.attention.backend import (AttentionBackend, AttentionCGSupport,
                                       AttentionImplBase, AttentionMetadata,
                                       AttentionMetadataBuilder)
from vllm.v1.attention.backends.registry import register_backend
from vllm.v1.kv_cache_interface import MLAAttentionSpec

from gsa import _capi
from gsa.serving import paged

NAME = "GSA"
__all__ = ["register", "GSAAttention", "GSACache", "GSABackend",
           "GSAMetadataBuilder", "GSAMetadata", "GSAImpl"]


def register():
    """Tells vLLM of the backend. May be called any number of times."""
    register_backend(NAME, f"{__name__}.GSABackend")


class GSABackend(AttentionBackend):
    """What vLLM may ask before it builds anything. Caches in the type of the
    queries, any page size, decoders alone; graphs are not captured."""

    supported_dtypes = [torch.float16, torch.bfloat16, torch.float32]
    supported_kv_cache_dtypes = ["auto", "float16", "bfloat16"]

    @staticmethod
    def get_name():
        return NAME

    @staticmethod
    def get_impl_cls():
        return GSAImpl

    @staticmethod
    def get_builder_cls():
        return GSAMetadataBuilder

    @classmethod
    def is_sparse(cls):
        return True

    @classmethod
    def supports_kv_connector(cls):
        # Its caches are three; what moves pages would have to know them.
        return False

    @classmethod
    def supports_device_cpu_query_lens_mismatch(cls):
        # Rows are placed by the host's query lengths.
        return False


@dataclasses.dataclass
class GSAMetadata(AttentionMetadata):
    """A batch, and where its new tokens are written: slots int64 [T]."""
    batch: paged.Batch
    slot_mapping: torch.Tensor


class GSAMetadataBuilder(AttentionMetadataBuilder):
    """Plans of the host, once a step: nothing of it reads the device."""

    _cudagraph_support = AttentionCGSupport.NEVER

    def __init__(self, kv_cache_spec, layer_names, vllm_config, device):
        super().__init__(kv_cache_spec, layer_names, vllm_config, device)
        self.page_size = kv_cache_spec.block_size

    def build(self, common_prefix_len, common_attn_metadata, fast_build=False):
        common = common_attn_metadata
        causal = common.causal
        if not isinstance(causal, bool) or not causal:
            raise _capi.Unimplemented(
                f"{NAME}: causal: got {causal}, expected True")
        starts = common.query_start_loc_cpu.tolist()[:common.num_reqs + 1]
        batch = paged.Batch(
            query_lens=tuple(b - a for a, b in zip(starts, starts[1:])),
            seq_lens=common.seq_lens[:common.num_reqs],
            max_seq_len=int(common.max_seq_len),
            table=common.block_table_tensor[:common.num_reqs],
            page_size=self.page_size)
        return GSAMetadata(batch, common.slot_mapping)


class GSAImpl(AttentionImplBase):
    """The implementation of a layer. An ordinary attention layer of vLLM, which
    has no indexer, is refused."""

    supports_dense_mha_prefill = False

    def __init__(self, num_heads, head_size, scale, num_kv_heads=None,
                 alibi_slopes=None, sliding_window=None, kv_cache_dtype="auto",
                 logits_soft_cap=None, attn_type="decoder",
                 kv_sharing_target_layer_name=None, *, config=None):
        if config is None:
            raise _capi.Unimplemented(
                f"{NAME}: got an attention layer without an indexer, expected "
                f"gsa.serving.vllm.GSAAttention")
        for name, value in (("alibi_slopes", alibi_slopes),
                            ("sliding_window", sliding_window),
                            ("logits_soft_cap", logits_soft_cap or None),
                            ("kv_sharing_target_layer_name",
                             kv_sharing_target_layer_name)):
            if value is not None:
                raise _capi.Unimplemented(
                    f"{NAME}: {name}: got {value!r}, expected None")
        paged.refuse(NAME, config)
        if self.total_cp_world_size > 1:
            raise _capi.Unimplemented(
                f"{NAME}: got context parallelism over "
                f"{self.total_cp_world_size} ranks, expected 1")
        self.num_heads, self.head_size, self.scale = num_heads, head_size, scale
        self.num_kv_heads = num_kv_heads or num_heads
        self.config, self.kv_cache_dtype = config, kv_cache_dtype

    def forward(self, queries, caches, metadata):
        """`queries` a paged.Queries, `caches` the layer's three."""
        g, d = self.num_kv_heads, self.head_size
        pages = paged.Pages(*(cache.rows() for cache in caches))
        slots = pages.key.shape[0]
        return paged.attend(
            NAME, self.config, queries, paged.Pages(
                pages.key.view(slots, g, d), pages.value.view(slots, g, d),
                pages.index), metadata.batch, self.scale)


class GSACache(nn.Module, AttentionLayerBase):
    """One vector of `width` elements a token in vLLM's cache."""

    def __init__(self, width, dtype, prefix):
        super().__init__()
        self.width, self.dtype, self.prefix = width, dtype, prefix
        self.kv_cache = torch.tensor([])
        context = get_current_vllm_config().compilation_config
        if prefix in context.static_forward_context:
            raise _capi.InvalidArgument(
                f"{NAME}: prefix: got {prefix!r} twice, expected another one")
        context.static_forward_context[prefix] = self

    def get_attn_backend(self):
        return GSABackend

    def get_kv_cache_spec(self, vllm_config):
        return MLAAttentionSpec(block_size=vllm_config.cache_config.block_size,
                                num_kv_heads=1, head_size=self.width,
                                dtype=self.dtype)

    def rows(self):
        """[slots, width], the cache as it lies."""
        cache = self.kv_cache
        if cache.numel() and not cache.is_contiguous():
            raise _capi.Unimplemented(
                f"{NAME}: {self.prefix}: got pages with strides "
                f"{cache.stride()}, expected those of a layer one behind the "
                f"other: VLLM_KV_CACHE_LAYOUT=LBNHC")
        return cache.view(-1, self.width)

    def write(self, slots, rows):
        """Puts rows [T, width] where `slots` int64 [T] says."""
        cache = self.rows()
        cache[slots] = rows.to(cache.dtype)


class GSAAttention(nn.Module):
    """The part of a layer between its projections, in a model of vLLM.

    config:    a GSAConfig whose budget policy looks at one row alone.
    head_size, num_heads, num_kv_heads: of this rank.
    prefix:    the layer's name in the model; its caches are prefix + ".key",
               ".value" and ".index".
    """

    def __init__(self, config, *, num_heads, num_kv_heads, head_size, prefix,
                 dtype, scale=None):
        super().__init__()
        scale = head_size ** -0.5 if scale is None else scale
        self.impl = GSAImpl(num_heads, head_size, scale, num_kv_heads,
                            config=config)
        self.prefix, width = prefix, num_kv_heads * head_size
        self.key = GSACache(width, dtype, prefix + ".key")
        self.value = GSACache(width, dtype, prefix + ".value")
        self.index = GSACache(config.d_indexer, dtype, prefix + ".index")

    # Batches differ in what the host does with them: --enforce-eager.
    @torch.compiler.disable
    def forward(self, query, key, value, index_query, index_key, index_weights,
                index_bias, output_gate=None):
        """query [T, H D], key and value [T, G D] after rotary embedding and value
        gate, index_query [T, Hi Di], index_key [T, Di], index_weights [T, Hi]
        before their sigmoid, index_bias [Hi], output_gate logits [T, H D]
        -> [T, H D]."""
        h, d = self.impl.num_heads, self.impl.head_size
        metadata = get_forward_context().attn_metadata
        if metadata is None:  # vLLM measures memory: nothing is computed.
            return torch.zeros_like(query)
        if not isinstance(metadata, dict):
            raise _capi.Unimplemented(
                f"{NAME}: attn_metadata: got {type(metadata).__name__}, expected "
                f"that of one batch: dual batch overlap is not implemented")
        metadata = metadata[self.key.prefix]
        caches = (self.key, self.value, self.index)
        # Rows beyond the sequences' are padding, which no slot is for.
        count = sum(metadata.batch.query_lens)
        for cache, rows in zip(caches, (key, value, index_key)):
            cache.write(metadata.slot_mapping[:count], rows[:count])
        hi = self.impl.config.n_indexer_heads
        rows = query.shape[0]
        queries = paged.Queries(
            query.view(rows, h, d), index_query.view(rows, hi, -1),
            index_weights, index_bias,
            None if output_gate is None else output_gate.view(rows, h, d))
        return self.impl.forward(queries, caches, metadata).flatten(1)
