"""python -m gsa cache: gsa-cache, which looks after the directory of compiled
code, on the directory that this package keeps.

The program comes with the wheel, and stands beside a library of a build or of an
installed tree: what an entry holds is known in one place.
"""

import os
import subprocess

from gsa import _capi, _plan

TOOL = "gsa-cache"


def tool():
    """The path of gsa-cache: bin/ beside the wheel's library, or the bin/ of the
    tree that has the library in its lib/."""
    library = os.path.realpath(_capi.library_path())
    folders, folder = [], os.path.dirname(library)
    # <package>/libgsa.so; <prefix>/lib/libgsa.so; <prefix>/lib/<machine>/...
    for _ in range(3):
        folders.append(os.path.join(folder, "bin"))
        folder = os.path.dirname(folder)
    for folder in folders:
        path = os.path.join(folder, TOOL)
        if os.access(path, os.X_OK):
            return path
    raise _capi.Unavailable(
        f"cache: got no {TOOL} in {', '.join(folders)}, expected the one of the "
        f"wheel, or that of the tree that has the library (target {TOOL})")


def run(arguments):
    """Runs it, with its own standard streams; returns its exit code."""
    environment = dict(os.environ)
    chosen = any(a == "--cache-dir" or a.startswith("--cache-dir=")
                 for a in arguments)
    directory = _plan.options()["cache_dir"]
    asks = any(a in ("-h", "--help", "--version") for a in arguments)
    if not chosen and directory:
        environment["GSA_CACHE"] = os.path.abspath(directory)
    elif not chosen and not asks:
        raise _capi.InvalidArgument(
            "cache: got no directory, expected GSA_CACHE_DIR in the environment "
            "or --cache-dir: without one this package keeps nothing on disk")
    return subprocess.run([tool(), *arguments], env=environment,
                          check=False).returncode
