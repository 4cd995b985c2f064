"""The record of mutants.py: which slips were noticed, by which test, in how many
seconds, each with the hash of what was read for it.

These are the slip, its file, and the sources of its tests: a lit or Python file, or
those that test/unit/CMakeLists.txt names for the executable. Code that these only use
is not part of it, so a record says what was so once; --all asks again.
"""

import hashlib
import json
import pathlib
import re

PATH = "test/mutants/results.json"
FIELDS = {"file": str, "old": str, "new": str, "noticed": str, "seconds": int,
          "hash": str}


def key(slip):
    return slip["file"], slip["old"], slip["new"]


def unit_sources(root, executable):
    """Sources of an executable of test/unit; empty if there is no such executable."""
    text = (root / "test/unit/CMakeLists.txt").read_text()
    found = re.search(rf"\b(?:gsa_unit_test|add_executable)\(\s*{executable}\s([^)]*)\)",
                      text)
    return re.findall(r"[\w/]+\.cc\b", found[1]) if found else []


def test_files(root, test):
    """Files that say what a test, as slips name it, expects. None for a step on a GPU,
    which is many."""
    kind, _, name = test.partition(":")
    if kind == "lit":
        return [f"test/{name}"]
    if kind == "python":
        return [f"test/python/test_{name}.py"]
    if kind == "unit":
        return [f"test/unit/{source}"
                for source in unit_sources(root, name.partition(":")[0])]
    return []


def digest(root, slip):
    lines = [json.dumps(slip, sort_keys=True)]
    files = {slip["file"]}.union(*(test_files(root, test) for test in slip["tests"]))
    for file in sorted(files):
        lines.append(f"{file} {hashlib.sha256((root / file).read_bytes()).hexdigest()}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read(root):
    """Entries by slip; empty if there is no record. ValueError if it is damaged."""
    path = root / PATH
    if not path.exists():
        return {}
    record = {}
    try:
        entries = json.loads(path.read_text())
        if not isinstance(entries, list):
            raise ValueError(f"expected a list, got {entries!r:.40}")
        for entry in entries:
            if (not isinstance(entry, dict) or entry.keys() != FIELDS.keys() or
                    any(type(entry[name]) is not kind
                        for name, kind in FIELDS.items())):
                raise ValueError(f"expected an object of {', '.join(FIELDS)}, got "
                                 f"{entry!r:.80}")
            if key(entry) in record:
                raise ValueError(f"a slip of {entry['file']} stands in it twice")
            record[key(entry)] = entry
    except ValueError as error:
        raise ValueError(f"{PATH} is damaged: {error}; remove it, or the lines in "
                         f"question, and run mutants.py --update") from None
    return record


def write(root, slips, record):
    """One line a slip, in their order, without slips that are gone."""
    lines = [json.dumps(record[key(slip)], ensure_ascii=False) for slip in slips
             if key(slip) in record]
    path = pathlib.Path(root) / PATH
    # A run that is stopped leaves a whole record.
    new = path.with_name(path.name + ".new")
    new.write_text("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n")
    new.replace(path)
