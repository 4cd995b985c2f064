"""Functions and plans over NumPy arrays, against the definitions in float64."""

import os
import pathlib
import signal
import unittest

import numpy as np

import definition
import gsa

ERROR = {"f32": 3e-6, "f64": 1e-12, "f16": 4e-3}
DTYPE = {"f32": np.float32, "f64": np.float64, "f16": np.float16}


def pick(rng, *values):
    return values[int(rng.integers(len(values)))]


class Case:
    """A random layer's core: sizes, tensors and settings."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.name = pick(rng, "f32", "f32", "f64", "f16")
        dtype = DTYPE[self.name]
        b, g = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        h, hi = g * int(rng.integers(1, 4)), int(rng.integers(1, 4))
        d, di = pick(rng, 4, 8, 16, 24), pick(rng, 3, 8, 16)
        sq = int(rng.integers(1, 20))
        sk = sq + pick(rng, 0, 0, 1, 7, 30)
        self.sizes = b, sq, sk, h, g, d, hi, di

        def normal(*shape):
            return rng.standard_normal(shape).astype(dtype)
        self.q, self.k = normal(b, sq, h, d), normal(b, sk, g, d)
        self.v = normal(b, sk, g, d)
        self.q_idx, self.k_idx = normal(b, sq, hi, di), normal(b, sk, di)
        if rng.random() < 0.2:  # Ties
            self.k_idx[:, ::2] = self.k_idx[:, :1]
        self.weights = normal(b, sq, hi) if rng.random() < 0.7 else None
        self.bias = normal(hi) if rng.random() < 0.7 else None
        self.lengths = rng.integers(-1, sk + 3, b).astype(np.int32) \
            if rng.random() < 0.3 else None
        self.policy = pick(rng, "fixed", "fixed", "upstream_variance",
                           "paper_ema", "entropy", "orth")
        self.base = int(rng.integers(1, sk + 4))
        self.act = pick(rng, "sigmoid", "relu", "identity")
        self.weight_act = pick(rng, "sigmoid", "identity")
        self.causal = bool(rng.random() < 0.8)
        self.sink, self.local = pick(rng, 0, 0, 2), pick(rng, 0, 0, 3)
        self.budget = {}
        self.normaliser = None
        if self.policy != "fixed":
            self.budget = {"k_min": int(rng.integers(1, self.base + 1)),
                           "k_max": self.base + int(rng.integers(0, 9)),
                           "temperature": float(pick(rng, 0.5, 1.0, 2.0))}
        if self.policy == "paper_ema":
            self.normaliser = np.asarray(
                0.5, np.float64 if self.name == "f64" else np.float32)
        self.value_gate = normal(b, sk, g, d) if rng.random() < 0.5 else None
        self.output_gate = normal(b, sq, h, d) if rng.random() < 0.5 else None
        self.gate_activation = pick(rng, "sigmoid", "tanh", "silu")
        self.turned = bool(rng.random() < 0.5)
        self.positions = np.broadcast_to(
            np.arange(sk - sq, sk), (b, sq)).astype(np.int64).copy()
        self.key_positions = np.broadcast_to(
            np.arange(sk), (b, sk)).astype(np.int64).copy()

    def index_settings(self):
        return {"weights": self.weights, "bias": self.bias, "act": self.act,
                "weight_act": self.weight_act, "policy": self.policy,
                "normaliser": self.normaliser, "causal": self.causal,
                "sink": self.sink, "local": self.local,
                "cache_seqlens": self.lengths, **self.budget}

    def scores(self):
        return definition.scores(
            self.q_idx, self.k_idx, self.weights, self.bias, self.act,
            self.weight_act, None, self.causal, self.lengths)

    def raw(self, scores):
        budget = {"k_min": 1, "k_max": 1, "temperature": 1, **self.budget}
        return definition.raw_budgets(scores, self.policy, self.base,
                                      budget["k_min"], budget["k_max"],
                                      budget["temperature"], self.normaliser)

    def slots(self):
        sk = self.sizes[2]
        if self.policy == "fixed":
            return min(self.base, sk)
        least, most = (min(self.budget[n], sk) for n in ("k_min", "k_max"))
        if self.policy == "upstream_variance":
            return max(least, min(most, self.base * 3 // 2))
        return most


class Differential(unittest.TestCase):
    """Each case is a module of its own: odd sizes, ties, empty rows. Most random
    cases are in test_cases.py, whose settings share plans."""

    SELECTIONS, LAYERS = 30, 30

    def check_selection(self, case, selection, seed):
        scores = case.scores()
        # Cells that lengths hide count in a zero-filled statistic as well.
        problems = list(definition.check_selection(
            scores, selection, case.raw(scores), case.slots(), case.sink,
            case.local, {"f64": 1e-9}.get(case.name, 2e-5)))
        self.assertEqual(problems, [], f"seed {seed}, {case.policy}")

    def test_selections(self):
        for seed in range(self.SELECTIONS):
            case = Case(seed)
            self.check_selection(case, gsa.index_topk(
                case.q_idx, case.k_idx, k=case.base, **case.index_settings()),
                seed)

    def test_layers(self):
        for seed in range(1000, 1000 + self.LAYERS):
            case = Case(seed)
            given = {"positions": case.positions,
                     "key_positions": case.key_positions} if case.turned else {}
            result = gsa.gated_sparse_attention(
                case.q, case.k, case.v, case.q_idx, case.k_idx,
                k_base=case.base, value_gate=case.value_gate,
                output_gate=case.output_gate,
                gate_activation=case.gate_activation, return_selection=True,
                **given, **case.index_settings())
            self.check_selection(case, result[2:], seed)
            q, k, v = case.q, case.k, definition.wide(case.v)
            if case.turned:
                q = definition.rope(q, case.positions)
                k = definition.rope(k, case.key_positions)
            if case.value_gate is not None:
                v = v * definition.ACTIVATION[case.gate_activation](
                    definition.wide(case.value_gate))
            out, lse = definition.attention(
                q, k, v, definition.lists_of(result.indices,
                                             result.topk_length),
                case.output_gate, case.gate_activation)
            self.close(result.output, out, case.name, seed)
            self.close(result.lse, lse, case.name, seed)

    def close(self, got, want, name, seed=None):
        got = np.asarray(got, np.float64)
        self.assertEqual(got.shape, want.shape)
        np.testing.assert_array_equal(np.isinf(got), np.isinf(want),
                                      f"seed {seed}")
        finite = np.isfinite(want)
        scale = max(1.0, np.abs(want[finite]).max(initial=0))
        error = np.abs(got[finite] - want[finite]).max(initial=0)
        self.assertLessEqual(error, ERROR[name] * scale, f"seed {seed}")


class SparseAttention(unittest.TestCase):
    close = Differential.close

    def setUp(self):
        self.rng = np.random.default_rng(7)

    def normal(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def test_lists(self):
        q, k, v = self.normal(2, 5, 4, 8), self.normal(2, 9, 2, 8), \
            self.normal(2, 9, 2, 8)
        indices = self.rng.integers(-2, 12, (2, 5, 6)).astype(np.int32)
        counts = self.rng.integers(0, 7, (2, 5)).astype(np.int32)
        lists = [[[s for s in row[:c] if 0 <= s < 9] for row, c in zip(a, b)]
                 for a, b in zip(indices, counts)]
        gate = self.normal(2, 5, 4)
        out, lse = gsa.sparse_attention(
            q, k, v, indices, topk_length=counts, gate=gate,
            gate_activation="tanh", softmax_scale=0.5, return_lse=True)
        want = definition.attention(q, k, v, lists, gate, "tanh", 0.5)
        self.close(out, want[0], "f32")
        self.close(lse, want[1], "f32")
        full = [[[s for s in row if 0 <= s < 9] for row in a] for a in indices]
        self.close(gsa.sparse_attention(q, k, v, indices),
                   definition.attention(q, k, v, full)[0], "f32")

    def test_dense_is_sparse_over_all(self):
        q, k, v = self.normal(1, 6, 2, 8), self.normal(1, 10, 1, 8), \
            self.normal(1, 10, 1, 8)
        for causal in (True, False):
            lists = [[list(range(10 - 6 + t + 1 if causal else 10))
                      for t in range(6)]]
            self.close(gsa.dense_attention(q, k, v, causal=causal),
                       definition.attention(q, k, v, lists)[0], "f32")
        # A budget of all keys is dense attention.
        self.close(gsa.gated_sparse_attention(
            q, k, v, self.normal(1, 6, 2, 4), self.normal(1, 10, 4),
            k_base=2048), gsa.dense_attention(q, k, v).astype(np.float64),
            "f32")

    def test_out_is_written(self):
        q, k, v = (self.normal(1, 3, 2, 4) for _ in range(3))
        indices = np.zeros((1, 3, 1), np.int32)
        plain = gsa.sparse_attention(q, k, v, indices)
        out = np.zeros_like(plain)
        result = gsa.sparse_attention(q, k, v, indices, out=plain)
        self.assertIs(result, plain)
        with self.assertRaisesRegex(gsa.InvalidArgument, "out: got f32"):
            gsa.sparse_attention(q, k, v, indices, out=out[:, :2])

    def test_nan_stays_in_its_row(self):
        q, k = self.normal(1, 8, 2, 4), self.normal(1, 8, 4)
        q[0, 3] = np.nan
        selection = gsa.index_topk(q, k, k=2)
        self.assertEqual(selection.status[0].tolist(),
                         [0, 0, 0, 4, 0, 0, 0, 0])
        self.assertEqual(selection.topk_length[0].tolist(),
                         [1, 2, 2, 0, 2, 2, 2, 2])

    def test_strided_arrays_are_copied_and_said(self):
        q = self.normal(1, 4, 3, 8).transpose(0, 2, 1, 3)
        k = np.ascontiguousarray(self.normal(1, 3, 4, 8))
        indices = np.zeros((1, 3, 1), np.int32)
        out = gsa.sparse_attention(q, k, k, indices)
        self.assertIn("query", gsa.last_dispatch().copies)
        self.close(out, definition.attention(q, k, k, [[[0]] * 3])[0], "f32")
        # Of a size of 2 alone, where nothing else makes a copy: at an address that a
        # kernel takes.
        raw = np.zeros(4 * 3 * 4 * 8 + 16, np.float32)
        first = -raw.ctypes.data % 64 // 4
        whole = raw[first:first + 4 * 3 * 4 * 8].reshape(4, 3, 4, 8)
        whole[...] = self.normal(4, 3, 4, 8)
        halves = whole[::2]
        k = np.ascontiguousarray(self.normal(2, 3, 4, 8))
        indices = np.broadcast_to(np.arange(3, dtype=np.int32), (2, 3, 3)).copy()
        out = gsa.sparse_attention(halves, k, k, indices)
        self.assertIn("query", gsa.last_dispatch().copies)
        self.close(out, definition.attention(
            halves, k, k, [[[0, 1, 2]] * 3] * 2)[0], "f32")

    def test_dlpack(self):
        class Wrapped:
            def __init__(self, array):
                self.array = array

            def __dlpack__(self, **_):
                return self.array.__dlpack__()

            @property
            def shape(self):
                return self.array.shape
        q = self.normal(1, 3, 2, 8)
        indices = np.zeros((1, 3, 1), np.int32)
        plain = gsa.sparse_attention(q, q, q, indices)
        wrapped = gsa.sparse_attention(*map(Wrapped, (q, q, q, indices)))
        np.testing.assert_array_equal(plain, wrapped)


class Errors(unittest.TestCase):
    """What was got, and what is expected."""

    def setUp(self):
        self.x = np.zeros((1, 4, 2, 8), np.float32)
        self.lists = np.zeros((1, 4, 1), np.int32)

    def refuses(self, pattern, call, kind=gsa.InvalidArgument):
        with self.assertRaisesRegex(kind, pattern):
            call()

    def test_shapes_and_types(self):
        x, lists = self.x, self.lists
        self.refuses(r"sparse_attention: k: got shape \[1, 4, 2, 4\], expected "
                     r"\[B = 1, Sk = 4, G = 2, D = 8\]",
                     lambda: gsa.sparse_attention(x, x[..., :4], x, lists))
        self.refuses(r"v: got element type f64, expected f32",
                     lambda: gsa.sparse_attention(x, x, x.astype(float), lists))
        self.refuses(r"indices: got element type i64, expected i32",
                     lambda: gsa.sparse_attention(x, x, x,
                                                  lists.astype(np.int64)))
        self.refuses(r"q: got list, expected a NumPy array",
                     lambda: gsa.sparse_attention([1], x, x, lists))
        self.refuses(r"got 3 query heads over 2 key heads",
                     lambda: gsa.sparse_attention(
                         np.zeros((1, 4, 3, 8), np.float32), x, x, lists))
        self.refuses("got element type uint8",
                     lambda: gsa.sparse_attention(x.astype(np.uint8), x, x,
                                                  lists))

    def test_flags(self):
        x, lists = self.x, self.lists
        for wrong in ("no", 1, None):
            self.refuses(r"dense_attention: causal: got .*, expected True or "
                         "False",
                         lambda: gsa.dense_attention(x, x, x, causal=wrong))
        gsa.dense_attention(x, x, x, causal=np.bool_(False))

    def test_settings(self):
        q, k = self.x, self.x[:, :, 0]
        self.refuses("policy: got 'fixd', .*nearest: fixed",
                     lambda: gsa.index_topk(q, k, k=2, policy="fixd"))
        self.refuses("k: got 0, expected a whole number of at least 1",
                     lambda: gsa.index_topk(q, k, k=0))
        self.refuses("k_min: got 3 beside policy 'fixed'",
                     lambda: gsa.index_topk(q, k, k=2, k_min=3))
        self.refuses("normaliser: got None, expected the running mean",
                     lambda: gsa.index_topk(q, k, k=2, policy="paper_ema"))
        self.refuses("page_table: got a value, expected None: paged",
                     lambda: gsa.sparse_attention(self.x, self.x, self.x,
                                                  self.lists, page_table=1),
                     gsa.Unimplemented)
        with self.assertRaises(TypeError):
            gsa.index_topk(q, k, k=2, polcy="fixed")
        self.refuses("set_options: got 'num_thread', .*nearest: num_threads",
                     lambda: gsa.set_options(num_thread=1))
        self.refuses("k: got True, expected a whole number",
                     lambda: gsa.index_topk(q, k, k=True))
        self.refuses("gated_sparse_attention: k_base: got 0, expected a whole",
                     lambda: gsa.gated_sparse_attention(q, q, q, q, k,
                                                        k_base=0))
        self.refuses("rope_scaling: got 'yarn', expected None or a dict",
                     lambda: gsa.gated_sparse_attention(
                         q, q, q, q, k, k_base=2, rope_scaling="yarn"))
        self.refuses("layer: got GSAConfig, expected text",
                     lambda: gsa.plan(gsa.GSAConfig(), seq=4))

    def test_sizes_of_nothing(self):
        """Heads and their elements, of which there is at least one; what the
        compiler would say names an op that the caller has not written."""
        def zeros(*shape):
            return np.zeros(shape, np.float32)

        def call(h=2, g=2, d=8, hi=2, di=8, dv=8):
            return (zeros(1, 4, h, d), zeros(1, 4, g, d), zeros(1, 4, g, dv),
                    zeros(1, 4, hi, di), zeros(1, 4, di))
        for name, tensor, of in (("h", "q", 0), ("g", "k", 0), ("d", "q", 0),
                                 ("dv", "v", 0), ("hi", "q_idx", 1),
                                 ("di", "q_idx", 1)):
            pattern = (rf"{tensor}: got shape \[.*\], expected \[B, .*\] with "
                       rf"{name.capitalize()} of at least 1$")
            q, k, v, q_idx, k_idx = call(**{name: 0})
            self.refuses("gated_sparse_attention: " + pattern,
                         lambda: gsa.gated_sparse_attention(
                             q, k, v, q_idx, k_idx, k_base=2))
            if of == 0:
                self.refuses("dense_attention: " + pattern,
                             lambda: gsa.dense_attention(q, k, v))
                self.refuses("sparse_attention: " + pattern,
                             lambda: gsa.sparse_attention(q, k, v, self.lists))
            else:
                self.refuses("index_topk: " + pattern,
                             lambda: gsa.index_topk(q_idx, k_idx, k=2))
                self.refuses("index_kl: " + pattern,
                             lambda: gsa.index_kl(q_idx, k_idx, q, k,
                                                  zeros(1, 2, 4)))

    def test_numbers_beyond_the_compiler(self):
        """Each is refused by its name, before there is a module."""
        q, k = self.x, self.x[:, :, 0]

        def topk(**given):
            return lambda: gsa.index_topk(q, k, **{"k": 2, **given})

        def turned(**given):
            positions = np.zeros((1, 4), np.int64)
            return lambda: gsa.gated_sparse_attention(
                q, q, q, q, k, k_base=2, positions=positions, **given)
        yarn = {"type": "yarn", "factor": 2.0}
        for pattern, refused in (
                ("index_topk: k: got 2147483648, expected a whole number from 1 "
                 "to 1073741824", topk(k=2**31, policy="entropy")),
                ("index_topk: sink: got 2147483648, expected a whole number "
                 "from 0 to 1073741824", topk(sink=2**31)),
                ("local: got 1180591620717411303424, expected", topk(local=2**70)),
                ("scale: got 1e.300, expected a number that is finite in f32",
                 topk(scale=1e300)),
                ("temperature: got 1e-300, expected a number that is positive in "
                 "f32", lambda: gsa.index_kl(
                     q, k, q, q, np.zeros((1, 2, 4), np.float32),
                     temperature=1e-300)),
                ("rope_dim: got 3, expected an even number from 2 to 8, or 0",
                 turned(rope_dim=3)),
                ("rope_dim: got 10, expected an even", turned(rope_dim=10)),
                ("rope_dim: got 2, expected an even number from 4 to 8",
                 turned(rope_dim=2, rope_scaling={"type": "ntk",
                                                  "factor": 2.0})),
                ("rope_base: got 1.0, expected a finite number above 1",
                 turned(rope_base=1.0)),
                ("rope_scaling original_max_position_embeddings: got 0, expected "
                 "a whole number from 1", turned(rope_scaling={
                     **yarn, "original_max_position_embeddings": 0})),
                ("rope_scaling: got beta_fast 1.0 and beta_slow 2.0, expected "
                 "the first", turned(rope_scaling={
                     **yarn, "beta_fast": 1.0, "beta_slow": 2.0}))):
            self.refuses(pattern, refused)
        # Of all keys there are no more than all, and f64 holds it.
        self.assertEqual(topk(k=2**70)().indices.shape, (1, 4, 4))
        gsa.index_topk(q.astype(float), k.astype(float), k=2, scale=1e300)

    def test_options(self):
        """A value that does not fit is refused where it is set, and nothing is
        set then."""
        before = gsa.options()
        for pattern, options in (
                ("num_threads: got -1, expected a whole number from 0 to 1024",
                 {"num_threads": -1}),
                ("num_threads: got 'two', expected", {"num_threads": "two"}),
                ("max_plans: got 0, expected", {"max_plans": 0}),
                ("cache_mode: got 'rwx', .*nearest: rw",
                 {"cache_mode": "rwx"}),
                ("host_target: got 'emuu', .*nearest: emu",
                 {"host_target": "emuu"}),
                ("host_target: got 'None'", {"host_target": None}),
                ("cache_dir: got 3, expected a path or None",
                 {"max_plans": 7, "cache_dir": 3})):
            self.refuses("set_options: " + pattern,
                         lambda options=options: gsa.set_options(**options))
        self.assertEqual(gsa.options(), before)
        previous = gsa.set_options(cache_dir=pathlib.Path("kernels"))
        try:
            self.assertEqual(gsa.options()["cache_dir"], "kernels")
        finally:
            gsa.set_options(**previous)

    def test_empty(self):
        """Tensors without elements, wherever NumPy says that they are."""
        for b, sk in ((0, 4), (1, 0)):
            for at in range(8):
                room = np.zeros(at + 1, np.float32)
                q = np.zeros((b, 4, 2, 8), np.float32)
                k_idx = room[at:at].reshape(b, sk, 8)
                kept = gsa.index_topk(q, k_idx, k=2)
                self.assertEqual(kept.indices.shape,
                                 (b, 4, max(1, min(2, sk))))
                self.assertFalse(kept.topk_length.any())

    def test_kinds(self):
        self.assertTrue(issubclass(gsa.InvalidArgument, ValueError))
        self.assertTrue(issubclass(gsa.Unimplemented, NotImplementedError))
        self.refuses("n_kv_heads: got 8 .*expected a divisor of n_heads = 5",
                     lambda: gsa.layer_module("d_model=40, n_heads=5"))
        with self.assertRaises(gsa.GsaError) as caught:
            gsa.Plan("no module")
        self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")
        self.refuses("module 'gsa' has no attribute", lambda: gsa.Gate,
                     AttributeError)
        self.refuses("whole models are not part", lambda: gsa.GSAForCausalLM,
                     AttributeError)


class Plans(unittest.TestCase):
    LAYER = ("d_model=32, n_heads=4, n_kv_heads=2, k_base=8, k_min=2, k_max=12,"
             " d_indexer=8, n_indexer_heads=2")

    def inputs(self, plan, seed=0):
        rng = np.random.default_rng(seed)
        return {spec.name: rng.standard_normal(spec.shape).astype(np.float32)
                for spec in plan.inputs}

    def test_outputs_that_update_inputs(self):
        plan = gsa.Plan("""
func.func @main(%x: tensor<2x1x3xf32> {gsa.name = "rows"},
                %c: tensor<2x4x3xf32> {gsa.name = "cache"},
                %n: tensor<2xi32> {gsa.name = "lengths"})
    -> (tensor<2x4x3xf32> {gsa.name = "cache", gsa.updates = "cache"}) {
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<2x1x3xf32>, tensor<2x4x3xf32>, tensor<2xi32>)
      -> tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}
""")
        self.assertIsNone(plan.inputs[1].updates)
        self.assertEqual(plan.outputs[0].updates, "cache")
        rows = np.arange(6, dtype=np.float32).reshape(2, 1, 3)
        cache = np.full((2, 4, 3), -1, np.float32)
        expected = cache.copy()
        expected[0, 2], expected[1, 0] = rows[0, 0], rows[1, 0]
        inputs = {"rows": rows, "cache": cache,
                  "lengths": np.array([3, 1], np.int32)}
        outputs = plan.run(inputs)
        np.testing.assert_array_equal(outputs["cache"], expected)
        np.testing.assert_array_equal(cache, -1)
        inputs.update(cache=outputs["cache"],
                      lengths=np.array([4, 2], np.int32))
        expected[0, 3], expected[1, 1] = rows[0, 0], rows[1, 0]
        self.assertIs(plan.run(inputs, outputs=outputs)["cache"],
                      inputs["cache"])
        np.testing.assert_array_equal(inputs["cache"], expected)

    def test_layer(self):
        plan = gsa.plan(self.LAYER, batch=2, seq=17)
        self.assertEqual(plan.inputs[0], ("hidden_states", "f32", (2, 17, 32)))
        self.assertEqual([spec.name for spec in plan.outputs],
                         ["output", "lse", "indices", "counts", "status"])
        inputs = self.inputs(plan)
        first = plan.warmup(inputs).run(inputs)
        times = {}
        second = plan.run(inputs, outputs=first, stage_milliseconds=times)
        self.assertIs(first["output"], second["output"])
        self.assertEqual(list(times), plan.stages)
        self.assertGreaterEqual(min(times.values()), 0)
        self.assertIs(gsa.last_dispatch().plan, plan)
        inputs.pop("indexer.bias")
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "input indexer.bias: got none"):
            plan.run(inputs)

    def test_core_is_the_layers(self):
        plan = gsa.plan(self.LAYER + ", projections=false", seq=5, keys=11)
        inputs = self.inputs(plan)
        named = dict(inputs)
        out = gsa.gated_sparse_attention(
            named["query"], named["key"], named["value"],
            named["index_query"], named["index_key"],
            weights=named["index_weights"], bias=named["index_bias"],
            value_gate=named["value_gate"], output_gate=named["output_gate"],
            positions=np.arange(6, 11)[None], key_positions=np.arange(11)[None],
            k_base=8, k_min=2, k_max=12, policy="upstream_variance")
        np.testing.assert_allclose(plan.run(inputs)["output"], out, rtol=0,
                                   atol=1e-6)

    def test_rope_scaling_is_the_layers(self):
        for keys, scaling in (
                ("rope_scaling=yarn, rope_factor=4, rope_original_max_position=8",
                 {"type": "yarn", "factor": 4.0,
                  "original_max_position_embeddings": 8}),
                ("rope_scaling=ntk, rope_factor=2, rope_base=500",
                 {"rope_type": "ntk", "factor": 2})):
            plan = gsa.plan(
                "d_model=32, n_heads=4, n_kv_heads=2, k_policy=fixed, k_base=8, "
                "d_indexer=8, n_indexer_heads=2, projections=false, "
                "use_value_gate=0, use_output_gate=0, " + keys, seq=9)
            given = self.inputs(plan)
            out = gsa.gated_sparse_attention(
                given["query"], given["key"], given["value"],
                given["index_query"], given["index_key"],
                weights=given["index_weights"], bias=given["index_bias"],
                positions=np.arange(9)[None], k_base=8, rope_scaling=scaling,
                rope_base=500 if "ntk" in keys else 10000)
            np.testing.assert_allclose(plan.run(given)["output"], out, rtol=0,
                                       atol=1e-6)

    def test_plans_are_kept(self):
        q, k = np.zeros((1, 3, 1, 8), np.float32), np.zeros((1, 3, 8),
                                                            np.float32)
        gsa.index_topk(q, k, k=3, sink=1)
        gsa.index_topk(q, k, k=3, sink=1)
        again = gsa.last_dispatch()
        self.assertFalse(again.compiled)
        self.assertEqual(again.function, "index_topk")
        self.assertIn("threads", again.target)
        before = gsa.set_options(max_plans=1)
        try:
            gsa.index_topk(q, k, k=2, local=1)
            gsa.index_topk(q, k, k=3, sink=1)
            self.assertTrue(gsa.last_dispatch().compiled)
        finally:
            gsa.set_options(**before)

    def test_threads(self):
        from concurrent.futures import ThreadPoolExecutor
        rng = np.random.default_rng(3)
        q = rng.standard_normal((1, 40, 2, 8)).astype(np.float32)
        k = rng.standard_normal((1, 40, 8)).astype(np.float32)
        want = gsa.index_topk(q, k, k=7).indices
        with ThreadPoolExecutor(4) as pool:
            for got in pool.map(lambda _: gsa.index_topk(q, k, k=7).indices,
                                range(16)):
                np.testing.assert_array_equal(got, want)

    def test_fork(self):
        q, k = np.ones((1, 3, 1, 8), np.float32), np.ones((1, 3, 8), np.float32)
        gsa.index_topk(q, k, k=2)
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # A wait that never ends is a failure.
            good = gsa.index_topk(q, k, k=2).topk_length.tolist() == [[1, 2, 2]]
            os._exit(0 if good else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    @unittest.skipUnless(any(os.path.exists(f"/usr/bin/{name}") for name in
                             ("clang++-22", "clang++", "g++", "c++")),
                         "the emulation needs a C++20 compiler")
    def test_emulated_kernels_agree(self):
        case = next(case for case in map(Case, range(100)) if
                    case.name == "f32" and case.policy == "fixed")
        arguments = (case.q_idx, case.k_idx)
        settings = dict(case.index_settings(), k=case.base)
        want = gsa.index_topk(*arguments, **settings)
        before = gsa.set_options(host_target="emu")
        try:
            got = gsa.index_topk(*arguments, **settings)
            self.assertIn("emulation", gsa.last_dispatch().target)
        finally:
            gsa.set_options(**before)
        np.testing.assert_array_equal(got.indices, want.indices)


if __name__ == "__main__":
    unittest.main()
