"""Unit tests of bench/gpu. The argument is the root of the repository."""

import json
import os
import sys
import unittest

ROOT = sys.argv.pop()
sys.path.insert(0, os.path.join(ROOT, "bench", "gpu"))
import bench_jit  # noqa: E402
import compare_schedules  # noqa: E402
import meter  # noqa: E402
import report  # noqa: E402

TABLE = """File name, phase name, metric, unit
k.cu, CUDA C++ Frontend, 40, ms
k.cu, NVVM Optimizer, 200.5, ms
k.cu, PTX Translation, 100, ms
""".splitlines()

PROCESS = {"times": {"load": 60.0, "compile": 500.0, "first_result": 510.0,
                     "same_schedules": 10.0, "new_length": 15.0,
                     "new_head": 400.0},
           "kernels": {"compiled": 5, "from_disk": 0},
           "compiled": {"same_schedules": 0, "new_length": 2, "new_head": 5},
           "device": "a GPU", "torch": "2"}


def record(**fields):
    return {"bench": "gpu_jit", "n": 8192, "runs": 3, "device": "a GPU",
            "commit": "abc", "torch": "2", **fields}


class Environment(unittest.TestCase):

    def setUp(self):
        os.environ["CUDA_CACHE_PATH"] = "/elsewhere"
        os.environ["CUDA_CACHE_MAXSIZE"] = "1"

    def test_cold_processes_have_no_cache(self):
        variables = bench_jit.environment(None)
        self.assertEqual(variables["CUDA_CACHE_DISABLE"], "1")
        self.assertNotIn("CUDA_CACHE_PATH", variables)

    def test_warm_processes_have_one_of_their_own(self):
        variables = bench_jit.environment("/own")
        self.assertEqual(variables["CUDA_CACHE_DISABLE"], "0")
        self.assertEqual(variables["CUDA_CACHE_PATH"], "/own")
        self.assertNotIn("CUDA_CACHE_MAXSIZE", variables)


class Kernels(unittest.TestCase):

    def test_times_and_gaps(self):
        kernels, between = meter.sum_spans(
            [(5000, 6000, "b"), (0, 1000, "a"), (500, 2000, "c"),
             (9000, 9500, "a")])
        self.assertEqual([(k["kernel"], k["launches"], k["ms"]) for k in kernels],
                         [("a", 2, 1.5), ("c", 1, 1.5), ("b", 1, 1.0)])
        self.assertEqual(between, 6.0)
        self.assertEqual(meter.sum_spans([]), ([], 0.0))

    def test_report_names_them(self):
        text = report.kernel_text([{
            "n": 8, "workload": "w", "ours_ms": 2.0, "ratio": 4.0,
            "kernels": [{"kernel": "k", "launches": 3, "ms": 0.5}],
            "between_kernels_ms": 0.25,
            "one_run_a_turn_ms": {"ours": 2.5, "dense": 5.0},
            "burst_ms": {"ours": 1.0, "dense": 3.0},
            "meter": {"ours": {"sm_clock_mhz": 1400, "power_w": 690.5}}}])
        self.assertIn("| `k` | 3 | 0.50 |", text)
        self.assertIn("| w | 2.00 | 4.00 | 1400 MHz, 690 W |  | 2.50 | 2.00 | "
                      "1.00 | 3.00 |", text)


class Rates(unittest.TestCase):

    def record(self, n, kernel):
        return {"n": n, "kernels": [{"kernel": kernel}],
                "shape": {"k": 4, "kv_heads": 1, "dim": 8, "heads": 2,
                          "index_heads": 1},
                "stages_ms": {"select": 1.0, "sparse_attention": 1.0}}

    def test_one_pass_reads_no_scores(self):
        rows = report.bound_rows([self.record(100000, "index_scores"),
                                  self.record(200000, "append_scores")])
        # n (n + 1) / 2 pairs x 4 bytes x 4 passes in 1 ms.
        self.assertEqual([row[1] for row in rows], ["80.00", "one pass"])

    def test_floor_is_of_scores_in_memory(self):
        both = [self.record(100000, "index_scores"),
                self.record(200000, "append_scores")]
        self.assertIn("take 20.00 ms at N = 100000", report.rate_text(4.0, both))
        self.assertNotIn("passes", report.rate_text(4.0, both[1:]))


class Dense(unittest.TestCase):

    def test_report_sorts_by_length(self):
        one = {"bench": "gpu_dense", "ours_ms": 1.0, "dense_ms": 1.5,
               "ratio": 1.5, "ours_tflops": 600.4, "largest_error": 0.01,
               "meter": {}, "commit": "abc"}
        text = report.dense_text([{**one, "n": 2048}, {**one, "n": 64},
                                  {"bench": "gpu_rates"}])
        self.assertIn("| 64 | 1.000 | 1.500 | 1.50 | 600 | 1.0e-02 |  |\n"
                      "| 2048 |", text)
        self.assertEqual(report.dense_text([]), "")


class PythonLayer(unittest.TestCase):

    def test_report_says_what_did_not_fit(self):
        one = {"bench": "gpu_python", "config": "k256", "commit": "abc",
               "ours_ms": 1.0, "ours_peak_mib": 64.4}
        text = report.python_text([
            {**one, "what": "prefill", "n": 512, "published_ms": 20.0,
             "published_peak_mib": 9000.0},
            {**one, "what": "prefill", "n": 8192, "published_ms": None,
             "published_peak_mib": None},
            {**one, "what": "decode", "n": 512, "published_whole_ms": 20.5,
             "published_one_key_ms": 0.8}])
        self.assertIn("| k256 | 512 | 1.00 | 20.00 | 64 | 9000 |\n"
                      "| k256 | 8192 | 1.00 | out of memory | 64 | "
                      "out of memory |", text)
        self.assertIn("| k256 | 512 | 1.00 | 20.50 | 0.80 |", text)
        self.assertEqual(report.python_text([{"bench": "gpu_rates"}]), "")


class Records(unittest.TestCase):

    def setUp(self):
        self.calls, self.compiles = [], [700.0, 500.0, 600.0]
        self.own, self.compiled = [], 0
        self.fresh = bench_jit.fresh

        def fresh(arguments, cache):
            self.assertIn("--plan-process", arguments)
            if cache is not None:
                self.assertTrue(os.path.isdir(cache))
                if cache not in self.calls:
                    self.assertEqual(os.listdir(cache), [])
            self.calls.append(cache)
            times = dict(PROCESS["times"])
            if "--cache-dir" in arguments:
                own = arguments[arguments.index("--cache-dir") + 1]
                self.own.append(own)
                self.assertFalse(os.path.exists(own))
                kernels = {"compiled": self.compiled, "from_disk": 5}
                return {**PROCESS, "kernels": kernels}
            if cache is None:
                times["compile"] = self.compiles[len(self.calls) - 1]
            return {**PROCESS, "times": times}

        bench_jit.fresh = fresh

    def tearDown(self):
        bench_jit.fresh = self.fresh

    def test_medians_of_processes_that_count(self):
        cold, warm, own = bench_jit.plan_records("libgsa.so", 8192, 3)
        self.assertEqual(self.calls[:3], [None] * 3)
        # The one that fills the cache does not count.
        self.assertEqual(len(self.calls), 3 + 1 + 3 + 1 + 3)
        self.assertEqual(len(set(self.calls[3:7])), 1)
        self.assertEqual(self.calls[7:], [None] * 4)
        self.assertEqual(len(self.own), 4)
        self.assertEqual(len(set(self.own)), 1)
        self.assertEqual(own["bench"], "gpu_jit_own")
        self.assertEqual(own["own_warm_compile_ms"], 500.0)
        self.assertEqual(own["kernels"]["from_disk"], 5)
        self.assertEqual(cold["driver_cache"], "off")
        self.assertEqual(cold["cold_compile_ms"], 600.0)
        self.assertEqual(cold["cold_compile_range_ms"], [500.0, 700.0])
        self.assertEqual(warm["driver_cache"], "on")
        self.assertEqual(warm["disk_warm_compile_ms"], 500.0)
        self.assertEqual(warm["in_process_new_head_ms"], 400.0)
        self.assertNotIn("cold_compile_ms", warm)

    def test_a_warm_process_that_compiles_is_an_error(self):
        self.compiled = 1
        with self.assertRaisesRegex(RuntimeError, "kernels of a warm process"):
            list(bench_jit.plan_records("libgsa.so", 8192, 3))

    def test_kernels_of_another_length_are_an_error(self):
        PROCESS["compiled"]["same_schedules"] = 1
        with self.assertRaisesRegex(RuntimeError, "kernels of another length"):
            list(bench_jit.plan_records("libgsa.so", 8192, 3))
        PROCESS["compiled"]["same_schedules"] = 0

    def test_phases_of_a_kernel(self):
        self.assertEqual(bench_jit.parse_phases(TABLE),
                         {"front_end_ms": 40.0, "nvvm_ms": 200.5,
                          "ptxas_ms": 100.0, "total_ms": 340.5})
        with self.assertRaisesRegex(ValueError, "expected .*Optimizer"):
            bench_jit.parse_phases(TABLE[:2])


class Report(unittest.TestCase):

    def rows(self, *records):
        text = report.jit_text(records)
        return {cells[1]: cells[2:-1] for cells in
                ([cell.strip() for cell in line.split("|")]
                 for line in text.splitlines() if line.startswith("|"))}

    def test_three_states_apart(self):
        rows = self.rows(
            record(driver_cache="off", cold_compile_ms=600,
                   cold_first_result_ms=610, load_library_ms=60,
                   in_process_new_length_ms=15, in_process_new_head_ms=400),
            record(driver_cache="on", disk_warm_compile_ms=140,
                   disk_warm_first_result_ms=150, load_library_ms=61,
                   in_process_new_length_ms=16, in_process_new_head_ms=51))
        self.assertEqual(rows["what"], ["cold", "disk-warm"])
        self.assertEqual(rows["module text to plan, fresh process"],
                         ["600", "140"])
        self.assertEqual(rows["another length, same process"], ["15", "16"])
        self.assertEqual(rows["another head size, same process"],
                         ["400", "51"])

    def test_own_cache(self):
        text = report.jit_text([record(
            bench="gpu_jit_own", driver_cache="off", own_warm_compile_ms=81.2,
            own_warm_first_result_ms=90, load_library_ms=60)])
        self.assertIn("81 ms to a plan, of it 60 loading the library, 90 to "
                      "the first result", text)

    def test_a_record_without_the_state_is_not_cold(self):
        rows = self.rows(record(cold_compile_ms=155, cold_first_result_ms=165,
                                warm_compile_ms=15))
        self.assertEqual(rows["module text to plan, fresh process"],
                         ["not measured", "155"])
        self.assertEqual(rows["another length, same process"],
                         ["not measured", "15"])

    def test_kernels(self):
        rows = self.rows({"bench": "gpu_jit_kernel", "kernel": "k",
                          "arch": "sm_90a", "runs": 3, "commit": "abc",
                          **bench_jit.parse_phases(TABLE)})
        self.assertEqual(rows["`k`"], ["40", "200", "100", "340"])

    def test_committed_records_name_their_state(self):
        for name in ["gpu.jsonl", "gpu_h100.jsonl"]:
            with open(os.path.join(ROOT, "bench", "results", name)) as file:
                records = [json.loads(line) for line in file]
            for r in records:
                if r["bench"] != "gpu_jit":
                    continue
                self.assertIn(r["driver_cache"], ["off", "on"], name)
                self.assertEqual("cold_compile_ms" in r,
                                 r["driver_cache"] == "off", name)


class Comparisons(unittest.TestCase):

    def test_two_percent(self):
        for new_ms, same, words, good in (
                (10.1, True, "the same time", True),
                (10.3, True, "SLOWER", False), (9.7, None, "faster", True),
                (10.0, None, "the same time", True),
                (10.0, False, "the same time, OTHER BITS", False),
                (11.0, False, "SLOWER, OTHER BITS", False)):
            self.assertEqual(compare_schedules.judge(10.0, new_ms, same),
                             (words, good))

    def test_committed_rows(self):
        rows = compare_schedules.read_rows(
            os.path.join(ROOT, "bench", "results", "gpu.jsonl"))
        stages = {row["stage"] for row in rows}
        self.assertEqual(stages, {"select", "sparse_attention"})
        self.assertEqual(len({(r["stage"], r["schedule"]) for r in rows}),
                         len(rows))
        arguments = [compare_schedules.schedules_of(row) for row in rows]
        self.assertEqual(arguments.count({}), 2)
        self.assertTrue(any("select_schedule" in a for a in arguments))


if __name__ == "__main__":
    unittest.main()
