#!/usr/bin/env python3
"""Prints the tag of a wheel that holds a libgsa.so, and gsa-cache if it is there.

    wheel_tag.py build/portable/lib/libgsa.so build/portable/bin/gsa-cache
    pip wheel ./python --no-deps -C cmake.define.GSA_LIBRARY=... -C wheel.tags=TAG

py3-none-manylinux_2_N_MACHINE if these files load the C library alone, N being
the newest version of it whose symbols it asks for; py3-none-linux_MACHINE, a
wheel for this machine, otherwise.
"""

import platform
import re
import subprocess
import sys

C_LIBRARY = re.compile(r"(linux-vdso|ld-linux[\w-]*|libc|libm|libdl|libpthread|"
                       r"librt)\.so")


def tag_of(*paths):
    machine, newest = platform.machine(), 0
    for path in paths:
        loaded = subprocess.run(["ldd", path], capture_output=True, text=True,
                                check=True).stdout
        names = [line.split()[0].split("/")[-1] for line in loaded.splitlines()
                 if line.strip()]
        if not all(map(C_LIBRARY.match, names)):
            return f"py3-none-linux_{machine}"
        with open(path, "rb") as file:
            versions = re.findall(rb"GLIBC_2\.(\d+)", file.read())
        newest = max(newest, *map(int, versions))
    return f"py3-none-manylinux_2_{newest}_{machine}"


if __name__ == "__main__":
    print(tag_of(*sys.argv[1:]))
