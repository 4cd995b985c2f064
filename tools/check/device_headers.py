"""The hash of the device headers: what results of kernels on a GPU, and of
compiling them, depend on beside the kernels' own text."""

import hashlib
import os
import re


def hash_headers(root):
    """SHA-256 of the device headers below `root`: their names and what a
    compiler sees of them. A comment is no reason to run the GPU tests again."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            # No string of the headers holds two slashes.
            text = " ".join(re.sub(r"//[^\n]*", "", text).split())
            # Where a line is broken says nothing, beside words.
            text = re.sub(r" ?([^\w ]) ?", r"\1", text)
            name = os.path.relpath(path, root).replace(os.sep, "/")
            for part in (name, text):
                digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()
