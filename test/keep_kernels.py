#!/usr/bin/env python3
"""Runs a tool of the lit suite and keeps the kernels that it emits.

    keep_kernels.py <folder> <tool> <arguments of the tool>

Behaves like the tool. If the tool succeeds, modules with kernels go to
`<folder>/<hash>.mlir`, from where compile_kept_kernels.py takes them once the
suite is through:

    gsa-opt        what it prints
    gsa-translate  what it translates to CUDA C++
    gsa-run        the kernels of a run on a GPU or in emulation
"""

import hashlib
import os
import subprocess
import sys

MARK = b"gsa_tile.kernel"
# Of gsa-run: the phase after which kernels can be printed, and the options that
# only mean something in a run: flags, and those with a value.
LAST_PHASE = "plan"
RUN_FLAGS = ("--compare", "--stats", "--json")
RUN_OPTIONS = ("--output", "--dump-dir", "--plot", "--plot-kind", "--repeat",
               "--tolerance", "--seed", "--workload", "--watchdog")


def keep(folder, text):
    if MARK not in text:
        return
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, hashlib.sha256(text).hexdigest()[:24])
    # Several tests may keep the same text at the same time.
    with open(f"{path}.{os.getpid()}", "wb") as file:
        file.write(text)
    os.replace(file.name, path + ".mlir")


def value_of(arguments, name):
    """The value of the option `-o X`, `--target X` or `--target=X`."""
    for i, argument in enumerate(arguments):
        if argument == name and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith(name + "="):
            return argument[len(name) + 1:]
    return None


def read(path):
    if path in (None, "-", "/dev/null"):
        return b""
    with open(path, "rb") as file:
        return file.read()


def input_of(arguments):
    """The file that gsa-translate reads."""
    output = value_of(arguments, "-o")
    files = [a for a in arguments
             if not a.startswith("-") and a != output and os.path.isfile(a)]
    return read(files[0]) if files else b""


def without_run_options(arguments):
    kept, skip = [], False
    for argument in arguments:
        if not skip and not (argument in RUN_FLAGS
                             or argument.split("=")[0] in RUN_OPTIONS):
            kept.append(argument)
        skip = not skip and argument in RUN_OPTIONS
    return kept


def run_kernels(tool, arguments, stdin):
    """The kernels of gsa-run for a device."""
    if (value_of(arguments, "--target") not in ("emu", "cuda")
            or value_of(arguments, "--stop-after")):
        return b""
    command = [tool, *without_run_options(arguments), "--stop-after", LAST_PHASE]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"keep_kernels.py: {' '.join(command)} ended with "
                 f"{done.returncode}:\n{done.stderr.decode()}")
    return done.stdout


def main():
    folder, tool, *arguments = sys.argv[1:]
    name = os.path.basename(tool)
    # The module may come from a pipe, which can be read once.
    stdin = None
    if name in ("gsa-translate", "gsa-run") and (
            "-" in arguments
            or name == "gsa-translate" and not input_of(arguments)):
        stdin = sys.stdin.buffer.read()
    done = subprocess.run([tool, *arguments], input=stdin,
                          stdout=subprocess.PIPE, check=False)
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.flush()
    if done.returncode == 0:
        if name == "gsa-opt":
            keep(folder, done.stdout)
            keep(folder, read(value_of(arguments, "-o")))
        elif name == "gsa-translate":
            if "--verify-diagnostics" not in arguments:
                keep(folder, input_of(arguments) or stdin or b"")
        elif name == "gsa-run":
            keep(folder, run_kernels(tool, arguments, stdin))
    # A signal's number is what `not --crash` looks for.
    if done.returncode < 0:
        os.kill(os.getpid(), -done.returncode)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
