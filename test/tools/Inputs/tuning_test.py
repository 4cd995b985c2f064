#!/usr/bin/env python3
"""The search of bench/gpu/tune.py, with a device and a clock of its own.

    python3 test/tools/Inputs/tuning_test.py <root of the repository> <build>
"""

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = map(os.path.abspath, sys.argv[1:3])
del sys.argv[1:3]
sys.path.insert(0, os.path.join(ROOT, "bench/gpu"))
import bench_choice  # noqa: E402
import candidates  # noqa: E402
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


OP = {"op": "gsa.select", "location": "m.mlir:1:1", "schedule": "d",
      "class": {"op": "gsa.select", "arch": "sm_90a", "queries": 8},
      "legal": [{"schedule": c, "us": us}
                for c, us in zip("adbc", (10, 11, 12, 13))]}
# In the place of gsa-run: writes the code of a candidate, and its entry.
FAKE_RUN = """#!{python}
import json, os, struct, sys
arguments = dict(a.lstrip("-").split("=", 1) for a in sys.argv[1:] if "=" in a)
name = json.loads(open(arguments["schedules"]).read())["schedule"]
if name == "c":
    sys.exit("m.mlir:1:1: error: no such schedule\\n")
code = b"code of " + name.encode()
os.mkdir(arguments["dump-dir"])
open(arguments["dump-dir"] + "/07-kernel-k.cubin", "wb").write(code)
log = {{"a": "0 bytes stack frame, 0 bytes spill stores",
       "b": "8 bytes stack frame, 16 bytes spill stores",
       "d": "8 bytes stack frame"}}[name]
header = json.dumps({{"bytes": len(code), "fields": {{"log": log}},
                     "key": "k", "kind": "cubin"}}).encode()
open(arguments["cache-dir"] + "/" + name + ".gsa", "wb").write(
    b"GSAENTRY" + struct.pack("<II", 1, len(header)) + header + code + b"0" * 64)
"""


class CandidatesTest(unittest.TestCase):
    def test_compiles_and_looks_at_what_ptxas_said(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/bin")
            os.mkdir(folder + "/cache")
            with open(folder + "/bin/gsa-run", "w") as file:
                file.write(FAKE_RUN.format(python=sys.executable))
            os.chmod(folder + "/bin/gsa-run", 0o700)
            kernels = candidates.Kernels(folder, "m.mlir", "sm_90a",
                                         folder + "/cache", OP, 2)
            kernels.begin(candidates.worth_trying(OP, 9))
            self.assertEqual(candidates.read_records(kernels.wait("a"))[0]
                             ["schedule"], "a")
            # The default takes part whatever it uses.
            self.assertTrue(kernels.wait("d"))
            with self.assertRaisesRegex(tuning.Unfit, "8 bytes stack frame"):
                kernels.wait("b")
            with self.assertRaisesRegex(tuning.Unfit, "no such schedule"):
                kernels.wait("c")
            kernels.end()
            kernels.end()

    def test_faults(self):
        self.assertEqual(candidates.find_fault("0 bytes stack frame"), "")
        self.assertIn("12 bytes spill loads", candidates.find_fault(
            "0 bytes spill stores, 12 bytes spill loads"))
        self.assertIn("C7510", candidates.find_fault(
            "x\n ptxas info : (C7510) Potential Performance Loss: wgmma\n"))

    def test_the_cheapest_are_tried(self):
        self.assertEqual(candidates.worth_trying(OP, 2), ["d", "a", "b"])

    def test_one_of_each_estimate_comes_first(self):
        legal = [("a", 10), ("b", 10), ("c", 10), ("d", 11), ("e", 12),
                 ("f", 12), ("g", 31)]
        op = OP | {"legal": [{"schedule": c, "us": us} for c, us in legal]}
        self.assertEqual(candidates.worth_trying(op, 9),
                         ["d", "a", "e", "b", "f", "c"])

    def test_a_time_is_of_one_op(self):
        self.assertEqual(candidates.zone_of(OP, [OP]), "select")
        with self.assertRaisesRegex(SystemExit, "expected one in the module"):
            candidates.zone_of(OP, [OP, OP])
        with self.assertRaisesRegex(SystemExit, "gsa.select"):
            candidates.zone_of(OP | {"op": "gsa.rope"}, [OP])

    def test_a_class_has_one_record(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/tuned.jsonl"
            other = OP | {"class": OP["class"] | {"queries": 16}}
            for op, us in [(OP, 5), (other, 6), (OP, 4)]:
                candidates.save(path, op, candidates.record(op, "a", us, 9, "x"))
            self.assertEqual([(r["queries"], r["us"])
                              for r in candidates.read_records(path)],
                             [(16, 6), (8, 4)])
            self.assertEqual(os.listdir(folder), ["tuned.jsonl"])


class ChoiceTest(unittest.TestCase):
    def cases(self, seed=bench_choice.SEED):
        return list(itertools.islice(bench_choice.draw(seed), 200))

    def test_cases_are_those_of_the_seed(self):
        self.assertEqual(self.cases(), self.cases())
        self.assertNotEqual(self.cases(), self.cases(1))
        kinds = [case["kind"] for case in self.cases()]
        for kind in ("prefill", "decode", "dense"):
            self.assertGreater(kinds.count(kind), 20)

    def test_cases_are_modules(self):
        explain = os.path.join(BUILD, "bin/gsa-explain")
        with tempfile.TemporaryDirectory() as folder:
            for number, case in enumerate(self.cases()[:12]):
                path = f"{folder}/{number}.mlir"
                with open(path, "w") as file:
                    file.write(bench_choice.module_of(case))
                done = subprocess.run([explain, path, "--json"], text=True,
                                      capture_output=True)
                self.assertEqual(done.returncode, 0, f"{case} {done.stderr}")
                ops = json.loads(done.stdout)["ops"]
                self.assertGreaterEqual(len(ops), 1)
                for op in ops:
                    candidates.zone_of(op, ops)

    def test_goes_on_where_it_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/choice.jsonl"
            self.assertEqual(bench_choice.read_done(path), {})
            with open(path, "w") as file:
                for case in (0, 0, 2):
                    file.write(json.dumps({"bench": "gpu_choice", "seed": 11,
                                           "case": case}) + "\n")
            done = bench_choice.read_done(path)
            self.assertEqual(sorted(done), [(11, 0), (11, 2)])
            self.assertEqual(len(done[11, 0]), 2)

    def test_the_mean_is_geometric(self):
        def entry(ratio):
            return {"ratio": ratio, "op": "gsa.topk", "case": 0}
        self.assertIn("geometric mean 0.5000, worst 0.250",
                      bench_choice.summary([entry(1.0), entry(0.25),
                                            entry(None)]))
        self.assertIn("nothing", bench_choice.summary([]))


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
