"""examples/train: every kind of model learns, and a run that was interrupted ends
with the bits of one that was not."""

import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "examples", "train"))

import model as models  # noqa: E402  pylint: disable=wrong-import-position
import text  # noqa: E402  pylint: disable=wrong-import-position
import train  # noqa: E402  pylint: disable=wrong-import-position

models.SIZES["test"] = (32, 2, 4, 2)


class Training(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.text = os.path.join(self.folder, "text")
        with open(self.text, "w", encoding="utf-8") as file:
            file.write("".join(f"{n} bottles of beer on the wall, "
                               for n in range(3000)))

    def run_it(self, name, *given, kind="gsa"):
        """(the Run, entries of its log)."""
        out = os.path.join(self.folder, name)
        with contextlib.redirect_stdout(io.StringIO()):
            run = train.main([
                "--out", out, "--kind", kind, "--size", "test", "--text",
                self.text, "--steps", "8", "--warm-up", "4", "--context", "48",
                "--keys", "8", "--batch", "2", "--report", "1", "--rate", "1e-2",
                *given])
        with open(os.path.join(out, "log.jsonl"), encoding="utf-8") as file:
            return run, [json.loads(line) for line in file]

    def test_every_kind(self):
        for kind, (gates, selects) in models.KINDS.items():
            run, log = self.run_it(kind, kind=kind)
            losses = [entry["loss"] for entry in log if "loss" in entry]
            self.assertEqual(len(losses), 8)
            self.assertLess(losses[-1], losses[0] - 0.5, kind)
            with open(os.path.join(self.folder, kind, "observed.json"),
                      encoding="utf-8") as file:
                layers = json.load(file)
            self.assertEqual(len(layers), 2)
            for layer in layers:
                self.assertEqual("output_gate" in layer, gates)
                self.assertEqual("recall" in layer, selects)
                if selects:
                    self.assertGreater(layer["recall"], 0.1)
                    self.assertLessEqual(layer["mass"], layer["best_mass"])
            index = [entry["index_loss"] for entry in log
                     if "index_loss" in entry]
            stages = [entry["stage"] for entry in log if "loss" in entry]
            if selects:
                self.assertEqual(stages, ["all"] * 4 + ["selected"] * 4)
                self.assertGreater(min(index), 0)
            else:
                self.assertEqual((set(stages), set(index)), ({None}, {0.0}))
            # What the optimiser has is what has gradients.
            for name, p in run.model.named_parameters():
                self.assertEqual(p.grad is not None,
                                 selects or ".indexer." not in name, name)
            drawn = os.path.join(self.folder, kind, "picture.png")
            self.assertEqual(os.path.exists(drawn),
                             importlib.util.find_spec("matplotlib") is not None)

    def test_resume(self):
        whole, log = self.run_it("whole")
        # Once while the indexers warm up, once behind that.
        self.run_it("parts", "--stop", "3")
        self.run_it("parts", "--stop", "6", "--resume")
        parts, resumed = self.run_it("parts", "--resume")
        self.assertEqual(log[-1], resumed[-1])
        for (name, want), got in zip(whole.model.state_dict().items(),
                                     parts.model.state_dict().values()):
            self.assertTrue(torch.equal(want, got), name)
        self.assertEqual([e for e in log if "loss" in e],
                         [e for e in resumed if "loss" in e])
        with self.assertRaisesRegex(SystemExit, "keys: got 9, expected 8"):
            self.run_it("parts", "--resume", "--keys", "9")
        with self.assertRaisesRegex(SystemExit, "expected the checkpoint"):
            self.run_it("nothing", "--resume")

    def test_text(self):
        learned, held_out = text.read([self.text])
        again, _ = text.batch(learned, 3, size=2, context=9, seed=1)
        tokens, targets = text.batch(learned, 3, size=2, context=9, seed=1)
        self.assertTrue(torch.equal(tokens, again))
        self.assertTrue(torch.equal(tokens[:, 1:], targets[:, :-1]))
        self.assertFalse(torch.equal(tokens, text.batch(
            learned, 4, size=2, context=9, seed=1)[0]))
        self.assertEqual(len(learned) + len(held_out),
                         os.path.getsize(self.text))
        text.PLACES["absent"] = ("such-a-package", "/nowhere/*")
        self.addCleanup(text.PLACES.pop, "absent")
        for place, pattern in (("absent", "apt-get install such-a-package"),
                               ("lisenses", "expected a file or one of")):
            with self.assertRaisesRegex(SystemExit, pattern):
                text.read([place])
        with open(self.text, "w", encoding="utf-8") as file:
            file.write("short")
        with self.assertRaisesRegex(SystemExit, "got 5 bytes in 1 files"):
            text.read([self.text])


if __name__ == "__main__":
    unittest.main()
