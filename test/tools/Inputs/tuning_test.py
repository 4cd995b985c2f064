#!/usr/bin/env python3
"""The search of gsa-tune, with a device and a clock of its own.

    python3 test/tools/Inputs/tuning_test.py <root of the repository> <build>
"""

import argparse
import contextlib
import importlib.util
import io
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
for place in ("bench/gpu", "tools/gsa-tune"):
    sys.path.insert(0, os.path.join(ROOT, place))
import bench_choice  # noqa: E402
import candidates  # noqa: E402
import gsa_tune  # noqa: E402
import picture  # noqa: E402
import records  # noqa: E402
import suites  # noqa: E402
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
            kernels = candidates.Kernels(
                folder, "m.mlir", candidates.Target("cuda", arch="sm_90a"),
                folder + "/cache", OP, 2)
            kernels.begin(candidates.worth_trying(OP, 9))
            self.assertEqual(records.read(kernels.wait("a"))[0]["schedule"],
                             "a")
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


def tune_entry(queries, best, us=5.0, **more):
    """What a log has of a search."""
    return {"bench": "tune", "class": OP["class"] | {"queries": queries},
            "device": "x", "workload": "rho98", "seed": 0, "commit": "c",
            "with": "w", "default": "d", "default_us": 9.0, "best": best,
            "best_us": us, "ended_early": False, "legal": 4,
            "candidates": [{"schedule": best or "d", "us": us,
                            "spread": [us, us], "predicted_us": 7.0}],
            "unfit": {"b": "spills"}} | more


def check_entry(queries, schedule, holds, us=4.0):
    return {"bench": "check", "class": OP["class"] | {"queries": queries},
            "device": "x", "schedule": schedule, "us": us, "default_us": 9.0,
            "holds": holds}


class RecordsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, lines=()):
        path = os.path.join(self.folder, name)
        if lines:
            with open(path, "w") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
        return path

    def test_a_class_has_one_record(self):
        path = self.path("tuned.jsonl")
        other = OP["class"] | {"queries": 16}
        for of, us in [(OP["class"], 5), (other, 6), (OP["class"], 4)]:
            records.save(path, of, records.record(of, "a", us, 9, "x"))
        self.assertEqual([(r["queries"], r["us"]) for r in records.read(path)],
                         [(16, 6), (8, 4)])
        self.assertEqual(os.listdir(self.folder), ["tuned.jsonl"])

    def test_a_log_survives_who_was_killed(self):
        path = self.path("log.jsonl", [tune_entry(8, "a")])
        with open(path, "a") as file:
            file.write('{"bench": "tu')
        self.assertEqual(len(records.read_log(path)), 1)
        records.append(path, tune_entry(16, None))
        self.assertEqual([e["class"]["queries"] for e in records.read(path)],
                         [8, 16])
        self.assertEqual(records.read_log(self.path("none")), [])
        # What is wrong in the middle is no half of a line.
        with open(path, "a") as file:
            file.write("nonsense\n")
        with self.assertRaises(json.JSONDecodeError):
            records.read_log(path)

    def test_what_was_searched_is_not_searched_again(self):
        path = self.path("log.jsonl", [tune_entry(8, "a")])
        arguments = argparse.Namespace(
            target="cuda", arch="sm_90a", threads=1, log=path,
            workload="rho98", seed=0, end=float("inf"))
        session = argparse.Namespace(name="x")
        tuner = gsa_tune.Tuner(arguments, session, None)
        with contextlib.redirect_stdout(io.StringIO()):
            entry = tuner.search(OP, [OP], "", "m.mlir")
        self.assertEqual(entry["best"], "a")
        self.assertFalse(tuner.is_checked(OP, entry))
        # Another default, device or seed is another search.
        self.assertIsNone(tuner.find(OP | {"schedule": "e"}))
        session.name = "y"
        self.assertIsNone(tuner.find(OP))
        session.name, arguments.seed = "x", 1
        self.assertIsNone(tuner.find(OP))
        tuner.log.append(check_entry(8, "a", False))
        self.assertTrue(tuner.is_checked(OP, entry))

    def test_only_what_held_is_exported(self):
        log = [tune_entry(8, "a"), tune_entry(16, "c"), tune_entry(32, None),
               check_entry(8, "a", True), check_entry(16, "c", True),
               check_entry(16, "c", False)]
        out = self.path("out.jsonl")
        self.assertEqual(records.export(log, out), 1)
        self.assertEqual([(r["queries"], r["schedule"], r["us"])
                          for r in records.read(out)], [(8, "a", 4.0)])

    def test_the_faster_of_two_records_is_merged(self):
        def line(queries, schedule, us, default_us=10):
            return json.loads(records.record(
                OP["class"] | {"queries": queries}, schedule, us, default_us,
                "x"))
        one = self.path("one.jsonl", [line(8, "a", 5), line(16, "a", 5)])
        # Slower, on a device that is faster.
        two = self.path("two.jsonl", [line(8, "b", 4, 5), line(32, "b", 1)])
        out = self.path("out.jsonl")
        self.assertEqual(records.merge([one, two], out), (3, 1))
        self.assertEqual({r["queries"]: r["schedule"]
                          for r in records.read(out)},
                         {8: "a", 16: "a", 32: "b"})

    def test_explains_a_key(self):
        log = [tune_entry(8, "a"), check_entry(8, "a", True),
               tune_entry(16, None, ended_early=True)]
        text = records.explain(log, "op=gsa.select,queries=8")
        self.assertIn("op: gsa.select, arch: sm_90a, queries: 8\n", text)
        self.assertRegex(text, r"default +9.0 us +d\n")
        self.assertRegex(text, r"best +5.0 us +a\n")
        self.assertRegex(text, r"checked +4.0 us beside 9.0, it holds")
        self.assertRegex(text, r"measured +5.0 us +\(7.0 predicted\) +a")
        self.assertIn("unfit    spills: b", text)
        self.assertNotIn("queries: 16", text)
        text = records.explain(log, "queries=16")
        self.assertIn("the default: nothing was faster", text)
        self.assertIn("its time ended", text)
        self.assertEqual(records.explain(log, "queries=4"), "")
        with self.assertRaisesRegex(ValueError, "of op, arch, queries, got"):
            records.explain(log, "keys=4")

    def test_the_picture_has_every_candidate(self):
        log = [tune_entry(8, "a"), check_entry(8, "a", True),
               tune_entry(16, None, us=9.0)]
        self.assertEqual(picture.points(log), {"gsa.select": [
            (7.0, 5.0, "best"), (7.0, 9.0, "default")]})

    def test_progress(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True
        lines, bar = io.StringIO(), Terminal()
        for stream in (lines, bar):
            progress = gsa_tune.Progress(stream)
            progress(0.25, "compiled 3")
            progress(1.0, "done")
        self.assertEqual(lines.getvalue(), " 25 % compiled 3\n100 % done\n")
        self.assertIn("[#####               ]  25 % compiled 3",
                      bar.getvalue())
        self.assertTrue(bar.getvalue().endswith("\n"))


class SuiteTest(unittest.TestCase):
    def test_shapes_have_schedules(self):
        for target in ("cuda", "cpu"):
            suite = list(suites.of_target(target))
            # No shape is searched twice.
            self.assertEqual(len({name for name, _ in suite}), len(suite))
            self.assertEqual(len({text for _, text in suite}), len(suite))
            kinds = {name.split()[0]: text for name, text in reversed(suite)}
            self.assertEqual(sorted(kinds), ["core", "decode", "dense"])
            for kind, text in kinds.items():
                with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
                    file.write(text)
                    file.flush()
                    ops = candidates.explain(
                        BUILD, file.name,
                        candidates.Target(target, arch="sm_90a"))
                self.assertEqual(len(ops), 1 if kind == "dense" else 2)
                for op in ops:
                    candidates.zone_of(op, ops)
                    self.assertGreater(len(op["legal"]), 1)
                    self.assertIn(op["schedule"], [
                        legal["schedule"] for legal in op["legal"]])


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


# Few products, so that compiling takes a second.
SCORES = """
func.func @main(%q: tensor<1x48x2x16xf32>, %k: tensor<1x64x16xf32>)
    -> tensor<1x48x64xf32> {
  %0 = gsa.index_scores %q, %k
    : (tensor<1x48x2x16xf32>, tensor<1x64x16xf32>) -> tensor<1x48x64xf32>
  return %0 : tensor<1x48x64xf32>
}
"""


class ToolTest(unittest.TestCase):
    def run_tool(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, os.path.join(ROOT, "tools/gsa-tune/gsa_tune.py"),
             *arguments], capture_output=True, text=True,
            env=os.environ | environment)

    def test_without_a_gpu(self):
        done = self.run_tool("none", CUDA_VISIBLE_DEVICES="")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, "^gsa-tune: error: (expected PyTorch|"
                                      "there is no GPU)")

    def test_usage(self):
        for arguments, message in [
                ((), "expected either modules or --suite"),
                (("m.mlir", "--suite"), "expected either modules or --suite"),
                (("--explain", "op=gsa.select"), "expected --log"),
                (("--merge", "a.jsonl"), "--merge: expected --out"),
                (("m", "--target", "cpu", "--arch", "sm_80"),
                 "--arch has no effect"),
                (("m", "--threads", "2"), "--threads has no effect")]:
            done = self.run_tool(*arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(message, done.stderr)

    @unittest.skipUnless(importlib.util.find_spec("numpy"), "needs NumPy")
    def test_on_this_processor(self):
        with tempfile.TemporaryDirectory() as folder:
            path, log = folder + "/m.mlir", folder + "/log.jsonl"
            with open(path, "w") as file:
                file.write(SCORES)
            command = [path, "--target=cpu", "--threads=1", "--most=2",
                       "--budget=20", f"--build={BUILD}", f"--log={log}",
                       f"--cache-dir={folder}/cache"]
            done = self.run_tool(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("gsa.index_scores: default ", done.stdout)
            entry, = records.read_log(log)
            self.assertEqual(entry["class"]["op"], "gsa.index_scores")
            self.assertRegex(entry["class"]["arch"], "^cpu[0-9]+$")
            self.assertEqual(len(entry["candidates"]), 3)
            self.assertEqual(entry["unfit"], {})
            done = self.run_tool(*command)
            self.assertIn("gsa.index_scores: in the log", done.stdout)
            # A record is measured in a process of its own.
            other = next(c["schedule"] for c in entry["candidates"]
                         if c["schedule"] != entry["default"])
            found = folder + "/found.jsonl"
            records.save(found, entry["class"], records.record(
                entry["class"], other, 1, 2, "x"))
            done = self.run_tool(*command, f"--check={found}", "--seed=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, "checked: default .*hold")
            self.assertEqual(records.read_log(log)[1]["schedule"], other)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
