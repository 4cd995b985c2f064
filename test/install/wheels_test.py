#!/usr/bin/env python3
"""NVRTC and cuBLASLt from NVIDIA's Python wheels alone.

The dynamic loader reports every file that a process opens (LD_DEBUG=files); no
library of CUDA may come from anywhere but the wheels. Thus the test proves
something on a machine with a toolkit, too. Where the system allows a mount
namespace, the toolkit is hidden as well.

usage: wheels_test.py --tools DIR --examples DIR --unit-tests CUDA_TEST WHEELS

WHEELS is a folder made by `pip install --target`. Ends with 77 (skipped) if it
does not exist, with 1 where the environment says GSA_REQUIRE_WHEELS.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CUDA_LIBRARY = re.compile(r"file=(\S*lib(?:nvrtc|cublas)[^\s/]*) \[\d+\];"
                          r"\s+generating link map")
SEARCHED = ("CUDA_HOME", "CUDA_PATH", "GSA_PYTHON_PREFIX", "VIRTUAL_ENV",
            "CONDA_PREFIX", "PYTHONUSERBASE", "LD_LIBRARY_PATH")
# Where a toolkit may be; an empty folder is mounted over each.
HIDE = ("for folder in /usr/local/cuda*/ /opt/cuda/; do "
        "[ ! -d $folder ] || mount -t tmpfs none $folder; done; exec \"$@\"")


def environment_of(**variables):
    environment = {name: value for name, value in os.environ.items()
                   if name not in SEARCHED}
    # Kernels of an earlier run would be taken without NVRTC.
    environment.update(variables, GSA_CACHE="off")
    return environment


def run(command, environment, expect=0):
    """(output, CUDA libraries that were opened)"""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        done = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**environment, "LD_DEBUG": "files",
                 "LD_DEBUG_OUTPUT": str(log)})
        opened = [match for file in pathlib.Path(folder).iterdir()
                  for match in
                  CUDA_LIBRARY.findall(file.read_text(errors="replace"))]
    if done.returncode != expect:
        sys.exit(f"{command}\nended with {done.returncode}, expected "
                 f"{expect}:\n{done.stdout}")
    return done.stdout, opened


def require(condition, what, seen):
    if not condition:
        sys.exit(f"FAILED: {what}; seen:\n{seen}")


def require_wheels_only(opened, wheels, names, what):
    wheels = wheels.resolve()
    for path in opened:
        require(pathlib.Path(path).resolve().is_relative_to(wheels),
                f"{what}: only libraries of the wheels", path)
    for name in names:
        require(any(pathlib.Path(path).name.startswith(name)
                    for path in opened), f"{what}: {name} is opened", opened)
    print(f"passed: {what}", flush=True)


def make_environments(wheels, folder):
    """What people have: a virtual environment that is active, one that is named
    by its prefix or by its site-packages."""
    site = folder / "venv/lib/python3.11/site-packages"
    site.parent.mkdir(parents=True)
    site.symlink_to(wheels)
    return {
        "VIRTUAL_ENV": environment_of(VIRTUAL_ENV=str(folder / "venv")),
        "GSA_PYTHON_PREFIX, a site-packages folder":
            environment_of(GSA_PYTHON_PREFIX=f"/nonexistent:{wheels}"),
    }


def hiding_command():
    """What runs its arguments without a toolkit; None where that is refused."""
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        hide = ["unshare", *options, "sh", "-c", HIDE, "sh"]
        try:
            subprocess.run(hide + ["true"], check=True, capture_output=True)
            return hide
        except (OSError, subprocess.CalledProcessError):
            pass
    return None


def check_hidden(arguments, layer, wheels, venv):
    """The same without a toolkit: what is found then, and what is said if
    nothing is."""
    hide = hiding_command()
    if hide is None:
        print("not checked: no mount namespace to hide a toolkit in")
        return
    with tempfile.TemporaryDirectory() as empty:
        environment = environment_of(HOME=empty, PATH=os.environ["PATH"],
                                     VIRTUAL_ENV=empty)
        output, _ = run(hide + layer, environment, expect=4)
        for text in ("NVRTC not found", f"the Python environment {empty}: ",
                     "the dynamic loader's path: ",
                     "the toolkit /usr/local/cuda: ",
                     "pip install nvidia-cuda-nvrtc", "GSA_PYTHON_PREFIX"):
            require(text in output, f"the error says '{text}'", output)
        # NVRTC by itself: it needs the file beside it.
        alone = pathlib.Path(empty) / "libnvrtc.so.13"
        shutil.copyfile(wheels / "nvidia/cu13/lib/libnvrtc.so.13", alone)
        output, _ = run(hide + layer + [f"--nvrtc={empty}"], environment,
                        expect=4)
        require(f"{alone} needs libnvrtc-builtins.so.13" in output,
                "the error says what is missing", output)
    print("passed: the errors of a machine without NVRTC", flush=True)
    _, opened = run(hide + layer, environment_of(VIRTUAL_ENV=str(venv)))
    require_wheels_only(opened, wheels, ["libnvrtc.so", "libnvrtc-builtins.so"],
                        "gsa-run with the toolkit hidden")
    # The environment of the first python3 on the path, which is searched last.
    bin_folder = venv / "bin"
    bin_folder.mkdir()
    (bin_folder / "python3").touch()
    _, opened = run(hide + layer, environment_of(
        PATH=f"{bin_folder}:{os.environ['PATH']}"))
    require_wheels_only(opened, wheels, ["libnvrtc.so", "libnvrtc-builtins.so"],
                        "gsa-run with the toolkit hidden, python3 on PATH")


def main():
    parser = argparse.ArgumentParser()
    for name in ("tools", "examples", "unit-tests"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("wheels", type=pathlib.Path)
    arguments = parser.parse_args()
    wheels = arguments.wheels.resolve()
    if not (wheels / "nvidia").is_dir():
        print(f"no wheels in {wheels}: ./dev test downloads nvidia-cuda-nvrtc "
              "and nvidia-cublas")
        sys.exit(1 if os.environ.get("GSA_REQUIRE_WHEELS") else 77)

    layer = [arguments.tools / "gsa-run", arguments.examples / "gsa_layer.mlir",
             "--seq", 64, "--target=cuda", "--arch=sm_90a", "--stop-after=code"]
    layer = [str(part) for part in layer]
    nvrtc = ["libnvrtc.so", "libnvrtc-builtins.so"]
    with tempfile.TemporaryDirectory() as folder:
        environments = make_environments(wheels, pathlib.Path(folder))
        for name, environment in environments.items():
            dump = pathlib.Path(folder) / "dump"
            _, opened = run(layer + [f"--dump-dir={dump}"], environment)
            cubins = list(dump.glob("*.cubin"))
            require(cubins and all(file.read_bytes()[:4] == b"\x7fELF"
                                   for file in cubins), "machine code", cubins)
            shutil.rmtree(dump)
            require_wheels_only(opened, wheels, nvrtc, f"gsa-run, {name}")
            output, opened = run([arguments.tools / "gsa-translate",
                                  "--nvrtc-version"], environment)
            require(str(wheels.name) in output or "venv" in output,
                    "the path of NVRTC", output)
            require_wheels_only(opened, wheels, nvrtc, f"gsa-translate, {name}")
        _, opened = run(layer + [f"--nvrtc={wheels}"], environment_of())
        require_wheels_only(opened, wheels, nvrtc, "gsa-run --nvrtc")

        # NVRTC's functions and cuBLASLt, by the tests of the runtime.
        environment = environment_of(GSA_PYTHON_PREFIX=str(wheels))
        output, opened = run(
            [arguments.unit_tests,
             "--gtest_filter=NvrtcTest.Compiles*:CublasLtLoad.Resolves*"],
            environment)
        require("SKIPPED" not in output, "no test is skipped", output)
        require_wheels_only(opened, wheels, nvrtc + ["libcublasLt.so"],
                            "unit tests of NVRTC and cuBLASLt")
        check_hidden(arguments, layer, wheels, pathlib.Path(folder) / "venv")


if __name__ == "__main__":
    main()
