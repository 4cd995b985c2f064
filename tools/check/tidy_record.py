"""The record of tidy.py: which sources passed clang-tidy, each with the hash of
what its findings follow from.

These are the source, every file of the project that it includes, directly or
not, generated ones as the build folder has them, the .clang-tidy files of their
folders and of those above, the commands that compile the source, and clang-tidy's
version and arguments. Headers of packages are not part of it: those of LLVM change
with clang-tidy, the others are those of Debian 12.
"""

import functools
import hashlib
import json
import pathlib
import re
import shlex

PATH = "test/tidy.json"

INCLUDE = re.compile(rb'^[ \t]*#[ \t]*(?:include|include_next|import|embed)\b'
                     rb'[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|(\S))', re.MULTILINE)
HASH = re.compile(r"[0-9a-f]{64}")


class Hasher:
    """Reads each file once."""

    def __init__(self, root, build, tool):
        """`root`, `build`: resolved folders. `tool`: texts that say which
        clang-tidy runs and how."""
        self.root, self.build, self.tool = root, build, tool
        self.files = {}

    def portable(self, text):
        """`text` without the place of the repository and its build folder."""
        return text.replace(str(self.build), "<build>").replace(
            str(self.root), "<root>")

    def ours(self, path):
        return any(path.is_relative_to(at) for at in (self.root, self.build))

    def read(self, path):
        """Hash of the file, names that it includes as (quoted, name), and
        whether all of them are names; None if the project has no such file."""
        if path not in self.files:
            self.files[path] = None
            if self.ours(path) and path.is_file():
                data = path.read_bytes()
                names = INCLUDE.findall(data)
                if path.is_relative_to(self.build):
                    data = self.portable(data.decode()).encode()
                self.files[path] = (
                    hashlib.sha256(data).hexdigest(),
                    [(bool(quoted), (quoted or angled).decode())
                     for quoted, angled, other in names if not other],
                    not any(other for _, _, other in names))
        return self.files[path]

    def hash(self, source, entries):
        """Hash of what the findings in `source` follow from, compiled as the
        entries of the compilation database say; None if it cannot be told, since
        a file includes what a macro says."""
        lines, folders = set(), set()
        for entry in entries:
            base = pathlib.Path(entry["directory"])
            words = entry.get("arguments") or shlex.split(entry["command"])
            lines.add("command " + self.portable(json.dumps(words)))
            search, todo = search_path(base, words)
            search = [folder for folder in search if self.ours(folder)]
            todo.append(resolved(base, source))
            seen = set()
            while todo:
                path = todo.pop()
                if path in seen:
                    continue
                seen.add(path)
                content = self.read(path)
                if not content:
                    continue
                digest, names, known = content
                if not known:
                    return None
                lines.add(f"file {self.portable(str(path))} {digest}")
                folders.update(path.parents)
                # Not the first that is there alone: which one it is depends on
                # more than is known here, such as -iquote and include_next.
                for quoted, name in names:
                    places = [path.parent, *search] if quoted else search
                    todo += [resolved(place, name) for place in places]
        for folder in folders:
            path = folder / ".clang-tidy"
            if content := self.read(path):
                lines.add(f"file {self.portable(str(path))} {content[0]}")
        return hashlib.sha256(
            "\n".join([*self.tool, *sorted(lines)]).encode()).hexdigest()


@functools.cache
def resolved(base, name):
    return (base / name).resolve()


def search_path(base, words):
    """Folders in which a command looks for headers, and the files that it includes
    without being asked."""
    folders, files = [], []
    for at, word in enumerate(words):
        for option, found in (("-I", folders), ("-isystem", folders),
                              ("-iquote", folders), ("-include", files)):
            if not word.startswith(option):
                continue
            value = word[len(option):]
            if not value:
                # Of the compiler proper: -Xclang -include -Xclang FILE.
                rest = [w for w in words[at + 1:at + 3] if w != "-Xclang"]
                value = rest[0] if rest else ""
            if value and not value.startswith("-"):
                found.append(resolved(base, value))
    return folders, files


def read(root):
    """Hashes by source; empty if there is no record. ValueError if it is
    damaged."""
    path = root / PATH
    if not path.exists():
        return {}

    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a source stands in it twice")
        return dict(pairs)

    try:
        record = json.loads(path.read_text(), object_pairs_hook=unique)
        if not isinstance(record, dict):
            raise ValueError(f"expected an object, got {record!r:.40}")
        for source, value in record.items():
            if not isinstance(value, str) or not HASH.fullmatch(value):
                raise ValueError(f"expected 64 hexadecimal digits for "
                                 f"'{source}', got {value!r:.40}")
    except ValueError as error:
        raise ValueError(f"{PATH} is damaged: {error}; remove it, or the lines "
                         f"in question, and run ./dev tidy --update") from None
    return record


def write(root, record):
    """Sorted, one line a source, without sources that are gone."""
    lines = [f" {json.dumps(source)}: {json.dumps(value)}"
             for source, value in sorted(record.items())
             if (root / source).is_file()]
    path = root / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    # A run that is stopped leaves a whole record.
    new = path.with_name(path.name + ".new")
    new.write_text("{\n" + ",\n".join(lines) + "\n}\n" if lines else "{}\n")
    new.replace(path)
