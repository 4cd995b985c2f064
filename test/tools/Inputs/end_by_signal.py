"""Ends a command by a signal while a file exists, and looks at what it leaves.

usage: end_by_signal.py [--group] SIGNAL FOLDER PATTERN COMMAND [ARGUMENT ...]

The command runs with TMPDIR=FOLDER, which is empty. As soon as a file there
matches PATTERN, the process gets the signal; with --group its children do, too,
as from a terminal. Fails unless the signal ends it and
the folder is empty then. A file may be there for a moment only: the command runs
again, up to ten times, until the signal came in time.
"""

import glob
import os
import signal
import subprocess
import sys
import time

group = sys.argv[1] == "--group"
name, folder, pattern, *command = sys.argv[1 + group:]
number = getattr(signal, "SIG" + name)
# Whoever runs the tests may ignore it, which children would inherit.
signal.signal(number, signal.SIG_DFL)


def run_once():
    process = subprocess.Popen(
        command, env=dict(os.environ, TMPDIR=folder), stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        if glob.glob(os.path.join(folder, pattern)):
            # The children have begun, too.
            time.sleep(0.1 if group else 0)
            (os.killpg if group else os.kill)(process.pid, number)
            break
    message = process.communicate(timeout=60)[1].decode(errors="replace")
    return process.returncode, message


def left():
    """What is left; children of children may need a moment."""
    for _ in range(100):
        found = os.listdir(folder)
        if not found:
            break
        time.sleep(0.05)
    return found


for _ in range(10):
    code, message = run_once()
    print(message, end="")
    if code == -number:
        break
    for file in os.listdir(folder):
        os.remove(os.path.join(folder, file))
else:
    sys.exit(f"{command}: expected an end by SIG{name}, got code {code}")
if left():
    sys.exit(f"{command}: SIG{name} leaves {left()}")
