#!/usr/bin/env python3
"""Runs clang-tidy 22 on the sources of some folders, with the checks of the
.clang-tidy files; any finding fails.

A finding in a header is printed once, whoever includes it. Precompiled headers
of the build folder are used if they are there.

test/tidy.json records the sources that passed, each with the hash of what its
findings follow from (tidy_record.py); a source that still has its hash is not
looked at again. --update writes those that pass into the record, --all looks at
every source, whatever is recorded. --seconds bounds the time: no source is begun
after it, and how many were left out is said. Sources without a record come first.

Usage: tidy.py <repository> <build folder> [--jobs N] [--seconds N] [--update]
               [--all] [<folder>...]
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
import time

import tidy_record

FINDING = re.compile(r'^(\S+?):(\d+):(\d+): (?:warning|error): (.*)$')
ARGUMENTS = ["--quiet", "--warnings-as-errors=*"]


def find_tool():
    """Path and version of clang-tidy."""
    for name in ("clang-tidy-22", "clang-tidy"):
        tool = shutil.which(name)
        if not tool:
            continue
        version = subprocess.run([tool, "--version"], capture_output=True,
                                 text=True).stdout
        if match := re.search(r"version (22\.\S+)", version):
            return tool, match[1]
    sys.exit("tidy: clang-tidy 22 is needed (package clang-tidy-22)")


def sources(root, build, folders):
    """Files of the compilation database below `folders`, sorted, and the entries
    of each."""
    database = json.loads((build / "compile_commands.json").read_text())
    prefixes = tuple(f"{(root / folder).resolve()}/" for folder in folders)
    commands = {}
    for entry in database:
        file = entry["file"]
        if (file.startswith(prefixes) and not file.startswith(f"{build}/") and
                pathlib.Path(file).is_file()):
            commands.setdefault(file, []).append(entry)
    return dict(sorted(commands.items()))


def check(tool, build, file, deadline):
    """None if the time is up."""
    if deadline is not None and time.monotonic() > deadline:
        return None
    result = subprocess.run([tool, "-p", str(build), *ARGUMENTS, file],
                            capture_output=True, text=True)
    return file, result.returncode, result.stdout, result.stderr


def show_findings(root, out, seen):
    """Prints each finding with the lines that explain it, once."""
    show = True
    for line in out.split("\n"):
        if FINDING.match(line):
            show = line not in seen
            seen.add(line)
        if show and line:
            print(line.replace(f"{root}/", ""))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float,
                        help="begin no source after this time")
    parser.add_argument("--update", action="store_true",
                        help="record the sources that pass")
    parser.add_argument("--all", action="store_true",
                        help="look at recorded sources too")
    parser.add_argument("folders", nargs="*")
    return parser.parse_intermixed_args()


def main():
    options = parse()
    root, build = options.root.resolve(), options.build.resolve()
    folders = options.folders or ["."]
    tool, version = find_tool()
    commands = sources(root, build, folders)
    if not commands:
        sys.exit(f"tidy: {build} compiles no file of {', '.join(folders)}")

    def hasher():
        return tidy_record.Hasher(root, build, [version, *ARGUMENTS])

    try:
        record = tidy_record.read(root)
    except ValueError as error:
        sys.exit(f"tidy: {error}")
    now = hasher()
    hashes = {file: now.hash(file, entries)
              for file, entries in commands.items()}

    def name(file):
        return str(pathlib.Path(file).relative_to(root))

    files = [file for file in commands if options.all or not hashes[file] or
             record.get(name(file)) != hashes[file]]
    files.sort(key=lambda file: name(file) in record)
    skipped = len(commands) - len(files)
    if skipped:
        print(f"tidy: skips {skipped} of {len(commands)} sources, which "
              f"{tidy_record.PATH} records as they are", flush=True)
    seen, failed, left_out = set(), 0, 0
    deadline = options.seconds and time.monotonic() + options.seconds
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(check, tool, build, file, deadline) for file in files]
        for task in tasks:
            if (result := task.result()) is None:
                left_out += 1
                continue
            file, code, out, err = result
            if options.update:
                record.pop(name(file), None)
                # What was changed meanwhile is not what was looked at.
                if (code == 0 and hashes[file] and
                        hasher().hash(file, commands[file]) == hashes[file]):
                    record[name(file)] = hashes[file]
                # Now, for a run that does not come to its end.
                tidy_record.write(root, record)
            if code == 0:
                continue
            failed += 1
            if not any(FINDING.match(line) for line in out.split("\n")):
                print(f"tidy: {file}: clang-tidy ends with {code}\n{out}{err}")
            show_findings(root, out, seen)
    if options.update:
        tidy_record.write(root, record)
    if failed:
        sys.exit(f"tidy: {len(seen)} findings in {len(files)} sources")
    if left_out:
        print(f"tidy: {left_out} sources were not looked at: "
              f"{options.seconds:g} s are over; ./dev tidy has no limit")
    left = [hashes[file] for file in commands
            if not hashes[file] or record.get(name(file)) != hashes[file]]
    hints = ""
    if new := sum(value is not None for value in left):
        hints += f"; {new} are not recorded, ./dev tidy --update does it"
    if unknown := left.count(None):
        hints += (f"; {unknown} cannot be recorded, since they include what a "
                  f"macro says")
    print(f"tidy: {len(commands) - left_out} sources of {', '.join(folders)} "
          f"pass{hints}")


if __name__ == "__main__":
    main()
