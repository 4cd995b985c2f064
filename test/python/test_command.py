"""python -m gsa."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

LAYER = "d_model=64, n_heads=2, n_kv_heads=1, k_base=8, k_min=2, k_max=12"


def run(*arguments, **environment):
    return subprocess.run([sys.executable, "-m", "gsa", *arguments],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


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
        done = run("doctor", GSA_CACHEDIR="/a", GSA_CACHE="/b", GSA_NVRTC="")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "GSA_CACHEDIR +read by nothing; nearest: "
                                      "GSA_CACHE_DIR\n")
        self.assertRegex(done.stdout, "GSA_CACHE +read by the programs alone; "
                                      "here it is GSA_CACHE_DIR\n")
        self.assertNotIn("GSA_NVRTC", done.stdout)

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
        self.assertGreater(report["first run ms"], 0)
        core = LAYER + ", projections=false"
        self.assertIn("median ms", self.good("bench", core, "--seq", "4",
                                             "--keys", "32", "--repeat", "1"))

    def test_cache(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = os.path.join(folder, "kept")

            def cache(*arguments, code=0):
                done = run("cache", *arguments, GSA_CACHE_DIR=kept)
                self.assertEqual(done.returncode, code,
                                 done.stdout + done.stderr)
                return done.stdout + done.stderr

            self.assertIn("0 entries", cache("ls"))
            done = run("explain", LAYER, "--seq", "9", GSA_CACHE_DIR=kept)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(cache("ls", "--json"))
            self.assertEqual(report["directory"], kept)
            entry, = report["entries"]
            self.assertEqual(entry["kind"], "object")
            self.assertIn("1 entries are whole, 0 are not", cache("verify"))
            # A flipped bit is found, and collected.
            path = os.path.join(kept, entry["key"] + ".gsa")
            with open(path, "r+b") as file:
                file.seek(-80, os.SEEK_END)
                byte = file.read(1)
                file.seek(-80, os.SEEK_END)
                file.write(bytes([byte[0] ^ 1]))
            self.assertIn("0 entries are whole, 1 are not",
                          cache("verify", code=1))
            self.assertIn("1 entries removed", cache("gc"))
            self.assertIn("0 entries", cache("ls"))
            # --cache-dir comes before the environment.
            other = os.path.join(folder, "other")
            self.assertIn(other, cache("ls", "--cache-dir", other))
            self.assertIn("verify", cache("--help"))
            self.assertIn("did you mean", cache("verfy", code=2))
            self.assertIn("--max-bytes", cache("ls", "--max-bytes", "1",
                                               code=2))
        done = run("cache", "ls")
        self.assertEqual(done.returncode, 2)
        self.assertIn("expected GSA_CACHE_DIR in the environment or "
                      "--cache-dir", done.stderr)

    def test_cache_without_its_program(self):
        with tempfile.TemporaryDirectory() as folder:
            library = os.path.join(folder, "libgsa.so")
            os.symlink("/nowhere/gsa/libgsa.so", library)
            done = run("cache", "ls", GSA_LIBRARY=library, GSA_CACHE_DIR=folder)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("got no gsa-cache in /nowhere/gsa/bin", done.stderr)

    def test_help(self):
        text = self.good("--help")
        for name in ("doctor", "explain", "bench", "cache", "Exit codes"):
            self.assertIn(name, text)

    def test_errors(self):
        for code, text, arguments in (
                (2, "unknown key 'n_head'|n_heads", ("explain", "n_head=2")),
                (2, "keys: got 9 for a layer with projections",
                 ("explain", LAYER, "--keys", "9")),
                (2, "invalid choice", ("cahce",))):
            done = run(*arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertRegex(done.stderr, text)
        if not os.path.exists("/dev/nvidia0"):
            done = run("bench", LAYER, "--target", "cuda")
            self.assertEqual(done.returncode, 4, done.stderr)


if __name__ == "__main__":
    unittest.main()
