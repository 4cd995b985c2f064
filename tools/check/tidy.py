#!/usr/bin/env python3
"""Runs clang-tidy 22 on the sources of some folders, with the checks of the
.clang-tidy files; any finding fails.

A finding in a header is printed once, whoever includes it. Precompiled headers
of the build folder are used if they are there.

Usage: tidy.py <repository> <build folder> [--jobs N] <folder>...
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

FINDING = re.compile(r'^(\S+?):(\d+):(\d+): (?:warning|error): (.*)$')


def find_tool():
    for name in ("clang-tidy-22", "clang-tidy"):
        tool = shutil.which(name)
        if not tool:
            continue
        version = subprocess.run([tool, "--version"], capture_output=True,
                                 text=True).stdout
        if "version 22." in version:
            return tool
    sys.exit("tidy: clang-tidy 22 is needed (package clang-tidy-22)")


def sources(root, build, folders):
    """Files of the compilation database below `folders`, sorted."""
    database = json.loads((build / "compile_commands.json").read_text())
    prefixes = tuple(f"{(root / folder).resolve()}/" for folder in folders)
    files = {entry["file"] for entry in database}
    return sorted(f for f in files if f.startswith(prefixes) and
                  not f.startswith(f"{build}/") and pathlib.Path(f).is_file())


def check(tool, build, file):
    result = subprocess.run(
        [tool, "-p", str(build), "--quiet", "--warnings-as-errors=*", file],
        capture_output=True, text=True)
    return file, result.returncode, result.stdout, result.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    root, build = options.root.resolve(), options.build.resolve()
    tool = find_tool()
    files = sources(root, build, options.folders)
    if not files:
        sys.exit(f"tidy: {build} compiles no file of "
                 f"{', '.join(options.folders)}")
    seen, failed = set(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(check, tool, build, file) for file in files]
        for task in tasks:
            file, code, out, err = task.result()
            if code == 0:
                continue
            failed += 1
            if not any(FINDING.match(line) for line in out.split("\n")):
                print(f"tidy: {file}: clang-tidy ends with {code}\n{out}{err}")
            # Each finding with the lines that explain it, once.
            show = True
            for line in out.split("\n"):
                if match := FINDING.match(line):
                    show = line not in seen
                    seen.add(line)
                if show and line:
                    print(line.replace(f"{root}/", ""))
    if failed:
        sys.exit(f"tidy: {len(seen)} findings in {len(files)} sources")
    print(f"tidy: {len(files)} sources of {', '.join(options.folders)} pass")


if __name__ == "__main__":
    main()
