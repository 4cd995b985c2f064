"""Unit tests of what the GPU tests are made of. The argument is the root of the
repository."""

import argparse
import json
import os
import sys
import tempfile
import unittest

ROOT = sys.argv.pop()
sys.path.insert(0, os.path.join(ROOT, "test", "gpu"))
import figures  # noqa: E402
import racecheck  # noqa: E402
import run_gpu_tests  # noqa: E402
import steps  # noqa: E402

# The first report is as version 2025.3 writes it, the second as older ones do.
LOG = """========= COMPUTE-SANITIZER
[ RUN      ] Recipes/CudaSmall.AgreeWithTheReference/3_gather_bf16
========= Error: Race reported between Write access at rows(float *)+0x90 in k.cu:13
=========     and Read access at rows(float *)+0xa0 in k.cu:14 [2048 hazards]
=========     and Write access at rows(float *)+0x90 in k.cu:13 [1 hazard]
=========
[       OK ] Recipes/CudaSmall.AgreeWithTheReference/3_gather_bf16 (9 ms)
========= Warning: Race reported between Read access at 0x00000020 in a/b.cu:7:list(int *)
=========     and Write access at 0x00000030 in a/b.cu:8:list(int *) [3 hazards]
=========
========= RACECHECK SUMMARY: 2 hazards displayed (1 error, 1 warning)
"""

SASS = """
\t\tFunction : rows
        /*0080*/              @!P0 SYNCS.EXCH.64 URZ, [UR4], UR6 ;  /* 0x1 */
                                                                    /* 0x2 */
        /*0090*/                   LDGSTS.E.BYPASS.128 [R7], desc[UR6][R2.64] ;
        /*00a0*/              @P1  LDSM.16.M88.4 R4, [R8] ;         /* 0x1 */
\t\tFunction : list
        /*0020*/                   LDS R1, [R2] ;                   /* 0x1 */
        /*0030*/                   STS [R7], R6 ;                   /* 0x1 */
"""

RING = {"kernel": "rows", "mbarrier": True, "reason": "a ring",
        "opcodes": [["LDSM", "LDGSTS"], ["LDGSTS", "LDGSTS"]]}
UNUSED = {"kernel": "gone", "mbarrier": False, "reason": "none",
          "opcodes": [["UBLKCP", "LDS"]]}


class Races(unittest.TestCase):

    def groups(self):
        return racecheck.collect(racecheck.read_log(LOG)[0],
                                 racecheck.read_sass(SASS))

    def test_reports(self):
        findings, reports = racecheck.read_log(LOG)
        self.assertEqual(reports, 2)
        self.assertEqual(racecheck.count_reports(LOG), 2)
        self.assertEqual([f["kernel"] for f in findings],
                         ["rows", "rows", "list"])
        self.assertEqual(findings[0]["offsets"], [0x90, 0xa0])
        self.assertEqual([f["hazards"] for f in findings], [2048, 1, 3])
        self.assertEqual(findings[2]["severity"], "Warning")
        self.assertTrue(findings[0]["test"].endswith("3_gather_bf16"))
        self.assertEqual(racecheck.read_log("nothing"), ([], None))

    def test_instructions(self):
        pairs = {g["kernel"]: g["opcodes"] for g in self.groups()
                 if g["accesses"] != ["Write", "Write"]}
        self.assertEqual(pairs, {"rows": [["LDGSTS", "LDSM", True]],
                                 "list": [["LDS", "STS", False]]})

    def test_what_is_explained(self):
        unexplained, unused = racecheck.judge(self.groups(), [RING, UNUSED])
        self.assertEqual([g["kernel"] for g in unexplained], ["list"])
        self.assertEqual(unused, [UNUSED])
        # Not by another kernel's entry, without mbarriers, or unknown code.
        other = {**RING, "kernel": "row"}
        self.assertEqual(len(racecheck.judge(self.groups(), [other])[0]), 3)
        for sass in (SASS.replace("SYNCS", "MOV"), ""):
            groups = racecheck.collect(racecheck.read_log(LOG)[0],
                                       racecheck.read_sass(sass))
            self.assertEqual(len(racecheck.judge(groups, [RING])[0]), 3)

    def test_a_kernel_of_the_same_name(self):
        # Which of the two is meant nobody knows: both have to be explained.
        both = SASS + SASS.replace("LDGSTS.E.BYPASS.128", "STS")
        groups = racecheck.collect(racecheck.read_log(LOG)[0],
                                   racecheck.read_sass(both))
        self.assertEqual(len(racecheck.judge(groups, [RING])[0]), 3)

    def test_kernels_of_one_name(self):
        # The findings of a test stand at accesses of its own kernel.
        mbarrier = "/*0010*/ SYNCS.EXCH.64 URZ, [UR4], UR6 ;\n"
        one = (f"Function : rows\n{mbarrier}/*0090*/ UBLKCP.S.G [R7], [R2] ;\n"
               "/*00a0*/ LDS R1, [R2] ;\n/*00b0*/ IADD3 R1, R2, R3 ;\n")
        other = (f"Function : rows\n{mbarrier}/*0090*/ STS [R7], R2 ;\n"
                 "/*00a0*/ UBLKRED.G.S.ADD [R7], [R2] ;\n/*00b0*/ LDS R1, [R2] ;\n")
        functions = racecheck.read_sass(one + other)

        def finding(second, test):
            return {"kernel": "rows", "accesses": ["Write", "Read"],
                    "offsets": [0x90, second], "severity": "Error", "hazards": 1,
                    "test": test}

        groups = racecheck.collect(
            [finding(0xa0, "a"), finding(0xa0, "b"), finding(0xb0, "b")],
            functions)
        pairs = [(group["tests"], [pair[:2] for pair in group["opcodes"]])
                 for group in groups]
        self.assertEqual(pairs, [
            (["b"], [["STS", "LDS"]]),
            (["b"], [["STS", "UBLKRED"]]),
            (["a"], [["STS", "UBLKRED"], ["UBLKCP", "LDS"]])])
        # A test that runs both: whatever each finding may be about.
        groups = racecheck.collect(
            [finding(0xa0, "c"), finding(0xb0, "c"),
             {**finding(0xa0, "c"), "accesses": ["Read", "Read"]}], functions)
        self.assertIn([["STS", "UBLKRED", True], ["UBLKCP", "LDS", True]],
                      [group["opcodes"] for group in groups])

    def test_table(self):
        self.assertTrue(racecheck.read_table())
        for entry in ({**RING, "reason": " "},
                      {**RING, "opcodes": [["STS", "LDS"]]}):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump({"explained": [entry]}, file)
                file.flush()
                with self.assertRaises(ValueError):
                    racecheck.read_table(file.name)

    def test_a_later_table_judges_again(self):
        step = steps.Step("racecheck")
        step.details["findings"] = self.groups()
        steps.judge_races(step)
        self.assertEqual(step.status, "failed")
        entry = step.to_json()
        self.assertEqual(run_gpu_tests.judged_again(entry)["status"], "failed")
        explained = [g for g in entry["findings"] if g["kernel"] == "rows"]
        entry["findings"] = explained
        again = run_gpu_tests.judged_again(entry)
        self.assertEqual(again["status"], "passed")
        self.assertEqual(again["explained"], 2)
        # A test that failed is no finding.
        entry["messages"].append("Suite.Test: failed")
        self.assertEqual(run_gpu_tests.judged_again(entry)["status"], "failed")


def entry(name, status="passed", **values):
    return {"step": name, "status": status, "figures": values}


class Figures(unittest.TestCase):

    def row(self, entries, name):
        return next(row for row in figures.summarise(entries)
                    if row["figure"] == name)

    def test_parts_add_up(self):
        parts = [entry(f"differential-{i}", **{"random cases": 2000})
                 for i in (1, 2, 3)]
        row = self.row(parts, "random cases")
        self.assertEqual((row["value"], row["met"]), (6000, True))
        # Of another step they do not count, nor before all parts have ended.
        row = self.row(parts[:2] + [entry("memcheck", **{"random cases": 999})],
                       "random cases")
        self.assertEqual((row["value"], row["met"]), (4000, False))
        parts[2]["status"] = "unfinished"
        self.assertIsNone(self.row(parts, "random cases")["met"])
        self.assertIsNone(self.row([], "random cases")["met"])

    def test_largest_and_least(self):
        total = figures.read_lines("ok    x\nfigure largest y 3\n"
                                   "figure largest y 7\nfigure least z 9\n"
                                   "figure least z 4\nfigure n 1\nfigure n 2\n")
        self.assertEqual(total, {"largest y": 7, "least z": 4, "n": 3})

    def test_families_of_schedules(self):
        names = figures.find_schedules()
        self.assertIn("union_schedule", names)
        self.assertNotIn("cpu_schedule", names)
        counts = {figures.SCHEDULE + name: 1 for name in names[1:]}
        row = self.row([entry("gradients", **counts)], "families of schedules")
        self.assertIsNone(row["met"])
        row = self.row([entry("gradients", **counts), entry("differential-1")],
                       "families of schedules")
        self.assertEqual((row["value"], row["met"]), (len(names) - 1, False))
        self.assertEqual(row["cases"][names[0]], 0)

    def test_a_missed_figure_is_no_success(self):
        arguments = argparse.Namespace(
            commit="", allow_skip=[], headers=os.path.join(
                ROOT, "codegen", "device", "include"))
        done = {"large": entry("large", **{"largest number of elements": 2**32,
                                           "largest offset in bytes": 2**31})}
        document = run_gpu_tests.summarise(arguments, ["large"], done, {})
        self.assertFalse(document["passed"])
        self.assertEqual(document["missed"], ["largest offset in bytes"])
        self.assertIn("MISSED", figures.describe(next(
            row for row in document["figures"] if row["met"] is False)))


if __name__ == "__main__":
    unittest.main()
