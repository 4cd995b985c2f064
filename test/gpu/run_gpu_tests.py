#!/usr/bin/env python3
"""All tests that need a GPU, as one command with one summary.

    python3 test/gpu/run_gpu_tests.py --binaries build/portable/bin \\
        --library build/portable/lib/libgsa.so \\
        --output bench/results/gpu_tests.json

Runs, from a folder of binaries (a build's bin folder, or a copy of it on a
machine without LLVM):

    selftest      every function of the device library (the target
                  device_selftest, where there is an nvcc)
    runtime       the CUDA runtime (cuda_device_test)
    differential  random modules against float64, over processes; one run of
                  each recipe is repeated and must give the same bits
    conformance   the conformance vector in f32
    streams       the hand-written kernels of test/streams
    one-pass      selection without scores in memory
    gradients     of attention by each schedule, of the indexer's loss, of gates,
                  and sums
    batches       rows do not depend on their batch or on chunks
    memcheck, initcheck, synccheck
                  small random modules under compute-sanitizer
    schedules     other schedules of one module, and few queries against a
                  cache, also in pages (needs torch)
    python        the Python package, its layer on torch and attention over
                  pages (needs torch)
    long          test/gpu/long_context.py, per length (needs torch)

A step without its program is skipped, and says so. The exit status is 0 if
nothing failed and nothing but the steps of --allow-skip was skipped.

The summary keeps a hash of the device headers, without comments and spacing,
that the binaries were built from. CI, which has no GPU, asks whether the
committed summary is one of the headers in the tree:

    python3 test/gpu/run_gpu_tests.py --check bench/results/gpu_tests.json
"""

import argparse
import concurrent.futures
import datetime
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "check"))
from device_headers import hash_headers  # noqa: E402

TOOLS = ["memcheck", "initcheck", "synccheck"]
# Differences between sanitizers: what initcheck looks for must stay as the
# driver gave it, see Session.cc.
TOOL_ENVIRONMENT = {"initcheck": {"GSA_LEAVE_UNINITIALIZED": "1"}}


# What a step says of the device, and the summary once.
ABOUT = ("device", "arch", "driver")


class Step:
    """What became of a step."""

    def __init__(self, name):
        self.name, self.status, self.details = name, "passed", {}
        self.start = time.monotonic()

    def skip(self, why):
        self.status, self.details = "skipped", {"reason": why}
        return self.end()

    def fail(self, why):
        self.status = "failed"
        self.details.setdefault("messages", []).append(why)

    def continues(self, earlier):
        """This ran only what failed in the run of entry `earlier`, where the
        rest of the step had passed."""
        kept = earlier["tests"]  # Of those that passed.
        self.details["tests"] = self.details.get("tests", 0) + kept
        self.details["kept"] = {"tests": kept, "commit": earlier["commit"]}

    def end(self):
        self.details["seconds"] = round(time.monotonic() - self.start, 1)
        print(f"{self.name:<14}{self.status:<9}"
              + " ".join(f"{k}={v}" for k, v in self.details.items()
                         if not isinstance(v, (list, dict))), flush=True)
        for message in self.details.get("messages", []):
            print("    " + message.replace("\n", "\n    "))
        return self

    def to_json(self):
        return {"step": self.name, "status": self.status, **self.details}


def tail(text, lines=25):
    return "\n".join(text.splitlines()[-lines:])


def run(command, seconds, environment=None):
    """Exit status (None: the time is up) and output."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds, env={**os.environ, **(environment or {})},
            errors="replace", check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        output = expired.stdout or b""
        if isinstance(output, bytes):
            output = output.decode(errors="replace")
        return None, output + f"\n(does not end within {seconds} s)"


def count_tests(path, step):
    """Adds the totals of gtest's report; returns how many tests failed."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    totals, failed = step.details, 0
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            if "failures" in test:
                failed += 1
                totals.setdefault("failed_tests", []).append(name)
                step.fail(f"{name}: "
                          + tail(test["failures"][0]["failure"], 12)[:1500])
            elif test["result"] == "SKIPPED":
                totals["skipped"] = totals.get("skipped", 0) + 1
            elif test["result"] == "COMPLETED":
                totals["tests"] = totals.get("tests", 0) + 1
    return failed


def merge_summary(path, total):
    """Adds a process's GSA_SUMMARY to `total`."""
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    if summary["cases"] + summary["repeats"] == 0:
        return
    for key, value in summary.items():
        if isinstance(value, int):
            total[key] = total.get(key, 0) + value
        elif key != "worst":
            total[key] = value
    worst = {(w["op"], w["dtype"], w["output"]): w
             for w in total.get("worst", [])}
    for entry in summary["worst"]:
        key = (entry["op"], entry["dtype"], entry["output"])
        known = worst.setdefault(key, entry)
        for number in ("relative_error", "share_of_bound"):
            known[number] = max(known[number], entry[number])
    total["worst"] = [worst[key] for key in sorted(worst)]


class Runner:
    def __init__(self, arguments, scratch, again):
        """`again`: entries by name of steps of which some tests failed in an
        earlier run; only these tests run."""
        self.arguments, self.scratch, self.again = arguments, scratch, again
        self.environment = {"GSA_COMMIT": arguments.commit,
                            "GSA_EXAMPLES_DIR": arguments.examples}
        self.number = 0

    def binary(self, name):
        path = os.path.join(self.arguments.binaries, name)
        return path if os.access(path, os.X_OK) else None

    def gtest(self, name, program, gtest_filter="*", shards=1, prefix=(),
              environment=None, seconds=900):
        """Runs a GoogleTest program over processes."""
        step = Step(name)
        binary = self.binary(program)
        if binary is None:
            return step.skip(f"no {program} in {self.arguments.binaries}")
        earlier = self.again.get(name)
        if earlier:
            gtest_filter = ":".join(earlier["failed_tests"])
            shards = min(shards, len(earlier["failed_tests"]))

        def run_shard(shard):
            stem = os.path.join(self.scratch, f"{name}-{shard}")
            status, output = run(
                [*prefix, binary, f"--gtest_filter={gtest_filter}",
                 f"--gtest_output=json:{stem}.tests"], seconds,
                {**self.environment, **(environment or {}),
                 "GTEST_TOTAL_SHARDS": str(shards),
                 "GTEST_SHARD_INDEX": str(shard),
                 "GSA_SUMMARY": f"{stem}.cases"})
            return stem, status, output

        summary = {}
        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            for stem, status, output in pool.map(run_shard, range(shards)):
                failed = 0
                if os.path.exists(stem + ".tests"):
                    failed = count_tests(stem + ".tests", step)
                if os.path.exists(stem + ".cases"):
                    merge_summary(stem + ".cases", summary)
                # 1 is gtest's word for the failures that are counted.
                if status != 0 and not (status == 1 and failed):
                    step.fail(f"exit status {status}\n{tail(output)}")
        if summary:
            worst = summary.pop("worst")
            step.details.update(summary, worst=worst)
        if step.status == "passed" and not step.details.get("tests"):
            return step.skip("the program skips all its tests: no GPU?")
        if earlier:
            step.continues(earlier)
        return step.end()

    def selftest(self):
        step = Step("selftest")
        binary = self.binary("device_selftest")
        if binary is None:
            return step.skip(f"no device_selftest in {self.arguments.binaries}")
        status, output = run([binary], 300)
        step.details["suites"] = output.count("\n")
        if status != 0:
            step.fail(f"exit status {status}\n{tail(output)}")
        return step.end()

    def sanitizer(self, tool):
        program = shutil.which(self.arguments.sanitizer)
        if program is None:
            return Step(tool).skip(f"no {self.arguments.sanitizer}")
        return self.gtest(
            tool, "device_differential_test", "*CudaSmall*",
            shards=max(1, self.arguments.shards // 4),
            # The runtime asks for a parameter behind the last one to learn how
            # many a kernel has; that refusal is no error.
            prefix=[program, f"--tool={tool}", "--error-exitcode=99",
                    "--report-api-errors=no", "--print-limit=3"],
            environment=TOOL_ENVIRONMENT.get(tool))

    def long_context(self, length):
        step = Step(f"long-{length}")
        library = self.arguments.library
        if not library or not os.path.exists(library):
            return step.skip(f"no library at '{library}'")
        if importlib.util.find_spec("torch") is None:
            return step.skip("this Python has no torch")
        status, output = run(
            [sys.executable,
             os.path.join(ROOT, "test", "gpu", "long_context.py"),
             "--library", library, "--length", str(length)], 900)
        step.details["output"] = output.strip().splitlines()[-4:]
        if status != 0:
            step.fail(f"exit status {status}\n{tail(output)}")
        return step.end()

    def schedules(self):
        step = Step("schedules")
        library = self.arguments.library
        if not library or not os.path.exists(library):
            return step.skip(f"no library at '{library}'")
        if importlib.util.find_spec("torch") is None:
            return step.skip("this Python has no torch")
        step.details["schedules"] = 0
        for script, *options in (["schedules.py"], ["dense_schedules.py"],
                                 ["short_rows.py"], ["decode.py"],
                                 ["paged.py", "--no-times"]):
            status, output = run(
                [sys.executable, os.path.join(ROOT, "test", "gpu", script),
                 "--library", library, *options], 300)
            step.details["schedules"] += (output.count("_schedule<") +
                                          output.count(" select "))
            if status != 0:
                step.fail(f"{script}: exit status {status}\n{tail(output)}")
        return step.end()

    def python(self):
        step, library = Step("python"), self.arguments.library
        if not library or not os.path.exists(library):
            return step.skip(f"no library at '{library}'")
        if importlib.util.find_spec("torch") is None:
            return step.skip("this Python has no torch")
        step.details["checks"] = 0
        for script in ("python_layer.py", "python_paged.py"):
            status, output = run(
                [sys.executable, os.path.join(ROOT, "test", "gpu", script),
                 "--library", library], 300)
            step.details["checks"] += ("\n" + output).count("\nok    ")
            if status != 0:
                step.fail(f"{script}: exit status {status}\n{tail(output)}")
        return step.end()

    def steps(self):
        differential = "device_differential_test"
        yield "selftest", self.selftest
        yield "runtime", lambda: self.gtest("runtime", "cuda_device_test")
        yield "differential", lambda: self.gtest(
            "differential", differential, "*CudaCases*:*CudaSplits*",
            self.arguments.shards)
        yield "conformance", lambda: self.gtest(
            "conformance", differential, "*DeviceConformance*/Cuda")
        yield "streams", lambda: self.gtest(
            "streams", differential, "Cuda/StreamKernels*", environment={
                "GSA_TEST_STREAMS": os.path.join(ROOT, "test", "streams")})
        yield "gradients", lambda: self.gtest(
            "gradients", differential,
            "*Gradients*/Cuda_*:Cuda/DeviceGradients*",
            self.arguments.shards)
        yield "batches", lambda: self.gtest(
            "batches", differential, "*Batches*/Cuda")
        for tool in TOOLS:
            yield tool, lambda tool=tool: self.sanitizer(tool)
        yield "schedules", self.schedules
        yield "python", self.python
        for length in self.arguments.lengths:
            yield f"long-{length}", lambda n=length: self.long_context(n)


def head_commit():
    status, output = run(["git", "-C", ROOT, "rev-parse", "HEAD"], 10)
    return output.strip() if status == 0 else ""


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
        without = ", ".join(summary.get("allowed", []))
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
    parser.add_argument("--library", default="", help="libgsa.so, for 'long'")
    parser.add_argument("--examples", default=os.path.join(ROOT, "examples"))
    parser.add_argument("--sanitizer", default="compute-sanitizer")
    parser.add_argument("--shards", type=int,
                        default=min(16, os.cpu_count() or 1))
    parser.add_argument("--together", type=int, default=3,
                        help="steps that run at the same time")
    parser.add_argument("--lengths", type=int, nargs="*",
                        default=[131072, 262144])
    parser.add_argument("--commit", default=None,
                        help="of the binaries; default: HEAD of this checkout")
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
    arguments = parser.parse_args()
    if arguments.commit is None:
        arguments.commit = head_commit()
    return arguments


def earlier_run(arguments):
    """Of an earlier run with the same headers: entries by name of the steps
    that passed, those of which only some tests failed, and what it says of the
    device."""
    if not arguments.resume or not os.path.exists(arguments.output):
        return {}, {}, {}
    with open(arguments.output, encoding="utf-8") as file:
        earlier = json.load(file)
    if earlier["device_headers"] != hash_headers(arguments.headers):
        return {}, {}, {}
    entries = {entry["step"]: {"commit": earlier["commit"], **entry}
               for entry in earlier["steps"]}
    return ({name: entry for name, entry in entries.items()
             if entry["status"] == "passed"},
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
    return {
        "date": datetime.datetime.now(datetime.timezone.utc)
                .strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": arguments.commit,
        "device_headers": hash_headers(arguments.headers), **about,
        "passed": not failed and not skipped,
        "failed": failed, "skipped": skipped,
        "allowed": [name for name in missing if name not in skipped],
        "steps": entries}


def main():
    arguments = parse_arguments()
    if arguments.check:
        return check(arguments.check, arguments.headers)
    steps, again, about = earlier_run(arguments)
    with (tempfile.TemporaryDirectory() as scratch,
          concurrent.futures.ThreadPoolExecutor(arguments.together) as pool):
        runner = Runner(arguments, scratch, again)
        # What an earlier run passed stays, also where --steps leaves it out.
        wanted = {name: action for name, action in runner.steps()
                  if arguments.steps is None or name in arguments.steps or
                  name in steps}
        running = {pool.submit(action): name
                   for name, action in wanted.items() if name not in steps}
        document = summarise(arguments, wanted, steps, about)
        # Written anew behind each step: a run that is cut off loses none.
        for done in concurrent.futures.as_completed(running):
            steps[running[done]] = {**done.result().to_json(),
                                    "commit": arguments.commit}
            document = summarise(arguments, wanted, steps, about)
            with open(arguments.output, "w", encoding="utf-8") as file:
                json.dump(document, file, indent=1)
                file.write("\n")
    failed, skipped = document["failed"], document["skipped"]
    print("PASSED" if document["passed"] else
          f"NOT PASSED: {len(failed)} failed {failed}, "
          f"{len(skipped)} skipped {skipped}")
    return not document["passed"]


if __name__ == "__main__":
    sys.exit(main())
