#!/usr/bin/env python3
"""Plants slips, one at a time, and tells which of them no test notices.

test/mutants/slips.json lists them: a file, a text that stands in it once, what is
written in its place, and the tests that should notice:

  unit:<executable>:<filter>   tests of one executable of test/unit
  lit:<path below test>        one file of the lit suite
  python:<name>                test/python/test_<name>.py
  gpu:<step>                   a step of test/gpu/run_gpu_tests.py

A slip is noticed if a test fails, which passes without it, or the code does not
compile. Slips are planted in a copy of the repository's last commit, a work tree of git
below build/mutants, which is built with the preset dev; only what the tests need is
built. With --in-place it is this tree and its build: its files are put back, also after
Ctrl-C.

test/mutants/results.json records those that were noticed (mutants_record.py); a slip
whose file and tests read as they did then is not planted again. --update writes what
is noticed into the record, --all plants every slip, whatever is recorded.

  mutants.py --check             only whether each slip can be planted (CTest)
  mutants.py                     all that are not recorded; hours for the whole list
  mutants.py --update --layer passes --only 14,15
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import mutants_record

LIST = "test/mutants/slips.json"
# What a lit test runs, unless its folder needs less.
LIT_TARGETS = {"dialect": ["gsa-opt"], "passes": ["gsa-opt", "gsa-translate"],
               "codegen": ["gsa-opt", "gsa-translate"]}
LIT_TARGETS_ELSE = ["gsa-opt", "gsa-translate", "gsa-run"]


def read_slips(root):
    return json.loads((root / LIST).read_text())


def find_errors(root, slips):
    """What keeps slips from being planted, in words."""
    for number, slip in enumerate(slips, 1):
        path = root / slip["file"]
        if not path.is_file():
            yield f"{number}: no file '{slip['file']}'"
            continue
        found = path.read_text().count(slip["old"])
        if found != 1:
            yield f"{number}: {slip['file']} has {found} times '{slip['old']}'"
        if slip["old"] == slip["new"]:
            yield f"{number}: nothing changes in {slip['file']}"
        if not slip["tests"]:
            yield f"{number}: no test for {slip['file']}"
        for test in slip["tests"]:
            if error := find_test_error(root, test):
                yield f"{number}: {error}"


def find_test_error(root, test):
    kind, _, name = test.partition(":")
    if kind == "lit":
        return None if (root / "test" / name).is_file() else f"no test/{name}"
    if kind == "python":
        file = f"test/python/test_{name}.py"
        return None if (root / file).is_file() else f"no {file}"
    if kind == "unit":
        executable = name.partition(":")[0]
        text = (root / "test/unit/CMakeLists.txt").read_text()
        return None if executable in text else f"no {executable} in test/unit"
    if kind == "gpu":
        text = (root / "test/gpu/steps.py").read_text()
        known = f'step("{name}"' in text or f'tests("{name}"' in text
        return None if known else f"no step {name} on a GPU"
    return f"expected unit:, lit:, python: or gpu:, got '{test}'"


class Tree:
    """Where slips are planted, and its build."""

    def __init__(self, root, build, lit):
        self.root, self.build, self.lit = root, build, lit

    @contextlib.contextmanager
    def planted(self, slip):
        path = self.root / slip["file"]
        text = path.read_text()
        try:
            path.write_text(text.replace(slip["old"], slip["new"]))
            yield
        finally:
            path.write_text(text)

    def run(self, command, log, **options):
        log.write(f"$ {' '.join(map(str, command))}\n")
        log.flush()
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT,
                              **options).returncode == 0

    def make(self, targets, log):
        return self.run(["cmake", "--build", self.build, "--target", *targets], log)

    def targets_of(self, test):
        kind, _, name = test.partition(":")
        if kind == "unit":
            return [name.partition(":")[0]]
        if kind == "lit":
            return LIT_TARGETS.get(name.partition("/")[0], LIT_TARGETS_ELSE)
        return ["gsa"] if kind == "python" else ["device_selftest"]

    def has_tests(self, test):
        """Whether the filter of an executable, if it is one, lets a test through, and
        a test of the Python package has the packages that it needs."""
        kind, _, name = test.partition(":")
        if kind == "python":
            listed = subprocess.run(
                ["ctest", "--test-dir", self.build, "-N", "-R", f"^python-{name}$"],
                capture_output=True, text=True)
            return "Total Tests: 1" in listed.stdout
        if kind != "unit":
            return True
        executable, _, filters = name.partition(":")
        return bool(subprocess.run(
            [self.build / "bin" / executable, "--gtest_list_tests",
             f"--gtest_filter={filters}"], capture_output=True,
            text=True).stdout.partition("\n")[2].strip())

    def passes(self, test, log):
        kind, _, name = test.partition(":")
        if kind == "unit":
            executable, _, filters = name.partition(":")
            return self.run([self.build / "bin" / executable,
                             f"--gtest_filter={filters}", "--gtest_brief=1",
                             "--gtest_fail_fast"], log, timeout=1800)
        if kind == "lit":
            return self.run([sys.executable, self.lit, "-sv",
                             self.build / "test" / name], log, timeout=1800)
        if kind == "python":
            return self.run(["ctest", "--test-dir", self.build, "-R",
                             f"^python-{name}$", "--output-on-failure"], log,
                            timeout=1800)
        return self.run([sys.executable, "test/gpu/run_gpu_tests.py", "--steps", name,
                         "--binaries", self.build / "bin"], log, cwd=self.root,
                        timeout=3600)


def find_fault(tree, test, log):
    """What is wrong with a test without a slip, and so would notice anything."""
    if not tree.make(tree.targets_of(test), log):
        return "its targets do not build without a slip"
    if not tree.has_tests(test):
        return "no test has such a name, or what it needs is not installed"
    return None if tree.passes(test, log) else "fails without a slip"


def judge(tree, slip, has_gpu, sound, log):
    """How the slip was noticed; None if it was not. `sound`: tests that are known to
    pass without a slip, added to; those that a slip needs not are not built."""
    tests = [test for test in slip["tests"]
             if has_gpu or not test.startswith("gpu:")]
    if not tests:
        return "needs a GPU"
    for test in tests:
        if test not in sound:
            if fault := find_fault(tree, test, log):
                sys.exit(f"mutants: {test}: {fault}")
            sound.add(test)
        with tree.planted(slip):
            if not tree.make(tree.targets_of(test), log):
                return "does not compile"
            try:
                if not tree.passes(test, log):
                    return test
            except subprocess.TimeoutExpired:
                return f"{test} (hangs)"
    return None


def make_tree(arguments):
    root = arguments.root.resolve()
    lit = arguments.lit or next(
        (path for path in ("/usr/lib/llvm-22/bin/lit", "/usr/bin/lit")
         if os.path.exists(path)), None)
    if lit is None:
        sys.exit("mutants: no lit found, expected one by --lit")
    if arguments.in_place:
        return Tree(root, (arguments.build or root / "build/dev").resolve(), lit)
    copy = root / "build/mutants"
    if not copy.exists():
        subprocess.run(["git", "-C", root, "worktree", "add", "--detach", copy],
                       check=True)
    subprocess.run(["git", "-C", copy, "checkout", "--quiet", "--force", "--detach",
                    subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], text=True,
                                   check=True, capture_output=True).stdout.strip()],
                   check=True)
    # What `./dev setup` has installed for the tests.
    (copy / "build").mkdir(exist_ok=True)
    for folder in ("python", "python-packages", "python-wheels",
                   "python-disassembler"):
        target, link = root / "build" / folder, copy / "build" / folder
        if target.exists() and not link.exists():
            link.symlink_to(target)
    subprocess.run(["cmake", "--preset", "dev"], cwd=copy, check=True,
                   stdout=subprocess.DEVNULL)
    return Tree(copy, copy / "build/dev", lit)


def choose(slips, arguments):
    only = {int(number) for number in arguments.only.split(",") if number}
    for number, slip in enumerate(slips, 1):
        if (not only or number in only) and arguments.layer in ("", slip["layer"]):
            yield number, slip


class Record:
    """What mutants_record.py keeps, for the slips of `root` as they are now."""

    def __init__(self, root, slips):
        self.root, self.slips = root, slips
        self.entries = mutants_record.read(root)

    def has(self, slip):
        entry = self.entries.get(mutants_record.key(slip))
        return bool(entry) and entry["hash"] == mutants_record.digest(self.root, slip)

    def put(self, slip, how, seconds, planted_root):
        """Writes it at once, for a run that does not come to its end."""
        self.entries.pop(mutants_record.key(slip), None)
        if how is not None:
            self.entries[mutants_record.key(slip)] = {
                **{name: slip[name] for name in ("file", "old", "new")},
                "noticed": how, "seconds": round(seconds),
                "hash": mutants_record.digest(planted_root, slip)}
        mutants_record.write(self.root, self.slips, self.entries)


def plant(chosen, tree, record, arguments):
    """Plants `chosen`, numbered slips, in turn; the exit status."""
    has_gpu = os.path.exists("/dev/nvidia0")
    survivors, skipped, sound = [], 0, set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("mutants: stopped"))
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.log, "w") as log:
        for number, slip in chosen:
            begin = time.monotonic()
            how = judge(tree, slip, has_gpu, sound, log)
            seconds = time.monotonic() - begin
            skipped += how == "needs a GPU"
            if how is None:
                survivors.append((number, slip))
            if arguments.update and how != "needs a GPU":
                record.put(slip, how, seconds, tree.root)
            print(f"{number:3} {slip['layer']:8} {how or 'SURVIVED':50} "
                  f"{seconds:5.0f} s", flush=True)
    for number, slip in survivors:
        print(f"survived: {number} {slip['file']}\n  - {slip['old']}\n"
              f"  + {slip['new']}")
    print(f"mutants: {len(chosen) - skipped} planted, {len(survivors)} survived, "
          f"{skipped} need a GPU")
    return 1 if survivors else 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true",
                        help="record the slips that are noticed")
    parser.add_argument("--all", action="store_true",
                        help="plant recorded slips too")
    parser.add_argument("--in-place", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, help="with --in-place")
    parser.add_argument("--only", default="", help="numbers of slips, from 1 on")
    parser.add_argument("--layer", default="")
    parser.add_argument("--lit", help="where lit is")
    parser.add_argument("--log", type=pathlib.Path,
                        default=pathlib.Path("build/mutants.log"))
    arguments = parser.parse_args()
    slips = read_slips(arguments.root)
    errors = list(find_errors(arguments.root, slips))
    for error in errors:
        print(f"mutants: {error}", file=sys.stderr)
    if errors:
        return 1
    try:
        record = Record(arguments.root, slips)
    except ValueError as error:
        sys.exit(f"mutants: {error}")
    if arguments.check:
        print(f"mutants: {len(slips)} slips can be planted; "
              f"{sum(map(record.has, slips))} are recorded as noticed")
        return 0
    chosen = list(choose(slips, arguments))
    if not chosen:
        print("mutants: no slip of these numbers and this layer", file=sys.stderr)
        return 1
    if not arguments.all:
        known = [slip for _, slip in chosen if record.has(slip)]
        if known:
            print(f"mutants: skips {len(known)} of {len(chosen)} slips, which "
                  f"{mutants_record.PATH} records as noticed", flush=True)
        chosen = [(number, slip) for number, slip in chosen if slip not in known]
        if not chosen:
            return 0
    return plant(chosen, make_tree(arguments), record, arguments)


if __name__ == "__main__":
    sys.exit(main())
