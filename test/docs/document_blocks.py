"""Fenced blocks of a document, for the tests that read documents.

A block begins and ends with a line that starts with three backticks, after
spaces where it stands in a list. What follows the first three are its words:
```sh fails=2 has the words "sh" and "fails=2".
"""

import textwrap

FENCE = "```"


class Block:
    """One fenced block: the number of its first fence, its words and lines."""

    def __init__(self, line, words):
        self.line, self.words, self.lines = line, words, []

    def option(self, name):
        """The value of the word NAME=VALUE, True for NAME, None without it."""
        for word in self.words[1:]:
            if word.split("=")[0] == name:
                return word.partition("=")[2] or True
        return None


def lines_of(text, name, make=Block):
    """(number, line, block) of all lines but fences, in order.

    `block` is what `make` gave for the block around the line, or None. Its
    lines, without their common indentation, are complete after its last one.
    ValueError if a block of the document `name` has no end.
    """
    block = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip().startswith(FENCE):
            if block is not None:
                block.lines.append(line)
            yield number, line, block
        elif block is None:
            block = make(number, line.strip()[len(FENCE):].split())
        else:
            block.lines = textwrap.dedent("\n".join(block.lines)).splitlines()
            block = None
    if block is not None:
        raise ValueError(f"{name}:{block.line}: the block has no end")


def is_indented_code(line):
    """Whether a line outside of blocks is code by its indentation."""
    return line.startswith("    ")
