"""Prints a module with every example of an attribute in a generated reference.

usage: attribute_examples.py docs/generated/gsa-attrs.md

An attribute of more than one parameter without an example is an error.
"""

import re
import sys


def main():
    with open(sys.argv[1]) as reference:
        sections = re.split(r"^## ", reference.read(), flags=re.M)[1:]
    examples, missing = [], []
    for section in sections:
        name = section.split("\n", 1)[0]
        found = re.findall(r"^Example: `([^`]*)`", section, flags=re.M)
        examples += found
        # Below the head of the table.
        parameters = re.findall(r"^\| (?!Parameter)\w", section, flags=re.M)
        if name.endswith("Attr") and len(parameters) > 1 and not found:
            missing.append(name)
    if missing or not examples:
        sys.exit(f"without an example: {', '.join(missing) or 'all'}")
    print("func.func private @examples() attributes {")
    print(",\n".join(f"a{i} = {text}" for i, text in enumerate(examples)))
    print("}")
    print(f"// {len(examples)} examples")


if __name__ == "__main__":
    main()
