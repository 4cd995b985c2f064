"""python -m gsa."""

import json
import os
import subprocess
import sys
import unittest

LAYER = "d_model=64, n_heads=2, n_kv_heads=1, k_base=8, k_min=2, k_max=12"


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "gsa", *arguments],
                          capture_output=True, text=True, check=False)


class Command(unittest.TestCase):
    def good(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_doctor(self):
        report = json.loads(self.good("doctor", "--json"))
        self.assertEqual(report["cpu"], "good")
        self.assertEqual(report["version"], "0.1.0")
        if not os.path.exists("/dev/nvidia0"):
            self.assertRegex(report["cuda"], "driver|GPU|NVRTC")
        self.assertIn("libgsa", self.good("doctor"))

    def test_explain(self):
        self.assertIn("func.func @main(", self.good("explain", LAYER, "--text"))
        report = json.loads(self.good("explain", LAYER, "--seq", "33",
                                      "--json"))
        self.assertEqual(report["output output"], "f32[1, 33, 64]")
        self.assertIn("select", report["stages"])

    def test_bench(self):
        report = json.loads(self.good("bench", LAYER, "--seq", "64", "--repeat",
                                      "3", "--json"))
        self.assertGreater(report["median ms"], 0)
        self.assertEqual(report["runs"], 3)
        core = LAYER + ", projections=false"
        self.assertIn("median ms", self.good("bench", core, "--seq", "4",
                                             "--keys", "32", "--repeat", "1"))

    def test_errors(self):
        for code, text, arguments in (
                (2, "unknown key 'n_head'|n_heads", ("explain", "n_head=2")),
                (2, "keys: got 9 for a layer with projections",
                 ("explain", LAYER, "--keys", "9")),
                (2, "invalid choice", ("cache",))):
            done = run(*arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertRegex(done.stderr, text)
        if not os.path.exists("/dev/nvidia0"):
            done = run("bench", LAYER, "--target", "cuda")
            self.assertEqual(done.returncode, 4, done.stderr)


if __name__ == "__main__":
    unittest.main()
