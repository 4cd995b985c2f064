"""The plug-ins for vLLM and SGLang on the recorded interface of one version of
each (interfaces/): what a server would call is called here, on caches of pages
and with batches as servers cut them. Neither server runs."""

import os
import sys
import tomllib
import unittest
from types import SimpleNamespace

import torch

import gsa
import interface_stubs
from gsa.serving import paged

STUBS = {server: interface_stubs.install(server)
         for server in ("vllm", "sglang")}
VLLM_CONFIG = SimpleNamespace(
    compilation_config=SimpleNamespace(static_forward_context={}),
    cache_config=SimpleNamespace(block_size=12))
STUBS["vllm"]["vllm.config"].get_current_vllm_config = lambda: VLLM_CONFIG
STUBS["vllm"]["vllm.v1.attention.backend"].AttentionImplBase \
    .total_cp_world_size = 1
from gsa.serving import sglang as gsa_sglang  # noqa: E402
from gsa.serving import vllm as gsa_vllm  # noqa: E402

H, G, D, HI, DI = 4, 2, 16, 2, 8
CONFIG = {"d_model": 64, "n_heads": H, "n_kv_heads": G, "d_head": D,
          "d_indexer": DI, "n_indexer_heads": HI, "k_base": 9, "k_min": 3,
          "k_max": 14}


def config(**fields):
    return gsa.GSAConfig(**{**CONFIG, "use_adaptive_k": False, **fields})


class Sequence:
    """All tokens that a sequence will have, and what attention gives for them
    when it sees them at once, contiguous."""

    def __init__(self, seed, length, layer_config, dtype=torch.float32):
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(length, *shape, generator=generator).to(dtype)
        self.q, self.k, self.v = normal(H, D), normal(G, D), normal(G, D)
        self.iq, self.ik, self.iw = normal(HI, DI), normal(DI), normal(HI)
        self.gate = normal(H, D)
        self.bias = torch.linspace(-1, 1, HI, dtype=dtype)
        self.length, self.done = length, 0
        from gsa.nn import attend
        self.want = attend(
            layer_config, *(x[None] for x in (self.q, self.k, self.v)),
            tuple(x[None] for x in (self.iq, self.ik, self.iw)), self.bias,
            output_gate=self.gate[None])[0]

    def take(self, count):
        """The next tokens: a slice."""
        part = slice(self.done, self.done + count)
        self.done += count
        return part


# Steps of a server: how many new tokens of each sequence.
STEPS = [(37, 0, 5), (1, 21, 1), (1, 1, 1), (16, 1, 0), (1, 3, 1)]
LENGTHS = [sum(step[b] for step in STEPS) for b in range(3)]


class Vllm(unittest.TestCase):
    def layer(self, layer_config, prefix, dtype=torch.float32, pages=40):
        layer = gsa_vllm.GSAAttention(
            layer_config, num_heads=H, num_kv_heads=G, head_size=D,
            prefix=prefix, dtype=dtype)
        for cache in (layer.key, layer.value, layer.index):
            spec = cache.get_kv_cache_spec(VLLM_CONFIG)
            self.assertEqual((spec.block_size, spec.num_kv_heads,
                              spec.head_size, spec.dtype),
                             (12, 1, cache.width, dtype))
            # As vLLM lays it: [pages, heads, tokens, elements], not cleared.
            cache.bind_kv_cache(torch.full((pages, 1, 12, cache.width),
                                           float("nan"), dtype=dtype))
        return layer

    def setUp(self):
        VLLM_CONFIG.compilation_config.static_forward_context.clear()

        def bind(self, kv_cache):
            self.kv_cache = kv_cache
        STUBS["vllm"]["vllm.model_executor.layers.attention_layer_base"] \
            .AttentionLayerBase.bind_kv_cache = bind

    def serve(self, layer_config, dtype=torch.float32, padding=0):
        layer = self.layer(layer_config, "model.layers.0.attn", dtype)
        builder = gsa_vllm.GSABackend.get_builder_cls()(
            layer.key.get_kv_cache_spec(VLLM_CONFIG), [layer.key.prefix],
            VLLM_CONFIG, torch.device("cpu"))
        sequences = [Sequence(b, n, layer_config, dtype)
                     for b, n in enumerate(LENGTHS)]
        # Pages in an order that is nobody's; page 0 is vLLM's for nothing.
        order = (torch.randperm(39, generator=torch.Generator().manual_seed(3))
                 + 1).to(torch.int32)
        tables = order[:36].view(3, 12)
        errors = []
        for step in STEPS:
            active = [b for b in range(3) if step[b]]
            parts = {b: sequences[b].take(step[b]) for b in active}
            slots = torch.cat([
                tables[b].long()[torch.arange(p.start, p.stop) // 12] * 12 +
                torch.arange(p.start, p.stop) % 12
                for b, p in parts.items()])
            starts = torch.tensor([0] + [step[b] for b in active]).cumsum(0)
            common = SimpleNamespace(
                query_start_loc=starts.int(), query_start_loc_cpu=starts.int(),
                seq_lens=torch.tensor([sequences[b].done for b in active],
                                      dtype=torch.int32),
                num_reqs=len(active), num_actual_tokens=len(slots) + padding,
                max_query_len=max(step), max_seq_len=130,
                block_table_tensor=tables[active],
                slot_mapping=torch.cat([slots, torch.full((padding,), -1)]),
                causal=True)
            fields = interface_stubs.record("vllm")["modules"][
                "vllm.v1.attention.backend"]["CommonAttentionMetadata"][
                "fields"]
            self.assertLessEqual(set(vars(common)), set(fields))
            metadata = builder.build(0, common)
            STUBS["vllm"]["vllm.forward_context"].get_forward_context = \
                lambda: SimpleNamespace(
                    attn_metadata={layer.key.prefix: metadata})
            gsa_vllm.get_forward_context = STUBS["vllm"][
                "vllm.forward_context"].get_forward_context

            def rows(name):
                x = torch.cat([getattr(sequences[b], name)[p].flatten(1)
                               for b, p in parts.items()])
                return torch.cat([x, x.new_full((padding, x.shape[1]), 7.0)])
            with torch.no_grad():
                out = layer(*map(rows, ("q", "k", "v", "iq", "ik", "iw")),
                            sequences[0].bias, output_gate=rows("gate"))
            want = torch.cat([sequences[b].want[p].flatten(1)
                              for b, p in parts.items()])
            errors.append((out[:len(want)] - want).abs().max().item())
            self.assertEqual(out[len(want):].abs().sum().item(), 0)
        return max(errors)

    def test_serves_what_attention_gives(self):
        """With rows of padding behind the last token, too."""
        for padding, fields in (
                (0, {}), (5, {"use_adaptive_k": True, "k_policy": "entropy"}),
                (1, {"sink": 2, "local": 3})):
            VLLM_CONFIG.compilation_config.static_forward_context.clear()
            self.assertLess(self.serve(config(**fields), padding=padding), 2e-6,
                            str(fields))

    def test_half(self):
        self.assertLess(self.serve(config(), torch.float16), 4e-3)

    def test_measuring_memory_computes_nothing(self):
        layer = self.layer(config(), "a")
        gsa_vllm.get_forward_context = lambda: SimpleNamespace(
            attn_metadata=None)
        x = torch.ones(3, H * D)
        self.assertEqual(layer(x, *[x] * 6).sum().item(), 0)

    def test_signatures(self):
        for name, ours, own in (
                ("AttentionBackend", gsa_vllm.GSABackend, ()),
                ("AttentionMetadataBuilder", gsa_vllm.GSAMetadataBuilder, ()),
                ("AttentionImplBase", gsa_vllm.GSAImpl, ("forward",)),
                ("AttentionLayerBase", gsa_vllm.GSACache, ("rows", "write"))):
            self.assertEqual(list(interface_stubs.differences(
                "vllm", name, ours, own)), [], name)

    def test_register(self):
        calls = []
        gsa_vllm.register_backend = lambda *a: calls.append(a)
        gsa_vllm.register()
        (name, path), = calls
        module, _, attribute = path.rpartition(".")
        self.assertIs(getattr(sys.modules[module], attribute),
                      gsa_vllm.GSABackend)
        self.assertEqual(gsa_vllm.GSABackend.get_name(), name)

    def refuses(self, pattern, call, kind=gsa.Unimplemented):
        with self.assertRaisesRegex(kind, pattern):
            call()

    def test_refusals(self):
        make = gsa_vllm.GSAImpl
        self.refuses("attention layer without an indexer",
                     lambda: make(H, D, 1.0, G))
        self.refuses("sliding_window: got 64, expected None",
                     lambda: make(H, D, 1.0, G, None, 64, config=config()))
        self.refuses("k_policy: got 'upstream_variance'",
                     lambda: make(H, D, 1.0, G, config=config(
                         use_adaptive_k=True)))
        make.total_cp_world_size = 2
        try:
            self.refuses("context parallelism over 2",
                         lambda: make(H, D, 1.0, G, config=config()))
        finally:
            del make.total_cp_world_size
        layer = self.layer(config(), "a")
        self.refuses("prefix: got 'a.key' twice",
                     lambda: self.layer(config(), "a"), gsa.InvalidArgument)
        wide = torch.zeros(4, 2, 12, layer.key.width)
        layer.key.bind_kv_cache(wide[:, :1])
        self.refuses("VLLM_KV_CACHE_LAYOUT=LBNHC", layer.key.rows)
        gsa_vllm.get_forward_context = lambda: SimpleNamespace(attn_metadata=[])
        self.refuses("dual batch overlap", lambda: layer(*[wide[0, 0]] * 7))
        spec = layer.value.get_kv_cache_spec(VLLM_CONFIG)
        builder = gsa_vllm.GSAMetadataBuilder(spec, [], VLLM_CONFIG, None)
        self.refuses("causal: got False", lambda: builder.build(
            0, SimpleNamespace(causal=False)))
        self.assertFalse(gsa_vllm.GSABackend.supports_kv_connector())
        self.assertTrue(gsa_vllm.GSABackend.is_sparse())


class Pool:
    """A pool of SGLang for one layer, as far as the record goes."""

    def __init__(self, slots):
        self.key = torch.full((slots, G, D), float("nan"))
        self.value = torch.full((slots, G, D), float("nan"))

    def set_kv_buffer(self, layer, loc_info, cache_k, cache_v):
        slots, = loc_info.arguments
        self.key[slots], self.value[slots] = cache_k, cache_v

    def get_key_buffer(self, layer_id):
        return self.key

    def get_value_buffer(self, layer_id):
        return self.value


class Mode:
    def __init__(self, name):
        self.name = name

    def is_decode(self):
        return self.name == "decode"

    def is_extend(self):
        return self.name == "extend"

    def __repr__(self):
        return self.name


class Sglang(unittest.TestCase):
    LAYER = SimpleNamespace(
        layer_id=3, tp_q_head_num=H, qk_head_dim=D, v_head_dim=D,
        scaling=D ** -0.5, sliding_window_size=-1, logit_cap=0.0,
        is_cross_attention=False)

    def backend(self, slots=200):
        table = torch.zeros(8, 128, dtype=torch.int32)
        return gsa_sglang.GSAAttnBackend(SimpleNamespace(
            req_to_token_pool=SimpleNamespace(req_to_token=table),
            token_to_kv_pool=Pool(slots)))

    def batch(self, mode, **fields):
        record = interface_stubs.record("sglang")["modules"][
            "sglang.srt.model_executor.forward_batch_info"]["ForwardBatch"]
        values = dict.fromkeys(record["fields"])
        self.assertLessEqual(set(fields), set(values))
        return SimpleNamespace(**{**values, "forward_mode": Mode(mode),
                                  **fields})

    def test_serves_what_attention_gives(self):
        for fields in ({}, {"use_adaptive_k": True, "k_policy": "orth",
                            "k_base": 3}):
            layer_config, backend = config(**fields), self.backend()
            sequences = [Sequence(b, n, layer_config)
                         for b, n in enumerate(LENGTHS)]
            free = iter(torch.randperm(
                200, generator=torch.Generator().manual_seed(1)).tolist())
            requests = [5, 2, 7]
            for step in STEPS:
                active = [b for b in range(3) if step[b]]
                parts = {b: sequences[b].take(step[b]) for b in active}
                slots = []
                for b, p in parts.items():
                    new = [next(free) for _ in range(p.stop - p.start)]
                    backend.req_to_token_pool.req_to_token[
                        requests[b], p] = torch.tensor(new, dtype=torch.int32)
                    slots += new
                lengths = torch.tensor([sequences[b].done for b in active])
                decodes = set(step[b] for b in active) == {1}
                batch = self.batch(
                    "decode" if decodes else "extend", batch_size=len(active),
                    req_pool_indices=torch.tensor([requests[b]
                                                   for b in active]),
                    seq_lens=lengths, seq_lens_cpu=lengths,
                    out_cache_loc=torch.tensor(slots),
                    extend_seq_lens_cpu=None if decodes else [
                        step[b] for b in active])
                backend.init_forward_metadata_out_graph(batch)
                backend.init_forward_metadata_in_graph(batch)

                def rows(name, flat=True):
                    x = torch.cat([getattr(sequences[b], name)[p]
                                   for b, p in parts.items()])
                    return x.flatten(1) if flat else x
                forward = backend.forward_decode if decodes else \
                    backend.forward_extend
                with torch.no_grad():
                    out = forward(
                        rows("q"), rows("k", False), rows("v", False),
                        self.LAYER, batch, gsa_config=layer_config,
                        index_query=rows("iq"), index_key=rows("ik"),
                        index_weights=rows("iw"), index_bias=sequences[0].bias,
                        output_gate=rows("gate"))
                want = torch.cat([sequences[b].want[p].flatten(1)
                                  for b, p in parts.items()])
                self.assertLess((out - want).abs().max().item(), 2e-6)

    def test_signatures(self):
        self.assertEqual(list(interface_stubs.differences(
            "sglang", "AttentionBackend", gsa_sglang.GSAAttnBackend)), [])

    def test_register(self):
        names, added = {}, []
        gsa_sglang.register_attention_backend = \
            lambda name: lambda make: names.__setitem__(name, make)
        gsa_sglang.ATTENTION_BACKEND_CHOICES = added
        gsa_sglang.add_attention_backend_choices = added.extend
        gsa_sglang.register()
        gsa_sglang.register()
        self.assertEqual(added, ["gsa"])
        self.assertIs(names["gsa"], gsa_sglang.GSAAttnBackend)

    def test_refusals(self):
        backend = self.backend()
        for pattern, call in (
                ("--disable-cuda-graph",
                 lambda: backend.init_forward_metadata_out_graph(
                     self.batch("decode"), in_capture=True)),
                ("--disable-cuda-graph",
                 lambda: backend.init_cuda_graph_state(1, 1)),
                ("forward_mode: got verify",
                 lambda: backend.init_forward_metadata_out_graph(
                     self.batch("verify"))),
                ("layer 3: got no gsa_config, index_query",
                 lambda: backend.forward_decode(None, None, None, self.LAYER,
                                                None)),
                ("sliding window of 64",
                 lambda: backend.forward_decode(
                     None, None, None, SimpleNamespace(
                         **{**vars(self.LAYER), "sliding_window_size": 64}),
                     None, gsa_config=1, index_query=1, index_key=1,
                     index_weights=1, index_bias=1)),
                ("k_rope: got a value",
                 lambda: backend.forward_decode(
                     None, None, None, self.LAYER, None, gsa_config=1,
                     index_query=1, index_key=1, index_weights=1, index_bias=1,
                     k_rope=1))):
            with self.assertRaisesRegex(gsa.Unimplemented, pattern):
                call()


class Plugin(unittest.TestCase):
    def test_entry_points(self):
        path = os.path.join(os.path.dirname(__file__), "..", "..", "python",
                            "pyproject.toml")
        with open(path, "rb") as file:
            points = tomllib.load(file)["project"]["entry-points"]
        for server, constant in (("vllm", "DEFAULT_PLUGINS_GROUP"),
                                 ("sglang", "GENERAL_PLUGINS_GROUP")):
            modules = interface_stubs.record(server)["modules"]
            group, = (m[constant]["value"] for m in modules.values()
                      if constant in m)
            self.assertEqual(points[group],
                             {"gsa": f"gsa.serving.{server}:register"})
        self.assertEqual(len(points), 2)

    def test_cache_that_is_not_dense(self):
        x = torch.zeros(4, G, D)
        queries = paged.Queries(torch.zeros(1, H, D), torch.zeros(1, HI, DI),
                                torch.zeros(1, HI), torch.zeros(HI))
        batch = paged.Batch((1,), torch.tensor([1]), 1,
                            torch.zeros(1, 1, dtype=torch.int32), 4)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "cache of value: got strides"):
            paged.attend("test", config(), queries, paged.Pages(
                x, x.transpose(0, 1).contiguous().transpose(0, 1),
                torch.zeros(4, DI)), batch)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "query: got 1 rows, expected at least 2"):
            paged.attend("test", config(), queries, paged.Pages(
                x, x, torch.zeros(4, DI)), batch._replace(query_lens=(2,)))


if __name__ == "__main__":
    unittest.main()
