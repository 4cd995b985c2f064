"""Fails unless the symbols on stdin, one per line, are the C API and no more.

usage: llvm-nm -D --defined-only --format=just-symbols libgsa.so | \
       check_exports.py gsa.h
"""

import re
import sys


def main():
    with open(sys.argv[1]) as header:
        declared = set(re.findall(r"\b(gsa_\w+)\(", header.read()))
    lines = [line.strip() for line in sys.stdin if line.strip()]
    # The name of the symbol version is an absolute symbol of its own.
    exported = {line.split("@")[0] for line in lines} - {"GSA_0"}
    for name in sorted(exported - declared):
        print(f"error: exported, but not declared in gsa.h: {name}")
    for name in sorted(declared - exported):
        print(f"error: declared in gsa.h, but not exported: {name}")
    print(f"{len(exported)} symbols")
    return exported != declared or not exported


if __name__ == "__main__":
    sys.exit(main())
