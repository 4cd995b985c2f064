#!/usr/bin/env python3
"""Runs those scripts of the GPU tests on a CPU that can, with small sizes: what is
wrong in a script shows before a GPU's time is spent on it.

    python3 test/gpu/on_cpu.py --library build/dev/lib/libgsa.so \\
        --packages build/python-packages

Ends with 77 where there is no torch.
"""

import argparse
import importlib.util
import os
import sys
import tempfile

import steps

SCRIPTS = [["repeats.py", "--target", "cpu", "--launches", "5"],
           ["devices.py", "--target", "cpu", "--record", "{record}"],
           ["large.py", "--target", "cpu"],
           ["endurance.py", "--target", "cpu", "--runs", "300", "--plans", "4"],
           ["python_hf.py", "--device", "cpu", "--families", "Llama"]]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--packages", default="",
                        help="folder of modules beside those of this Python")
    arguments = parser.parse_args()
    if arguments.packages:
        sys.path.insert(0, os.path.abspath(arguments.packages))
    if importlib.util.find_spec("torch") is None:
        print("SKIPPED: there is no torch")
        return steps.SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        record = os.path.join(folder, "bits.json")
        for name, *options in SCRIPTS:
            status, output = steps.run(
                [sys.executable, os.path.join(steps.HERE, name), "--library",
                 arguments.library,
                 *(option.format(record=record) for option in options)], 600,
                {"PYTHONPATH": os.path.abspath(arguments.packages)})
            # One device is all there is; transformers may be missing.
            good = status in (0, steps.SKIPPED)
            failed += not good
            print(f"{'ok    ' if good else 'FAILED'} {name}: {status}")
            if not good:
                print(output)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
