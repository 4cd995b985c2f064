"""The module and the operators of torch."""

import importlib.util
import os
import subprocess
import sys
import unittest
import warnings

import numpy as np
import torch

import definition
import gsa
from gsa import _torch_ops as ops

SMALL = {"d_model": 64, "n_heads": 4, "n_kv_heads": 2, "d_indexer": 16,
         "n_indexer_heads": 2, "k_base": 8, "k_min": 4, "k_max": 16}


def layer(dtype=torch.float32, **fields):
    torch.manual_seed(0)
    return gsa.GatedSparseAttention(
        gsa.GSAConfig(**{**SMALL, **fields})).to(dtype).eval()


def hidden(*shape, dtype=torch.float32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).to(dtype)


def reference(module, x, positions=None):
    """The layer in float64 by the definitions; exact for f64 modules."""
    c = module.config
    p = {n: t.detach().double().numpy() for n, t in module.state_dict().items()}
    x = x.double().numpy()
    b, s, _ = x.shape

    def project(name, heads=None):
        y = x @ p[name + ".weight"].T + p.get(name + ".bias", 0.0)
        return y if heads is None else y.reshape(b, s, heads, -1)
    if positions is None:
        positions = np.broadcast_to(np.arange(s), (b, s))
    turn = {"base": c.rope_base, "rotary_dim": c.rope_dim,
            "interleaved": c.rope_interleaved}
    q = definition.rope(project("q_proj", c.n_heads), positions, **turn)
    k = definition.rope(project("k_proj", c.n_kv_heads), positions, **turn)
    v = project("v_proj", c.n_kv_heads)
    if c.use_value_gate:
        v = v * definition.ACTIVATION[c.gate_activation](
            project("value_gate.gate_proj", c.n_kv_heads))
    scores = definition.scores(
        project("indexer.q_proj", c.n_indexer_heads),
        project("indexer.k_proj"), project("indexer.weight_proj"),
        p["indexer.bias"], c.indexer_activation)
    raw = definition.raw_budgets(scores, c.policy, c.k_base, c.k_min, c.k_max,
                                 c.adaptive_k_temperature, None)
    n = (scores > -np.inf).sum(-1)
    counts = np.minimum(np.floor(raw + 1e-9), n).astype(int)
    lists = [[definition.top(scores[i, t], counts[i, t], c.sink, c.local)
              for t in range(s)] for i in range(b)]
    gate = project("output_gate.gate_proj", c.n_heads) \
        if c.use_output_gate else None
    out, _ = definition.attention(q, k, v, lists, gate, c.gate_activation)
    return out.reshape(b, s, -1) @ p["o_proj.weight"].T


class Layer(unittest.TestCase):
    def test_published_names(self):
        names = ["indexer.bias", "q_proj.weight", "k_proj.weight",
                 "v_proj.weight", "o_proj.weight", "indexer.q_proj.weight",
                 "indexer.k_proj.weight", "indexer.weight_proj.weight",
                 "indexer.weight_proj.bias", "value_gate.gate_proj.weight",
                 "value_gate.gate_proj.bias", "output_gate.gate_proj.weight",
                 "output_gate.gate_proj.bias"]
        self.assertEqual(sorted(layer().state_dict()), sorted(names))
        source = layer(gate_bias_init=0.25)
        prefixed = {"model.layers.3.self_attn." + name: tensor
                    for name, tensor in source.state_dict().items()}
        module = layer().load_published(prefixed, "model.layers.3.self_attn.")
        torch.testing.assert_close(module.value_gate.gate_proj.bias,
                                   source.value_gate.gate_proj.bias)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "'model.layers.3.self_attn.'"):
            layer().load_published(prefixed, "model.layers.4.self_attn.")
        prefixed["model.layers.3.self_attn.q_proj.bias"] = torch.zeros(64)
        with self.assertRaisesRegex(gsa.InvalidArgument, "nearest: q_proj"):
            layer().load_published(prefixed, "model.layers.3.self_attn.")

    def test_conformance_vector(self):
        config = gsa.GSAConfig(
            d_model=8, n_heads=4, n_kv_heads=2, d_head=2, n_indexer_heads=2,
            d_indexer=4, k_base=3, k_min=1, k_max=4)
        module = gsa.GatedSparseAttention(config).double()
        with torch.no_grad():
            for i, (_, p) in enumerate(sorted(module.named_parameters())):
                n = torch.arange(p.numel(), dtype=torch.float64)
                p.copy_((0.8 * torch.sin((0.7 + 0.1 * i) * n + 0.3 * i)).view(
                    p.shape))
            x = torch.sin(1.3 * torch.arange(48, dtype=torch.float64) + 0.2)
            y, _ = module(x.view(1, 6, 8))
        # The published layer's, whose rotary table is in f32.
        want = torch.tensor([0.338122657, -0.416539543, 0.129221596,
                             0.271556981, -0.433899979, 0.215265134,
                             0.192379276, -0.431108625], dtype=torch.float64)
        self.assertLess((y[0, 5] - want).abs().max().item(), 1e-8)

    def test_against_definition(self):
        for fields in ({}, {"use_adaptive_k": False},
                       {"use_value_gate": False, "use_output_gate": False},
                       {"k_policy": "entropy", "gate_activation": "silu"},
                       {"k_base": 64, "k_max": 64, "rope_dim": 8},
                       {"use_adaptive_k": False, "sink": 2, "local": 3,
                        "rope_interleaved": True}):
            module, x = layer(torch.float64, **fields), hidden(
                2, 33, 64, dtype=torch.float64)
            y, cache = module(x)
            self.assertIsNone(cache)
            error = np.abs(y.detach().numpy() - reference(module, x)).max()
            self.assertLess(error, 1e-11, str(fields))

    def test_positions(self):
        module, x = layer(torch.float64, use_adaptive_k=False), hidden(
            1, 9, 64, dtype=torch.float64)
        positions = torch.arange(9).unsqueeze(0) * 3 + 70
        y, _ = module(x, positions=positions)
        self.assertLess(np.abs(y.detach().numpy() - reference(
            module, x, positions.numpy())).max(), 1e-11)

    def test_element_types(self):
        exact = layer(torch.float64, use_adaptive_k=False, k_base=64)
        x = hidden(1, 20, 64, dtype=torch.float64)
        for dtype, limit in ((torch.float32, 1e-5), (torch.bfloat16, 5e-2),
                             (torch.float16, 5e-3)):
            module = layer(torch.float64, use_adaptive_k=False, k_base=64).to(
                dtype)
            y, _ = module(x.to(dtype))
            self.assertEqual(y.dtype, dtype)
            self.assertLess((y.double() - exact(x)[0]).abs().max().item(),
                            limit)

    def test_autocast(self):
        module, x = layer(), hidden(1, 12, 64)
        with torch.autocast("cpu", torch.bfloat16):
            y, _ = module(x)
        self.assertEqual(y.dtype, torch.bfloat16)
        self.assertTrue(torch.isfinite(y).all())

    def test_no_tokens(self):
        for shape in ((0, 5, 64), (2, 0, 64)):
            self.assertEqual(tuple(layer()(torch.empty(shape))[0].shape), shape)

    def test_published_tuple(self):
        output, cache, weights = layer(published_tuple=True)(hidden(1, 4, 64))
        self.assertEqual((tuple(output.shape), cache, weights),
                         ((1, 4, 64), None, None))

    def test_nan_reaches_only_who_sees_it(self):
        module, x = layer(use_adaptive_k=False), hidden(2, 8, 64)
        clean = module(x)[0]
        x[0, 5] = float("nan")
        y = module(x)[0]
        torch.testing.assert_close(y[1], clean[1], rtol=0, atol=0)
        torch.testing.assert_close(y[0, :5], clean[0, :5], rtol=0, atol=0)


class Decoding(unittest.TestCase):
    """With a cache, against prefill of every prefix."""

    def test_equals_prefill(self):
        for fields in ({"use_adaptive_k": False}, {"k_policy": "entropy"},
                       {"use_adaptive_k": False, "k_base": 512}):
            module = layer(torch.float64, **fields)
            x = hidden(2, 150, 64, dtype=torch.float64)
            want = module(x)[0]
            y, cache = module(x[:, :117], use_cache=True)
            rows = [y]
            for t in list(range(117, 131)):
                y, cache = module(x[:, t:t + 1], past_key_value=cache)
                rows.append(y)
            rows.append(module(x[:, 131:], past_key_value=cache)[0])
            self.assertEqual(len(cache), 150)
            torch.testing.assert_close(torch.cat(rows, 1), want, rtol=0,
                                       atol=1e-11)

    def test_one_token_is_not_silent(self):
        """The published layer gives zero here."""
        module = layer()
        y, cache = module(hidden(1, 1, 64), use_cache=True)
        self.assertGreater(y.abs().max().item(), 1e-3)
        y, cache = module(hidden(1, 1, 64, seed=2), past_key_value=cache)
        self.assertGreater(y.abs().max().item(), 1e-3)

    def test_without_gates_and_gradients(self):
        module = layer(use_adaptive_k=False, use_value_gate=False,
                       use_output_gate=False)
        x = hidden(1, 20, 64)
        with torch.inference_mode():
            want = module(x)[0]
            y, cache = module(x[:, :19], use_cache=True)
            z, _ = module(x[:, 19:], past_key_value=cache)
        torch.testing.assert_close(torch.cat([y, z], 1), want)

    def test_few_plans(self):
        module, x = layer(use_adaptive_k=False), hidden(1, 40, 64)
        _, cache = module(x[:, :20], use_cache=True)
        compiled = []
        for t in range(20, 40):
            _, cache = module(x[:, t:t + 1], past_key_value=cache)
            compiled.append(gsa.last_dispatch().compiled)
        self.assertFalse(any(compiled[1:]))

    def test_chunk_under_the_published_policy(self):
        module = layer(torch.float64)
        x = hidden(1, 30, 64, dtype=torch.float64)
        _, cache = module(x[:, :20], use_cache=True)
        y, _ = module(x[:, 20:], past_key_value=cache)
        self.assertTrue(torch.isfinite(y).all())

    def test_foreign_cache_is_refused(self):
        x = hidden(1, 2, 64)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "past_key_value: got tuple, expected the "
                                    "KeyCache"):
            layer()(x, past_key_value=(x, x))


class PublishedFormulas(unittest.TestCase):
    """What bench/gpu/bench_python.py times beside ours: on a prefill the same
    results, and for a decoded token those that the published layer gives."""

    def setUp(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                            "..", "bench", "gpu", "baselines.py")
        spec = importlib.util.spec_from_file_location("baselines", path)
        self.baselines = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.baselines)

    def test_prefill(self):
        x = hidden(2, 41, 64, dtype=torch.float64)
        positions = torch.arange(41).expand(2, -1)
        for fields in ({}, {"use_adaptive_k": False},
                       {"use_value_gate": False, "use_output_gate": False}):
            module = layer(torch.float64, **fields)
            want, _ = self.baselines.published_layer(module, x, positions)
            # Its rotary table is in f32.
            torch.testing.assert_close(module(x)[0], want, rtol=0, atol=1e-5)

    def test_a_decoded_token_attends_to_the_first(self):
        module = layer(torch.float64, use_adaptive_k=False,
                       use_output_gate=False)
        x = hidden(1, 9, 64, dtype=torch.float64)
        positions = torch.arange(9).unsqueeze(0)
        _, (k, v) = self.baselines.published_layer(module, x[:, :8],
                                                   positions[:, :8])
        got, _ = self.baselines.published_layer(module, x[:, 8:],
                                                positions[:, 8:], (k, v))
        first = v[:, :1].repeat_interleave(2, dim=2).flatten(2)
        torch.testing.assert_close(got, module.o_proj(first))


class Refusals(unittest.TestCase):
    def test_calls(self):
        module, x = layer(), hidden(1, 4, 64)
        for pattern, call in (
                ("hidden_states: got shape .1, 4, 63., expected .B, S, 64.",
                 lambda: module(x[..., :63])),
                ("attention_mask: got a tensor, expected None",
                 lambda: module(x, attention_mask=torch.ones(1, 4))),
                ("hidden_states: got ndarray, expected a torch tensor",
                 lambda: module(x.numpy())),
                ("output_attentions: got True",
                 lambda: module(x, output_attentions=True)),
                ("positions: got torch.float32",
                 lambda: module(x, positions=torch.zeros(1, 4)))):
            with self.assertRaisesRegex(gsa.GsaError, pattern):
                call()

    def test_config(self):
        for pattern, fields in (
                ("got 'n_head', .*nearest: n_heads", {"n_head": 4}),
                ("got 'd_modle', .*nearest: d_model", {"d_modle": 4}),
                ("n_kv_heads: got 3, expected a divisor of n_heads = 32; "
                 "nearest: [24]", {"n_kv_heads": 3}),
                ("k_base: got 100, expected k_min = 256 to k_max = 4096; "
                 "nearest: 256", {"k_base": 100}),
                ("gate_activation: got 'relu'", {"gate_activation": "relu"}),
                ("got 'hidden_size', .*nearest: d_model", {"hidden_size": 64}),
                ("got 'head_dim', .*nearest: d_head", {"head_dim": 64}),
                ("got 'dtype', which is no field: .*parameters",
                 {"dtype": "bf16"}),
                ("k_min: got 500, expected at most k_max = 100; nearest: 100",
                 {"k_min": 500, "k_max": 100}),
                ("use_value_gate: got 'false', expected True or False",
                 {"use_value_gate": "false"}),
                ("sink: got -1, expected a whole number", {"sink": -1}),
                ("local: got 2147483648, expected a whole number from 0 to "
                 "1073741824", {"local": 2**31}),
                ("k_max: got 2147483648, expected", {"k_max": 2**31}),
                ("n_layers: got 0, expected a whole number of at least 1",
                 {"n_layers": 0}),
                ("rope_base: got 1, expected a finite number above 1",
                 {"rope_base": 1}),
                ("gate_bias_init: got inf, expected a finite number",
                 {"gate_bias_init": float("inf")}),
                ("rope_dim: got 63, expected 0 or an even number up to d_head "
                 "= 128, .*nearest: 62", {"rope_dim": 63}),
                ("rope_dim: got 130, .*nearest: 128", {"rope_dim": 130}),
                ("rope_scaling: got 'yarn', expected None or a dict",
                 {"rope_scaling": "yarn"}),
                ("k_policy: got 'entropy', expected 'fixed'",
                 {"k_policy": "entropy", "use_adaptive_k": False}),
                ("k_policy: got 'fixed', expected another one than 'fixed', or "
                 "use_adaptive_k=False", {"k_policy": "fixed"}),
                ("'dynamic_ntk', which is no scaling",
                 {"rope_scaling": {"type": "dynamic_ntk", "factor": 2.0}})):
            with self.assertRaisesRegex(gsa.GsaError, pattern):
                gsa.GSAConfig(**fields)
        with self.assertRaisesRegex(gsa.InvalidArgument, "'rope_theta'"):
            gsa.GSAConfig.from_dict({"rope_theta": 1e6})
        for name in gsa.config.WITHOUT_EFFECT:
            with self.assertWarnsRegex(UserWarning, name):
                gsa.GSAConfig(**{name: 7})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            config = gsa.GSAConfig(d_model=512, n_heads=8)
        self.assertEqual(gsa.GSAConfig.from_dict(config.to_dict()), config)
        self.assertEqual(config.d_head, 64)

    def test_strided(self):
        q = hidden(1, 2, 6, 8).transpose(1, 2)
        k = hidden(1, 6, 2, 8)
        lists = torch.zeros(1, 6, 1, dtype=torch.int32)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    r"query: got strides .*expected dense"):
            gsa.sparse_attention(q, k, k, lists)


class Operators(unittest.TestCase):
    def samples(self):
        q, k = hidden(1, 6, 4, 8), hidden(1, 9, 2, 8, seed=2)
        iq, ik = hidden(1, 6, 2, 8, seed=3), hidden(1, 9, 8, seed=4)
        lists = torch.zeros(1, 6, 3, dtype=torch.int32)
        positions = torch.arange(6).unsqueeze(0)
        lengths = torch.tensor([7], dtype=torch.int32)
        yield ops.sparse_attention, (q, k, k, lists), {}
        yield ops.sparse_attention, (q, k, k, lists), {
            "topk_length": torch.ones(1, 6, dtype=torch.int32),
            "gate": hidden(1, 6, 4), "cache_seqlens": lengths}
        yield ops.dense_attention, (q, k, k), {"causal": False}
        yield ops.index_topk, (iq, ik, 3), {}
        yield ops.index_topk, (iq, ik, 4), {
            "policy": "upstream_variance", "k_min": 2, "k_max": 30,
            "bias": torch.zeros(2)}
        yield ops.gated_sparse_attention, (q, k, k, iq, ik, 4), {
            "output_gate": hidden(1, 6, 4, 8), "cache_seqlens": lengths}
        yield ops.prepare, (q, k[:, :6].contiguous(), k[:, :6].contiguous(),
                            positions), {}

    def test_opcheck(self):
        for operator, arguments, settings in self.samples():
            torch.library.opcheck(operator, arguments, settings)

    def test_compile(self):
        module, x = layer(use_adaptive_k=False), hidden(1, 24, 64)
        with torch.no_grad():
            want = module(x)[0]
            compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
            torch.testing.assert_close(compiled(x)[0], want)
            torch.testing.assert_close(compiled(hidden(1, 31, 64))[0],
                                       module(hidden(1, 31, 64))[0])

    @unittest.skipUnless(importlib.util.find_spec("triton"), "no triton")
    def test_beside_triton(self):
        """Two copies of LLVM in one process."""
        work = ("gsa.index_topk(numpy.ones((1, 2, 1, 8), 'f4'), "
                "numpy.ones((1, 2, 8), 'f4'), k=1)\n")
        for code in ("import triton._C.libtriton\n" + work,
                     work + "import triton._C.libtriton\n" + work):
            done = subprocess.run([sys.executable, "-c",
                                   "import gsa, numpy\n" + code],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_torch_and_numpy_agree(self):
        for operator, arguments, settings in self.samples():
            if operator is not ops.index_topk:
                continue
            got = operator(*arguments, **settings)
            settings = {name: value.numpy() if isinstance(value, torch.Tensor)
                        else value for name, value in settings.items()}
            want = gsa.index_topk(arguments[0].numpy(), arguments[1].numpy(),
                                  k=arguments[2], **settings)
            np.testing.assert_array_equal(got[0].numpy(), want.indices)


if __name__ == "__main__":
    unittest.main()
