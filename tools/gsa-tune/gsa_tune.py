"""Finds the fastest schedules of a module's ops and records them.

    gsa-tune core.mlir --log search.jsonl --out tuned.jsonl
    gsa-tune --suite --log search.jsonl --out bench/tuned/sm_90a.jsonl
    gsa-tune --log search.jsonl --explain op=gsa.select,keys=65536

For each op with a schedule: of the legal schedules that gsa-explain lists the
ones that the model takes for the fastest are compiled in parallel processes;
those that use local memory or whose results differ from the default's are left
out, and the others take turns on the device, caches scrubbed before each run,
while successive halving drops the slower half. Times are of the op alone. What is
left is measured once more beside the default schedule. Whatever is faster there is
measured again in another process with other inputs, and only what is faster there
as well goes to --out, a database that the library and the tools take (--schedules).

With --log everything that was measured is kept, and a search that ended goes on
where it did: ops that the log has are not searched again.

Index inputs are those of a workload (runtime/core/workload.h) where the module has
the names of bench/gpu/modules.py. The shapes of the module are static.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
for place in (os.path.join(ROOT, "python"), os.path.join(ROOT, "bench/gpu"),
              HERE):
    sys.path.insert(0, place)
# What ./dev test puts there, if nothing else brings NumPy along.
sys.path.append(os.path.join(ROOT, "build/python-packages"))
import candidates  # noqa: E402
import modules  # noqa: E402
import records  # noqa: E402
import tuning  # noqa: E402

# A check has no rungs to save time in.
CHECK_ROUNDS = 21


def fail(message):
    sys.exit(f"gsa-tune: error: {message}")


class Tuner:
    """The searches of one process. `arguments` are those of parse_arguments,
    `session` has the device, `report(text)` shows progress."""

    def __init__(self, arguments, session, report):
        self.arguments, self.session, self.report = arguments, session, report
        self.target = candidates.Target(arguments.target, arguments.arch,
                                        arguments.threads)
        self.log = records.read_log(arguments.log)

    def open(self, op, ops, module, path, wanted):
        """(the device, the kernels of the candidates `wanted` under way)."""
        arguments = self.arguments
        kernels = candidates.Kernels(arguments.build, path, self.target,
                                     arguments.cache_dir, op,
                                     arguments.processes)
        kernels.begin(wanted)
        return self.session.device(module, kernels,
                                   candidates.zone_of(op, ops),
                                   op["op"] == "gsa.select"), kernels

    def tune(self, op, ops, module, path):
        """The tuning.Result of one op of `ops`, those of the module of that
        text and file. Unfit: the default cannot be measured."""
        tried = candidates.worth_trying(op, self.arguments.most)
        device, kernels = self.open(op, ops, module, path, tried)
        try:
            return tuning.search(
                op["schedule"], tried, device, time.monotonic,
                tuning.Settings(budget_s=self.arguments.budget),
                lambda done, text: self.report(done, f"{op['op']} {text}"))
        finally:
            kernels.end()

    def find(self, op):
        """The entry of the log for an op, if it has been searched."""
        arguments = self.arguments
        wanted = {"bench": "tune", "class": op["class"],
                  "default": op["schedule"], "device": self.session.name,
                  "workload": arguments.workload, "seed": arguments.seed}
        return next((entry for entry in reversed(self.log) if all(
            entry.get(name) == value for name, value in wanted.items())), None)

    def search(self, op, ops, module, path):
        """The log's entry for an op; None if there is no time for it."""
        if (known := self.find(op)) is not None:
            print(f"{op['op']}: in the log", flush=True)
            return known
        if time.monotonic() > self.arguments.end:
            print(f"{op['op']}: no time left", flush=True)
            return None
        begin = time.monotonic()
        try:
            result = self.tune(op, ops, module, path)
        except tuning.Unfit as error:
            fail(f"{op['op']} at {op['location']}: the default schedule: "
                 f"{error}")
        print(f"{op['op']}: default {result.default_us:.1f} us, best "
              f"{result.best_us:.1f} us, {len(result.times)} measured, "
              f"{len(result.unfit)} unfit, {time.monotonic() - begin:.1f} s: "
              f"{result.best or 'the default stays'}", flush=True)
        entry = self.entry("tune", op) | {
            "default": op["schedule"], "default_us": result.default_us,
            "best": result.best, "best_us": result.best_us,
            "ended_early": result.ended_early, "legal": len(op["legal"]),
            "candidates": ranked(op, result), "unfit": result.unfit}
        self.keep(entry)
        return entry

    def entry(self, bench, op):
        arguments = self.arguments
        return {"bench": bench, "class": op["class"],
                "device": self.session.name, "workload": arguments.workload,
                "seed": arguments.seed, "commit": modules.commit(),
                "with": self.session.version}

    def keep(self, entry):
        self.log.append(entry)
        records.append(self.arguments.log, entry)

    def check(self, op, ops, schedule, module, path):
        """The log's entry for a measurement, of its own, of a schedule beside
        the default."""
        both = [op["schedule"], schedule]
        device, kernels = self.open(op, ops, module, path, both)
        try:
            for each in both:
                device.compile(each)
            times = {each: [] for each in both}
            for number in range(CHECK_ROUNDS):
                turn = both if number % 2 else both[::-1]
                for each, us in device.measure(turn).items():
                    times[each].append(us)
        finally:
            kernels.end()
        default_us, us = (statistics.median(times[each]) for each in both)
        holds = us * (1 + tuning.Settings().margin) < default_us
        print(f"{op['op']}: checked: default {default_us:.1f} us, recorded "
              f"{us:.1f} us: {'holds' if holds else 'does not hold'}",
              flush=True)
        return self.entry("check", op) | {
            "schedule": schedule, "us": us, "default_us": default_us,
            "holds": holds}

    def check_records(self, op, ops, module, path):
        """Measures the record of the class of an op, if --check has one, and
        puts it into --out if it holds."""
        for known in records.read(self.arguments.check):
            if not records.is_of_class(known, op["class"]):
                continue
            try:
                entry = self.check(op, ops, known["schedule"], module, path)
            except tuning.Unfit as error:
                print(f"{op['op']}: checked: {error}: does not hold",
                      flush=True)
                continue
            self.keep(entry)
            if entry["holds"] and self.arguments.out:
                records.save(self.arguments.out, op["class"], records.record(
                    op["class"], known["schedule"], entry["us"],
                    entry["default_us"], self.session.name))

    def run(self, path):
        """Searches, or checks, the ops of a module. Returns what is to be
        checked: {class, schedule, ...} as records."""
        ops = candidates.explain(self.arguments.build, path, self.target)
        with open(path) as file:
            module = file.read()
        found = []
        for op in ops:
            if self.arguments.check:
                self.check_records(op, ops, module, path)
                continue
            entry = self.search(op, ops, module, path)
            if entry and entry["best"] and not self.is_checked(op, entry):
                found.append(records.record(
                    op["class"], entry["best"], entry["best_us"],
                    entry["default_us"], entry["device"]))
        return found

    def is_checked(self, op, entry):
        return any(other["bench"] == "check" and
                   other["class"] == op["class"] and
                   other["schedule"] == entry["best"] and
                   other["device"] == self.session.name for other in self.log)


def ranked(op, result):
    """What was measured, the fastest first, with what the model said."""
    predicted = {legal["schedule"]: legal["us"] for legal in op["legal"]}
    return [{"schedule": schedule, "us": us, "spread": result.spread[schedule],
             "predicted_us": predicted.get(schedule)}
            for schedule, us in sorted(result.times.items(),
                                       key=lambda item: item[1])]


class Progress:
    """A bar on a terminal, lines elsewhere; on standard error."""

    def __init__(self, stream=sys.stderr):
        self.stream, self.is_terminal = stream, stream.isatty()

    def __call__(self, done, text):
        if not self.is_terminal:
            print(f"{100 * done:3.0f} % {text}", file=self.stream, flush=True)
            return
        bar = "#" * round(20 * done)
        end = "\n" if done >= 1 else ""
        print(f"\r\x1b[K[{bar:20}] {100 * done:3.0f} % {text}", end=end,
              file=self.stream, flush=True)


def check_elsewhere(arguments, paths, found):
    """Measures the records `found` in a process of its own, with other inputs;
    what holds goes to --out."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("".join(line + "\n" for line in found))
        file.flush()
        command = [sys.executable, os.path.join(HERE, "gsa_tune.py"), *paths,
                   "--check", file.name, "--seed", str(arguments.seed + 1),
                   "--build", arguments.build, "--target", arguments.target,
                   "--workload", arguments.workload,
                   "--processes", str(arguments.processes),
                   "--cache-dir", arguments.cache_dir]
        if arguments.target == "cuda":
            command += ["--arch", arguments.arch]
        else:
            command += ["--threads", str(arguments.threads)]
        for name in ("out", "log"):
            if value := getattr(arguments, name):
                command += [f"--{name}", value]
        return subprocess.run(command).returncode


def add_arguments(parser, build):
    """Those of everything that searches."""
    parser.add_argument("--target", choices=["cuda", "cpu"], default="cuda",
                        help="a GPU, or this processor")
    parser.add_argument("--build", default=build,
                        help="folder with bin/ and lib/")
    parser.add_argument("--arch", help="of a GPU (default sm_90a)")
    parser.add_argument("--threads", type=int,
                        help="of the target cpu (default: available CPUs)")
    parser.add_argument("--budget", type=float, default=20.0,
                        help="seconds an op")
    parser.add_argument("--seconds", type=float, default=1e9,
                        help="after which no op is begun")
    parser.add_argument("--most", type=int, default=24,
                        help="candidates an op beside the default")
    parser.add_argument("--processes", type=int, default=os.cpu_count(),
                        help="that compile at a time")
    parser.add_argument("--workload", default="rho98",
                        help="of index inputs (runtime/core/workload.h)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    parser.add_argument("--cache-dir", dest="cache_dir",
                        help="of compiled code (default: a new one)")


def parse_arguments(build):
    parser = argparse.ArgumentParser(
        prog="gsa-tune", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="*",
                        help="files of modules, of static shapes")
    parser.add_argument("--suite", action="store_true",
                        help="the shapes whose schedules the program brings "
                        "along, in place of modules")
    parser.add_argument("--out", help="database of what holds")
    parser.add_argument("--log", help="file of all that was measured")
    parser.add_argument("--check", help="database whose records are measured, "
                        "and nothing searched")
    parser.add_argument("--explain", metavar="KEY", help="print what the log "
                        "says of classes of shapes, op=gsa.select,keys=65536")
    parser.add_argument("--merge", nargs="+", metavar="DATABASE",
                        help="write the records of databases to --out, of a "
                        "class the faster one")
    parser.add_argument("--export", action="store_true", help="write what the "
                        "log found and checked to --out")
    parser.add_argument("--picture", help="draw what the log measured against "
                        "what the model said (.svg, .png)")
    add_arguments(parser, build)
    arguments = parser.parse_args()
    complete(arguments)
    return parser, arguments


def complete(arguments):
    """Defaults that depend on other arguments."""
    if arguments.target == "cpu" and arguments.arch:
        fail("--arch has no effect: the target cpu has no kernels")
    if arguments.target == "cuda" and arguments.threads:
        fail("--threads has no effect: the target is cuda")
    arguments.arch = arguments.arch or "sm_90a"
    arguments.threads = arguments.threads or len(os.sched_getaffinity(0))
    if not arguments.build:
        arguments.build = os.path.join(ROOT, "build/dev")


def look_only(parser, arguments):
    """What needs no device; whether that was all."""
    if arguments.merge:
        if not arguments.out:
            parser.error("--merge: expected --out, where records go")
        count, lost = records.merge(arguments.merge, arguments.out)
        print(f"{count} records, {lost} of a class that has a faster one")
        return True
    if not (arguments.explain or arguments.export or arguments.picture):
        return False
    if not arguments.log or not os.path.exists(arguments.log):
        parser.error("expected --log, a file of what was measured")
    log = records.read_log(arguments.log)
    if arguments.explain:
        try:
            text = records.explain(log, arguments.explain)
        except ValueError as error:
            parser.error(f"--explain: {error}")
        if not text:
            fail(f"--explain: {arguments.log} has nothing of "
                 f"{arguments.explain}")
        print(text, end="")
    if arguments.export:
        if not arguments.out:
            parser.error("--export: expected --out, where records go")
        print(f"{records.export(log, arguments.out)} records")
    if arguments.picture:
        import picture
        picture.draw(log, arguments.picture)
    return True


def open_session(arguments):
    """The device; ends the process if there is none."""
    if arguments.target == "cuda":
        import gpu_device as device
    else:
        import cpu_device as device
    session = device.Session(arguments)
    arguments.end = time.monotonic() + arguments.seconds
    arguments.cache_dir = arguments.cache_dir or tempfile.mkdtemp()
    return session


def main(build=None):
    parser, arguments = parse_arguments(build)
    if look_only(parser, arguments):
        return 0
    if bool(arguments.modules) == arguments.suite:
        parser.error("expected either modules or --suite")
    with tempfile.TemporaryDirectory() as folder:
        paths = arguments.modules
        if arguments.suite:
            import suites
            paths = []
            for name, text in suites.of_target(arguments.target):
                paths.append(os.path.join(
                    folder, name.replace(" ", "-") + ".mlir"))
                with open(paths[-1], "w") as file:
                    file.write(text)
        tuner = Tuner(arguments, open_session(arguments), Progress())
        found = []
        for path in paths:
            print(os.path.basename(path), flush=True)
            found += tuner.run(path)
        if not found or not arguments.out:
            return 0
        return check_elsewhere(arguments, paths, found)


if __name__ == "__main__":
    sys.exit(main())
