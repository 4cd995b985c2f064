"""What `import gsa` costs and does."""

import os
import subprocess
import sys
import unittest


def python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True,
                          text=True, check=False,
                          env={**os.environ, **environment})


class Import(unittest.TestCase):
    def test_imports_nothing_that_is_not_used(self):
        done = python("import sys, gsa\n"
                      "print([n for n in ('torch', 'numpy', 'triton', 'jax', "
                      "'transformers', 'ctypes') if n in sys.modules])\n"
                      "maps = open('/proc/self/maps').read()\n"
                      "print('libgsa' in maps, 'libcuda' in maps)")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.split("\n")[:2], ["[]", "False False"])

    def test_time(self):
        code = ("import time; t = time.perf_counter(); import gsa\n"
                "print(time.perf_counter() - t)")
        best = min(float(python(code).stdout) for _ in range(5))
        self.assertLess(best, 0.3)

    def test_imports_little(self):
        """Of the standard library: importlib, which is there already."""
        done = subprocess.run(
            [sys.executable, "-I", "-X", "importtime", "-c",
             "import sys; sys.path[:0] = sys.argv[1:]\n"
             "print('@@', file=sys.stderr); import gsa", *sys.path],
            capture_output=True, text=True, check=True)
        lines = done.stderr.split("@@\n")[1].splitlines()
        names = [line.split("|")[-1].strip() for line in lines]
        self.assertEqual(names[-1], "gsa")
        self.assertLess(len(names), 12, names)

    def test_submodules_need_no_torch(self):
        done = python("import sys, gsa.pictures, gsa.serving, gsa._cache\n"
                      "print([n for n in ('torch', 'numpy', 'matplotlib') "
                      "if n in sys.modules])")
        self.assertEqual(done.stdout, "[]\n", done.stderr)

    def test_missing_names_and_modules(self):
        done = python("import sys, gsa; sys.modules['torch'] = None\n"
                      "try: gsa.GatedSparseAttention\n"
                      "except ModuleNotFoundError as error: print(error)\n"
                      "try: gsa.sparse_attn\n"
                      "except AttributeError as error: print(error)\n")
        self.assertEqual(
            done.stdout,
            "gsa.GatedSparseAttention needs torch, which is not installed: pip "
            "install torch\n"
            "module 'gsa' has no attribute 'sparse_attn': no such name; "
            "nearest: sparse_attention\n", done.stderr)

    def test_first_call(self):
        """Opens the library, makes a plan and runs it: seconds at most, in a
        process of its own, even beside a build."""
        code = ("import time; t = time.perf_counter(); import gsa, numpy\n"
                "x = numpy.ones((1, 64, 2, 32), numpy.float32)\n"
                "gsa.index_topk(x, x[:, :, 0], k=8)\n"
                "print(time.perf_counter() - t)")
        best = min(float(python(code).stdout) for _ in range(3))
        print(f"first call, from import to result: {best:.2f} s",
              file=sys.stderr)
        self.assertLess(best, 10)

    def test_functions_need_no_torch(self):
        done = python("import sys, numpy, gsa\n"
                      "x = numpy.ones((1, 2, 1, 8), numpy.float32)\n"
                      "print(gsa.index_topk(x, x[:, :, 0], k=1).indices.shape,"
                      " 'torch' in sys.modules,"
                      " 'libcuda' in open('/proc/self/maps').read())")
        self.assertEqual(done.stdout, "(1, 2, 1) False False\n", done.stderr)

    def test_one_version(self):
        import tomllib

        import gsa
        path = os.path.join(os.path.dirname(__file__), "..", "..", "python",
                            "pyproject.toml")
        with open(path, "rb") as file:
            project = tomllib.load(file)["project"]
        self.assertEqual(project["version"], gsa.__version__)
        self.assertEqual(gsa.library_version(), gsa.__version__)

    def test_missing_library(self):
        done = python("import gsa\n"
                      "try: gsa.library_version()\n"
                      "except gsa.Unavailable as error: print(error)",
                      GSA_LIBRARY="/nowhere/libgsa.so")
        self.assertIn("expected the library of the wheel", done.stdout,
                      done.stderr)


class Structures(unittest.TestCase):
    """The mirror has the header's fields in the header's order. Where the
    header allows it, a structure may end earlier, and what is reserved may have
    got a name."""

    def test_fields(self):
        import ctypes
        import re
        from gsa import _capi
        header = os.path.join(os.path.dirname(__file__), "..", "..", "runtime",
                              "capi", "gsa.h")
        with open(header, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for name, mirror in (
                ("tensor", _capi.Tensor), ("layer_config", _capi.LayerConfig),
                ("named_shape", _capi.NamedShape),
                ("compile_options", _capi.CompileOptions),
                ("tensor_info", _capi.TensorInfo),
                ("kernel_counts", _capi.KernelCounts),
                ("run_options", _capi.RunOptions)):
            body = re.search(rf"typedef struct gsa_{name} {{(.*?)}} gsa_{name};",
                             text, re.S)[1]
            fields = re.findall(r"([\w ]+?[ *]+)(\w+);", body)
            if name != "layer_config":
                fields = fields[:len(mirror._fields_)]
            self.assertEqual([have if have == "reserved" else field for
                              (_, field), (have, _) in
                              zip(fields, mirror._fields_)],
                             [field for field, _ in mirror._fields_], name)
            widths = {"size_t": 8, "int64_t": 8, "uint64_t": 8, "double": 8,
                      "int32_t": 4, "uint32_t": 4}
            for (kind, field), (_, mirrored) in zip(fields, mirror._fields_):
                width = 8 if "*" in kind else widths[
                    kind.replace("const", "").strip()]
                self.assertEqual(ctypes.sizeof(mirrored), width,
                                 f"{name}.{field}")


if __name__ == "__main__":
    unittest.main()
