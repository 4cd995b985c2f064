# -*- Python -*-
#
# The lit suite: every .mlir file below test/ with a RUN line. The values in
# `config` that start with gsa_ come from lit.site.cfg.py, which CMake writes.
#
# A tool that is built becomes a substitution with its full path and a feature
# of the same name, so a test may say `REQUIRES: gsa-translate`. A test that leaves
# lines out (`%if nvrtc %{ ... %}`) is unsupported, not passed: see lit_format.py.

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import lit_format

config.name = "gsa"
config.test_format = lit_format.WholeShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt", "install", "unit", "reference"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.gsa_test_exec_root

# Longer names first: a substitution must not match a part of another tool's
# name. "." and "/" before a name are refused so that paths stay as they are.
GSA_TOOLS = [
    "gsa-lsp-server",
    "gsa-translate",
    "gsa-cache",
    "gsa-compile",
    "gsa-doctor",
    "gsa-explain",
    "gsa-reduce",
    "gsa-bench-cpu",
    "gsa-bench",
    "gsa-tune",
    "gsa-opt",
    "gsa-run",
]
LLVM_TOOLS = [
    "FileCheck",
    "split-file",
    "not",
    "count",
    "mlir-opt",
    "llvm-nm",
    "llvm-readelf",
]


# Where NVRTC is found, printed kernels are compiled for every architecture.
translate = os.path.join(config.gsa_tools_dir, "gsa-translate")
if os.access(translate, os.X_OK) and not subprocess.run(
        [translate, "--nvrtc-version"], capture_output=True).returncode:
    config.available_features.add("nvrtc")

# Then, too, what these tools emit is kept for the test lit-kernels.
KEEPING_TOOLS = ["gsa-opt", "gsa-run", "gsa-translate"]
keep_kernels = " ".join([
    config.gsa_python,
    os.path.join(config.test_source_root, "keep_kernels.py"),
    os.path.join(config.gsa_test_exec_root, "kept-kernels"),
])


def add_tool(name, path, is_feature):
    if not os.access(path, os.X_OK):
        return
    if name in KEEPING_TOOLS and "nvrtc" in config.available_features:
        path = keep_kernels + " " + path
    config.substitutions.append((r"(?<![\w./%-])" + name + r"(?![\w.-])", path))
    if is_feature:
        config.available_features.add(name)


for tool in GSA_TOOLS:
    add_tool(tool, os.path.join(config.gsa_tools_dir, tool), True)
for tool in LLVM_TOOLS:
    add_tool(tool, os.path.join(config.gsa_llvm_bin, tool), False)

# What a build may leave out: the portable one has no plugin, for example.
for library in ("libgsa", "libgsa-runtime", "libGSAPlugin"):
    if os.path.exists(os.path.join(config.gsa_lib_dir, library + ".so")):
        config.available_features.add(library)

config.substitutions.append(("%gsa_source_dir", config.gsa_source_dir))
config.substitutions.append(("%gsa_build_dir", config.gsa_build_dir))
config.substitutions.append(("%gsa_lib_dir", config.gsa_lib_dir))
config.substitutions.append(
    ("%examples", os.path.join(config.gsa_source_dir, "examples"))
)
config.substitutions.append(
    (
        "%expect-exit",
        config.gsa_python
        + " "
        + os.path.join(config.test_source_root, "expect_exit.py"),
    )
)
config.substitutions.append(("%python", config.gsa_python))
config.substitutions.append(("%lit", f"{config.gsa_python} {sys.argv[0]}"))

# What compiles emulated kernels: the first that gsa-run would take, too.
for compiler in ("clang++-22", "clang++", "g++", "c++"):
    if shutil.which(compiler):
        headers = os.path.join(config.gsa_source_dir, "codegen/device/emu")
        config.substitutions.append(
            ("%host-cxx", f"{shutil.which(compiler)} -std=c++20 -I{headers}")
        )
        config.available_features.add("host-cxx")
        break

# `gpu` is given by hand (lit --param gpu=1) on a machine that has one.
if lit_config.params.get("gpu"):
    config.available_features.add("gpu")
if config.gsa_portable == "ON":
    config.available_features.add("portable")
if config.gsa_with_cairo == "ON":
    config.available_features.add("cairo")
if config.gsa_sanitize:
    config.available_features.add("sanitizer")

# Sanitizers read their options from the environment; colours and progress
# bars must not depend on who runs the suite.
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "CUDA_HOME",
             "CUDA_PATH", "GSA_PYTHON_PREFIX", "VIRTUAL_ENV"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment["NO_COLOR"] = "1"
# What is compiled must not depend on what the user has compiled before.
config.environment["GSA_CACHE"] = "off"
