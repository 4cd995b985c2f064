"""The variables GSA_... that the tools and the Python package read are those that
gsa-doctor knows, python -m gsa doctor knows and docs/guides/tools.md has in its
table, with the same readers.

Usage: variables_test.py <repository>
"""

import pathlib
import re
import sys
import unittest

READS = re.compile(r'(?:getenv|getEnvironment|environ(?:\.get|\.setdefault)?)[\[(]'
                   r'\s*"(GSA_\w+)"')
ROOT = pathlib.Path(sys.argv.pop(1))


def read_below(folder, *endings):
    return {name for path in (ROOT / folder).rglob("*")
            if path.suffix in endings
            for name in READS.findall(path.read_text())}


class Variables(unittest.TestCase):
    def setUp(self):
        self.tools = read_below("tools", ".cpp", ".h")
        self.package = read_below("python/gsa", ".py")
        self.assertIn("GSA_CACHE", self.tools)
        self.assertIn("GSA_CACHE_DIR", self.package)

    def test_libraries_read_none(self):
        self.assertEqual(read_below("runtime", ".cc", ".h"), set())

    def test_doctor(self):
        text = (ROOT / "tools/gsa-doctor/Variables.cpp").read_text()
        known = dict(re.findall(r'\{"(GSA_\w+)",\s*k(Tools|Python)', text))
        self.assertEqual(known, {**dict.fromkeys(self.tools, "Tools"),
                                 **dict.fromkeys(self.package, "Python")})

    def test_python(self):
        text = (ROOT / "python/gsa/__main__.py").read_text()

        def names(variable):
            return set(re.findall(r"GSA_\w+", re.search(
                rf"^{variable} = \((.*?)\)", text, re.M | re.S)[1]))
        self.assertEqual(names("VARIABLES"), self.package)
        self.assertEqual(names("OF_PROGRAMS"), self.tools)

    def test_table(self):
        text = (ROOT / "docs/guides/tools.md").read_text()
        rows = dict(re.findall(r"^\| `(GSA_\w+)` \| the (tools|Python)", text,
                               re.M))
        self.assertEqual(rows, {**dict.fromkeys(self.tools, "tools"),
                                **dict.fromkeys(self.package, "Python")})


if __name__ == "__main__":
    unittest.main()
