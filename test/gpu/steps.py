"""Steps of the GPU tests: what each runs, and what became of it.

    steps = Steps(arguments, scratch, again)
    for name, action in steps.all(): step = action(); step.to_json()

run_gpu_tests.py says what the steps are.
"""

import concurrent.futures
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time

import figures
import racecheck

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Differences between sanitizers: what initcheck looks for must stay as the
# driver gave it, see Session.cc.
TOOL_ENVIRONMENT = {"initcheck": {"GSA_LEAVE_UNINITIALIZED": "1"}}
# Tests of device_differential_test by step. Those under a sanitizer are small
# modules of every family of schedules, and the kernels of test/streams.
DIFFERENTIAL = "device_differential_test"
SANITIZED = "*CudaSmall*:Cuda/StreamKernels*"
FILTERS = {"differential": "*CudaCases*:*CudaSplits*",
           "one-pass": "Targets/OnePass*/Cuda_*",
           "split-unions": "Targets/SplitUnions*/Cuda_*",
           "batches": "*Batches*/Cuda",
           "capacities": "Cuda/Capacities*",
           "gradients": "*Gradients*/Cuda_*:Cuda/DeviceGradients*",
           "conformance": "*DeviceConformance*/Cuda",
           "streams": "Cuda/StreamKernels*"}
# Runs only for seeds that the environment names.
CHOSEN = "Seeds/CudaChosen*"
# Parts of the random cases, each of which ends well within ten minutes: a run
# that is cut off loses one of them.
PARTS = 3
# Seconds that a step is taken to need where no summary says it.
UNKNOWN = 90
# A script that ends so had nothing to do, and its last line says why.
SKIPPED = 77
# Steps that measure what others would disturb: they run by themselves, last.
ALONE = ("endurance",)


class Step:
    """What became of a step."""

    def __init__(self, name):
        self.name, self.status, self.details = name, "passed", {}
        self.start = time.monotonic()

    def skip(self, why):
        self.status, self.details = "skipped", {"reason": why}
        return self

    def fail(self, why):
        self.status = "failed"
        self.details.setdefault("messages", []).append(why)

    def add_figures(self, values):
        if values:
            figures.add(self.details.setdefault("figures", {}), values)

    def continues(self, earlier):
        """This ran only what failed in the run of entry `earlier`, where the
        rest of the step had passed."""
        kept = earlier["tests"]  # Of those that passed.
        self.details["tests"] = self.details.get("tests", 0) + kept
        self.details["kept"] = {"tests": kept, "commit": earlier["commit"]}
        # What a test had counted before it failed is among them.
        self.add_figures(earlier.get("figures"))

    def end(self):
        self.details["seconds"] = round(time.monotonic() - self.start, 1)
        print(f"{self.name:<16}{self.status:<9}"
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


def merge_summary(path, total, step):
    """Adds a process's GSA_SUMMARY to `total`, and its figures to the step's."""
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    step.add_figures(summary.pop("figures", {}))
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


class Steps:
    def __init__(self, arguments, scratch, again):
        """`again`: entries by name of steps of which some tests failed in an
        earlier run; only these tests run."""
        self.arguments, self.scratch, self.again = arguments, scratch, again
        self.environment = {"GSA_COMMIT": arguments.commit,
                            "GSA_EXAMPLES_DIR": arguments.examples}
        # Of the sanitizers, which run the same modules: NVRTC compiles them
        # once, and what it made can be read.
        self.kernels = os.path.join(scratch, "kernels")
        # When the machine goes back, by time.monotonic().
        self.end = time.monotonic() + arguments.seconds

    def left(self):
        """Seconds until the machine goes back."""
        return max(1, self.end - time.monotonic())

    def binary(self, name):
        path = os.path.join(self.arguments.binaries, name)
        return path if os.access(path, os.X_OK) else None

    def gtest(self, name, program, gtest_filter="*", shards=1, prefix=(),
              environment=None, seconds=900, part=(0, 1), read_log=None):
        """Runs a GoogleTest program over processes. `part` is (index, number) of
        the tests that run; `read_log` gets (step, output) of each process."""
        step = Step(name)
        binary = self.binary(program)
        if binary is None:
            return step.skip(f"no {program} in {self.arguments.binaries}")
        earlier = self.again.get(name)
        if earlier:
            gtest_filter = ":".join(earlier["failed_tests"])
            shards, part = min(shards, len(earlier["failed_tests"])), (0, 1)
        index, parts = part

        def run_shard(shard):
            stem = os.path.join(self.scratch, f"{name}-{shard}")
            status, output = run(
                [*prefix, binary, f"--gtest_filter={gtest_filter}",
                 f"--gtest_output=json:{stem}.tests"],
                min(seconds, self.left()),
                {**self.environment, **(environment or {}),
                 "GTEST_TOTAL_SHARDS": str(shards * parts),
                 "GTEST_SHARD_INDEX": str(index + shard * parts),
                 "GSA_SUMMARY": f"{stem}.cases"})
            return stem, status, output

        summary = {}
        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            for stem, status, output in pool.map(run_shard, range(shards)):
                failed = 0
                if os.path.exists(stem + ".tests"):
                    failed = count_tests(stem + ".tests", step)
                if os.path.exists(stem + ".cases"):
                    merge_summary(stem + ".cases", summary, step)
                if read_log:
                    read_log(step, output)
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
        return step

    def selftest(self):
        step = Step("selftest")
        binary = self.binary("device_selftest")
        if binary is None:
            return step.skip(f"no device_selftest in {self.arguments.binaries}")
        status, output = run([binary], 300)
        step.details["suites"] = output.count("\n")
        if status != 0:
            step.fail(f"exit status {status}\n{tail(output)}")
        return step

    def sanitizer(self, tool, options=(), read_log=None):
        program = shutil.which(self.arguments.sanitizer)
        if program is None:
            return Step(tool).skip(f"no {self.arguments.sanitizer}")
        return self.gtest(
            tool, DIFFERENTIAL, SANITIZED,
            shards=max(1, self.arguments.shards // 2),
            # The runtime asks for a parameter behind the last one to learn how
            # many a kernel has; that refusal is no error.
            prefix=[program, f"--tool={tool}", "--report-api-errors=no",
                    *options],
            environment={"GSA_TEST_CACHE": self.kernels, **self.streams(),
                         **TOOL_ENVIRONMENT.get(tool, {})},
            read_log=read_log)

    def checked(self, tool):
        return self.sanitizer(tool, ["--error-exitcode=99", "--print-limit=3"])

    def racecheck(self):
        """Findings do not end the program, since some are explained."""
        found = []

        def read_log(step, output):
            findings, reports = racecheck.read_log(output)
            found.extend(findings)
            if reports is None or reports != racecheck.count_reports(output):
                step.fail(f"the tool says {reports} reports, its output has "
                          f"{racecheck.count_reports(output)}\n{tail(output)}")

        step = self.sanitizer("racecheck", ["--print-limit=1000000"], read_log)
        if step.status == "skipped":
            return step
        if self.arguments.keep_kernels and os.path.isdir(self.kernels):
            shutil.copytree(self.kernels, self.arguments.keep_kernels,
                            dirs_exist_ok=True)
        step.details["findings"] = racecheck.collect(
            found, racecheck.disassemble(self.kernels))
        judge_races(step)
        return step

    def streams(self):
        return {"GSA_TEST_STREAMS": os.path.join(ROOT, "test", "streams")}

    def script(self, step, name, *options, seconds=300):
        """Runs a script of this folder on the library: its output, or None where
        it had nothing to do. Figures and failures go to the step."""
        status, output = run(
            [sys.executable, os.path.join(HERE, name), "--library",
             self.arguments.library, *options], min(seconds, self.left()),
            self.environment)
        step.add_figures(figures.read_lines(output))
        if status == SKIPPED:
            return None
        if status != 0:
            step.fail(f"{name}: exit status {status}\n{tail(output)}")
        return output

    def needs_torch(self, name):
        """A step of scripts, skipped where these cannot run."""
        step, library = Step(name), self.arguments.library
        if not library or not os.path.exists(library):
            return step.skip(f"no library at '{library}'")
        if importlib.util.find_spec("torch") is None:
            return step.skip("this Python has no torch")
        return step

    def scripts(self, name, *scripts, count=None, seconds=300):
        """A step of scripts, each (file, option...); `count` is (what the step
        says, a text that each one of it has in the output)."""
        step = self.needs_torch(name)
        if step.status == "skipped":
            return step
        for script, *options in scripts:
            output = self.script(step, script, *options, seconds=seconds)
            if output is None:
                return step.skip(f"{script} finds nothing to do here")
            if count:
                what, *texts = count
                step.details[what] = step.details.get(what, 0) + sum(
                    ("\n" + output).count(text) for text in texts)
            else:
                step.details["output"] = output.strip().splitlines()[-4:]
        return step

    def all(self):
        """(name, action) of each step. The longest begin first; the others fill
        what is left of the time."""
        shards = self.arguments.shards
        checks = ("checks", "\nok    ")

        def step(name, action, *arguments, **options):
            return name, lambda: action(*arguments, **options).end()

        def random_cases(part):
            name = f"differential-{part}"
            return step(name, self.gtest, name, DIFFERENTIAL,
                        FILTERS["differential"], shards, part=(part - 1, PARTS))

        def tests(name, processes, **options):
            return step(name, self.gtest, name, DIFFERENTIAL, FILTERS[name],
                        processes, **options)

        few = max(1, shards // 4)
        # Each part with steps that leave it processors.
        yield random_cases(1)
        yield step("racecheck", self.racecheck)
        yield step("schedules", self.scripts, "schedules", ["schedules.py"],
                   ["dense_schedules.py"], ["short_rows.py"], ["decode.py"],
                   ["paged.py", "--no-times"],
                   count=("schedules", "_schedule<", " select "))
        yield random_cases(2)
        yield tests("one-pass", few)
        yield tests("split-unions", few)
        yield tests("batches", few)
        yield tests("capacities", few)
        yield random_cases(3)
        for tool in ("memcheck", "initcheck", "synccheck"):
            yield step(tool, self.checked, tool)
        yield tests("gradients", shards)
        yield step("selftest", self.selftest)
        yield step("runtime", self.gtest, "runtime", "cuda_device_test")
        yield tests("conformance", 1)
        yield tests("streams", 1, environment=self.streams())
        yield step("python", self.scripts, "python", ["python_layer.py"],
                   ["python_paged.py"], count=checks)
        yield step("python-hf", self.scripts, "python-hf", ["python_hf.py"],
                   count=checks)
        yield step("python-wheel", self.wheel, checks)
        yield step("repeats", self.scripts, "repeats", ["repeats.py"],
                   count=checks)
        yield step("devices", self.scripts, "devices",
                   ["devices.py", "--record", self.arguments.bits], count=checks)
        yield step("large", self.scripts, "large", ["large.py"], count=checks)
        for length in self.arguments.lengths:
            name = f"long-{length}"
            yield step(name, self.scripts, name,
                       ["long_context.py", "--length", str(length)])
        yield step("endurance", self.scripts, "endurance", ["endurance.py"],
                   count=checks)

    def wheel(self, count):
        wheel = self.arguments.wheel
        if not wheel:
            return Step("python-wheel").skip("no --wheel")
        return self.scripts("python-wheel", ["python_wheel.py", "--wheel", wheel],
                            count=count)


def find_left_out(binary):
    """Names of the program's tests for a GPU that no step runs."""
    of_steps = ":".join([SANITIZED, CHOSEN, *FILTERS.values()])
    status, output = run([binary, "--gtest_list_tests",
                          f"--gtest_filter=*Cuda*-{of_steps}"], 60)
    if status != 0:
        raise RuntimeError(f"{binary}: exit status {status}\n{tail(output)}")
    return [line.split("#")[0].strip() for line in output.splitlines()
            if line.startswith("  ")]


def judge_races(step):
    """Fails for the findings of a step that nothing explains."""
    details = step.details
    table = racecheck.read_table()
    unexplained, unused = racecheck.judge(details["findings"], table)
    details["explained"] = len(details["findings"]) - len(unexplained)
    details["explains_nothing"] = [entry["opcodes"] for entry in unused]
    for group in unexplained:
        step.fail("unexplained: " + racecheck.describe(group))
