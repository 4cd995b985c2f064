#!/usr/bin/env python3
"""Runs the fuzz targets of a build with the preset `fuzz`, two at a time.

    python3 tools/check/fuzz.py <repository> <build> [--seconds N] [target...]

Each target runs for N seconds, 60 if nothing else is said, from what is committed in
test/fuzz/corpus/<target> and from what earlier runs found. Inputs that reach more go
to <build>/corpus/<target>, those that fail to <build>/findings, beside them what the
target printed. Prints a line for each target and ends with exit code 1 at a finding.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

TOGETHER = 2
# The longest input, in bytes: room for several of what a target reads, and no more,
# since long inputs are slow ones.
MOST_BYTES = {"capi": 512, "layer": 512, "module": 8192, "pack": 8192,
              "object": 8192, "schedule": 1024}
USUAL_BYTES = 4096
# Words that inputs consist of are in <target>.dict, or in another target's.
WORDS = {"passes": "module"}
# Seconds that one input may take under sanitizers on a busy machine. What is slower
# is a finding, as is more memory than MOST_MIB.
MOST_SECONDS = 30
MOST_MIB = 3072


def targets_of(root):
    return sorted(path.stem[len("fuzz_"):] for path in
                  (root / "test/fuzz").glob("fuzz_*.cc"))


def command_of(root, build, target, seconds):
    own = build / "corpus" / target
    own.mkdir(parents=True, exist_ok=True)
    command = [
        str(build / "bin" / f"fuzz_{target}"), f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES.get(target, USUAL_BYTES)}",
        f"-timeout={MOST_SECONDS}", f"-rss_limit_mb={MOST_MIB}",
        f"-artifact_prefix={build / 'findings'}/{target}-",
        "-print_final_stats=1"]
    words = root / "test/fuzz" / f"{WORDS.get(target, target)}.dict"
    if words.exists():
        command.append(f"-dict={words}")
    return command + [str(own), str(root / "test/fuzz/corpus" / target)]


def last(pattern, text):
    found = re.findall(pattern, text)
    return found[-1] if found else "0"


def run(root, build, target, seconds):
    """Whether the target found nothing; prints its line."""
    environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1")
    log = build / "findings" / f"{target}.log"
    with open(log, "wb") as file:
        code = subprocess.run(command_of(root, build, target, seconds), stdout=file,
                              stderr=subprocess.STDOUT, env=environment,
                              check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    runs = int(last(r"stat::number_of_executed_units:\s*(\d+)", text))
    edges = int(last(r"\bcov: (\d+)", text))
    inputs = re.findall(r"Test unit written to (\S+)", text)
    line = f"{target:12} {runs:>10} executions, coverage {edges:>6}, "
    if code == 0:
        log.unlink()
        line += "no finding"
    else:
        line += f"FINDING: {' '.join(inputs) or f'exit code {code}'}, see {log}"
    print(line, flush=True)
    return code == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_intermixed_args()
    known = targets_of(args.root)
    for name in args.targets:
        if name not in known:
            sys.exit(f"target: expected one of {', '.join(known)}, got '{name}'")
    if args.seconds < 1:
        sys.exit(f"--seconds: expected 1 or more, got {args.seconds}")
    (args.build / "findings").mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        passed = list(pool.map(
            lambda target: run(args.root, args.build, target, args.seconds),
            args.targets or known))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
