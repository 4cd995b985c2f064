#!/usr/bin/env python3
"""Runs tests of the Python package.

    run.py [--needs MODULE]... [--packages FOLDER] TEST...

TEST is the name of a file beside this one. Ends with 77 (skipped) where a module
that a test needs cannot be imported, with 1 where that is NumPy and the environment
says GSA_REQUIRE_WHEELS: torch is gigabytes, which not every machine gets. FOLDER is
where `./dev test` puts modules.
"""

import argparse
import importlib.util
import os
import sys
import unittest


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--needs", action="append", default=[])
    parser.add_argument("--packages")
    parser.add_argument("tests", nargs="+")
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    folders = [here, os.path.join(root, "python")]
    if arguments.packages:
        folders.append(os.path.abspath(arguments.packages))
    sys.path[:0] = folders
    # Of the processes that tests start.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        folders + [os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    for name in arguments.needs:
        if importlib.util.find_spec(name) is None:
            print(f"SKIPPED: there is no module {name} in {sys.executable} or "
                  f"{arguments.packages}; ./dev test downloads it")
            required = name == "numpy" and os.environ.get("GSA_REQUIRE_WHEELS")
            sys.exit(1 if required else 77)
    suite = unittest.defaultTestLoader.loadTestsFromNames(
        [name.removesuffix(".py") for name in arguments.tests])
    result = unittest.TextTestRunner(verbosity=2, buffer=False).run(suite)
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
