#!/usr/bin/env python3
"""The search of bench/gpu/tune.py, with a device and a clock of its own.

    python3 test/tools/Inputs/tuning_test.py <root of the repository>
"""

import os
import random
import subprocess
import sys
import unittest

ROOT = os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, os.path.join(ROOT, "bench/gpu"))
import tuning  # noqa: E402


class FakeDevice:
    """Times with noise; compiling takes a second of the clock, a run its
    time."""

    def __init__(self, times, unfit=(), noise=0.01, seed=1):
        self.times, self.unfit, self.noise = times, set(unfit), noise
        self.random = random.Random(seed)
        self.now, self.compiled, self.runs = 0.0, [], {}

    def clock(self):
        return self.now

    def compile(self, candidate):
        self.now += 0.1
        if candidate in self.unfit:
            raise tuning.Unfit("spills 8 bytes")
        self.compiled.append(candidate)

    def measure(self, candidates):
        result = {}
        for candidate in candidates:
            assert candidate in self.compiled
            us = self.times[candidate] * self.random.uniform(1, 1 + self.noise)
            self.now += us * 1e-6
            self.runs[candidate] = self.runs.get(candidate, 0) + 1
            result[candidate] = us
        return result


def search(device, default="d", candidates=None, **settings):
    return tuning.search(default, candidates or list(device.times), device,
                         device.clock, tuning.Settings(**settings))


class SearchTest(unittest.TestCase):
    def test_finds_the_fastest(self):
        for seed in range(20):
            times = {f"c{i}": 100.0 + 7 * i for i in range(24)} | {"d": 150.0}
            names = list(times)
            random.Random(seed).shuffle(names)
            device = FakeDevice(times, seed=seed)
            result = search(device, candidates=names)
            self.assertEqual(result.best, "c0")
            self.assertAlmostEqual(result.best_us, 100, delta=2)
            self.assertFalse(result.ended_early)
            # What is slow is measured little, what wins often.
            self.assertLess(device.runs["c23"], device.runs["c0"])

    def test_is_never_worse_than_the_default(self):
        for seed in range(50):
            # All the same but for the noise: nothing is recorded.
            device = FakeDevice({f"c{i}": 100.0 for i in range(8)} |
                                {"d": 100.0}, noise=0.02, seed=seed)
            result = search(device)
            self.assertIsNone(result.best)
            self.assertEqual(result.best_us, result.default_us)
        device = FakeDevice({"d": 100.0, "a": 99.0})
        self.assertIsNone(search(device, margin=0.02).best)
        self.assertEqual(search(FakeDevice({"d": 100.0, "a": 90.0})).best, "a")

    def test_the_last_measurement_decides(self):
        # Fast until the end, as a lucky first rung is.
        class Lucky(FakeDevice):
            def measure(self, candidates):
                self.times["a"] = 50 if self.runs.get("a", 0) < 3 else 120
                return super().measure(candidates)
        result = search(Lucky({"d": 100.0, "a": 50.0, "b": 101.0}))
        self.assertIsNone(result.best)

    def test_unfit_candidates_take_no_part(self):
        device = FakeDevice({"d": 100.0, "a": 50.0, "b": 80.0}, unfit="a")
        result = search(device)
        self.assertEqual(result.best, "b")
        self.assertEqual(result.unfit, {"a": "spills 8 bytes"})
        self.assertNotIn("a", result.times)
        with self.assertRaises(tuning.Unfit):
            search(FakeDevice({"d": 100.0}, unfit="d"))

    def test_keeps_to_its_time(self):
        times = {f"c{i}": 100.0 for i in range(1000)} | {"d": 100.0}
        device = FakeDevice(times)
        result = search(device, budget_s=10.0)
        self.assertTrue(result.ended_early)
        self.assertLess(device.now, 10.0)
        self.assertLess(len(device.compiled), 60)
        # The default is there whatever happens.
        self.assertEqual(device.compiled[0], "d")
        self.assertIn("d", result.final)
        # Slow runs: rungs end, and two are compared all the same.
        device = FakeDevice({f"c{i}": 3e5 for i in range(12)} | {"d": 3e5})
        result = search(device, budget_s=12.0)
        self.assertTrue(result.ended_early)
        self.assertEqual(len(result.final), 2)

    def test_one_candidate(self):
        result = search(FakeDevice({"d": 100.0}))
        self.assertIsNone(result.best)
        self.assertEqual(list(result.final), ["d"])

    def test_two_searches_agree(self):
        times = {f"c{i}": 100.0 + 5 * i for i in range(16)} | {"d": 140.0}
        best = {search(FakeDevice(times, noise=0.03, seed=seed)).best
                for seed in range(10)}
        self.assertEqual(best, {"c0"})


class ToolTest(unittest.TestCase):
    def test_without_a_gpu(self):
        done = subprocess.run(
            [sys.executable, os.path.join(ROOT, "bench/gpu/tune.py"), "none"],
            capture_output=True, text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": ""})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^tune.py: error: (expected PyTorch|"
                                      "there is no GPU)")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
