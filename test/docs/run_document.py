#!/usr/bin/env python3
"""Runs the commands that a document prints, as printed.

    python3 test/docs/run_document.py README.md --build build/dev

A command stands in a block fenced as ```sh. The blocks of one document are one
session: they run in order in one shell that starts at the root of the
repository and ends at the first command that fails. What the words after `sh`
say:

    sh            runs, and must succeed
    sh fails=N    its last command must end with exit code N
    sh gpu        needs a GPU. Without one our tools must say that there is no
                  device (exit code 4), and of scripts only the options are
                  looked up in their text
    sh needs=M    needs the Python module M, where ./dev test puts modules or
                  installed. Without it options of scripts are looked up

A block fenced as ```text output, after an `sh` block, shows what that block
prints. Each of its lines must appear in the real output, in this order. "..."
stands for anything, and numbers may differ, but not after ```text output exact.

Commands that a test cannot run are in NOT_RUN with their reasons. A command in
any other block, or in an indented one, is an error: nobody would run it.

The session sees the repository through links in a folder of its own, so that
files which a command writes go there.
"""

import argparse
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import document_blocks

# What begins a line that is a command.
COMMAND = re.compile(
    r"^(\$ )?(\./dev|build/\S+|gsa-\w+|mlir-opt(-22)?|cmake|ctest|python3|pip3?|"
    r"cc|c\+\+|clang\S*|g\+\+|gcc|git|apt-get|export|source|\./\S+)( |$)")

# Commands that are right, but not for a test: pattern and reason.
NOT_RUN = [
    (r"\./dev (test|sanitize|coverage|fuzz|tidy|format|setup)\b",
     "builds and runs what this test is a part of"),
    (r"build/fuzz/bin/\S+", "needs the preset fuzz, and a finding"),
    (r"\./dev build\b", "builds the tree, under the feet of other tests"),
    (r"\./dev bench\b", "minutes of measuring; ctest -L bench has a short run"),
    (r"cmake --build build/dev --target gsa-doc",
     "writes what the test docs-in-sync reads at the same time"),
    (r"cmake --build build/dev --target gsa-kernels",
     "writes what the test kernel-changes reads at the same time"),
    (r"python3 tools/check/mutants\.py --(only|layer|update)",
     "builds a second tree; the test slips-are-planted checks the list"),
    (r"ctest\b", "runs the suite that this test is a part of"),
    (r"python3 -m venv \S+ && \S+pip install \./python",
     "builds the portable library; the test python-wheel installs the wheel"),
    (r"python3 -m pip wheel \./python\b",
     "takes the portable library; the test python-wheel builds a wheel"),
    (r"python3 test/gpu/on_cpu\.py\b", "minutes; the test python-gpu-scripts runs it"),
    (r"python3 -m venv \S+ && \S+pip install",
     "half a gigabyte; the test toolkit-wheels does it once"),
    (r"python3 examples/train/train\.py --out \S+( --kind \w+)?$",
     "minutes of training; the test python-train runs every kind for a few steps"),
    (r"python3 -m gsa pictures\b",
     "needs matplotlib and writes into the tree; the test python-pictures draws"),
    (r"git clone\b", "needs the project's server"),
]
# The tools whose exit code 4 says that there is no GPU.
NO_DEVICE = 4


class Block(document_blocks.Block):
    @property
    def is_session(self):
        return self.words[:1] == ["sh"]

    @property
    def is_output(self):
        return self.words[:2] == ["text", "output"]

    @property
    def is_exact(self):
        return self.words[2:] == ["exact"]

    def commands(self):
        """(line number, command) with continuation lines joined."""
        command, first = "", 0
        for number, line in enumerate(self.lines, self.line + 1):
            if not command and (not line.strip() or line.startswith("#")):
                continue
            first = first if command else number
            command += line + "\n"
            if not line.endswith("\\") and is_complete(command):
                yield first, command.rstrip("\n")
                command = ""
        if command:
            yield first, command.rstrip("\n")


def is_complete(text):
    """Whether a shell would not ask for more lines (quotes, here documents)."""
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True,
                          text=True, check=False)
    return done.returncode == 0 and "here-document" not in done.stderr


def read_blocks(path):
    """The fenced blocks, and complaints about commands outside of `sh`."""
    blocks, stray = [], []

    def make(line, words):
        blocks.append(Block(line, words))
        return blocks[-1]

    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        for number, line, block in document_blocks.lines_of(text, path, make):
            is_code = not (block.is_session or block.is_output) if block else \
                document_blocks.is_indented_code(line)
            if is_code and COMMAND.match(line.strip()):
                stray.append((number, line.strip()))
    except ValueError as error:
        sys.exit(str(error))
    return blocks, stray


def is_gpu_there():
    return any(os.path.exists(f"/dev/nvidia{n}") for n in range(16))


def has_module(name):
    return importlib.util.find_spec(name) is not None or os.path.isdir(
        os.path.join("build", "python-packages", name))


def options_of_script(command):
    """Fails unless a script, or one that it imports from its folder or gsa-tune's,
    knows the options that its command line uses."""
    words = command.replace("\\\n", " ").split()
    script = words[1]
    used = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
    # Their --help may need torch.
    with open(script, encoding="utf-8") as file:
        text = file.read()
    for name in re.findall(r"^import (\w+)", text, re.MULTILINE):
        for folder in (os.path.dirname(script), "tools/gsa-tune"):
            path = os.path.join(folder, f"{name}.py")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    text += file.read()
                break
    unknown = sorted(option for option in used
                     if f'"{option}"' not in text)
    return f"{script} has no {', '.join(unknown)}" if unknown else None


def shell_lines(path, blocks):
    """The session as a script for bash; what it does not run is told."""
    script = ["set -uo pipefail",
              "gsa_fail() { echo \"$1: exit code $2, expected $3\" >&2; "
              "exit 1; }"]
    skipped = 0
    for block in filter(lambda b: b.is_session, blocks):
        script.append(f"printf '\\n@@block {block.line}\\n'")
        commands = list(block.commands())
        for position, (number, command) in enumerate(commands):
            where = f"{path}:{number}"
            reason = next((why for pattern, why in NOT_RUN
                           if re.match(pattern, command)), None)
            if reason:
                print(f"{where}: not run ({reason}): {command}")
                continue
            expected = 0
            if position == len(commands) - 1 and block.option("fails"):
                expected = int(block.option("fails"))
            module = block.option("needs")
            absent = "GPU" if block.option("gpu") and not is_gpu_there() else \
                module if module and not has_module(module) else None
            if absent and command.startswith("python3 ") and \
                    not command.startswith("python3 -m gsa "):
                problem = options_of_script(command)
                if problem:
                    sys.exit(f"{where}: {problem}")
                print(f"{where}: SKIPPED without {absent}, options checked: "
                      f"{command}")
                skipped += 1
                continue
            if absent == "GPU":
                expected = NO_DEVICE
            script.append(f"echo '@@run {where}' >&2")
            script.append(f"{command}")
            script.append(f"code=$?; [ $code -eq {expected} ] || "
                          f"gsa_fail '{where}' $code {expected}")
    return "\n".join(script) + "\n", skipped


def mask(line, exact):
    """A line without spacing, and unless it is exact without numbers."""
    if not exact:
        line = re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", line)
    return re.sub(r"\s+", " ", line).strip()


def matches(shown, real, exact):
    pattern = re.escape(mask(shown, exact)).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, mask(real, exact)) is not None


def check_outputs(path, blocks, output):
    """Complaints about blocks of output that the commands do not print."""
    printed, current = {}, None
    for line in output.splitlines():
        if line.startswith("@@block "):
            current = int(line.split()[1])
            printed[current] = []
        elif current is not None:
            printed[current].append(line)
    problems, session = [], None
    for block in blocks:
        if block.is_session:
            session = block
        if not block.is_output:
            continue
        if session is None:
            problems.append(f"{path}:{block.line}: output of no command")
            continue
        real = iter(printed.get(session.line, []))
        for number, shown in enumerate(block.lines, block.line + 1):
            if shown.strip() in ("", "..."):
                continue
            if not any(matches(shown, line, block.is_exact)
                       for line in real):
                problems.append(f"{path}:{number}: the command does not print "
                                f"(any more, or in this order): {shown}")
                break
    return problems


def make_view(root, build, view):
    """Links to everything in the repository; build/dev is the build tested."""
    for name in os.listdir(root):
        if name not in (".git", "build"):
            os.symlink(os.path.join(root, name), os.path.join(view, name))
    os.mkdir(os.path.join(view, "build"))
    os.symlink(build, os.path.join(view, "build", "dev"))
    folder = os.path.join(root, "build")
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name.startswith("python"):
            os.symlink(os.path.join(folder, name),
                       os.path.join(view, "build", name))


def run_session(script, folder, seconds):
    """Exit code and output of a script; ends all of it when the time is up."""
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=folder, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 1, output + f"\n(not done within {seconds} s)"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", help="path below the root")
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(
        os.path.dirname(os.path.abspath(__file__)))))
    parser.add_argument("--build", required=True, help="the build that is used")
    parser.add_argument("--timeout", type=int, default=900)
    arguments = parser.parse_args()
    root = os.path.abspath(arguments.root)
    os.chdir(root)
    blocks, stray = read_blocks(arguments.document)
    if stray:
        for number, line in stray:
            print(f"{arguments.document}:{number}: a command outside of a "
                  f"```sh block: {line}", file=sys.stderr)
        sys.exit(1)
    script, skipped = shell_lines(arguments.document, blocks)
    view = tempfile.mkdtemp(prefix="gsa-docs-")
    try:
        make_view(root, os.path.abspath(arguments.build), view)
        code, output = run_session(script, view, arguments.timeout)
    finally:
        shutil.rmtree(view)
    if code != 0:
        print("\n".join(output.splitlines()[-40:]), file=sys.stderr)
        sys.exit(1)
    problems = check_outputs(arguments.document, blocks, output)
    runs = output.count("@@run ")
    if runs != script.count("echo '@@run "):
        problems.append(f"{arguments.document}: the session ends before its "
                        "last command")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{arguments.document}: {runs} commands run, {skipped} need a GPU or "
          f"a module")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
