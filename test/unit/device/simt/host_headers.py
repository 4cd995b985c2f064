#!/usr/bin/env python3
"""Writes the device headers as a C++ compiler for the host can read them.

Each asm statement becomes a call of the function of namespace host_asm
(instructions.h) that is named after its instruction, with the operands in their
order: asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x)) becomes
host_asm::ex2_approx_ftz_f32(y, x). Everything else is copied. An instruction
that has no function there does not compile; an asm statement that is not
understood is an error.

Usage: host_headers.py <include folder> <output folder>
       host_headers.py --self-test
"""

import pathlib
import re
import sys

ASM = re.compile(r"\basm\b\s*(?:volatile\b\s*)?\(")
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
# Instructions beside the one that does the work.
HELPERS = ("setp.", "selp.", "add.", ".reg")


def closing(text, start):
    """The index behind the parenthesis that closes the one at `start`."""
    depth, i = 0, start
    while i < len(text):
        if text[i] == '"':
            i = STRING.match(text, i).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
        if depth == 0:
            return i
    raise ValueError("a parenthesis is not closed")


def function_name(template):
    """The name of the function for the text of an asm statement."""
    text = template.replace("\\n", " ").replace("\\t", " ")
    lines = [line.strip().strip("{}").strip() for line in text.split(";")]
    lines = [re.sub(r"^@\w+\s+", "", line) for line in lines]
    work = [line for line in lines if line and not line.startswith(HELPERS)]
    if not work:
        return ""
    name = re.sub(r"[^A-Za-z0-9]+", "_", work[0].split()[0]).strip("_")
    conditional = any(line.startswith("setp.") for line in lines)
    return name + ("_if" if conditional else "")


def operands(text):
    """The expressions of the operands of an asm statement, without its text."""
    found, i = [], 0
    while True:
        constraint = re.compile(r'"[=+]?[a-z]"\s*\(').search(text, i)
        if not constraint:
            return found
        end = closing(text, constraint.end() - 1)
        found.append(text[constraint.end():end - 1].strip())
        i = end


def replaced(body):
    """What stands for the asm statement with this text between parentheses."""
    i, template = 0, ""
    while True:  # adjacent literals are one
        string = re.compile(r'\s*"((?:\\.|[^"\\])*)"').match(body, i)
        if not string:
            break
        template += string[1]
        i = string.end()
    if i == 0:
        raise ValueError(f"expected a literal, got '{body[:40]}'")
    name = function_name(template)
    if not name:  # a barrier for the compiler alone
        return "static_cast<void>(0)"
    return f"host_asm::{name}({', '.join(operands(body[i:]))})"


def without_asm(text):
    """The text with calls in place of asm statements; macros stay."""
    result, i = [], 0
    while True:
        asm = ASM.search(text, i)
        if not asm:
            return "".join(result) + text[i:]
        start = text.rfind("\n", 0, asm.start()) + 1
        end = closing(text, asm.end() - 1)
        comment = text[start:asm.start()].lstrip().startswith("//")
        macro = text[start:text.find("\n", asm.start())].endswith("\\")
        if comment or macro:
            result.append(text[i:asm.end()])
            i = asm.end()
            continue
        result.append(text[i:asm.start()] + replaced(text[asm.end():end - 1]))
        i = end


def self_test():
    cases = {
        'asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));':
            "host_asm::ex2_approx_ftz_f32(y, x);",
        'asm volatile("" : "+f"(x[0]), "+f"(x[1]));': "static_cast<void>(0);",
        'asm volatile("{\\n\\t.reg .pred p;\\n\\tsetp.ne.s32 p, %2, 0;\\n\\t"\n'
        '"@p ld.shared.u32 %0, [%1];\\n\\t}" : "+r"(v) : "r"(a), "r"(f(c)) : "memory");':
            "host_asm::ld_shared_u32_if(v, a, f(c));",
        'asm volatile("bar.sync 0;" ::: "memory");': "host_asm::bar_sync();",
        "#define A \\\n  asm(B) \\\n": "#define A \\\n  asm(B) \\\n",
        "// an asm statement (text)": "// an asm statement (text)",
    }
    for text, want in cases.items():
        got = without_asm(text)
        if got != want:
            print(f"{text}\n  expected {want}\n  got      {got}")
            return 1
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    source, target = map(pathlib.Path, sys.argv[1:3])
    for path in sorted(source.rglob("*.cuh")):
        try:
            text = without_asm(path.read_text())
        except ValueError as error:
            print(f"{path}: {error}")
            return 1
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(f'#line 1 "{path}"\n' + text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
