"""Fails if a link edge of build.ninja mixes two copies of MLIR.

usage: check_links.py BUILD_DIR

Two copies of MLIR or LLVM in one process have two sets of TypeIDs and two
sets of command line options. A target therefore links the shared libraries or
the archives, never both; and all targets of a build link the same kind.
"""

import os
import re
import sys

SHARED = re.compile(r"\blib(?:MLIR|LLVM)(?:-\d+)?\.so[\w.]*")
STATIC = re.compile(r"\blib(?:MLIR|LLVM)[A-Za-z0-9]+\.a\b")


def link_edges(path):
    """Yields (output, text) of every edge that links a program or library."""
    edge = []
    with open(path) as lines:
        for line in lines:
            if line.startswith(" "):
                edge.append(line)
                continue
            if edge:
                yield edge
            edge = [line]
    yield edge


def main():
    kinds = {}
    for edge in link_edges(os.path.join(sys.argv[1], "build.ninja")):
        match = re.match(r"build (\S+).*?: \w+_(EXECUTABLE|SHARED_LIBRARY|"
                         r"MODULE_LIBRARY)_LINKER", edge[0])
        if not match:
            continue
        text = "".join(edge)
        kind = set()
        if SHARED.search(text):
            kind.add("shared")
        if STATIC.search(text):
            kind.add("static")
        if kind:
            kinds[match.group(1)] = kind
    for target, kind in sorted(kinds.items()):
        print(f"{target}: {' and '.join(sorted(kind))}")
    used = set().union(*kinds.values()) if kinds else set()
    if len(used) != 1:
        print(f"error: expected one kind of MLIR and LLVM, got {sorted(used)}")
        return 1
    print(f"{len(kinds)} targets link MLIR or LLVM, all {used.pop()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
