#!/usr/bin/env python3
"""Checks that passes on kernels name no op but those of a kernel's structure.

What a pass of passes/tile asks of a copy, a barrier, a product or a fragment it
asks through an interface or by types and effects, so that a new op needs no pass
edited. A pass may create any op (`CopyWaitOp::create(...)`); it may not look for
one: not by its class (isa, dyn_cast, getOps, walk, a variable) and not by its
name ("gsa_tile.copy_wait").

Usage: tile_passes.py <repository>
       tile_passes.py --self-test
"""

import pathlib
import re
import sys

from one_definition import COMMENTS, STRINGS, without_comments

# What a kernel is made of, whatever it computes.
STRUCTURE = {
    # The kernel, its roles and loops, and their ends.
    "KernelOp", "ReturnOp", "RolesOp", "YieldOp", "ForEachOp",
    # The loop over tiles as lowerings say it.
    "StreamOp", "LaggedOp", "TileRingOp", "AwaitOp", "ReleaseOp",
    # Storage that it becomes.
    "SmemAllocOp", "RingAllocOp", "StageOp", "PartOfOp",
}

RECORD = re.compile(r'^def GsaTile_(\w+Op)\s*:[^"]*"(\w+)"', re.M)
CLASS = re.compile(r'(?:\b(\w+)::)?\b(\w+Op)\b(::create\b)?')
NAME = re.compile(r'"gsa_tile\.(\w+)"')


def read_records(texts):
    """Class -> mnemonic of the ops that records define."""
    return {cls: mnemonic for text in texts
            for cls, mnemonic in RECORD.findall(text)}


def find_names(text, records):
    """(line, what) for each op that the text of a pass names."""
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        for scope, cls, create in CLASS.findall(line):
            foreign = scope and scope != "gsa_tile"
            if cls in records and cls not in STRUCTURE and not (foreign or
                                                                create):
                yield number, cls
    mnemonics = {m for c, m in records.items() if c not in STRUCTURE}
    both = re.compile(f'(?P<s>{STRINGS.pattern})|(?P<c>{COMMENTS.pattern})',
                      re.S)
    for match in both.finditer(text):
        name = NAME.fullmatch(match["s"] or "")
        if name and name[1] in mnemonics:
            yield text.count("\n", 0, match.start()) + 1, name[0]


def self_test():
    records = read_records([
        'def GsaTile_CopyRowsOp : GsaTile_Op<"copy_rows",\n    "copy_rows()"> {',
        'def GsaTile_MmaNtOp : GsaTile_MmaOp<"mma_nt"> {',
        'def GsaTile_KernelOp : GsaTile_Op<"kernel", "", [\n    Symbol]> {',
        'def GsaTile_FillOpInterface : GsaTile_OpInterface<"FillOpInterface">',
        'def GsaTile_LoadOp : GsaTile_Op<"load", "load()"> {'])
    if set(records) != {"CopyRowsOp", "MmaNtOp", "KernelOp", "LoadOp"}:
        sys.exit(f"tile-passes: read the records {records}")
    refused = [
        "if (isa<CopyRowsOp>(op)) {}",
        "auto copy = dyn_cast<\n    MmaNtOp>(op);",
        "kernel.walk([&](CopyRowsOp op) {});",
        "for (auto op : block.getOps<gsa_tile::MmaNtOp>()) {}",
        'if (name == "gsa_tile.copy_rows") {}',
        "isa<KernelOp, CopyRowsOp>(op);",
        "value.getDefiningOp<LoadOp>();",
    ]
    allowed = [
        "CopyRowsOp::create(b, loc);",
        "gsa_tile::MmaNtOp::create(b, loc);",
        "auto kernel = cast<KernelOp>(op);",
        "isa<FillOpInterface>(op);",
        "// not CopyRowsOp, nor \"gsa_tile.copy_rows\"",
        "isa<memref::LoadOp>(op);",
        'error << "expected a copy_rows, as CopyRowsOp";',
        'role("load", team);',
    ]
    for texts, expected in ((refused, 1), (allowed, 0)):
        for text in texts:
            found = list(find_names(text, records))
            if len(found) != expected:
                sys.exit(f"tile-passes: expected {expected} findings in "
                         f"{text!r}, got {found}")
    print("tile-passes: self-test passes")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    records = read_records(path.read_text(encoding="utf-8") for path in
                           sorted((root / "dialect/GsaTile").glob("*.td")))
    files = sorted(path for ending in ("*.cpp", "*.h")
                   for path in (root / "passes/tile").glob(ending))
    errors = [f"{path.relative_to(root)}:{line}: names '{what}': a pass asks "
              "for an interface, types or effects"
              for path in files
              for line, what in find_names(path.read_text(encoding="utf-8"),
                                           records)]
    if unknown := STRUCTURE - set(records):
        errors.append(f"no records of {', '.join(sorted(unknown))} were read")
    if not files:
        errors.append("passes/tile has no sources")
    for error in errors:
        print(f"tile-passes: {error}", file=sys.stderr)
    if not errors:
        print(f"tile-passes: {len(files)} files name none of "
              f"{len(set(records) - STRUCTURE)} ops")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
