#!/usr/bin/env python3
"""Every message by which the compiler refuses something has a test case.

A message is the constant text of a statement of dialect/, passes/ or codegen/cuda/: of
one that emits an error (emitError, emitOpError), and in dialect and passes of any other
one with prose, which is a reason that an error or a remark states. Its pieces stand
between the values that it prints. A case is a text that tests expect: an
expected-error (or -remark, -note), a CHECK line, a text of a unit test. A message has
a case if one of them has all of its pieces in their order; of a choice
(`a ? "x" : "y"`) each text must be in one. As many statements as say the same need as
many cases.

What no input reaches stands in tools/check/refusals.json with the reason; an entry
that no message needs is an error.

Usage: refusals.py <repository> (labels.py does the same, and more)
"""

import collections
import itertools
import json
import pathlib
import re
import sys

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
    |R"\((?P<raw>.*?)\)"|"(?P<text>(?:[^"\\\n]|\\.)*)"|'(?:[^'\\\n]|\\.)'
    |[A-Za-z_]\w*|\d[\w.']*|\s+|.""", re.S | re.M | re.X)
EMITTERS = {"emitError", "emitOpError"}
# Statements with text that is no refusal: invariants, what options and phases are,
# decisions that remarks tell of.
OTHER = {"assert", "llvm_unreachable", "report_fatal_error", "desc", "clEnumValN",
         "passed", "analysis", "RemarkOpts", "remarkOpts", "static_assert",
         "PassPipelineRegistration", "OpPassManager", "remarkWorkspace"}
HEADS = {"if", "else", "for", "while", "switch"}


def unescape(text):
    return text.encode().decode("unicode_escape") if "\\" in text else text


def statements(text):
    """(line, [token, ...]) of each statement; a text is a pair (depth, text)."""
    line, tokens, start, depth = 1, [], 1, 0
    for match in TOKEN.finditer(text):
        token = match[0]
        first = line
        line += token.count("\n")
        if match["comment"] or match["directive"] or token.isspace():
            continue
        if token in ";{}":
            if tokens:
                yield start, tokens
            tokens, depth = [], 0
            continue
        if not tokens:
            start = first
        literal = match["text"] if match["text"] is not None else match["raw"]
        if literal is None:
            depth += (token in "([") - (token in ")]")
            tokens.append(token)
        elif tokens and isinstance(tokens[-1], tuple):
            tokens[-1] = (tokens[-1][0], tokens[-1][1] + unescape(literal))
        else:
            tokens.append((depth, unescape(literal)))
    if tokens:
        yield start, tokens


def without_heads(tokens):
    """What `if (...)` and the like are followed by."""
    while tokens and tokens[0] in HEADS:
        depth, end = 0, 1
        while end < len(tokens) and (depth or tokens[end] in ("(", "constexpr")):
            depth += (tokens[end] == "(") - (tokens[end] == ")")
            end += 1
            if not depth and tokens[end - 1] == ")":
                break
        tokens = tokens[end:]
    return tokens


def is_words(text):
    return re.search(r"[A-Za-z]{3,}", text) is not None


def is_prose(text):
    return re.search(r"[a-z]{2,},? [a-z]{2,}", text) is not None


def read_messages(text, has_reasons):
    """(line, pieces, is_choice) of the messages in the text of a source."""
    for line, tokens in statements(text):
        tokens = without_heads(tokens)
        words = {token for token in tokens if isinstance(token, str)}
        texts = [token[1] for token in tokens if isinstance(token, tuple)]
        emits = bool(words & EMITTERS)
        if not emits and (not has_reasons or words & OTHER
                          or not any(map(is_prose, texts))):
            continue
        pieces = tuple(text.strip() for text in texts if is_words(text))
        # A row of a table has texts of several messages.
        is_choice = "?" in words or not (emits or words & {"return", "(", "=", "+"})
        if pieces:
            yield line, pieces, is_choice


def read_cases(root):
    """Texts that tests expect."""
    cases = []
    for path in sorted(root.glob("test/**/*")):
        if path.suffix in (".mlir", ".test"):
            cases += [line for line in path.read_text().splitlines()
                      if re.search(r"expected-(error|remark|note|warning)|[A-Z0-9]:",
                                   line)]
        elif path.suffix == ".cc":
            cases += [token[1] for _, tokens in statements(path.read_text())
                      for token in tokens if isinstance(token, tuple)]
    return cases


def has_in_order(case, pieces):
    at = 0
    for piece in pieces:
        at = case.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def find_missing(messages, cases):
    """{pieces: number of cases that are missing}."""
    missing = {}
    text = "\n".join(cases)
    for (pieces, is_choice), places in messages.items():
        if any(piece not in text for piece in pieces):
            missing[pieces, is_choice] = len(places)
        elif not is_choice:
            found = (case for case in cases if has_in_order(case, pieces))
            count = len(list(itertools.islice(found, len(places))))
            if count < len(places):
                missing[pieces, is_choice] = len(places) - count
    return missing


def check(root):
    """(errors, number of messages, number of those that no input reaches)."""
    messages = collections.defaultdict(list)
    for folder in ("dialect", "passes", "codegen/cuda"):
        for path in sorted(root.glob(f"{folder}/**/*")):
            if path.suffix not in (".cpp", ".h", ".td"):
                continue
            # Records and printers are full of text that says nothing.
            has_reasons = path.suffix != ".td" and folder != "codegen/cuda"
            for line, pieces, is_choice in read_messages(path.read_text(),
                                                         has_reasons):
                messages[pieces, is_choice].append(
                    f"{path.relative_to(root)}:{line}")
    unreached = json.loads((root / "tools/check/refusals.json").read_text())
    missing = find_missing(messages, read_cases(root))
    errors, used = [], set()
    for (pieces, is_choice), count in sorted(missing.items(),
                                             key=lambda m: messages[m[0]]):
        entry = " ... ".join(pieces)
        if entry in unreached:
            used.add(entry)
            continue
        places = messages[pieces, is_choice]
        errors.append(f"{', '.join(places)}: {count} of {len(places)} without a "
                      f"case that expects '{entry}'")
    for entry in unreached.keys() - used:
        errors.append(f"tools/check/refusals.json: '{entry}' is no message without "
                      "a case")
    if not messages:
        errors.append("no messages found")
    return errors, sum(map(len, messages.values())), len(used)


def main():
    errors, messages, unreached = check(
        pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    for error in errors:
        print(f"refusals: {error}", file=sys.stderr)
    if not errors:
        print(f"refusals: {messages} messages, no input reaches {unreached}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
