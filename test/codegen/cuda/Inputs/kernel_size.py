"""kernel_size.py <file.ptx> <kernel>=<most> ...

Fails unless the file has exactly these kernels and each has at most so many
instructions.
"""

import re
import sys

ENTRY = re.compile(r"^\.visible \.entry (\w+)\(", re.MULTILINE)
# An instruction, maybe under a predicate; no directive, label or brace.
INSTRUCTION = re.compile(r"^\s*(@!?%?\w+\s+)?[a-z][\w.:]*(\s[^;]*)?;", re.MULTILINE)


def instructions(ptx):
    """Number of instructions by kernel."""
    starts = list(ENTRY.finditer(ptx))
    ends = [start.start() for start in starts[1:]] + [len(ptx)]
    return {start.group(1): len(INSTRUCTION.findall(ptx, start.end(), end))
            for start, end in zip(starts, ends)}


def main():
    with open(sys.argv[1], errors="replace") as file:
        found = instructions(file.read())
    limits = {name: int(most) for name, most in
              (argument.split("=") for argument in sys.argv[2:])}
    if set(found) != set(limits):
        sys.exit(f"kernels: expected {sorted(limits)}, got {sorted(found)}")
    failed = [f"{name}: {found[name]} instructions, expected at most {most}"
              for name, most in limits.items() if found[name] > most]
    print("\n".join(f"{name}: {count}" for name, count in found.items()))
    sys.exit("\n".join(failed) or 0)


if __name__ == "__main__":
    main()
