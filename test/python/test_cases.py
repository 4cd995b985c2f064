"""More than 500 random cases of the functions, over NumPy arrays and torch
tensors, against float64.

A case is a setting (function, shapes, element type, options) and a seed of its
values. Seeds of one setting share a plan, so that the cases take seconds. A
failure names both: `run.py test_cases.py` with

    GSA_CASE=<setting>:<seed>

in the environment runs that case alone. The bound of a result is that of
docs/spec.md, "How exact a result is": twice what rounding the tensors between
two ops moves the result, and attention's weights, plus the result's own
rounding and the order of sums.
"""

import importlib.util
import os
import sys
import unittest

import numpy as np

import definition
import gsa

torch = None
if importlib.util.find_spec("torch"):
    import torch

SEEDS = 15
# How many settings of each function.
SETTINGS = {"index_topk": 11, "sparse_attention": 9, "dense_attention": 7,
            "gated_sparse_attention": 9}
# Unit roundoff, and what sums in another order may add as a share of the result.
ROUNDOFF = {"bf16": 2**-8, "f16": 2**-11, "f32": 2**-24, "f64": 2**-53}
SUMS = {"bf16": 2e-5, "f16": 2e-5, "f32": 2e-5, "f64": 1e-9}
NUMPY = {"f16": np.float16, "f32": np.float32, "f64": np.float64}


def pick(rng, *values):
    return values[int(rng.integers(len(values)))]


def rounded(array, dtype):
    """float64 rounded to an element type, to nearest even."""
    if dtype == "bf16":
        bits = np.asarray(array, np.float32).view(np.uint32).astype(np.uint64)
        bits += 0x7FFF + ((bits >> 16) & 1)
        return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(
            np.float64)
    return np.asarray(array).astype(NUMPY[dtype]).astype(np.float64)


class Setting:
    """What cases with one plan have in common. `values(seed)` are the tensors
    of a case in float64, each exact in its type."""

    def __init__(self, function, number):
        self.name = f"{function}-{number}"
        rng = self.rng = np.random.default_rng([7, *map(ord, self.name)])
        types = ("f32", "f64", "f16", "bf16" if torch else "f16")
        self.dtype = types[number % len(types)]
        self.sum = "f64" if self.dtype == "f64" else "f32"
        self.b = pick(rng, 1, 1, 2, 3)
        self.g, self.ratio = pick(rng, 1, 2, 3), pick(rng, 1, 2, 4, 7)
        self.h = self.g * self.ratio
        self.d, self.dv = pick(rng, 4, 8, 16, 20, 64), pick(rng, 4, 8, 32)
        self.hi, self.di = pick(rng, 1, 2, 4), pick(rng, 3, 8, 16, 64)
        self.sq = pick(rng, 1, 1, 2, 5, 9, 16)
        # More queries than keys: rows that see none.
        self.sk = max(1, self.sq + pick(rng, 0, 0, 1, 7, 33, -2))
        self.has = {name: rng.random() < share for name, share in (
            ("lengths", 0.4), ("weights", 0.7), ("bias", 0.6), ("gate", 0.6),
            ("value_gate", 0.5), ("turned", 0.5), ("accumulator_gate", 0.3))}
        self.per_head = bool(rng.random() < 0.4)
        self.causal = bool(rng.random() < 0.75)
        self.gate_activation = pick(rng, "sigmoid", "tanh", "silu")
        self.act = pick(rng, "sigmoid", "relu", "identity")
        self.weight_act = pick(rng, "sigmoid", "identity")
        self.scale = pick(rng, None, None, 0.5)
        self.sink, self.local = pick(rng, 0, 0, 2), pick(rng, 0, 0, 3)
        self.slots = pick(rng, 1, 4, 12)
        self.policy = pick(rng, "fixed", "fixed", "upstream_variance",
                           "paper_ema", "entropy", "orth")
        self.k = int(rng.integers(1, self.sk + 4))
        self.budget = {}
        if self.policy != "fixed":
            self.budget = {"k_min": int(rng.integers(1, self.k + 1)),
                           "k_max": self.k + int(rng.integers(0, 9)),
                           "temperature": float(pick(rng, 0.5, 1.0, 2.0))}
        self.rope = {"rope_base": pick(rng, 10000.0, 500.0),
                     "rope_dim": pick(rng, 0, 4),
                     "rope_interleaved": bool(rng.random() < 0.5)}

    def describe(self):
        return {name: value for name, value in vars(self).items()
                if name != "rng"}


class Values:
    """Tensors of one case; `exact[name]` in float64, `given(name)` as the
    library of the case has it."""

    def __init__(self, setting, seed):
        s = self.setting = setting
        self.rng = rng = np.random.default_rng([seed, *map(ord, s.name)])
        self.exact, self.types = {}, {}
        self.library = "torch" if torch and (
            s.dtype == "bf16" or rng.random() < 0.5) else "numpy"
        # Large logits tell an unstable softmax from a stable one.
        self.spread = pick(rng, 1.0, 1.0, 1.0, 8.0, 0.0)
        self.strided = self.library == "numpy" and rng.random() < 0.3

    def float(self, name, *shape, dtype=None, spread=1.0):
        dtype = dtype or self.setting.dtype
        self.types[name] = dtype
        self.exact[name] = rounded(
            spread * self.rng.standard_normal(shape), dtype)

    def integer(self, name, values, dtype="i32"):
        self.types[name] = dtype
        self.exact[name] = np.asarray(values)

    def given(self, name):
        if name not in self.exact:
            return None
        array, dtype = self.exact[name], self.types[name]
        if dtype in ("i32", "i64"):
            array = array.astype(np.int32 if dtype == "i32" else np.int64)
            return torch.from_numpy(array) if self.library == "torch" else array
        if self.library == "torch":
            return torch.from_numpy(array.copy()).to(
                {"bf16": torch.bfloat16, "f16": torch.float16,
                 "f32": torch.float32, "f64": torch.float64}[dtype])
        array = array.astype(NUMPY[dtype])
        if self.strided and array.ndim > 1:
            wide = np.zeros((*array.shape[:-1], array.shape[-1] + 3),
                            array.dtype)
            wide[..., :-3] = array
            array = wide[..., :-3]
        return array

    def heads(self):
        s = self.setting
        self.float("q", s.b, s.sq, s.h, s.d, spread=self.spread)
        self.float("k", s.b, s.sk, s.g, s.d, spread=self.spread)
        self.float("v", s.b, s.sk, s.g, s.dv)

    def lengths(self):
        s = self.setting
        if s.has["lengths"]:
            self.integer("cache_seqlens",
                         self.rng.integers(-1, s.sk + 3, s.b))

    def gate(self, name="gate", per_head=None):
        s = self.setting
        if s.has["gate"]:
            shape = (s.b, s.sq, s.h) if (
                s.per_head if per_head is None else per_head) else (
                s.b, s.sq, s.h, s.dv)
            self.float(name, *shape, dtype=s.sum if s.has["accumulator_gate"]
                       else s.dtype)

    def index(self):
        s = self.setting
        self.float("q_idx", s.b, s.sq, s.hi, s.di)
        self.float("k_idx", s.b, s.sk, s.di)
        if self.rng.random() < 0.3:  # Ties
            self.exact["k_idx"][:, ::2] = self.exact["k_idx"][:, :1]
        if self.rng.random() < 0.1:
            self.exact["q_idx"][0, -1] = np.nan
        if s.has["weights"]:
            self.float("weights", s.b, s.sq, s.hi)
        if s.has["bias"]:
            self.float("bias", s.hi, dtype=s.sum)
        if s.policy == "paper_ema":
            self.float("normaliser", dtype=s.sum)
            self.exact["normaliser"] = rounded(
                0.1 + abs(self.exact["normaliser"]), s.sum)
        self.lengths()

    def get(self, *names):
        return {name: self.given(name) for name in names
                if name in self.exact}


def out_of(tensor):
    if torch is not None and isinstance(tensor, torch.Tensor):
        return tensor.double().numpy()
    return np.asarray(tensor, np.float64)


def integers(tensor):
    return tensor.numpy() if torch is not None and isinstance(
        tensor, torch.Tensor) else np.asarray(tensor)


class Case(unittest.TestCase):
    """One case of a setting: what it computes, and what is wrong."""

    def complain(self, condition, text):
        if not condition:
            self.problems.append(text)

    def close(self, what, got, exact, moved, dtype, weights=0.0):
        """`moved` is the result with tensors between ops rounded; `weights`
        what rounding attention's weights may add."""
        got = out_of(got)
        self.complain(got.shape == exact.shape,
                      f"{what}: shape {got.shape}, expected {exact.shape}")
        if got.shape != exact.shape:
            return
        finite = np.isfinite(exact)
        self.complain(np.array_equal(got[~finite], exact[~finite],
                                     equal_nan=True) and
                      np.isfinite(got[finite]).all(),
                      f"{what}: other places that are not finite")
        if not finite.any():
            return
        size = np.abs(exact[finite]).max()
        limit = (2 * (np.abs(moved - exact)[finite].max() + weights) +
                 ROUNDOFF[dtype] * size + SUMS[self.setting.dtype] * size +
                 1e-37)
        error = np.abs(got - exact)[finite].max()
        self.complain(error <= limit,
                      f"{what}: error {error:.3g}, limit {limit:.3g}")

    def check_attention(self, values, output, lse, lists, scale, gate,
                        turned=(None, None), moved=(None, None, None)):
        s = self.setting
        x = values.exact
        activation = s.gate_activation
        q, k = (x[n] if t is None else t for n, t in zip("qk", turned))
        v = x["v"] if "gated_v" not in x else x["gated_v"]
        exact = definition.attention(q, k, v, lists, gate, activation, scale)
        q, k, v = (r if r is not None else e for r, e in zip(moved, (q, k, v)))
        near = definition.attention(q, k, v, lists, gate, activation, scale)
        open_gate = 1.0 if gate is None else np.abs(
            definition.ACTIVATION[activation](gate)).max(initial=0)
        weights = ROUNDOFF[s.dtype] * np.abs(v).max(initial=0) * open_gate
        self.close("output", output, exact[0], near[0], s.dtype, weights)
        # lse is in A(T); a logit of size L is a sum of products of A(T).
        logits = np.abs(exact[1][np.isfinite(exact[1])]).max(initial=1)
        self.close("lse", lse, exact[1], near[1], s.sum, 1e-7 * logits)

    def index_topk(self, values):
        s = self.setting
        values.index()
        got = gsa.index_topk(
            values.given("q_idx"), values.given("k_idx"), k=s.k, act=s.act,
            weight_act=s.weight_act, scale=s.scale, policy=s.policy,
            causal=s.causal, sink=s.sink, local=s.local, **s.budget,
            **values.get("weights", "bias", "normaliser", "cache_seqlens"))
        self.check_selection(values, got)

    def check_selection(self, values, got):
        s, x = self.setting, values.exact
        scores = definition.scores(
            x["q_idx"], x["k_idx"], x.get("weights"), x.get("bias"), s.act,
            s.weight_act, s.scale, s.causal, x.get("cache_seqlens"))
        raw = definition.raw_budgets(
            scores, s.policy, s.k, s.budget.get("k_min", 1),
            s.budget.get("k_max", 1), s.budget.get("temperature", 1),
            x.get("normaliser"))
        # A NaN score is counted and seen by its row alone.
        indices, counts, status = map(integers, got)
        bad = np.isnan(x["q_idx"]).any((2, 3))
        self.complain((status[~bad] == 0).all(), f"status {status}")
        size = max(1.0, np.abs(scores[np.isfinite(scores)]).max(initial=0))
        for problem in definition.check_selection(
                scores, (indices, counts, np.zeros_like(status)), raw,
                self.room(), s.sink, s.local,
                (1e-9 if s.dtype == "f64" else 2e-5) * size):
            self.complain(False, problem)

    def room(self):
        s = self.setting
        if s.policy == "fixed":
            return min(s.k, s.sk)
        least, most = (min(s.budget[n], s.sk) for n in ("k_min", "k_max"))
        if s.policy == "upstream_variance":
            return max(least, min(most, s.k * 3 // 2))
        return most

    def sparse_attention(self, values):
        s, rng = self.setting, values.rng
        values.heads()
        values.gate()
        values.lengths()
        values.integer("indices",
                       rng.integers(-2, s.sk + 2, (s.b, s.sq, s.slots)))
        if rng.random() < 0.7:
            values.integer("topk_length",
                           rng.integers(-1, s.slots + 2, (s.b, s.sq)))
        lengths = definition.lengths_of(s.b, s.sk,
                                        values.exact.get("cache_seqlens"))
        counts = values.exact.get("topk_length",
                                  np.full((s.b, s.sq), s.slots))
        lists = [[[i for i in row[:max(0, c)] if 0 <= i < lengths[b]]
                  for row, c in zip(values.exact["indices"][b], counts[b])]
                 for b in range(s.b)]
        output, lse = gsa.sparse_attention(
            *map(values.given, ("q", "k", "v", "indices")), return_lse=True,
            softmax_scale=s.scale, gate_activation=s.gate_activation,
            **values.get("topk_length", "gate", "cache_seqlens"))
        self.check_attention(values, output, lse, lists, s.scale,
                             values.exact.get("gate"))

    def dense_attention(self, values):
        s = self.setting
        values.heads()
        values.gate()
        values.lengths()
        lengths = definition.lengths_of(s.b, s.sk,
                                        values.exact.get("cache_seqlens"))
        lists = [[[i for i in range(n) if not s.causal or i <= t + n - s.sq]
                  for t in range(s.sq)] for n in lengths]
        output, lse = gsa.dense_attention(
            *map(values.given, "qkv"), causal=s.causal, return_lse=True,
            softmax_scale=s.scale, gate_activation=s.gate_activation,
            **values.get("gate", "cache_seqlens"))
        self.check_attention(values, output, lse, lists, s.scale,
                             values.exact.get("gate"))

    def gated_sparse_attention(self, values):
        s, x = self.setting, values.exact
        values.heads()
        values.index()
        values.gate("output_gate", per_head=False)
        if s.has["value_gate"]:
            values.float("value_gate", s.b, s.sk, s.g, s.dv)
        if s.has["turned"]:
            first = int(values.rng.integers(0, 1000))
            at = first + np.arange(max(s.sk, s.sq))
            values.integer("positions", np.tile(at[-s.sq:], (s.b, 1)), "i64")
            values.integer("key_positions", np.tile(at[-s.sk:], (s.b, 1)),
                           "i64")
        result = gsa.gated_sparse_attention(
            *map(values.given, ("q", "k", "v", "q_idx", "k_idx")), k_base=s.k,
            act=s.act, weight_act=s.weight_act, index_scale=s.scale,
            policy=s.policy, sink=s.sink, local=s.local, causal=s.causal,
            gate_activation=s.gate_activation, return_selection=True,
            **s.budget, **(s.rope if s.has["turned"] else {}),
            **values.get("weights", "bias", "normaliser", "cache_seqlens",
                         "value_gate", "output_gate", "positions",
                         "key_positions"))
        self.check_selection(values, result[2:])
        lists = definition.lists_of(*map(integers, result[2:4]))
        turned, moved = (None, None), [None, None, None]
        if s.has["turned"]:
            turn = (s.rope["rope_base"], s.rope["rope_dim"],
                    s.rope["rope_interleaved"])
            turned = (definition.rope(x["q"], x["positions"], *turn),
                      definition.rope(x["k"], x["key_positions"], *turn))
            moved[:2] = (rounded(t, s.dtype) for t in turned)
        if s.has["value_gate"]:
            x["gated_v"] = x["v"] * definition.ACTIVATION[s.gate_activation](
                x["value_gate"])
            moved[2] = rounded(x["gated_v"], s.dtype)
        self.check_attention(values, result.output, result.lse, lists, None,
                             x.get("output_gate"), turned, moved)

    def run_case(self, setting, seed):
        """What is wrong with a case, as text; "" if nothing is."""
        self.setting, self.problems = setting, []
        values = Values(setting, seed)
        try:
            with np.errstate(all="ignore"):
                getattr(self, setting.name.split("-")[0])(values)
        except gsa.GsaError as error:
            self.problems.append(f"{type(error).__name__}: {error}")
        if not self.problems:
            return ""
        return (f"GSA_CASE={setting.name}:{seed} ({values.library}, "
                f"{setting.describe()}): " + "; ".join(self.problems[:3]))

    def test_all(self):
        one = os.environ.get("GSA_CASE", "")
        failures, ran, plans = [], 0, 0
        for function, count in SETTINGS.items():
            for number in range(count):
                setting = Setting(function, number)
                for seed in range(SEEDS):
                    if one and one != f"{setting.name}:{seed}":
                        continue
                    text = self.run_case(setting, seed)
                    failures += [text] * bool(text)
                    ran += 1
                    plans += gsa.last_dispatch().compiled
        print(f"{ran} cases, {plans} plans, "
              f"{'NumPy and torch' if torch else 'NumPy alone'}",
              file=sys.stderr)
        self.assertEqual(failures, [], "\n".join(failures[:20]))
        if not one:
            self.assertGreaterEqual(ran, 500)


if __name__ == "__main__":
    unittest.main()
