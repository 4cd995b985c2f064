"""The page docs/generated/op-coverage.md: where each op of gsa_tile leads.

An op prints as one call of one device function. The page says which, in which
header it is declared for the GPU and for the emulation, and which tests compile
it with NVRTC or run or compile it on the host. Used by generate_docs.py.
"""

import re

RECORD = "dialect/GsaTile/GsaTile.td"
NONE = "**none**"
# Ops without a call print as statements of C++ with these functions.
STATEMENTS = {"roles": ["in_team"],
              "for_each": ["first_element", "next_element"]}
# Ops that never print: gsa-tile-pipeline lowers them.
LOWERED = {"await", "lagged", "release", "stream", "tile_ring"}


def read_ops(declarations):
    """[(mnemonic, call)] from the output of -gen-op-decls; no host ops."""
    ops = []
    names = list(re.finditer(r'StringLiteral\("gsa_tile\.(\w+)"\)',
                             declarations))
    ends = [name.start() for name in names[1:]] + [len(declarations)]
    for name, end in zip(names, ends):
        body = declarations[name.end():end]
        call = re.search(r'getDeviceCall\(\) \{ return "(.*?)"; \}', body)
        if call:
            ops.append((name[1], call[1]))
    return sorted(ops)


def declaring_files(root, folder, function):
    """Headers in which a line starts a declaration of the function."""
    pattern = re.compile(
        rf"^(?:[A-Za-z_][^\n;={{}}]*[ &*])?{function}\(", re.M)
    return [path.name for path in sorted((root / folder).rglob("*.cuh"))
            if pattern.search(path.read_text())]


class Tests:
    """Test sources, read once."""

    def __init__(self, root):
        self.root = root
        read = lambda folder, suffix: {
            path.relative_to(root / "test").as_posix(): path.read_text()
            for path in sorted((root / "test" / folder).rglob("*" + suffix))}
        mlir = read("", ".mlir")
        self.nvrtc_mlir = {name: text for name, text in mlir.items()
                           if re.search(r"RUN:.*nvrtc|--resource-usage", text)}
        self.emu_mlir = {name: text for name, text in mlir.items()
                         if re.search(r"RUN:.*(gsa-tile-to-emu|target=emu|host-cxx)",
                                      text)}
        self.nvrtc_code = read("unit/device", ".cu")
        self.emu_code = read("unit/emu", ".cc")

    def find(self, op, functions, mlir, code):
        names = [name for name, text in mlir.items()
                 if re.search(rf"\bgsa_tile\.{op}\b", text)]
        names += [name for name, text in code.items()
                  if functions and all(re.search(rf"\b{f}\s*[<(]", text)
                                       for f in functions)]
        return names


def cell(names):
    return ", ".join(f"`{name}`" for name in names) if names else NONE


def render(root, declarations, regenerate):
    tests = Tests(root)
    lines = [
        "# Coverage of the gsa_tile ops", "",
        f"<!-- Generated from {RECORD}, the device headers and the tests;",
        f"`{regenerate}` writes it. -->", "",
        "Each op of a kernel, the device function that it prints as, the header"
        " that", "declares it below `codegen/device/include/gsa/device` and"
        " below", "`codegen/device/emu/gsa/device`, and the tests (below"
        " `test/`) in which NVRTC", "compiles it and in which the host"
        " emulation compiles or runs it.", "",
        "The ops of a stream print as nothing: gsa-tile-pipeline lowers " +
        ", ".join(f"`{op}`" for op in sorted(LOWERED)[:-1]) + " and",
        f"`{max(LOWERED)}`.", "",
        "| op | function | CUDA header | emulation header | NVRTC tests |"
        " emulation tests |",
        "|---|---|---|---|---|---|"]
    for op, call in read_ops(declarations):
        if op in LOWERED:
            continue
        functions = ([re.match(r"\w+", call)[0]] if call
                     else STATEMENTS.get(op, []))
        headers = []
        for folder in ("include", "emu"):
            files = [declaring_files(root, f"codegen/device/{folder}", f)
                     for f in functions]
            headers.append(cell(sorted({name for names in files
                                        for name in names}))
                           if all(files) and functions else
                           NONE if functions else "")
        nvrtc = tests.find(op, functions, tests.nvrtc_mlir, tests.nvrtc_code)
        emu = tests.find(op, functions, tests.emu_mlir, tests.emu_code)
        lines.append(f"| `{op}` | "
                     f"{cell(functions) if functions else 'a statement'} | "
                     f"{headers[0]} | {headers[1]} | {cell(nvrtc)} | "
                     f"{cell(emu)} |")
    return "\n".join(lines) + "\n"
