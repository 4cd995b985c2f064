#!/usr/bin/env python3
"""Compares the constraint labels (C1, C2, ...) of every op, attribute and type.

A label of the gsa dialect exists in four places: the record in dialect/Gsa/*.td,
the section of the op in docs/spec.md, a test case `@<op>_c<N>` in
test/dialect/gsa/*.mlir, and the diagnostic which that case expects. One of gsa_tile
exists in two: the record in dialect/GsaTile/*.td, and a case `@<op>_c<N>` in
test/dialect/gsa_tile/*.mlir that expects an error. Each place must have the labels
of the record and no others.

Messages of both dialects and of all passes have cases, too, whether they have a label
or not: see refusals.py.

Usage: labels.py <repository>
"""

import pathlib
import re
import sys

import refusals


def expand_labels(text):
    """The label numbers in `text`; "(C1) to (C4)" stands for all four."""
    numbers = set()
    for first, last in re.findall(r"\(C(\d+)\) to \(C(\d+)\)", text):
        numbers.update(range(int(first), int(last) + 1))
    numbers.update(int(n) for n in re.findall(r"^\s*- \(C(\d+)\)", text, re.M))
    return numbers


def read_records(root):
    """{name: labels} of each op and attribute that states constraints."""
    records = {}
    pattern = re.compile(
        r'^def \w+ : (?:Gsa_Op<"(?P<op>\w+)"|Gsa_Attr<"\w+", "(?P<attr>\w+)">)',
        re.M | re.S)
    source = "\n".join(
        path.read_text() for path in sorted(root.glob("dialect/Gsa/*.td")))
    # `def X\n    : Base` is the same record head.
    source = re.sub(r"\n\s+: ", " : ", source)
    heads = list(pattern.finditer(source))
    ends = [head.start() for head in heads[1:]] + [len(source)]
    for head, end in zip(heads, ends):
        body = source[head.start():end]
        name = head["op"] or head["attr"]
        description = re.search(r"description = \[\{(.*?)\}\];", body, re.S)
        records[name] = expand_labels(description[1] if description else "")
    return records


def read_tile_records(root):
    """The same of gsa_tile, whose records state constraints in a sentence."""
    records = {}
    pattern = re.compile(
        r'^def \w+ : GsaTile_(?P<kind>\w+)<\s*"(?P<op>\w+)"(?:, "(?P<name>\w+)")?',
        re.M)
    source = "\n".join(
        path.read_text() for path in sorted(root.glob("dialect/GsaTile/*.td")))
    source = re.sub(r"\n\s+: ", " : ", source)
    heads = list(pattern.finditer(source))
    types = {head["name"] for head in heads if head["kind"] == "Type"}
    ends = [head.start() for head in heads[1:]] + [len(source)]
    for head, end in zip(heads, ends):
        body = source[head.start():end]
        description = re.search(r'description = (?:\[\{(.*?)\}\]|"(.*?)");', body,
                                re.S)
        text = description and (description[1] or description[2]) or ""
        sentence = re.search(r"Constraints?:(.*)", text, re.S)
        labels = expand_labels(text)
        if sentence:
            labels.update(map(int, re.findall(r"\(C(\d+)\)", sentence[1])))
        is_op = head["kind"] not in ("Attr", "Type")
        name = head["op"] if is_op else head["name"]
        # An op may have the name of a type.
        if labels:
            records[name + "_op" if is_op and name in types else name] = labels
    return records


def read_tile_tests(root, names, errors):
    """{name: labels} of the cases of gsa_tile."""
    labels = {name: set() for name in names}
    for path in sorted(root.glob("test/dialect/gsa_tile/invalid*.mlir")):
        for case in re.split(r"^// -----$", path.read_text(), flags=re.M):
            found = [(name, int(number)) for name, number in
                     re.findall(r"@([a-z_0-9]+?)_c(\d+)(?![a-z0-9])", case)]
            for name, number in found:
                where = f"{path.relative_to(root)}: @{name}_c{number}"
                if name not in labels:
                    errors.append(f"{where} names nothing of the dialect")
                    continue
                labels[name].add(number)
                if "expected-error" not in case:
                    errors.append(f"{where} expects no error")
    return labels


def read_spec(root):
    """{name: labels} of the sections `### gsa.<op>` and `### #gsa.<attr>`."""
    text = (root / "docs/spec.md").read_text()
    sections = re.split(r"^(#{2,3} .*)$", text, flags=re.M)
    labels = {}
    for heading, body in zip(sections[1::2], sections[2::2]):
        match = re.fullmatch(r"### #?gsa\.(\w+)", heading.strip())
        if match:
            labels[match[1]] = expand_labels(body)
    return labels


def read_tests(root, names, errors):
    """{name: labels} of the test cases; each must expect its own label."""
    labels = {name: set() for name in names}
    for path in sorted(root.glob("test/dialect/gsa/*.mlir")):
        cases = re.split(r"^func\.func ", path.read_text(), flags=re.M)
        for case in cases[1:]:
            name = re.match(r"(?:private )?@(\w+)", case)
            match = name and re.fullmatch(r"([a-z_]+?)_c(\d+)(_\w+)?", name[1])
            if not match:
                continue
            where = f"{path.relative_to(root)}: @{name[1]}"
            if match[1] not in labels:
                errors.append(f"{where} names no op or attribute of the dialect")
                continue
            labels[match[1]].add(int(match[2]))
            if not re.search(rf"expected-error.*\(C{match[2]}\)", case):
                errors.append(
                    f"{where} expects no diagnostic with (C{match[2]})")
    return labels


def compare(what, wanted, found, errors):
    for name in sorted(wanted.keys() | found.keys()):
        want, got = wanted.get(name, set()), found.get(name, set())
        for number in sorted(want - got):
            errors.append(f"(C{number}) of '{name}' is missing in {what}")
        for number in sorted(got - want):
            errors.append(
                f"(C{number}) of '{name}' is in {what} but not in the record")
        if name in wanted and name not in found:
            errors.append(f"'{name}' has no place in {what}")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    errors = []
    records = read_records(root)
    if not records:
        errors.append("no records found in dialect/Gsa/*.td")
    for name, labels in records.items():
        if labels != set(range(1, len(labels) + 1)):
            errors.append(f"labels of '{name}' are not C1, C2, ... without gaps")
        if not labels:
            errors.append(f"record of '{name}' states no constraints")
    compare("docs/spec.md", records, read_spec(root), errors)
    compare("test/dialect/gsa", records, read_tests(root, records, errors),
            errors)
    tile = read_tile_records(root)
    if not tile:
        errors.append("no records with constraints found in dialect/GsaTile/*.td")
    for name, labels in tile.items():
        if labels != set(range(1, len(labels) + 1)):
            errors.append(f"labels of '{name}' are not C1, C2, ... without gaps")
    compare("test/dialect/gsa_tile", tile, read_tile_tests(root, tile, errors),
            errors)
    refused, messages, unreached = refusals.check(root)
    errors += refused
    for error in errors:
        print(f"labels: {error}", file=sys.stderr)
    if not errors:
        total = sum(len(labels) for labels in (records | tile).values())
        print(f"labels: {total} constraints of {len(records) + len(tile)} records "
              f"agree; {messages - unreached} messages have cases, no input reaches "
              f"{unreached}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
