"""Ends a command by a signal while a file exists, and looks at what it leaves.

usage: end_by_signal.py [--group] [--whole NAME] SIGNAL FOLDER PATTERN COMMAND
           [ARGUMENT ...]

The command runs with TMPDIR=FOLDER, which is empty. As soon as a file there
matches PATTERN, the process gets the signal; with --group its children do, too,
as from a terminal. Fails unless the signal ends it and
the folder is empty then, but for NAME, a safetensors file, if it is whole: the
signal may come right behind the end of the writing. A file may be there for a moment only: the command runs
again, up to ten times, until the signal came in time.
"""

import glob
import json
import os
import signal
import subprocess
import sys
import time

arguments = sys.argv[1:]
group = arguments[0] == "--group"
if group:
    arguments.pop(0)
whole = None
if arguments[0] == "--whole":
    whole, arguments = arguments[1], arguments[2:]
name, folder, pattern, *command = arguments
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


def is_whole(path):
    """Whether a safetensors file has all the bytes that its header tells of."""
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    end = max(entry["data_offsets"][1] for key, entry in header.items()
              if key != "__metadata__")
    return len(data) == 8 + size + end


def left():
    """What is left; children of children may need a moment."""
    for _ in range(100):
        found = [file for file in os.listdir(folder) if file != whole or
                 not is_whole(os.path.join(folder, file))]
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
