#!/usr/bin/env python3
"""Checks that the self-test of the device library calls each of its functions.

A function of codegen/device/include is called if its name stands in the text of
the self-test (test/gpu/device_selftest.cu and what it includes), or in the body
of a function that is called. Names are all that is compared: overloads are one
function, and nothing is said of what a call checks. Functions that cannot be
called there stand in EXCEPT, with the reason; one that is called must not. What
macros define is not seen (the products of GSA_WGMMA).

Usage: device_functions.py [--list] <repository>
       device_functions.py --self-test

--list prints, for each function, its header and who calls it.
"""

import pathlib
import re
import sys

HEADERS = "codegen/device/include"
SELF_TEST = "test/gpu/device_selftest.cu"

# Function -> why the self-test does not call it.
EXCEPT = {
    "cluster_sync": "needs a launch with clusters; test/gpu/schedules.py runs "
                    "kernels that have them",
    "barrier_cluster": "is what cluster_sync calls",
}

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
MARK = re.compile(r"\bGSA_DEVICE\b")
DEFINITION = re.compile(MARK.pattern + r"((?:[^;{}()]|\bsizeof\.\.\.\(\w+\))*?)"
                        r"(\w+|operator\s*\(\))\s*\(")
NAME = re.compile(r"\b[A-Za-z_]\w*\b")
INCLUDE = re.compile(r'^#include "(test/gpu/[^"]+)"', re.M)


def closing(text, start, pair):
    """The index behind the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i + 1
    raise ValueError("a bracket is not closed")


def read_functions(text):
    """{name: names in its bodies} of the functions that a header defines."""
    text = DIRECTIVE.sub("", COMMENT.sub("", text))
    functions = {}
    definitions = list(DEFINITION.finditer(text))
    if len(definitions) != len(MARK.findall(text)):
        raise ValueError("a definition with GSA_DEVICE is not understood")
    for match in definitions:
        behind = closing(text, match.end() - 1, "()")
        begin = text.find("{", behind)
        # What is declared alone has no body.
        if begin < 0 or ";" in text[behind:begin]:
            continue
        body = text[behind:closing(text, begin, "{}")]
        functions.setdefault(match[2], set()).update(NAME.findall(body))
    return functions


def called(functions, names):
    """{function: who calls it} from the names of a test's text."""
    callers = {name: "the self-test" for name in functions if name in names}
    todo = list(callers)
    while todo:
        caller = todo.pop()
        for name in functions[caller]:
            if name in functions and name not in callers:
                callers[name] = caller
                todo.append(name)
    return callers


def read_test(root, path, seen):
    """The text of a file of the self-test and of those that it includes."""
    if path in seen:
        return ""
    seen.add(path)
    text = (root / path).read_text()
    return COMMENT.sub("", text) + "".join(
        read_test(root, file, seen) for file in INCLUDE.findall(text))


def check(root, show):
    functions, headers = {}, {}
    for path in sorted((root / HEADERS).rglob("*.cuh")):
        for name, names in read_functions(path.read_text()).items():
            functions.setdefault(name, set()).update(names)
            headers.setdefault(name, path.relative_to(root / HEADERS))
    text = read_test(root, SELF_TEST, set())
    # Names of suites are text, and call nothing.
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    callers = called(functions, set(NAME.findall(text)))
    if show:
        for name in sorted(functions):
            print(f"{name:32} {str(headers[name]):28} "
                  f"{callers.get(name) or 'nobody: ' + EXCEPT.get(name, '?')}")
    errors = [f"{HEADERS}/{headers[name]}: {name} is not called by {SELF_TEST}"
              for name in sorted(functions)
              if name not in callers and name not in EXCEPT]
    errors += [f"{name} is called, expected no reason in EXCEPT why it is not"
               for name in sorted(EXCEPT) if name in callers]
    errors += [f"{name} of EXCEPT is no function of {HEADERS}"
               for name in sorted(EXCEPT) if name not in functions]
    if len(functions) < 200:
        errors.append(f"found {len(functions)} functions in {HEADERS}, expected "
                      f"more")
    for error in errors:
        print(error)
    if not errors:
        print(f"{len(callers)} of {len(functions)} functions are called, "
              f"{len(EXCEPT)} have a reason")
    return 1 if errors else 0


def self_test():
    text = """
    #define GSA_DEVICE __device__
    GSA_DEVICE int one(int x) { return x; }  // two(x)
    template <class T>
    GSA_DEVICE T two(T x) { return one(x) + S{x}.three(); }
    struct S { GSA_DEVICE S(int x) : v(x) {} GSA_DEVICE int three() const { return v; } };
    GSA_DEVICE void declared(int x);
    GSA_DEVICE unsigned long long alone(const int* x) { return *x; }
    """
    functions = read_functions(text)
    assert sorted(functions) == ["S", "alone", "one", "three", "two"], functions
    assert called(functions, {"two"}) == {
        "two": "the self-test", "one": "two", "S": "two", "three": "two"}
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    return check(pathlib.Path(sys.argv[-1]), "--list" in sys.argv[1:-1])


if __name__ == "__main__":
    sys.exit(main())
