"""Replaces a text that a file must contain, or writes a new file.

Usage: edit.py <file> <old> <new> | edit.py --new <file> <text>
In <text>, \\n and \\t are a line end and a tab.
"""

import pathlib
import sys

if sys.argv[1] == "--new":
    text = sys.argv[3].replace("\\n", "\n").replace("\\t", "\t")
    pathlib.Path(sys.argv[2]).write_text(text)
else:
    path, old, new = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    text = path.read_text()
    if old not in text:
        sys.exit(f"edit.py: {path} does not contain {old!r}")
    path.write_text(text.replace(old, new))
