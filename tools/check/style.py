#!/usr/bin/env python3
"""Checks what no formatter checks, on all files that git tracks.

- no source file longer than 800 lines
- no tab, no space at the end of a line, a newline at the end of the file, no
  conflict marker
- a comment that says the purpose at the top of each source file
- the include edges between layers

Usage: style.py <repository>
"""

import pathlib
import re
import subprocess
import sys

MAX_LINES = 800
CODE = (".h", ".cpp", ".cc", ".c", ".td", ".cuh")
TEXT = CODE + (".mlir", ".test", ".py", ".sh", ".md", ".cmake", ".txt", ".in",
               ".json", ".yml")
NEEDS_BANNER = CODE + (".py", ".sh", ".cmake")
BANNERS = ("//", "#", "/*", '"""')

# Layer (longest prefix wins) -> include prefixes that it must not use. The
# lists only name what is refused; docs/architecture.md draws what is allowed.
FORBIDDEN = {
    "dialect/": ("passes/", "codegen/", "runtime/", "tools/", "test/", "absl/"),
    "passes/": ("codegen/", "runtime/", "tools/", "test/", "absl/"),
    "codegen/": ("passes/", "runtime/", "tools/", "test/", "absl/"),
    "runtime/core/": ("mlir/", "mlir-c/", "llvm/", "llvm-c/", "dialect/",
                      "passes/", "codegen/", "tools/", "test/"),
    "runtime/": ("tools/", "test/", "bench/"),
    "test/reference/": ("mlir/", "llvm/", "dialect/", "passes/", "codegen/",
                        "runtime/", "tools/", "absl/"),
    "examples/": ("mlir/", "llvm/", "dialect/", "passes/", "codegen/", "tools/",
                  "test/", "absl/"),
}
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


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                             capture_output=True, text=True).stdout
    errors, count = [], 0
    for path in filter(None, listing.split("\0")):
        file = root / path
        if not path.endswith(TEXT) or not file.is_file():
            continue
        count += 1
        text = file.read_text(encoding="utf-8")
        check_text(path, text, errors)
        check_banner(path, text, errors)
        check_includes(path, text, errors)
    if not count:
        errors.append("git lists no source files")
    for error in errors:
        print(f"style: {error}", file=sys.stderr)
    if not errors:
        print(f"style: {count} files pass")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
