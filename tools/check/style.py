#!/usr/bin/env python3
"""Checks what no formatter checks, on all files that git tracks.

- no source file longer than 800 lines
- no tab, no space at the end of a line, a newline at the end of the file, no
  conflict marker
- a comment that says the purpose at the top of each source file
- the include edges between layers, and between the folders of passes/
- the edges that docs/architecture.md draws: the same ones
- a folder in test/passes for each one of passes/, and no other
- no environment variables below tools/
- a test of a dialect or a pass says which tools it needs beside two

Usage: style.py <repository>
"""

import pathlib
import re
import subprocess
import sys

MAX_LINES = 800
CODE = (".h", ".hpp", ".cpp", ".cc", ".c", ".td", ".cuh")
TEXT = CODE + (".mlir", ".test", ".py", ".sh", ".md", ".cmake", ".txt", ".in",
               ".json", ".yml")
NEEDS_BANNER = CODE + (".py", ".sh", ".cmake")
BANNERS = ("//", "#", "/*", '"""')

# Layer (longest prefix wins) -> include prefixes that it must not use. The
# lists name what is refused; DIAGRAM draws what is allowed, and both are compared.
FORBIDDEN = {
    "dialect/": ("passes/", "codegen/", "runtime/", "tools/", "bench/", "test/",
                 "absl/"),
    "passes/": ("codegen/", "runtime/", "tools/", "bench/", "test/", "absl/"),
    "codegen/": ("passes/", "runtime/", "tools/", "bench/", "test/", "absl/"),
    "runtime/core/": ("mlir/", "mlir-c/", "llvm/", "llvm-c/", "dialect/",
                      "passes/", "codegen/", "tools/", "bench/", "test/"),
    "runtime/": ("tools/", "test/", "bench/"),
    "test/reference/": ("mlir/", "llvm/", "dialect/", "passes/", "codegen/",
                        "runtime/", "tools/", "bench/", "absl/"),
    "examples/": ("mlir/", "llvm/", "dialect/", "passes/", "codegen/", "tools/",
                  "test/", "absl/"),
}
# Folder of passes/ -> the others that it may include. No two include each
# other; a new folder needs a line here.
PASS_FOLDERS = {
    "gsa": (),
    "cpu": (),
    "tile": (),
    "gsa_to_cpu": (),
    "gsa_to_tile": ("gsa", "tile"),
    "schedule": ("gsa_to_tile",),
    "cuda": ("cpu",),
}
DIAGRAM = "docs/architecture.md"

# What stands above all folders and may only be included from outside.
ABOVE_PASS_FOLDERS = ("passes/Pipelines.h",)

# The libraries take options; who reads the environment for them is a tool.
BELOW_TOOLS = ("dialect/", "passes/", "codegen/", "runtime/")
ENVIRONMENT = re.compile(r'\b(getenv|secure_getenv|setenv|putenv|unsetenv|GetEnv|'
                         r'temp_directory_path)\s*\(')
# Builds without optimisation (./dev debug, the portable stage of ./dev test) run these
# tests with these tools.
DEBUG_TESTS = ("test/dialect/", "test/passes/")
DEBUG_TOOLS = {"gsa-opt", "gsa-translate"}
RUN_LINE = re.compile(r"^\W*RUN:(.*)$", re.MULTILINE)
TOOL = re.compile(r"(?<![\w./%-])gsa-(?:bench-cpu|bench|lsp-server|opt|reduce|run|"
                  r"translate|tune)(?![\w.-])")
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
INCLUDE = re.compile(r'^\s*#?\s*include\s+["<]([^">]+)[">]')


def check_text(path, text, errors):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            errors.append(f"{path}:{number}: tab")
        if line.startswith(("<" * 7 + " ", ">" * 7 + " ")):
            errors.append(f"{path}:{number}: conflict marker")
        if line.rstrip(" \r") != line:
            errors.append(f"{path}:{number}: space at the end of the line")
    if text and not text.endswith("\n"):
        errors.append(f"{path}: no newline at the end of the file")
    if path.endswith(CODE + (".mlir", ".py")) and len(lines) - 1 > MAX_LINES:
        errors.append(f"{path}: {len(lines) - 1} lines, at most {MAX_LINES}")


def check_banner(path, text, errors):
    if not path.endswith(NEEDS_BANNER):
        return
    first = text.split("\n", 1)[0]
    if not first.startswith(BANNERS):
        errors.append(f"{path}:1: expected a comment that says the file's "
                      f"purpose, got '{first[:40]}'")


def check_includes(path, text, errors):
    if not path.endswith(CODE):
        return
    layers = [layer for layer in FORBIDDEN if path.startswith(layer)]
    if not layers:
        return
    layer = max(layers, key=len)
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if match and match[1].startswith(FORBIDDEN[layer]):
            errors.append(f"{path}:{number}: {layer} must not include "
                          f"{match[1]}")


def check_pass_folders(path, text, errors):
    parts = path.split("/")
    if parts[0] != "passes" or not path.endswith(CODE):
        return
    folder = parts[1] if len(parts) > 2 else None
    if folder is None:
        return
    if folder not in PASS_FOLDERS:
        errors.append(f"{path}: passes/{folder} is in no line of PASS_FOLDERS "
                      f"in tools/check/style.py")
        return
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if not match or not match[1].startswith("passes/"):
            continue
        other = match[1].split("/")[1] if match[1].count("/") > 1 else None
        refused = (match[1] in ABOVE_PASS_FOLDERS if other is None else
                   other not in (folder,) + PASS_FOLDERS[folder])
        if refused:
            errors.append(f"{path}:{number}: passes/{folder} must not include "
                          f"{match[1]}")


def find_circles(edges):
    """Pairs of folders that may, perhaps through others, include each other."""
    def reach(folder, seen):
        for other in edges.get(folder, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen
    return [(a, b) for a in edges for b in edges
            if a <= b and b in reach(a, set()) and a in reach(b, set())]


def read_diagram(text):
    """Lines "a, b -> c, d" of the document: {"a": {"c", "d"}, ...}."""
    edges = {}
    for left, right in re.findall(r"^([a-z_/, ]+?) +-> (.+)$", text, re.M):
        for name in left.split(", "):
            edges[name] = set(right.split(", "))
    return edges


def check_diagram(text, errors):
    """What the document draws is what is refused here, turned round."""
    edges = read_diagram(text)
    layers = {name for name in edges if name not in PASS_FOLDERS}
    for layer, refused in FORBIDDEN.items():
        layer = layer.rstrip("/")
        if layer not in edges:
            continue
        for other in sorted(layers - {layer}):
            drawn = other in edges[layer]
            # An example: "runtime" refuses "runtime/core" only as a whole.
            allowed = not (other + "/").startswith(refused)
            if drawn != allowed and not (layer + "/").startswith(other + "/"):
                errors.append(f"{DIAGRAM}: {layer} -> {other} is "
                              f"{'' if drawn else 'not '}drawn, but "
                              f"{'allowed' if allowed else 'refused'}")
    for folder, others in PASS_FOLDERS.items():
        drawn = edges.get(folder, set()) - {"no other folder"}
        if folder not in edges or drawn != set(others):
            errors.append(f"{DIAGRAM}: passes/{folder} -> "
                          f"{', '.join(others) or 'no other folder'} is not "
                          f"what is drawn")


def check_test_folders(paths, errors):
    """test/passes mirrors passes/."""
    def folders(prefix, endings):
        parts = [path[len(prefix):].split("/") for path in paths
                 if path.startswith(prefix) and path.endswith(endings)]
        return {part[0] if len(part) > 1 else "" for part in parts}
    sources = folders("passes/", CODE) - {""}
    tests = folders("test/passes/", (".mlir", ".test"))
    for folder in sorted(sources - tests):
        errors.append(f"passes/{folder}: no test in test/passes/{folder}")
    for folder in sorted(tests - sources):
        errors.append(f"test/passes/{folder}: no folder passes/{folder}"
                      if folder else "test/passes: a test in no folder; "
                      "expected one of those of passes/")


def check_environment(path, text, errors):
    if not path.startswith(BELOW_TOOLS) or not path.endswith(CODE):
        return
    for number, line in enumerate(text.split("\n"), 1):
        match = ENVIRONMENT.search(STRING.sub('""', line.split("//")[0]))
        if match:
            errors.append(f"{path}:{number}: {match[1]} below tools/: take an "
                          f"option")


def check_test_tools(path, text, errors):
    if not path.startswith(DEBUG_TESTS) or not path.endswith((".mlir", ".test")):
        return
    required = set(re.split(r"[\s,]+", " ".join(
        re.findall(r"^\W*REQUIRES:(.*)$", text, re.MULTILINE))))
    for run in RUN_LINE.findall(text):
        named = set(TOOL.findall(run)) - DEBUG_TOOLS - required
        for tool in sorted(named - set(re.findall(r"%if ([\w-]+)", run))):
            errors.append(f"{path}: runs {tool}, which the debug build has not: "
                          f"write REQUIRES: {tool} or %if {tool} %{{ ... %}}")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                             capture_output=True, text=True).stdout
    errors, count = [], 0
    paths = [path for path in listing.split("\0") if path and
             (root / path).is_file()]
    check_test_folders(paths, errors)
    if (root / DIAGRAM).is_file():
        check_diagram((root / DIAGRAM).read_text(encoding="utf-8"), errors)
    for a, b in find_circles(PASS_FOLDERS):
        errors.append(f"PASS_FOLDERS: passes/{a} and passes/{b} may include "
                      "each other")
    for path in paths:
        file = root / path
        if not path.endswith(TEXT) or not file.is_file():
            continue
        count += 1
        text = file.read_text(encoding="utf-8")
        check_text(path, text, errors)
        check_banner(path, text, errors)
        check_includes(path, text, errors)
        check_pass_folders(path, text, errors)
        check_environment(path, text, errors)
        check_test_tools(path, text, errors)
    if not count:
        errors.append("git lists no source files")
    for error in errors:
        print(f"style: {error}", file=sys.stderr)
    if not errors:
        print(f"style: {count} files pass")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
