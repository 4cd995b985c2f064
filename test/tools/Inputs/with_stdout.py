"""Runs a command whose standard output does not take what is written.

usage: with_stdout.py full|closed|pipe CODE COMMAND [ARGUMENT ...]

full: a device without space; closed: no descriptor at all; pipe: one that
nobody reads any more. Fails unless the command ends with CODE; what it says on
standard error goes to standard output.
"""

import os
import subprocess
import sys

kind, code, *command = sys.argv[1:]
if kind == "closed":
    command = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command]
    output = None
elif kind == "pipe":
    reader, output = os.pipe()
    os.close(reader)
else:
    output = open("/dev/full", "wb")
done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE)
print(done.stderr.decode(errors="replace"), end="")
if done.returncode != int(code):
    sys.exit(f"{command}: expected exit code {code}, got {done.returncode}")
