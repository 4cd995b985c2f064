"""Damages three entries of a cache: one byte, a link, permissions.

usage: damage_cache.py <directory>
"""

import pathlib
import sys

first, second, third = sorted(pathlib.Path(sys.argv[1]).glob("*.gsa"))[:3]
data = bytearray(first.read_bytes())
data[len(data) // 2] ^= 1
first.write_bytes(data)
moved = second.with_suffix(".moved")
second.rename(moved)
second.symlink_to(moved)
third.chmod(0o666)
