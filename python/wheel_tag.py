#!/usr/bin/env python3
"""Prints the tag of a wheel that holds a libgsa.so.

    wheel_tag.py build/portable/lib/libgsa.so
    pip wheel ./python --no-deps -C cmake.define.GSA_LIBRARY=... -C wheel.tags=TAG

py3-none-manylinux_2_N_MACHINE if the library loads the C library alone, N being
the newest version of it whose symbols it asks for; py3-none-linux_MACHINE, a
wheel for this machine, otherwise.
"""

import platform
import re
import subprocess
import sys

C_LIBRARY = re.compile(r"(linux-vdso|ld-linux[\w-]*|libc|libm|libdl|libpthread|"
                       r"librt)\.so")


def tag_of(path):
    loaded = subprocess.run(["ldd", path], capture_output=True, text=True,
                            check=True).stdout
    names = [line.split()[0].split("/")[-1] for line in loaded.splitlines()
             if line.strip()]
    machine = platform.machine()
    if not all(map(C_LIBRARY.match, names)):
        return f"py3-none-linux_{machine}"
    with open(path, "rb") as file:
        versions = re.findall(rb"GLIBC_2\.(\d+)", file.read())
    newest = max(map(int, versions))
    return f"py3-none-manylinux_2_{newest}_{machine}"


if __name__ == "__main__":
    print(tag_of(sys.argv[1]))
