"""Runs a command and fails unless it ends with the given exit code.

usage: expect_exit.py CODE COMMAND [ARGUMENT ...]

lit's `not` tells failure from success only; the tools promise which code says
what.
"""

import subprocess
import sys

expected = int(sys.argv[1])
actual = subprocess.call(sys.argv[2:])
if actual != expected:
    sys.exit(f"{sys.argv[2]}: expected exit code {expected}, got {actual}")
