"""The format of the lit suite: a line that is left out is not passed.

`RUN: %if nvrtc %{ ... %}` runs where NVRTC is. Elsewhere a test that passes is
UNSUPPORTED, and says which lines it left out: lit alone would say PASS.
"""

import re

import lit.formats
import lit.Test
from lit.BooleanExpression import BooleanExpression


def find_left_out(text, features):
    """Lines of the script whose condition does not hold."""
    left_out = []
    for line in text.splitlines():
        if not re.search(r"\bRUN:", line):
            continue
        for condition in re.findall(r"%if\s+(.*?)\s*%\{", line):
            if not BooleanExpression.evaluate(condition, features):
                left_out.append(f"no {condition}: {line.strip()}")
    return left_out


class WholeShTest(lit.formats.ShTest):

    def execute(self, test, lit_config):
        result = super().execute(test, lit_config)
        if result.code is not lit.Test.PASS:
            return result
        with open(test.getSourcePath(), errors="replace") as file:
            left_out = find_left_out(file.read(), test.config.available_features)
        if left_out:
            result.code = lit.Test.UNSUPPORTED
            result.output = ("The other lines passed. Left out:\n" +
                             "\n".join(left_out) + "\n" + (result.output or ""))
        return result
