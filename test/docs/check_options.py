#!/usr/bin/env python3
"""Looks up every option that a document names.

    python3 test/docs/check_options.py --tools build/dev/bin

An option in code (inline, or in a block) must be in the help of one of our
tools or scripts, in that of MLIR's (gsa-opt has them), or belong to a command
of another project on the same line. A file in code must exist, too: a path
that begins with a folder of the repository.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

import document_blocks

TOOLS = ["gsa-cache", "gsa-compile", "gsa-doctor", "gsa-explain", "gsa-opt",
         "gsa-run", "gsa-translate", "gsa-reduce", "gsa-lsp-server",
         "gsa-bench-cpu"]
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
# Other projects' programs: their options are not ours to check.
FOREIGN = re.compile(
    r"\b(cmake|ctest|git|pip3?|pkg-config|lit|apt-get|nvdisasm|cuobjdump|nvcc|"
    r"ncu|compute-sanitizer|vllm|sglang|cc|c\+\+|clang|gcc|mlir-opt|ptxas|NVRTC)\b")
# Said not to exist.
ABSENT = {"--debug-only"}
PATH = re.compile(r"^(bench|codegen|dialect|docs|examples|passes|runtime|test|"
                  r"tools|python|cmake)/[\w./-]+$")


def help_texts(root, tools):
    texts = []
    for tool in TOOLS:
        program = os.path.join(tools, tool)
        if not os.path.exists(program):
            continue
        for flag in ("--help", "--help-hidden"):
            texts.append(subprocess.run(
                [program, flag], capture_output=True, text=True,
                check=False).stdout)
    for script in [*root.glob("bench/**/*.py"), *root.glob("test/**/*.py"),
                   *root.glob("tools/**/*.py"), *root.glob("python/**/*.py"),
                   *root.glob("examples/**/*.py")]:
        texts.append(script.read_text(encoding="utf-8"))
    texts.append((root / "dev").read_text(encoding="utf-8"))
    return "\n".join(texts)


def code_of(text, name):
    """(line number, line, code) of inline code and of blocks."""
    for number, line, block in document_blocks.lines_of(text, name):
        if block or document_blocks.is_indented_code(line):
            yield number, line, line
        else:
            for code in re.findall(r"`([^`]+)`", line):
                yield number, line, code


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--tools", required=True, help="folder of the tools")
    arguments = parser.parse_args()
    known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*",
                           help_texts(root, arguments.tools)))
    known = {"--" + option.lstrip("-") for option in known}
    problems = []
    documents = [root / "README.md", root / "CONTRIBUTING.md",
                 *sorted(root.glob("docs/*.md")),
                 *sorted(root.glob("docs/guides/*.md")),
                 *sorted(root.glob("docs/rationale/*.md"))]
    for document in documents:
        name = document.relative_to(root)
        for number, line, code in code_of(
                document.read_text(encoding="utf-8"), name):
            if not FOREIGN.search(line):
                for option in OPTION.findall(code):
                    if option not in known | ABSENT:
                        problems.append(f"{name}:{number}: no tool has {option}")
            word = code.strip().rstrip("/")
            if PATH.match(word) and "*" not in word and \
                    not (root / word).exists():
                problems.append(f"{name}:{number}: there is no {word}")
        # Links between documents.
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)",
                                 document.read_text(encoding="utf-8")):
            if not (document.parent / target).exists():
                problems.append(f"{name}: a link to {target}, which is missing")
    print("\n".join(problems) or f"{len(documents)} documents: all options, "
          "files and links exist")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
