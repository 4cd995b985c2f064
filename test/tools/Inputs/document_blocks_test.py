"""Tests of test/docs/document_blocks.py, and that both readers use it.

usage: document_blocks_test.py ROOT
"""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(ROOT / "test/docs"))

import check_options  # noqa: E402
import document_blocks  # noqa: E402
import run_document  # noqa: E402

DOCUMENT = """Words and `inline code`.

```sh fails=2 gpu
false
```

- a list

  ```text output
  printed
    more
  ```

    indented
"""


class DocumentBlocks(unittest.TestCase):
    def test_lines_and_blocks(self):
        found = list(document_blocks.lines_of(DOCUMENT, "a.md"))
        self.assertEqual(
            [(number, line) for number, line, block in found if block],
            [(4, "false"), (10, "  printed"), (11, "    more")])
        sh = found[2][2]
        self.assertEqual((sh.line, sh.words, sh.lines),
                         (3, ["sh", "fails=2", "gpu"], ["false"]))
        self.assertEqual((sh.option("fails"), sh.option("gpu")), ("2", True))
        self.assertIsNone(sh.option("exact"))
        text = found[-3][2]
        self.assertEqual(text.lines, ["printed", "  more"])
        self.assertTrue(document_blocks.is_indented_code(found[-1][1]))

    def test_block_without_end(self):
        with self.assertRaisesRegex(ValueError, "a.md:2: the block has no end"):
            list(document_blocks.lines_of("\n```sh\nfalse\n", "a.md"))

    def test_both_readers(self):
        found = list(check_options.code_of(DOCUMENT, "a.md"))
        self.assertEqual(
            [(number, code) for number, _, code in found],
            [(1, "inline code"), (4, "false"), (10, "  printed"),
             (11, "    more"), (14, "    indented")])
        # With the line, which says whose the code is.
        self.assertEqual(found[0][1], "Words and `inline code`.")
        with self.assertRaises(ValueError):
            list(check_options.code_of("```\n", "a.md"))
        self.assertTrue(
            issubclass(run_document.Block, document_blocks.Block))


unittest.main()
