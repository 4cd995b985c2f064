"""Observations against attention's weights in float64, and pictures of them."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import definition
import gsa
import gsa.pictures

HAS_TORCH = importlib.util.find_spec("torch") is not None


def case(sq=40, sk=48, sink=2):
    rng = np.random.default_rng(5)
    q = rng.standard_normal((2, sq, 4, 8), dtype=np.float32)
    k = rng.standard_normal((2, sk, 2, 8), dtype=np.float32)
    k[:, 0] *= 3  # Somebody's sink.
    kept = gsa.index_topk(
        rng.standard_normal((2, sq, 2, 4), dtype=np.float32),
        rng.standard_normal((2, sk, 4), dtype=np.float32), k=7, local=1)
    gates = {"output_gate": rng.random((2, sq, 4, 8))}
    return q, k, gsa.pictures.observe(
        q, k, k, kept.indices, kept.topk_length, gates=gates, sink=sink), kept


class Observations(unittest.TestCase):
    def test_sink_mass(self):
        q, k, seen, kept = case()
        q, keys = definition.wide(q), np.repeat(definition.wide(k), 2, axis=2)
        logits = np.einsum("bthd,bshd->bhts", q, keys) / np.sqrt(8)
        s = np.arange(48)
        lists = definition.lists_of(kept.indices, kept.topk_length)
        for mass, visible in (
                (seen.dense, [[s <= row + 8 for row in range(40)]] * 2),
                (seen.sparse, [[np.isin(s, row) for row in rows]
                               for rows in lists])):
            weights = np.where(np.asarray(visible)[:, None], np.exp(logits), 0)
            weights /= weights.sum(-1, keepdims=True)
            np.testing.assert_allclose(mass, weights[..., :2].sum(-1), rtol=0,
                                       atol=1e-5)
        self.assertEqual((seen.keys, seen.sink), (48, 2))

    def test_recall(self):
        q, k, _, kept = case(sq=70, sk=72)
        seen = gsa.pictures.recall(q, k, kept.indices, kept.topk_length)
        q, keys = definition.wide(q), np.repeat(definition.wide(k), 2, axis=2)
        logits = np.einsum("bthd,bshd->bhts", q, keys) / np.sqrt(8)
        lists = definition.lists_of(kept.indices, kept.topk_length)
        for b in range(2):
            for t in range(70):
                weights = np.exp(logits[b, :, t, :t + 3])
                weights = (weights / weights.sum(-1, keepdims=True)).mean(0)
                own = lists[b][t]
                best = definition.top(weights, len(own))
                self.assertAlmostEqual(seen.recall[b, t], len(
                    set(own) & set(best)) / len(own))
                self.assertAlmostEqual(seen.mass[b, t], weights[own].sum())
                self.assertAlmostEqual(seen.best[b, t], weights[best].sum())
                self.assertEqual(seen.chose[b, t], t + 3 > 7)
        self.assertLess(seen.recall[seen.chose].mean(), 0.9)
        # The oracle's own lists, and none.
        best = np.tile(np.arange(7, dtype=np.int32), (1, 70, 1))
        flat = np.zeros((1, 70, 1, 4)), np.zeros((1, 70, 1, 4))
        counts = np.minimum(np.arange(1, 71), 7)[None]
        whole = gsa.pictures.recall(*flat, best, counts)
        self.assertEqual(whole.recall.min(), 1)
        none = gsa.pictures.recall(*flat, best, 0 * counts)
        self.assertEqual((none.recall.max(), none.mass.max()), (0, 0))

    def test_rows_without_keys(self):
        q, k, _, kept = case()
        seen = gsa.pictures.observe(q, k, k, kept.indices,
                                    np.zeros_like(kept.topk_length))
        self.assertEqual(np.abs(seen.sparse).max(), 0)
        with self.assertRaisesRegex(gsa.InvalidArgument, "sink: got 0"):
            gsa.pictures.observe(q, k, k, kept.indices, kept.topk_length,
                                 sink=0)

    def test_share_of_kept_keys(self):
        _, _, seen, _ = case()
        grid = gsa.pictures._share_kept(seen, 1, 512)
        want = np.zeros((40, 48))
        for t in range(40):
            want[t, seen.indices[1, t, :seen.topk_length[1, t]]] = 1
        np.testing.assert_array_equal(grid, want)
        coarse = gsa.pictures._share_kept(seen, 1, 8)
        np.testing.assert_allclose(
            coarse, want.reshape(8, 5, 8, 6).mean((1, 3)))

    @unittest.skipUnless(HAS_TORCH, "no torch")
    def test_of_a_layer(self):
        import torch
        torch.manual_seed(0)
        layer = gsa.GatedSparseAttention(gsa.GSAConfig(
            d_model=64, n_heads=4, n_kv_heads=2, d_indexer=16,
            n_indexer_heads=2, k_base=8, k_min=4, k_max=16)).eval()
        x = torch.randn(1, 50, 64)
        seen = gsa.pictures.observe_layer(layer, x)
        self.assertEqual(set(seen.gates), {"value_gate", "output_gate"})
        # sigmoid(0.5) and little besides.
        self.assertAlmostEqual(seen.gates["value_gate"].mean(), 0.622, 1)
        self.assertEqual(seen.dense.shape, (1, 4, 50))
        np.testing.assert_allclose(seen.dense[..., 0], 1, atol=1e-6)
        self.assertTrue((seen.topk_length[0] >= 1).all())
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "layer: got Linear, expected a gsa.Gated"):
            gsa.pictures.observe_layer(torch.nn.Linear(2, 2), x)
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "save: got GatedSparseAttention, expected"):
            gsa.pictures.save(layer, "pictures")
        seen = gsa.pictures.observe_layer(layer, x[:, :0])
        with self.assertRaisesRegex(gsa.InvalidArgument, "without queries"):
            gsa.pictures.save(seen, "pictures")


@unittest.skipUnless(importlib.util.find_spec("matplotlib"), "no matplotlib")
class Pictures(unittest.TestCase):
    def test_save(self):
        _, _, seen, _ = case()
        with tempfile.TemporaryDirectory() as folder:
            paths = gsa.pictures.save(seen, os.path.join(folder, "a", "b"))
            again = gsa.pictures.save(seen, os.path.join(folder, "c"))
            self.assertEqual([os.path.basename(p) for p in paths],
                             ["selection.png", "sink_mass.png", "gates.png"])
            for one, other in zip(paths, again):
                with open(one, "rb") as a, open(other, "rb") as b:
                    data = a.read()
                    self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
                    self.assertEqual(data, b.read())
            paths = gsa.pictures.save(seen._replace(gates={}), folder)
            self.assertEqual(len(paths), 2)
        self.assertNotIn("matplotlib.pyplot", sys.modules)
        with self.assertRaisesRegex(gsa.InvalidArgument, "without gates"):
            gsa.pictures.draw_gates(seen._replace(gates={}))


    def test_command(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "gsa", "pictures",
                 "d_model=64, n_heads=4, n_kv_heads=2, d_indexer=16, k_base=8, "
                 "k_min=4, k_max=16, k_policy=\"entropy\"", "--seq", "64",
                 "--output", folder, "--json"], check=False,
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertGreater(report["sink, dense"], 0)
            self.assertEqual(sorted(os.listdir(folder)), [
                "gates.png", "selection.png", "sink_mass.png"])


class WithoutMatplotlib(unittest.TestCase):
    def test_random_layers(self):
        config = gsa.GSAConfig(d_model=32, n_heads=4, n_kv_heads=1, d_indexer=8,
                               k_base=6, use_adaptive_k=False,
                               use_value_gate=False)
        seen = gsa.pictures.observe_random(config, 40)
        self.assertEqual(seen.topk_length.max(), 6)
        self.assertEqual(list(seen.gates), ["output_gate"])
        again = gsa.pictures.observe_random(config, 40)
        np.testing.assert_array_equal(seen.indices, again.indices)
        with self.assertRaisesRegex(gsa.InvalidArgument, "correlation: got 2"):
            gsa.pictures.observe_random(config, 40, correlation=2)

    def test_says_what_is_missing(self):
        code = ("import sys; sys.modules['matplotlib'] = None\n"
                "import gsa, gsa.pictures\n"
                "try: gsa.pictures._figure()\n"
                "except gsa.Unavailable as error: print(error)")
        done = subprocess.run([sys.executable, "-c", code], check=False,
                              capture_output=True, text=True)
        self.assertIn("pip install matplotlib", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main()
