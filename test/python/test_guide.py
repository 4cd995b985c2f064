"""The Python of the guides for Python runs as printed, where it needs no GPU.

Blocks fenced as ```python run in order, each in the names of those before it;
```python gpu is compiled only, ```python matplotlib where there is none.
"""

import importlib.util
import os
import re
import tempfile
import unittest

GUIDES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "docs", "guides")


class Guide(unittest.TestCase):
    def run_blocks(self, guide, least):
        with open(os.path.join(GUIDES, guide), encoding="utf-8") as file:
            text = file.read()
        names, ran = {}, 0
        for match in re.finditer(r"^```python( gpu| matplotlib)?\n(.*?)^```$",
                                 text, re.M | re.S):
            line = text[:match.start()].count("\n") + 2
            code = compile("\n" * (line - 1) + match[2], guide, "exec")
            needs = (match[1] or "").strip()
            if not needs or needs != "gpu" and importlib.util.find_spec(needs):
                exec(code, names)
                ran += 1
        self.assertGreaterEqual(ran, least)

    def test_blocks(self):
        here = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)  # For what blocks write.
            try:
                for guide, least in (("python.md", 7), ("migrate.md", 1),
                                     ("serving.md", 1), ("train.md", 4)):
                    self.run_blocks(guide, least)
            finally:
                os.chdir(here)


if __name__ == "__main__":
    unittest.main()
