"""The Python of docs/guides/python.md runs as printed, where it needs no GPU.

Blocks fenced as ```python run in order, each in the names of those before it;
```python gpu is compiled only.
"""

import os
import re
import unittest

GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                     "docs", "guides", "python.md")


class Guide(unittest.TestCase):
    def test_blocks(self):
        with open(GUIDE, encoding="utf-8") as file:
            text = file.read()
        names, ran = {}, 0
        for match in re.finditer(r"^```python( gpu)?\n(.*?)^```$", text,
                                 re.M | re.S):
            line = text[:match.start()].count("\n") + 2
            code = compile("\n" * (line - 1) + match[2], "python.md", "exec")
            if not match[1]:
                exec(code, names)
                ran += 1
        self.assertGreaterEqual(ran, 5)


if __name__ == "__main__":
    unittest.main()
