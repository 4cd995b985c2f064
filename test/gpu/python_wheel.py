#!/usr/bin/env python3
"""The wheel of the Python package in a fresh environment, without a CUDA toolkit.

    python3 test/gpu/python_wheel.py --wheel gsa_compiler-0.1.0-py3-none-....whl

Makes a virtual environment, installs the wheel into it without the network and runs
the published quick start there, and the layer against float64. NumPy, torch and
NVIDIA's wheels (NVRTC, cuBLASLt) are those of the Python that runs this. Toolkits
are hidden: in a mount namespace of its own, where this user may make one, empty
folders lie over /usr/local/cuda* and /opt/cuda; and what the process has mapped in
the end shows where NVRTC came from. With --device cpu the same without a GPU.
"""

import argparse
import glob
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

import steps
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLKITS = ["/usr/local/cuda*", "/opt/cuda*"]
# Of CUDA, by the name of the file.
LIBRARIES = re.compile(r"/lib(nvrtc|nvrtc-builtins|cublasLt)\b[^/]*$")
ON_CPU = """
import torch
from gsa import GatedSparseAttention, GSAConfig
gsa = GatedSparseAttention(GSAConfig(d_model=64, n_heads=4, n_kv_heads=2, k_base=8,
                                     k_min=4, k_max=16))
output, _ = gsa(torch.randn(2, 40, 64), positions=torch.arange(40).expand(2, -1))
"""
# Covers each toolkit with an empty folder, then becomes the command.
HIDE = """
for folder in {toolkits}; do
  [ -d "$folder" ] || continue
  mount -t tmpfs -o size=64k none "$folder" || exit 97
done
exec "$@"
"""


def without_toolkit(environment):
    """The environment without what names a toolkit."""
    kept = {name: value for name, value in environment.items()
            if name not in ("CUDA_HOME", "CUDA_PATH", "GSA_LIBRARY", "GSA_NVRTC",
                            "GSA_CACHE_DIR", "PYTHONPATH", "VIRTUAL_ENV")}
    for name in ("PATH", "LD_LIBRARY_PATH"):
        if name in kept:
            kept[name] = ":".join(
                part for part in kept[name].split(":")
                if not part.startswith(tuple(t[:-1] for t in TOOLKITS)))
    return kept


def hiding(command):
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
            HIDE.format(toolkits=" ".join(TOOLKITS)), "sh", *command]


def can_hide():
    try:
        return steps.run(hiding(["true"]), 30)[0] == 0
    except OSError:
        return False


def outer_folders():
    """Where this Python has the packages that the wheel's environment borrows."""
    folders = []
    for name in ("numpy", "torch"):
        spec = importlib.util.find_spec(name)
        folder = spec and os.path.dirname(os.path.dirname(spec.origin))
        if folder and folder not in folders:
            folders.append(folder)
    return folders


def make_environment(folder, wheel):
    """Its Python. Ensures that nothing but the wheel is installed in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder],
                   check=True)
    python = os.path.join(folder, "bin", "python")
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install",
                    "--quiet", "--no-deps", "--no-index", "--no-cache-dir",
                    "--disable-pip-version-check", wheel], check=True)
    site, = glob.glob(os.path.join(folder, "lib", "python*", "site-packages"))
    with open(os.path.join(site, "borrowed.pth"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in outer_folders())
    return python


def check_wheel(checks, wheel, device):
    hidden = can_hide()
    with tempfile.TemporaryDirectory() as folder:
        python = make_environment(os.path.join(folder, "env"), wheel)
        inside = [python, os.path.abspath(__file__), "--wheel", wheel,
                  "--device", device, "--inside", os.path.join(folder, "env")]
        environment = without_toolkit(os.environ)
        done = subprocess.run(hiding(inside) if hidden else inside, cwd=folder,
                              env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        print(done.stdout, end="")
        checks.expect("the environment of the wheel", done.returncode == 0,
                      f"exit status {done.returncode}")
        status, output = steps.run(
            [sys.executable, "-m", "pip", "--python", python, "check"], 120,
            {"PYTHONPATH": ""})
        ours = [line for line in output.splitlines() if "gsa" in line]
        checks.expect("pip check beside the other packages", not ours,
                      "; ".join(ours))
    there = [path for pattern in TOOLKITS for path in glob.glob(pattern)]
    print(f"       toolkits here: {', '.join(there) or 'none'}, "
          + ("hidden" if hidden else "not hidden: no mount namespace"))
    checks.expect("no toolkit is to be seen", hidden or not there)


def mapped_files():
    with open("/proc/self/maps", encoding="utf-8") as file:
        return {line.split(None, 5)[5].strip() for line in file
                if line.count("/")}


def run_inside(environment, device):
    """In the wheel's environment."""
    import gsa
    checks = Checks()
    checks.expect("import touches neither torch, triton nor CUDA",
                  not {"torch", "triton"} & set(sys.modules) and
                  not any("libcuda" in path for path in mapped_files()))
    checks.expect("the package of the wheel",
                  gsa.__file__.startswith(environment + os.sep), gsa.__file__)
    import torch
    # Puts the repository's package first, where it is too late.
    sys.path.insert(0, HERE)
    import python_layer
    names = {}
    with torch.no_grad():
        exec(python_layer.QUICK_START if device == "cuda" else ON_CPU, names)
        output = names["output"]
        checks.expect("quick start", output.device.type == device and
                      bool(torch.isfinite(output).all()),
                      f"{tuple(output.shape)} by {gsa.last_dispatch().target}")
        if device == "cuda":
            python_layer.errors(torch, gsa)
            checks.failures += python_layer.CHECKS.failures
    mapped = mapped_files()
    checks.expect("the library of the wheel", any(
        path.startswith(environment) and os.path.basename(path).startswith(
            "libgsa.so") for path in mapped))
    cuda = sorted(path for path in mapped if LIBRARIES.search(path))
    checks.expect("NVRTC and cuBLASLt of wheels", all(
        "site-packages/nvidia/" in path or "/nvidia/cu1" in path
        for path in cuda) and (device == "cpu" or any("nvrtc" in path for path in
                                                      cuda)),
                  ", ".join(cuda) or "none is loaded")
    return checks.end()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wheel", required=True)
    parser.add_argument("--library", help="not used: the wheel has its own")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return run_inside(arguments.inside, arguments.device)
    checks = Checks()
    check_wheel(checks, os.path.abspath(arguments.wheel), arguments.device)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
