#!/usr/bin/env python3
"""Builds the wheel from a clean copy of python/, installs it into a fresh virtual
environment, and runs what a user runs first.

    wheel_test.py --library LIBGSA --cache-tool GSA_CACHE --root REPOSITORY
                  [--packages FOLDER] WORK

LIBGSA and GSA_CACHE go into the wheel, so that nothing is compiled. FOLDER holds the modules
that `./dev test` downloads, scikit-build-core among them: nothing comes from the
network. Ends with 77 (skipped) where it is missing, with 1 where the
environment says GSA_REQUIRE_WHEELS.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

QUICK = """
import numpy, sys, gsa
rng = numpy.random.default_rng(0)
x = rng.standard_normal((1, 40, 2, 16), dtype=numpy.float32)
kept = gsa.index_topk(x, x[:, :, 0].copy(), k=8)
out = gsa.sparse_attention(x, x, x, kept.indices,
                           topk_length=kept.topk_length)
assert out.shape == x.shape and numpy.isfinite(out).all()
assert kept.topk_length.max() == 8
assert gsa.__file__.startswith(sys.prefix), gsa.__file__
print(gsa.library_version(), gsa.last_dispatch().target)
"""


def run(command, **options):
    print("+", *command, flush=True)
    environment = {n: v for n, v in os.environ.items()
                   if n not in ("PYTHONPATH", "GSA_LIBRARY")}
    environment.update(options.pop("env", {}))
    done = subprocess.run([str(part) for part in command], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)
    print(done.stdout)
    if done.returncode != 0:
        sys.exit(f"ended with {done.returncode}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--cache-tool", required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--packages", type=pathlib.Path, required=True)
    parser.add_argument("--portable", action="store_true",
                        help="the library must need the C library alone")
    parser.add_argument("work", type=pathlib.Path)
    arguments = parser.parse_args()
    if not (arguments.packages / "scikit_build_core").is_dir():
        print(f"SKIPPED: {arguments.packages} has no scikit_build_core; "
              f"./dev test downloads it")
        sys.exit(1 if os.environ.get("GSA_REQUIRE_WHEELS") else 77)
    work = arguments.work
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    # What git knows of python/, as a clone has it.
    shutil.copytree(arguments.root / "python", work / "python",
                    ignore=shutil.ignore_patterns("__pycache__"))
    tag = run([sys.executable, work / "python" / "wheel_tag.py",
               arguments.library, arguments.cache_tool]).strip()
    run([sys.executable, "-m", "pip", "wheel", "--no-deps",
         "--no-build-isolation", "--no-index", "-w", work, work / "python",
         "-C", f"cmake.define.GSA_LIBRARY={arguments.library}",
         "-C", f"cmake.define.GSA_CACHE_TOOL={arguments.cache_tool}",
         "-C", f"wheel.tags={tag}", "-C", f"build-dir={work / 'build'}"],
        env={"PYTHONPATH": str(arguments.packages.resolve())})
    wheel, = work.glob("*.whl")
    version = re.search(r'__version__ = "(.*)"', (
        work / "python/gsa/__init__.py").read_text(encoding="utf-8"))[1]
    if wheel.name != f"gsa_compiler-{version}-{tag}.whl":
        sys.exit(f"got {wheel.name}, expected the tag {tag}")
    if arguments.portable and "manylinux" not in tag:
        sys.exit(f"got {tag} of a portable library, expected a manylinux tag")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for name in ("gsa/__init__.py", "gsa/libgsa.so", "gsa/bin/gsa-cache",
                 f"gsa_compiler-{version}.dist-info/licenses/LICENSE"):
        if name not in names:
            sys.exit(f"{wheel.name} has no {name}: {names}")
    environment = work / "environment"
    run([sys.executable, "-m", "venv", environment])
    python = environment / "bin" / "python"
    run([python, "-m", "pip", "install", "--no-deps", "--no-index", wheel])
    # NumPy is the only requirement; a link spares the download.
    site = next(environment.glob("lib/python*/site-packages"))
    for package in arguments.packages.iterdir():
        if package.name.startswith("numpy"):
            (site / package.name).symlink_to(package.resolve())
    run([python, "-m", "pip", "check"])
    run([python, "-c", QUICK], cwd=work)
    run([python, "-m", "gsa", "doctor"], cwd=work)
    kept = {"GSA_CACHE_DIR": str(work / "kept")}
    run([python, "-c", QUICK], cwd=work, env=kept)
    run([python, "-m", "gsa", "cache", "verify"], cwd=work, env=kept)
    listed = run([python, "-m", "gsa", "cache", "ls"], cwd=work, env=kept)
    if "2 entries" not in listed:
        sys.exit("expected the objects of two plans")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
