#!/usr/bin/env python3
"""Installs a build and uses it as other projects do, from other folders.

Each check is a function; all of them run, and what fails is listed at the end.
The programs that are built come from the installed share/gsa/examples, so an
installation holds all that they need. The tree stays where check_relocation
moves it, for the test of the wheels.

usage: install_test.py --cmake CMAKE --source DIR --build DIR --llvm-bin DIR
                       --cc CC --cxx CXX --version X.Y.Z [--define NAME=VALUE]
                       [--library-only] WORK
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

# What a library of the portable build may load.
C_LIBRARY = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0",
             "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

GATE_SHAPES = ["value=1x33x2x64", "value_gate=1x33x2x64",
               "attended=1x33x8x64", "output_gate=1x33x8x64",
               "head_gate=1x33x8"]


class Failure(Exception):
    """A check that failed, with what was seen."""


def run(*command, env=None, expect=0, **kwargs):
    """Output of a command that must end with the exit code `expect`."""
    command = [str(part) for part in command]
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("LD_LIBRARY_PATH", "CMAKE_PREFIX_PATH")}
    environment.update(env or {})
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=environment,
                          **kwargs)
    if done.returncode != expect:
        raise Failure(f"{' '.join(command)}\nended with {done.returncode}:\n"
                      f"{done.stdout}")
    return done.stdout


def require(text, pattern):
    if not re.search(pattern, text):
        raise Failure(f"expected {pattern!r} in:\n{text}")


class Installation:
    """An installed tree and what is built against it."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.work = arguments.work
        self.prefix = self.work / "prefix"
        self.portable = "GSA_PORTABLE=ON" in arguments.define

    @property
    def examples(self):
        return self.prefix / "share/gsa/examples"

    def library_folder(self):
        found = list(self.prefix.glob("lib*/**/libgsa.so"))
        if len(found) != 1:
            raise Failure(f"expected one libgsa.so, got {found}")
        return found[0].parent

    def install(self):
        run(self.arguments.cmake, "--install", self.arguments.build, "--prefix",
            self.prefix)

    def cmake_project(self, source, name):
        """Configures and builds a project against the prefix."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        run(self.arguments.cmake, "-S", source, "-B", folder, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_COMPILER={self.arguments.cc}",
            f"-DCMAKE_CXX_COMPILER={self.arguments.cxx}")
        run(self.arguments.cmake, "--build", folder)
        return folder

    # ---- checks ----

    def check_names(self):
        """The versions that gsa.h promises, and no name but gsa_*."""
        version = self.arguments.version
        major, minor, _ = version.split(".")
        soname = f"{major}.{minor}" if major == "0" else major
        folder = self.library_folder()
        library = folder / f"libgsa.so.{version}"
        for name in ("libgsa.so", f"libgsa.so.{soname}"):
            if (folder / name).resolve() != library.resolve():
                raise Failure(f"{name} does not lead to {library.name}")
        readelf = self.arguments.llvm_bin / "llvm-readelf"
        dynamic = run(readelf, "--dynamic", library)
        require(dynamic, rf"SONAME.*\[libgsa\.so\.{re.escape(soname)}\]")
        # The folder of the build must not be needed, nor be found by chance.
        if str(self.arguments.build) in dynamic:
            raise Failure(f"the library names its build folder:\n{dynamic}")
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
        if self.portable and not needed <= C_LIBRARY:
            raise Failure(f"the portable library needs {needed - C_LIBRARY}")
        names = run(self.arguments.llvm_bin / "llvm-nm", "--dynamic",
                    "--defined-only", "--format=posix", library)
        exported = [line.split()[0] for line in names.splitlines()]
        wrong = [name for name in exported
                 if not name.startswith(("gsa_", "GSA_"))]
        if wrong or "gsa_compile@@GSA_0" not in exported:
            raise Failure(f"exported: {exported}")

    def check_c_project(self):
        folder = self.cmake_project(self.examples / "c", "c")
        output = run(folder / "example-c", self.examples / "gate_only.mlir",
                     *GATE_SHAPES)
        require(output, r"output output_per_head: f32\[1, 33, 8, 64\], from -0")

    def check_cpp_project(self):
        folder = self.cmake_project(self.examples / "cpp", "cpp")
        output = run(folder / "example-cpp", self.examples / "gsa_layer.mlir",
                     "hidden_states=1x64x512")
        require(output, r"(?s)run 2: .*output output: f32, from -\S+ to \d")
        output = run(folder / "example-cpp", self.examples / "gsa_layer.mlir",
                     expect=1)
        require(output, "input 'hidden_states' has dynamic sizes")

    def check_embed_project(self):
        folder = self.cmake_project(self.examples / "embed", "embed")
        output = run(folder / "example-decode", self.examples / "embed/step.mlir")
        require(output, "0 compilations\nthe same bits as each sequence at once")

    def check_pkg_config(self):
        tool = shutil.which("pkg-config")
        if not tool:
            raise Failure("pkg-config is not installed")
        folder = self.library_folder()
        environment = {"PKG_CONFIG_PATH": str(folder / "pkgconfig")}
        flags = run(tool, "--cflags", "--libs",
                    f"gsa = {self.arguments.version}", env=environment).split()
        program = self.work / "example-pkg-config"
        run(self.arguments.cc, "-std=c11", self.examples / "c/example.c",
            *flags, "-lm", f"-Wl,-rpath,{folder}", "-o", program)
        output = run(program, self.examples / "gate_only.mlir", *GATE_SHAPES)
        require(output, "output output: f32")
        flags = run(tool, "--cflags", "--libs",
                    f"gsa-runtime = {self.arguments.version}",
                    env=environment).split()
        program = self.work / "pack-pkg-config"
        run(self.arguments.cc, "-std=c11", self.examples / "c/pack.c", *flags,
            f"-Wl,-rpath,{folder}", "-o", program)
        output = run(program, self.examples / "gate_only.mlir", expect=1)
        require(output, "is no pack of gsa-compile")

    def check_versions(self):
        """find_package takes this minor version and no other, and components
        that there are."""
        major, minor, _ = self.arguments.version.split(".")
        folder = self.work / "versions"
        folder.mkdir(exist_ok=True)
        (folder / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.16)\nproject(p NONE)\n"
            "find_package(gsa ${WANTED} REQUIRED)\n")
        for wanted, expect in ((f"{major}.{minor}", 0),
                               (f"{major}.{int(minor) + 1}", 1),
                               (f"{int(major) + 1}.0", 1),
                               ("COMPONENTS;gsa;runtime", 0)):
            run(self.arguments.cmake, "-S", folder, "-B", folder / "build",
                f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DWANTED={wanted}",
                expect=expect)
        output = run(self.arguments.cmake, "-S", folder, "-B", folder / "build",
                     f"-DCMAKE_PREFIX_PATH={self.prefix}",
                     "-DWANTED=COMPONENTS;engine", expect=1)
        require(" ".join(output.split()),
                "gsa has no component 'engine'; it has: gsa, runtime")

    def check_tools(self):
        """They run from the prefix, with what is installed alone."""
        module = self.examples / "gate_only.mlir"
        output = run(self.prefix / "bin/gsa-run", module, "--seq", 16,
                     "--compare")
        require(output, "Comparison with the float64 reference: passed")
        run(self.prefix / "bin/gsa-opt", module, "--gsa-decompose", "-o",
            os.devnull)
        run(self.prefix / "bin/gsa-translate", "--help")
        run(self.prefix / "bin/gsa-reduce", "--help")
        run(self.prefix / "bin/gsa-lsp-server", "--help")
        run(self.prefix / "bin/gsa-doctor", "--help")
        run(self.prefix / "bin/gsa-explain", module, "--seq", 16)
        run(self.prefix / "bin/gsa-cache", "ls", "--cache-dir",
            self.work / "no-cache")

    def check_plugin(self):
        plugins = list(self.prefix.glob("lib*/**/libGSAPlugin.so"))
        if self.portable:
            # A plugin lives in the MLIR of its host.
            if plugins:
                raise Failure(f"a portable build has {plugins}")
            return
        if len(plugins) != 1:
            raise Failure(f"expected one libGSAPlugin.so, got {plugins}")
        output = run(self.arguments.llvm_bin / "mlir-opt",
                     f"--load-dialect-plugin={plugins[0]}",
                     f"--load-pass-plugin={plugins[0]}",
                     "--pass-pipeline=builtin.module(gsa-decompose)",
                     self.examples / "gate_only.mlir")
        require(output, "linalg.generic")

    def check_relocation(self):
        """All of it again from another place, the first one being gone."""
        moved = self.work / "moved to another place"
        shutil.rmtree(moved, ignore_errors=True)
        self.prefix.rename(moved)
        self.prefix = moved
        for file in moved.rglob("*"):
            if file.suffix in (".cmake", ".pc") and (
                    str(self.work) in file.read_text()):
                raise Failure(f"{file} names the prefix")
        self.check_c_project()
        self.check_cpp_project()
        if not self.arguments.library_only:
            self.check_tools()
            self.check_plugin()

    def check_partial_build(self):
        """A project that takes this one in by add_subdirectory; then the
        installation of a build of which nothing, or only gsa-run, is there."""
        source = self.work / "outer"
        build = self.work / "outer-build"
        shutil.rmtree(build, ignore_errors=True)
        source.mkdir(exist_ok=True)
        (source / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(outer C CXX)\n"
            f"add_subdirectory({self.arguments.source} gsa)\n"
            "if(TARGET gsa-doc OR TARGET unit-tests OR TARGET gsa-bench-cpu)\n"
            "  message(FATAL_ERROR \"tests and benchmarks are taken in\")\n"
            "endif()\n"
            "file(WRITE ${CMAKE_BINARY_DIR}/main.c \"#include <gsa/gsa.h>\\n"
            "int main(void) { return gsa_version() != GSA_VERSION; }\\n\")\n"
            "add_executable(outer ${CMAKE_BINARY_DIR}/main.c)\n"
            "target_link_libraries(outer PRIVATE gsa::gsa)\n")
        configure = [self.arguments.cmake, "-S", source, "-B", build, "-G",
                     "Ninja", f"-DCMAKE_C_COMPILER={self.arguments.cc}",
                     f"-DCMAKE_CXX_COMPILER={self.arguments.cxx}",
                     *[f"-D{define}" for define in self.arguments.define]]
        run(*configure)
        # What read paths of the outermost project before.
        run(self.arguments.cmake, "--build", build, "--target",
            "GsaDialectIncGen", "GsaTileDialectIncGen", "GsaPassesIncGen",
            "GsaDeviceHeadersIncGen")
        commands = run("ninja", "-C", build, "-t", "commands", "outer")
        require(commands, r"-shared .*libgsa\.so")

        run(*configure, "-DGSA_INSTALL=ON", "-DGSA_BUILD_TOOLS=ON")
        prefix = self.work / "partial"
        shutil.rmtree(prefix, ignore_errors=True)
        install = [self.arguments.cmake, "--install", build, "--prefix", prefix]
        output = run(*install, expect=1)
        require(output, "nothing of gsa is built")
        # The same rules as of the build that is tested, with one of its files.
        (build / "gsa/bin").mkdir(exist_ok=True)
        shutil.copy2(self.arguments.build / "bin/gsa-run", build / "gsa/bin")
        output = run(*install)
        require(output, "Left out, since it is not built: libgsa.so")
        run(prefix / "bin/gsa-run", self.arguments.source / "examples" /
            "gate_only.mlir", "--seq", 8, "--compare")
        if list(prefix.rglob("gsaConfig.cmake")):
            raise Failure("a package was installed without its library")


def main():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "cc", "cxx", "version"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("source", "build", "llvm-bin"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("--define", action="append", default=[],
                        help="NAME=VALUE for a build of this project")
    parser.add_argument("--library-only", action="store_true",
                        help="of a build that has no tools")
    parser.add_argument("work", type=pathlib.Path)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)

    installation = Installation(arguments)
    failures = []
    checks = [installation.install, installation.check_names,
              installation.check_c_project, installation.check_cpp_project,
              installation.check_embed_project,
              installation.check_pkg_config, installation.check_versions]
    if not arguments.library_only:
        checks += [installation.check_tools, installation.check_plugin,
                   installation.check_partial_build]
    # Last: it moves the tree.
    for check in checks + [installation.check_relocation]:
        try:
            check()
            print(f"passed: {check.__name__}", flush=True)
        except (Failure, OSError) as failure:
            print(f"FAILED: {check.__name__}\n{failure}", flush=True)
            failures.append(check.__name__)
            if check == installation.install:
                break
    if failures:
        sys.exit(f"failed: {', '.join(failures)}")


if __name__ == "__main__":
    main()
