#!/usr/bin/env python3
"""All tests that need a GPU, as one command with one summary.

    python3 test/gpu/run_gpu_tests.py --binaries build/portable/bin \\
        --library build/portable/lib/libgsa.so \\
        --output bench/results/gpu_tests.json

Runs, from a folder of binaries (a build's bin folder, or a copy of it on a
machine without LLVM):

    differential-1 to -3
                  random modules against float64, over processes: each again
                  with NaN in every byte that it must not read, and one run of
                  each recipe 20 times for the same bits
    racecheck, memcheck, initcheck, synccheck
                  small random modules and the kernels of test/streams under
                  compute-sanitizer; findings of racecheck that
                  racecheck_findings.json explains do not count
    schedules     other schedules of one module, and few queries against a
                  cache, also in pages (needs torch)
    one-pass      selection without scores in memory
    split-unions  attention of two warpgroups that share keys
    batches       rows do not depend on their batch, on its order, on padding or
                  on chunks
    capacities    sizes at, one below and one above what each buffer holds
    gradients     of attention by each schedule, of the indexer's loss, of gates,
                  and sums
    selftest      every function of the device library (the target
                  device_selftest, where there is an nvcc)
    runtime       the CUDA runtime (cuda_device_test)
    conformance   the conformance vector in f32
    streams       the hand-written kernels of test/streams
    python        the Python package, its layer on torch and attention over
                  pages (needs torch)
    python-hf     models of transformers generate as they prefill (needs
                  transformers)
    python-wheel  the wheel --wheel in a fresh environment, the toolkit hidden
                  (needs torch)
    repeats       1000 launches of each schedule beside other work on the device
                  (needs torch)
    devices       the same bits on every device, and as the record --bits says
                  (needs torch)
    large         more than 2^31 elements, offsets above 4 GiB (needs torch)
    long-...      test/gpu/long_context.py, per length (needs torch)
    endurance     10^5 runs and many plans without growth of memory (needs
                  torch); by itself, when the others are done

A step without its program is skipped, and says so. The summary ends with figures
(figures.py): what was reached, and what has to be. The exit status is 0 if nothing
failed, no figure was missed and nothing but the steps of --allow-skip was skipped.

The summary is written anew behind each step, and --resume leaves out what has
passed. With --seconds 560 a machine that is given for ten minutes at a time does in
these what it can: a step begins if the committed summary says that it will end, and
the next time does the rest.
Findings of racecheck stay in the summary, so that --resume --steps racecheck judges
them by the present table, on any machine.

The summary keeps a hash of the device headers, without comments and spacing,
that the binaries were built from. CI, which has no GPU, asks whether the
committed summary is one of the headers in the tree:

    python3 test/gpu/run_gpu_tests.py --check bench/results/gpu_tests.json

It also asks whether each test for a GPU belongs to a step:

    python3 test/gpu/run_gpu_tests.py --left-out --binaries build/dev/bin
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import sys
import tempfile

import figures
import steps as gpu_steps
from steps import ROOT

sys.path.insert(0, os.path.join(ROOT, "tools", "check"))
from device_headers import hash_headers  # noqa: E402

# What a step says of the device, and the summary once.
ABOUT = ("device", "arch", "driver")


def head_commit():
    status, output = gpu_steps.run(["git", "-C", ROOT, "rev-parse", "HEAD"], 10)
    return output.strip() if status == 0 else ""


def step_names():
    """Of all steps but those whose names depend on arguments."""
    arguments = argparse.Namespace(
        commit="", examples="", shards=1, lengths=[], bits="", binaries="",
        seconds=0)
    return [name for name, _ in gpu_steps.Steps(arguments, "", {}).all()]


def check(path, headers):
    """0 if the summary at `path` is of passed tests of these headers."""
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    got, want = summary.get("device_headers"), hash_headers(headers)
    if not summary.get("passed"):
        print(f"{path}: the GPU tests did not pass: failed "
              f"{summary.get('failed')}, skipped {summary.get('skipped')}")
    elif got != want:
        print(f"{path}: the GPU tests ran with device headers {got}, the tree "
              f"has {want}\nrun them again on a GPU and commit the summary: "
              f"python3 test/gpu/run_gpu_tests.py --output {path}")
    else:
        # Steps that are younger than the summary are among them.
        ran = {entry["step"] for entry in summary["steps"]
               if entry["status"] == "passed"}
        without = ", ".join(sorted(set(step_names()) - ran))
        print(f"{path}: the GPU tests of these device headers passed on "
              f"{summary.get('device')}" +
              (f", without {without}" if without else ""))
        return 0
    return 1


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binaries",
                        default=os.path.join(ROOT, "build", "portable", "bin"))
    parser.add_argument("--library", default="",
                        help="libgsa.so, for what needs torch")
    parser.add_argument("--wheel", default="",
                        help="wheel of the Python package, for python-wheel")
    parser.add_argument("--bits", default=os.path.join(
        ROOT, "bench", "results", "gpu_bits.json"),
                        help="record of bits that devices have given")
    parser.add_argument("--keep-kernels", default="",
                        help="folder for the kernels that racecheck saw")
    parser.add_argument("--examples", default=os.path.join(ROOT, "examples"))
    parser.add_argument("--sanitizer", default="compute-sanitizer")
    parser.add_argument("--shards", type=int,
                        default=min(16, os.cpu_count() or 1),
                        help="processes of the steps that use the most")
    parser.add_argument("--together", type=int, default=4,
                        help="steps that run at the same time")
    parser.add_argument("--lengths", type=int, nargs="*",
                        default=[131072, 262144])
    parser.add_argument("--commit", default=None,
                        help="of the binaries; default: HEAD of this checkout")
    parser.add_argument("--seconds", type=float, default=1e9,
                        help="how long this run may take")
    parser.add_argument("--steps", nargs="*", help="only these")
    parser.add_argument("--allow-skip", nargs="*", default=[])
    parser.add_argument("--resume", action="store_true",
                        help="leave out what passed in --output before, with "
                             "these headers; each step keeps its commit")
    parser.add_argument("--output", default="gpu_tests.json")
    parser.add_argument("--headers",
                        default=os.path.join(ROOT, "codegen", "device",
                                             "include"),
                        help="device headers of the binaries")
    parser.add_argument("--check", metavar="SUMMARY",
                        help="run nothing: compare a summary with --headers")
    parser.add_argument("--left-out", action="store_true",
                        help="run nothing: list tests of no step")
    arguments = parser.parse_args()
    if arguments.commit is None:
        arguments.commit = head_commit()
    return arguments


def judged_again(entry):
    """The entry of racecheck as the present table has it, if nothing but findings
    failed it."""
    if "findings" not in entry or not all(
            message.startswith("unexplained") for message in
            entry.get("messages", [])):
        return entry
    step = gpu_steps.Step(entry["step"])
    step.details = {key: value for key, value in entry.items()
                    if key not in ("messages", "status", "step")}
    gpu_steps.judge_races(step)
    return step.to_json()


def earlier_run(arguments):
    """Of an earlier run with the same headers: entries by name of all steps, of
    those of which only some tests failed, and what it says of the device."""
    if not arguments.resume or not os.path.exists(arguments.output):
        return {}, {}, {}
    with open(arguments.output, encoding="utf-8") as file:
        earlier = json.load(file)
    if earlier["device_headers"] != hash_headers(arguments.headers):
        return {}, {}, {}
    entries = {entry["step"]: {"commit": earlier["commit"], **entry}
               for entry in map(judged_again, earlier["steps"])}
    return (entries,
            {name: entry for name, entry in entries.items()
             # Each message is of a test: no process died.
             if entry["status"] == "failed" and "kept" not in entry and
             len(entry["messages"]) == len(entry.get("failed_tests", []))},
            {key: earlier[key] for key in ABOUT if key in earlier})


def summarise(arguments, names, steps, about):
    """The summary of steps `names`, of which `steps`, entries by name, have
    ended; `about` the device."""
    entries, about = [], dict(about)
    for name in names:
        entry = steps.get(name, {"step": name, "status": "unfinished"})
        entries.append({key: value for key, value in entry.items()
                        if key not in ABOUT})
        about.update({key: entry[key] for key in ABOUT if key in entry})
    failed = [e["step"] for e in entries if e["status"] == "failed"]
    missing = [e["step"] for e in entries
               if e["status"] in ("skipped", "unfinished")]
    skipped = [name for name in missing if name not in arguments.allow_skip]
    reached = figures.summarise(entries)
    missed = [row["figure"] for row in reached if row["met"] is False]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc)
                .strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": arguments.commit,
        "device_headers": hash_headers(arguments.headers), **about,
        "passed": not failed and not skipped and not missed,
        "failed": failed, "skipped": skipped, "missed": missed,
        "allowed": [name for name in missing if name not in skipped],
        "figures": reached, "steps": entries}


def expected_seconds():
    """By step, of the committed summary."""
    path = os.path.join(ROOT, "bench", "results", "gpu_tests.json")
    with open(path, encoding="utf-8") as file:
        return {entry["step"]: entry.get("seconds", 0)
                for entry in json.load(file)["steps"]}


class Run:
    """Runs steps and writes the summary behind each of them."""

    def __init__(self, arguments, names, actions, steps, about, left):
        """`names` are those of the summary, `steps` entries by name of an earlier
        run. `left()` is how many seconds there are."""
        self.arguments, self.names, self.left = arguments, names, left
        self.actions, self.steps, self.about = actions, steps, about
        self.expected = expected_seconds()
        self.document = summarise(arguments, names, steps, about)

    def start(self, name):
        """What became of a step; None if there is no time for it."""
        if self.left() < self.expected.get(name, gpu_steps.UNKNOWN):
            print(f"{name:<16}left for another run\n", end="", flush=True)
            return None
        return self.actions[name]()

    def run(self, names, together):
        with concurrent.futures.ThreadPoolExecutor(together) as pool:
            running = {pool.submit(self.start, name): name for name in names}
            for done in concurrent.futures.as_completed(running):
                step = done.result()
                if step is None:
                    continue
                self.steps[running[done]] = {**step.to_json(),
                                             "commit": self.arguments.commit}
                self.write()

    def write(self):
        # A run that is cut off loses none.
        self.document = summarise(self.arguments, self.names, self.steps,
                                  self.about)
        with open(self.arguments.output, "w", encoding="utf-8") as file:
            json.dump(self.document, file, indent=1)
            file.write("\n")


def main():
    arguments = parse_arguments()
    if arguments.check:
        return check(arguments.check, arguments.headers)
    if arguments.left_out:
        left_out = gpu_steps.find_left_out(os.path.join(
            arguments.binaries, gpu_steps.DIFFERENTIAL))
        for name in left_out:
            print(f"in no step: {name}")
        return bool(left_out)
    steps, again, about = earlier_run(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        all_steps = gpu_steps.Steps(arguments, scratch, again)
        actions = dict(all_steps.all())
        passed = {name for name, entry in steps.items()
                  if entry["status"] == "passed"}
        left = [name for name in actions if name not in passed and
                (arguments.steps is None or name in arguments.steps)]
        # What an earlier run says stays, also where --steps leaves it out.
        names = [name for name in actions if name in steps or name in left]
        run = Run(arguments, names, actions, steps, about, all_steps.left)
        run.run([name for name in left if name not in gpu_steps.ALONE],
                arguments.together)
        run.run([name for name in left if name in gpu_steps.ALONE], 1)
        run.write()
    failed, skipped, missed = (run.document[key] for key in
                               ("failed", "skipped", "missed"))
    for row in run.document["figures"]:
        print(figures.describe(row))
    print("PASSED" if run.document["passed"] else
          f"NOT PASSED: {len(failed)} failed {failed}, "
          f"{len(skipped)} skipped {skipped}, {len(missed)} missed {missed}")
    return not run.document["passed"]


if __name__ == "__main__":
    sys.exit(main())
