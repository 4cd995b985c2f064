#!/usr/bin/env python3
"""Says which emitted kernels differ from those of another revision.

    kernel_changes.py check [--manifest test/kernels.json]   against the manifest
    kernel_changes.py update [--manifest ...]                write the manifest
    kernel_changes.py dump FOLDER [--code]                   keep kernels as files
    kernel_changes.py compare OLD NEW                        two such folders

A fixed list of modules, those of examples/ and layers as benchmarks run them, is
compiled for a few architectures by `gsa-run --stop-after=program`; no GPU is needed.
Of a kernel's text the comment at the top, which says what it was made for, does not
count. The manifest has a hash of each text, and one of the device headers, which
change machine code without a change of a text.

What differs is information: `check` and `compare` end with 0 however much it is. A
module that does not compile, a manifest or a folder that cannot be read is an error.
With `--code`, `dump` compiles the texts as well, and `compare` adds instructions,
registers, stack and local memory where cuobjdump is found.
"""

import argparse
import collections
import concurrent.futures
import difflib
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import device_headers

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHITECTURES = ["sm_80", "sm_90a", "sm_120"]
# Name, and what gsa-run is told.
LAYER = "d_model=1024,n_heads=16,n_kv_heads=4,head_dim=128"
MODULES = [
    ("gsa_layer", ["examples/gsa_layer.mlir", "--seq=256"]),
    ("attention_only", ["examples/attention_only.mlir", "--seq=256"]),
    ("dense_with_gates", ["examples/dense_with_gates.mlir", "--seq=256"]),
    ("gate_only", ["examples/gate_only.mlir", "--seq=256"]),
    ("indexer_only", ["examples/indexer_only.mlir", "--seq=256"]),
    ("sparse_only", ["examples/sparse_only.mlir", "--seq=256"]),
    ("sparse_only_bf16", ["examples/sparse_only_bf16.mlir", "--seq=4096"]),
    ("layer_bf16", [f"--layer={LAYER},dtype=bf16", "--seq=16384"]),
    ("layer_f32", [f"--layer={LAYER},dtype=f32", "--seq=4096"]),
]
HEADERS = "codegen/device/include"
# Where the text of a kernel begins, behind the comment at its top.
BEGIN = re.compile(r"^#line 1$", re.M)
SHARED = re.compile(r"^// blocks of (\d+) threads, (\d+) bytes of shared", re.M)
FILE = re.compile(r"^\d+-kernel-(\w+)\.(cu|cubin)$")
INSTRUCTION = re.compile(r"^\s+/\*[0-9a-f]{4,}\*/", re.M)
USAGE = re.compile(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)")
FIGURES = ("instructions", "registers", "stack", "local")


def fail(message):
    sys.exit(f"kernel-changes: {message}")


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def body_of(text):
    begin = BEGIN.search(text)
    return text[begin.end():].lstrip("\n") if begin else text


def compile_module(gsa_run, name, arguments, arch, folder, code):
    """Files of the module's kernels go to folder/<name>/<arch>."""
    with tempfile.TemporaryDirectory() as dump:
        result = subprocess.run(
            [gsa_run, *arguments, "--target=cuda", f"--arch={arch}", "-q",
             f"--stop-after={'code' if code else 'program'}",
             f"--dump-dir={dump}"], cwd=ROOT, capture_output=True, text=True)
        if result.returncode:
            fail(f"{name} on {arch}: gsa-run ended with {result.returncode}\n"
                 f"{result.stderr}")
        to = folder / name / arch
        to.mkdir(parents=True)
        for path in sorted(pathlib.Path(dump).iterdir()):
            if match := FILE.match(path.name):
                shutil.copy(path, to / f"{match[1]}.{match[2]}")


def dump(options, folder):
    gsa_run = pathlib.Path(options.tools).resolve() / "gsa-run"
    if not gsa_run.is_file():
        fail(f"{gsa_run} is not built")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        fail(f"{folder} is not empty")
    code = getattr(options, "code", False)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(lambda job: compile_module(gsa_run, *job[0], job[1],
                                                     folder, code),
                          [(module, arch) for module in MODULES
                           if module[0] in options.modules
                           for arch in ARCHITECTURES]):
            pass


def read_folder(folder):
    """(module, kernel, arch) -> text with its header, of a dumped folder."""
    kernels = {(path.parts[-3], path.stem, path.parts[-2]):
               path.read_text(encoding="utf-8")
               for path in sorted(folder.glob("*/*/*.cu"))}
    if not kernels:
        fail(f"{folder} has no kernels; expected <module>/<arch>/<kernel>.cu, "
             "as `dump` writes them")
    return kernels


def make_manifest(kernels):
    modules = collections.defaultdict(lambda: collections.defaultdict(dict))
    for (module, kernel, arch), text in kernels.items():
        shape = SHARED.search(text)
        modules[module][arch][kernel] = (
            f"{hash_of(body_of(text))} {len(body_of(text).splitlines())} lines, "
            f"{shape[1]} threads, {shape[2]} bytes" if shape else
            f"{hash_of(body_of(text))} {len(body_of(text).splitlines())} lines")
    return {"comment": "Hashes of emitted kernels; tools/check/"
                       "kernel_changes.py writes and compares them.",
            "device_headers": device_headers.hash_headers(ROOT / HEADERS), "modules": modules}


def flatten(manifest):
    return {(module, kernel, arch): line
            for module, archs in manifest["modules"].items()
            for arch, kernels in archs.items()
            for kernel, line in kernels.items()}


def read_figures(cubin):
    """What cuobjdump says of a kernel's code, or None."""
    tool = shutil.which("cuobjdump")
    if not tool or not cubin.is_file():
        return None
    def run(*arguments):
        return subprocess.run([tool, *arguments, str(cubin)], check=True,
                              capture_output=True, text=True).stdout
    usage = USAGE.search(run("--dump-resource-usage"))
    code = run("-sass")
    if not usage:
        fail(f"cuobjdump says nothing of the registers of {cubin}")
    return (len(INSTRUCTION.findall(code)), *map(int, usage.groups()))


def describe_code(old, new):
    """'instructions 1576 -> 1580, registers 128 -> 168', or nothing."""
    before, after = read_figures(old), read_figures(new)
    if not before or not after:
        return ""
    parts = [f"{name} {a} -> {b}" for name, a, b in
             zip(FIGURES, before, after) if a != b]
    if parts:
        return ", ".join(parts)
    return ("code unchanged" if old.read_bytes() == new.read_bytes() else
            "code of equal size and registers")


def describe_text(old, new):
    """'+3 -1 lines'."""
    if body_of(old) == body_of(new):
        return "text unchanged"
    lines = list(difflib.unified_diff(body_of(old).splitlines(),
                                      body_of(new).splitlines(), n=0))[2:]
    plus = sum(line.startswith("+") for line in lines)
    minus = sum(line.startswith("-") for line in lines)
    return f"+{plus} -{minus} lines"


def report(old, new, describe, is_equal=lambda a, b: a == b):
    """Prints a row for each kernel that differs, then how many there are."""
    rows, unchanged = [], 0
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            rows.append((*key, "gone", ""))
        elif key not in old:
            rows.append((*key, "new", ""))
        elif is_equal(old[key], new[key]):
            unchanged += 1
        else:
            rows.append((*key, "changed", describe(key)))
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    if rows:
        rows.insert(0, ("module", "kernel", "arch", "text", "what"))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for row in rows:
            print("  ".join([*(cell.ljust(width) for cell, width in
                               zip(row, widths)), row[4]]).rstrip())
        rows.pop(0)
    print(f"kernel-changes: {len(rows)} of {len(rows) + unchanged} kernels "
          "differ")


def read_manifest(path):
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return manifest, flatten(manifest)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        fail(f"{path}: no manifest of kernels: {error!r}")


def check(options):
    manifest, old = read_manifest(options.manifest)
    old = {key: line for key, line in old.items() if key[0] in options.modules}
    with tempfile.TemporaryDirectory() as folder:
        dump(options, pathlib.Path(folder))
        found = make_manifest(read_folder(pathlib.Path(folder)))
    new = flatten(found)
    if manifest.get("device_headers") != found["device_headers"]:
        print("device headers differ: machine code may, of every kernel")
    report(old, new, lambda key: f"{old[key].split(' ', 1)[1]} -> "
                                 f"{new[key].split(' ', 1)[1]}")


def update(options):
    with tempfile.TemporaryDirectory() as folder:
        dump(options, pathlib.Path(folder))
        manifest = make_manifest(read_folder(pathlib.Path(folder)))
    if options.manifest.is_file():
        # What was not compiled now stays.
        for module, archs in read_manifest(options.manifest)[0][
                "modules"].items():
            if module in dict(MODULES) and module not in options.modules:
                manifest["modules"][module] = archs
    options.manifest.write_text(
        json.dumps(manifest, indent=1, sort_keys=True) + "\n",
        encoding="utf-8")
    print(f"kernel-changes: wrote {len(flatten(manifest))} kernels to "
          f"{options.manifest}")


def compare(options):
    old, new = read_folder(options.old), read_folder(options.new)

    def files(key):
        module, kernel, arch = key
        return [folder / module / arch / f"{kernel}.cubin"
                for folder in (options.old, options.new)]

    # Equal texts differ in code where the device headers do.
    def is_equal(key, a, b):
        one, two = files(key)
        same = (not one.is_file() or not two.is_file() or
                one.read_bytes() == two.read_bytes())
        return body_of(a) == body_of(b) and same

    def describe(key):
        text = describe_text(old[key], new[key])
        code = describe_code(*files(key))
        return f"{text}, {code}" if code else text

    tagged_old = {key: (key, text) for key, text in old.items()}
    tagged_new = {key: (key, text) for key, text in new.items()}
    report(tagged_old, tagged_new, describe,
           lambda a, b: is_equal(a[0], a[1], b[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    tools = argparse.ArgumentParser(add_help=False)
    tools.add_argument("--tools", default=str(ROOT / "build/dev/bin"),
                       help="folder of gsa-run")
    tools.add_argument("--jobs", type=int, default=2)
    tools.add_argument("--modules", nargs="+", metavar="MODULE",
                       default=[name for name, _ in MODULES],
                       choices=[name for name, _ in MODULES],
                       help="only these; default: all of the list")
    tools.add_argument("--manifest", type=pathlib.Path,
                       default=ROOT / "test/kernels.json")
    commands.add_parser("check", parents=[tools])
    commands.add_parser("update", parents=[tools])
    sub = commands.add_parser("dump", parents=[tools])
    sub.add_argument("folder", type=pathlib.Path)
    sub.add_argument("--code", action="store_true",
                     help="compile the texts with NVRTC as well")
    sub = commands.add_parser("compare")
    sub.add_argument("old", type=pathlib.Path)
    sub.add_argument("new", type=pathlib.Path)
    options = parser.parse_args()
    if options.command == "dump":
        dump(options, options.folder)
        print(f"kernel-changes: {len(read_folder(options.folder))} kernels in "
              f"{options.folder}")
    else:
        {"check": check, "update": update, "compare": compare}[options.command](
            options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
